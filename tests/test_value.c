/* Tests of src/value/value.c and drop.c: scalars, types, copying, dropping. */
#include <math.h>
#include <stdlib.h>

#include <value/object.h>

#include "test.h"

TEST(none_is_a_null_type)
{
    fate_value v = fate_none();

    EXPECT(fate_is_none(&v));
    EXPECT(!fate_is_failure(&v));
    EXPECT_EQ(fate_kind_of(&v), FATE_KIND_NONE);
    EXPECT_PTR(v.type, NULL);
}

TEST(a_value_has_sixteen_bytes)
{
    EXPECT_EQ(sizeof(fate_value), 16);
}

TEST(scalars_read_back_what_they_were_made_of)
{
    int target;
    fate_value yes = fate_bool(true), no = fate_bool(false), least = fate_int(INT64_MIN),
               half = fate_float(0.5);
    fate_value moment = fate_datetime(-1), pointer = fate_ptr(&target);

    EXPECT(fate_as_bool(&yes));
    EXPECT(!fate_as_bool(&no));
    EXPECT(fate_as_int(&least) == INT64_MIN);
    EXPECT(fate_as_float(&half) == 0.5);
    EXPECT_EQ(fate_as_datetime(&moment), -1);
    EXPECT_PTR(fate_as_ptr(&pointer), &target);
    EXPECT_EQ(fate_kind_of(&moment), FATE_KIND_DATETIME);
    EXPECT_EQ(fate_kind_of(&pointer), FATE_KIND_PTR);
}

TEST(an_int_reads_as_a_float_and_not_the_other_way_round)
{
    fate_value seven = fate_int(7), half = fate_float(0.5);
    double f = 0;
    int64_t i = 3;

    EXPECT(fate_as_float(&seven) == 7.0);
    EXPECT(fate_get_float(&seven, &f) && f == 7.0);
    EXPECT(!fate_get_int(&half, &i));
    EXPECT_EQ(i, 3);
}

TEST(asking_for_another_type_writes_nothing)
{
    fate_value v = fate_ptr(NULL), none = fate_none();
    bool b = true;
    int64_t i = 5, moment = 6;
    double f = 7;

    EXPECT(!fate_get_bool(&v, &b) && b);
    EXPECT(!fate_get_int(&v, &i) && i == 5);
    EXPECT(!fate_get_datetime(&v, &moment) && moment == 6);
    EXPECT(!fate_get_float(&v, &f) && f == 7);
    EXPECT(!fate_get_int(&none, &i) && i == 5);
}

TEST(asking_no_value_at_all_answers_false)
{
    bool b;
    int64_t i;
    double f;
    const char *s;
    const void *p;
    size_t len;

    EXPECT(!fate_get_bool(NULL, &b));
    EXPECT(!fate_get_int(NULL, &i));
    EXPECT(!fate_get_float(NULL, &f));
    EXPECT(!fate_get_datetime(NULL, &i));
    EXPECT(!fate_get_str(NULL, &s));
    EXPECT(!fate_get_bytes(NULL, &p, &len));
}

/* ---- Stops ---- */

static void read_text_as_int(void *arg)
{
    fate_value v = fate_str("abc");
    fate_as_int(&v);
}

static void read_none_as_bool(void *arg)
{
    fate_value v = fate_none();
    fate_as_bool(&v);
}

static void read_int_as_text(void *arg)
{
    fate_value v = fate_int(5);
    fate_as_str(&v);
}

static void read_list_as_bytes(void *arg)
{
    fate_value v = fate_list_of(fate_int(1));
    size_t len;
    fate_as_bytes(&v, &len);
}

static void read_float_as_datetime(void *arg)
{
    fate_value v = fate_float(1);
    fate_as_datetime(&v);
}

static void read_int_as_pointer(void *arg)
{
    fate_value v = fate_int(1);
    fate_as_ptr(&v);
}

static void read_failure_as_float(void *arg)
{
    fate_value v = fate_raise(&FATE_KEY_ERROR, "gone");
    fate_as_float(&v);
}

