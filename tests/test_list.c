/* Tests of src/value/list.c. */
#include <errno.h>

#include <value/value.h>

#include "test.h"

/* The i-th item, or NULL where memory has run out. */
static const fate_value *at(const fate_value *list, size_t i)
{
    return fate_kind_of(list) == FATE_KIND_LIST && i < fate_count(list) ? fate_at(list, i) : NULL;
}

TEST(a_list_has_the_items_that_it_was_given)
{
    fate_value items[] = { fate_int(1), fate_str("two"), fate_none() };
    fate_value list = fate_list(3, items);

    EXPECT_INT(at(&list, 0), 1);
    EXPECT_TEXT(at(&list, 1), "two");
    EXPECT_NONE(at(&list, 2));
    if (!LACKS(&list))
        EXPECT_EQ(fate_count(&list), 3);
    fate_drop(list);
}

TEST(a_list_may_be_empty)
{
    fate_value lists[] = { fate_list(0, NULL), fate_list_of(), fate_list_past_first(0, NULL) };

    for (size_t i = 0; i < 3; i++) {
        EXPECT_DESCRIBED(&lists[i], "[]");
        fate_drop(lists[i]);
    }
}

TEST(a_list_is_written_with_its_items)
{
    fate_value list = fate_list_of(fate_int(1), fate_list_of(fate_str("two")), fate_none());

    EXPECT_DESCRIBED(&list, "[1, [\"two\"], none]");
    fate_drop(list);
}

TEST(a_list_grows_by_appending)
{
    fate_value list = fate_list_of(fate_int(0));
    int64_t n = 1;

    for (int64_t i = 1; i < 100; i++)
        n += fate_list_append(&list, fate_int(i)) == 0;
    EXPECT_EQ(n, 100);
    for (int64_t i = 0; i < n; i++)
        EXPECT_INT(at(&list, (size_t)i), i);
    fate_drop(list);
}

TEST(an_append_that_has_no_memory_changes_nothing)
{
    fate_value list = fate_list_of(fate_str("kept"));
    long before = test_blocks();

    fate_value item = fate_str("given");
    test_fail_allocation(1, true);
    int error = fate_list_append(&list, item);
    EXPECT(test_fail_allocation(0, false));
    EXPECT_EQ(error, -ENOMEM);
    EXPECT_EQ(test_blocks(), before);
    EXPECT_DESCRIBED(&list, "[\"kept\"]");
    fate_drop(list);
}

TEST(setting_replaces_and_drops_the_item_before)
{
    fate_value list = fate_list_of(fate_str("a"), fate_str("b"));
    long before = test_blocks();

    if (!LACKS(&list)) {
        EXPECT_EQ(fate_list_set(&list, 1, fate_int(5)), 0);
        EXPECT_EQ(test_blocks(), before - 1);
        EXPECT_DESCRIBED(&list, "[\"a\", 5]");
    }
    fate_drop(list);
}

/* ---- The NO_MEMORY failure ---- */

TEST(a_list_given_the_no_memory_failure_becomes_it_and_drops_the_others)
{
    long before = test_blocks();
    fate_value list = fate_list_of(fate_str("a"), fate__no_memory(), fate_str("b"));

    EXPECT(fate__is_no_memory(&list));
    EXPECT_EQ(test_blocks(), before);
    fate_drop(list);
}

TEST(a_list_without_memory_drops_its_items)
{
    fate_value items[] = { fate_str("a"), fate_str("b") };

    test_fail_allocation(1, true);
    fate_value list = fate_list(2, items);
    EXPECT(test_fail_allocation(0, false));
    EXPECT(fate__is_no_memory(&list));
    fate_drop(list);
}

TEST(a_list_refuses_the_no_memory_failure_as_a_later_item)
{
    fate_value list = fate_list_of(fate_int(1));

    EXPECT_EQ(fate_list_append(&list, fate__no_memory()), -ENOMEM);
    EXPECT_EQ(fate_list_set(&list, 0, fate__no_memory()), -ENOMEM);
    EXPECT_DESCRIBED(&list, "[1]");
    fate_drop(list);
}