TEST(reading_as_another_type_stops_the_program)
{
    EXPECT_STOP(read_text_as_int, NULL, "libfate: fate_as_int: the value is a text (\"abc\"), not an int.",
                "fate_get_int for data from outside");
    EXPECT_STOP(read_none_as_bool, NULL, "fate_as_bool: the value is none, not a bool.");
    EXPECT_STOP(read_int_as_text, NULL, "fate_as_str: the value is an int (5), not a text.");
    EXPECT_STOP(read_list_as_bytes, NULL, "fate_as_bytes: the value is a list ([1]), not bytes or a text.");
    EXPECT_STOP(read_float_as_datetime, NULL, "fate_as_datetime: the value is a float (1.0)");
    EXPECT_STOP(read_int_as_pointer, NULL, "fate_as_ptr: the value is an int (1), not a pointer.");
    EXPECT_STOP(read_failure_as_float, NULL, "fate_as_float: the value is a failure (<KeyError: gone>)");
}

static void read_no_value(void *arg)
{
    fate_as_int(NULL);
}

static void copy_no_value(void *arg)
{
    fate_copy(NULL);
}

TEST(a_null_where_a_value_is_wanted_stops_the_program)
{
    EXPECT_STOP(read_no_value, NULL, "fate_as_int", "there is no value (NULL)", "fate_dict_get");
    EXPECT_STOP(copy_no_value, NULL, "fate_copy", "there is no value (NULL)");
}

static void read_long_text_as_int(void *arg)
{
    fate_value v = fate_format("%0200d", 0);
    fate_as_int(&v);
}

TEST(a_stop_shows_only_the_beginning_of_a_long_value)
{
    EXPECT_STOP(read_long_text_as_int, NULL, "00000000...), not an int");
}

static fate_value follow_value(void)
{
    static int somewhere;
    return fate__of(&fate__type_follow, &somewhere);
}

static void drop_follow(void *arg)
{
    fate_drop(follow_value());
}

static void copy_follow(void *arg)
{
    fate_value v = follow_value();
    fate_copy(&v);
}

static void give_follow(void *arg)
{
    fate_value list = fate_list(0, NULL);
    fate_list_append(&list, follow_value());
}

TEST(a_follow_used_as_a_value_stops_the_program)
{
    EXPECT_STOP(drop_follow, NULL, "fate_drop: given fate_follow(d)", "fate_held(d)");
    EXPECT_STOP(copy_follow, NULL, "fate_copy: given fate_follow(d)");
    EXPECT_STOP(give_follow, NULL, "fate_list_append: given fate_follow(d)");
}

/* ---- Lent values ---- */

/* What a debug build's chain makes of a value that it lends. */
static fate_value lent(fate_value v)
{
    if (v.type && v.type->lent)
        v.type = v.type->lent;
    return v;
}

static void drop_lent(void *arg)
{
    fate_drop(lent(fate_str("abc")));
}

static void give_lent(void *arg)
{
    fate_value list = fate_list(0, NULL);
    fate_list_append(&list, lent(fate_str("abc")));
}

static void raise_with_lent(void *arg)
{
    fate_raise_with(&FATE_ERROR, lent(fate_str("abc")), "x");
}

TEST(giving_away_what_was_only_lent_stops_the_program)
{
    EXPECT_STOP(drop_lent, NULL, "fate_drop: given a text (\"abc\") that is only lent", "fate_take");
    EXPECT_STOP(give_lent, NULL, "fate_list_append: given a text (\"abc\")", "fate_copy");
    EXPECT_STOP(raise_with_lent, NULL, "test_value.c:", "fate_raise_with: given a text");
}

TEST(values_without_an_owner_have_no_lent_type)
{
    EXPECT_PTR(fate_type_bool.lent, NULL);
    EXPECT_PTR(fate_type_int.lent, NULL);
    EXPECT_PTR(fate_type_float.lent, NULL);
    EXPECT_PTR(fate_type_ptr.lent, NULL);
    EXPECT_PTR(fate__type_datetime.lent, NULL);
    EXPECT_PTR(fate__type_follow.lent, NULL);
}

TEST(a_lent_type_points_back_and_has_the_same_kind)
{
    const fate_type *types[] = { &fate__type_text, &fate__type_bytes,    &fate__type_list,   &fate__type_dict,
                                 &fate__type_box,  &fate__type_deferred, &fate__type_failure };

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        EXPECT(types[i]->is_counted && !types[i]->is_lent);
        EXPECT_PTR(types[i]->plain, types[i]);
        EXPECT(types[i]->lent->is_lent && types[i]->lent->is_counted);
        EXPECT_PTR(types[i]->lent->plain, types[i]);
        EXPECT_EQ(types[i]->lent->kind, types[i]->kind);
    }
}

TEST(readers_take_lent_values_and_taking_makes_them_plain)
{
    fate_value v = lent(fate_list_of(fate_str("abc")));

    if (fate_kind_of(&v) == FATE_KIND_LIST) {
        EXPECT_EQ(fate_count(&v), 1);
        EXPECT_TEXT(fate_at(&v, 0), "abc");
        EXPECT_DESCRIBED(&v, "[\"abc\"]");
    }
    fate_value copy = fate_copy(&v);
    fate_value taken = fate_take(&v);
    EXPECT(fate_is_none(&v));
    EXPECT_EQ(copy.type->is_lent, 0);
    EXPECT_EQ(taken.type->is_lent, 0);
    EXPECT(fate_equal(&copy, &taken));
    fate_drop(copy);
    fate_drop(taken);
}

/* ---- Copying and taking ---- */

TEST(taking_leaves_nothing_behind)
{
    fate_value v = fate_int(5);
    fate_value taken = fate_take(&v);

    EXPECT(fate_is_none(&v));
    EXPECT_INT(&taken, 5);
}

TEST(a_copy_is_one_more_reference)
{
    fate_value v = fate_str("abc");
    if (LACKS(&v))
        return;
    EXPECT_EQ(fate__refs(&v), 1);
    fate_value copy = fate_copy(&v);
    EXPECT_PTR(copy.as.p, v.as.p);
    EXPECT_EQ(fate__refs(&v), 2);
    fate_drop(v);
    EXPECT_EQ(fate__refs(&copy), 1);
    EXPECT_TEXT(&copy, "abc");
    fate_drop(copy);
}

TEST(what_is_not_counted_has_one_reference)
{
    fate_value none = fate_none(), five = fate_int(5);
    fate_value copy = fate_copy(&five);

    EXPECT_EQ(fate__refs(&none), 1);
    EXPECT_EQ(fate__refs(&five), 1);
    EXPECT_INT(&copy, 5);
    fate_drop(copy);
    fate_drop(none);
}

TEST(a_count_that_would_overflow_makes_its_object_immortal)
{
    fate_value v = fate_str("abc");
    if (LACKS(&v))
        return;
    struct fate__counted *head = v.as.p;
    head->refs = INT32_MAX;
    fate_value copy = fate_copy(&v);
    EXPECT(fate__refs(&v) < 0);
    fate_drop(copy);
    EXPECT_TEXT(&v, "abc");

    head->refs = 1;
    fate_drop(v);
}

TEST(want_of_memory_is_a_failure_that_needs_none)
{
    fate_value v = fate__no_memory(), copy = fate_copy(&v);

    EXPECT_FAILURE(&v, &FATE_NO_MEMORY);
    EXPECT(fate__is_no_memory(&copy));
    EXPECT(fate__refs(&v) < 0);
    fate_drop(v);
    fate_drop(v);
    fate_drop(copy);
    EXPECT_STR(fate_message(&v), "out of memory");
}

static const fate_type lock_type = { .name = "lock", .kind = FATE_KIND_OBJECT, .plain = &lock_type };
static const fate_type loop_type = { .name = "looping call", .kind = FATE_KIND_OBJECT, .plain = &loop_type };

static void read_lock_as_loop(void *arg)
{
    fate_value v = fate__object(&lock_type, arg);
    fate__as_object(&loop_type, &v, "fate_as_looping_call");
}

TEST(an_object_of_the_library_reads_back_as_its_type_only)
{
    int object;
    fate_value v = fate__object(&lock_type, &object);

    EXPECT_PTR(fate__as_object(&lock_type, &v, "fate_as_lock"), &object);
    EXPECT_STOP(read_lock_as_loop, &object,
                "fate_as_looping_call: the value is a lock (<lock>), not a looping call");
}

/* ---- Held deferreds: the layer above sets how ---- */

static int held;

static void hold(fate_deferred *d)
{
    held++;
}

static void release(fate_deferred *d)
{
    held--;
}

static const char *site_of(const fate_deferred *d)
{
    return "src/client.c:6";
}