TEST(changing_a_list_that_could_not_be_made_is_refused)
{
    fate_value list = fate__no_memory();

    EXPECT_EQ(fate_list_append(&list, fate_str("a")), -ENOMEM);
    EXPECT_EQ(fate_list_set(&list, 0, fate_str("a")), -ENOMEM);
    EXPECT(fate__is_no_memory(&list));
}

/* ---- Taking and sharing ---- */

TEST(taking_an_item_leaves_none_in_its_place)
{
    fate_value list = fate_list_of(fate_str("a"), fate_int(2));

    if (!LACKS(&list)) {
        fate_value item = fate_take_at(&list, 0);
        EXPECT_TEXT(&item, "a");
        EXPECT_DESCRIBED(&list, "[none, 2]");
        fate_drop(item);
    }
    fate_drop(list);
}

TEST(taking_an_item_out_of_a_shared_list_copies_it)
{
    fate_value list = fate_list_of(fate_str("a"));
    fate_value other = fate_copy(&list);

    if (!LACKS(&list)) {
        fate_value item = fate_take_at(&list, 0);
        EXPECT_TEXT(&item, "a");
        EXPECT_EQ(fate__refs(&item), 2);
        EXPECT_DESCRIBED(&other, "[\"a\"]");
        fate_drop(item);
    }
    fate_drop(list);
    fate_drop(other);
}

static fate_value shared_list(void)
{
    fate_value list = fate_list_of(fate_int(1));
    fate_copy(&list);
    return list;
}

static void append_to_shared(void *arg)
{
    fate_value list = shared_list();
    fate_list_append(&list, fate_int(2));
}

static void set_in_shared(void *arg)
{
    fate_value list = shared_list();
    fate_list_set(&list, 0, fate_int(2));
}

static void append_to_itself(void *arg)
{
    fate_value list = fate_list_of(fate_int(1));
    fate_list_append(&list, fate_copy(&list));
}

TEST(changing_a_shared_list_stops_the_program)
{
    EXPECT_STOP(append_to_shared, NULL, "fate_list_append: the list ([1]) is shared: there are 2 references");
    EXPECT_STOP(set_in_shared, NULL, "fate_list_set: the list ([1]) is shared");
    EXPECT_STOP(append_to_itself, NULL, "fate_list_append: the list ([1]) is shared");
}

/* ---- Wrong use ---- */

static void read_beyond(void *arg)
{
    fate_value list = fate_list_of(fate_int(1));
    fate_at(&list, 1);
}

static void set_beyond(void *arg)
{
    fate_value list = fate_list_of(fate_int(1));
    fate_list_set(&list, 1, fate_none());
}

static void take_beyond(void *arg)
{
    fate_value list = fate_list(0, NULL);
    fate_take_at(&list, 0);
}

TEST(an_index_beyond_the_end_stops_the_program)
{
    EXPECT_STOP(read_beyond, NULL, "fate_at: there is no item 1 in a list of 1", "fate_count");
    EXPECT_STOP(set_beyond, NULL, "fate_list_set: there is no item 1 in a list of 1");
    EXPECT_STOP(take_beyond, NULL, "fate_take_at: there is no item 0 in a list of 0");
}

static void append_to_int(void *arg)
{
    fate_value v = fate_int(5);
    fate_list_append(&v, fate_none());
}

static void read_item_of_dict(void *arg)
{
    fate_value v = fate_dict();
    fate_at(&v, 0);
}

static void count_an_int(void *arg)
{
    fate_value v = fate_int(5);
    fate_count(&v);
}

TEST(using_another_value_as_a_list_stops_the_program)
{
    EXPECT_STOP(append_to_int, NULL, "fate_list_append: the value is an int (5), not a list");
    EXPECT_STOP(read_item_of_dict, NULL, "fate_at: the value is a dict ({}), not a list");
    EXPECT_STOP(count_an_int, NULL, "fate_count: the value is an int (5), not a list, dict, text or bytes");
}