TEST(a_held_deferred_is_held_by_each_copy)
{
    static const struct fate__held_ops ops = { hold, release, site_of };
    const struct fate__held_ops *before = fate__held;
    int object;

    fate__held = &ops;
    held = 1;
    fate_value v = fate__of(&fate__type_deferred, &object);
    fate_value copy = fate_copy(&v);
    EXPECT_EQ(held, 2);
    EXPECT_EQ(fate__refs(&v), 1);
    EXPECT_DESCRIBED(&v, "<deferred client.c:6>");
    fate_drop(copy);
    EXPECT_EQ(held, 1);
    fate_value list = fate_list(1, &v);
    fate_drop(list);
    EXPECT_EQ(held, 0);
    fate__held = before;
}

/* ---- Dropping ---- */

static int order[8], n_dropped;

struct numbered {
    int number;
};

static void note_drop(void *data)
{
    struct numbered *numbered = data;
    order[n_dropped++ % 8] = numbered->number;
}

static fate_value numbered_box(int number)
{
    return fate_box_with(note_drop, struct numbered, number);
}

TEST(the_items_of_a_list_go_first_to_last)
{
    n_dropped = 0;
    fate_drop(fate_list_of(numbered_box(1), fate_list_of(numbered_box(2), numbered_box(3)), numbered_box(4)));
    EXPECT_EQ(n_dropped, 4);
    if (test_is_oom())
        return;
    for (int i = 0; i < 4; i++)
        EXPECT_EQ(order[i], i + 1);
}

TEST(a_list_goes_with_its_last_reference)
{
    n_dropped = 0;
    fate_value list = fate_list_of(numbered_box(1));
    if (LACKS(&list))
        return;
    fate_value copy = fate_copy(&list);
    fate_drop(list);
    EXPECT_EQ(n_dropped, 0);
    fate_drop(copy);
    EXPECT_EQ(n_dropped, 1);
}

#define MILLION 1000000

VOLUME_TEST(a_million_lists_in_one_another_go_without_a_deep_stack)
{
    fate_value v = fate_none();

    for (int i = 0; i < MILLION; i++)
        v = fate_list(1, &v);
    fate_drop(v);
}

VOLUME_TEST(a_million_dicts_in_one_another_go_without_a_deep_stack)
{
    fate_value v = fate_none();

    for (int i = 0; i < MILLION; i++) {
        fate_value dict = fate_dict();
        EXPECT_EQ(fate_dict_set(&dict, "inner", v), 0);
        v = dict;
    }
    fate_drop(v);
}

VOLUME_TEST(a_million_causes_go_without_a_deep_stack)
{
    fate_value v = fate_raise(&FATE_ERROR, "first");

    for (int i = 0; i < MILLION; i++)
        v = fate_raise_from(&FATE_ERROR, v, "next");
    fate_drop(v);
}

struct shell {
    fate_value inner;
};

static long n_shells, deepest, depth_now;

/* A box whose drop function drops the one inside. */
static void drop_shell(void *data)
{
    struct shell *shell = data;

    n_shells++;
    depth_now++;
    deepest = depth_now > deepest ? depth_now : deepest;
    fate_drop(fate_take(&shell->inner));
    depth_now--;
}

VOLUME_TEST(a_million_boxes_that_drop_one_another_go_without_a_deep_stack)
{
    fate_value v = fate_none();

    n_shells = deepest = depth_now = 0;
    for (int i = 0; i < MILLION; i++)
        v = fate_box_with(drop_shell, struct shell, v);
    fate_drop(v);
    EXPECT_EQ(n_shells, MILLION);
    EXPECT(deepest > 1);
    EXPECT(deepest <= 64);
}

struct owner {
    fate_value inner;
    bool *was_dropped_at_once;
    int *n_inner;
};

struct leaf {
    int *n_inner;
};

static void drop_leaf(void *data)
{
    struct leaf *leaf = data;
    ++*leaf->n_inner;
}

static void drop_owner(void *data)
{
    struct owner *owner = data;
    int before = *owner->n_inner;

    fate_drop(fate_take(&owner->inner));
    *owner->was_dropped_at_once = *owner->n_inner == before + 1;
}

TEST(what_a_drop_function_drops_goes_before_the_call_returns)
{
    bool at_once = false;
    int n_inner = 0;
    fate_value leaf = fate_box_with(drop_leaf, struct leaf, &n_inner);

    if (LACKS(&leaf))
        return;
    fate_drop(fate_box_with(drop_owner, struct owner, leaf, &at_once, &n_inner));
    EXPECT(at_once);
    EXPECT_EQ(n_inner, 1);
}
