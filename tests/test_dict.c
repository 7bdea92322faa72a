/* Tests of src/value/dict.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <value/value.h>

#include "test.h"

/* The item of a key, or NULL where memory has run out. */
static const fate_value *get(const fate_value *dict, const char *key)
{
    return fate_kind_of(dict) == FATE_KIND_DICT ? fate_dict_get(dict, key) : NULL;
}

TEST(an_empty_dict_has_no_keys)
{
    fate_value dict = fate_dict(), other = fate_dict_of();

    EXPECT_DESCRIBED(&dict, "{}");
    EXPECT_DESCRIBED(&other, "{}");
    if (!LACKS(&dict)) {
        EXPECT_EQ(fate_count(&dict), 0);
        EXPECT_PTR(fate_dict_get(&dict, "a"), NULL);
    }
    fate_drop(dict);
    fate_drop(other);
}

TEST(a_dict_is_written_with_its_pairs)
{
    fate_value dict = fate_dict_of({ "b", fate_int(1) }, { "a", fate_str("two") }, { "", fate_none() });

    EXPECT_INT(get(&dict, "b"), 1);
    EXPECT_TEXT(get(&dict, "a"), "two");
    EXPECT_NONE(get(&dict, ""));
    EXPECT_PTR(get(&dict, "c"), NULL);
    EXPECT_DESCRIBED(&dict, "{\"b\": 1, \"a\": \"two\", \"\": none}");
    fate_drop(dict);
}

TEST(a_dict_made_of_pairs_keeps_the_later_of_two_with_one_key)
{
    fate_pair pairs[] = { { "a", fate_str("first") }, { "b", fate_int(2) }, { "a", fate_str("second") } };
    fate_value dict = fate_dict_from(3, pairs);

    EXPECT_DESCRIBED(&dict, "{\"a\": \"second\", \"b\": 2}");
    fate_drop(dict);
}

TEST(keys_and_items_are_read_in_order_of_insertion)
{
    fate_value dict = fate_dict_of({ "z", fate_int(1) }, { "y", fate_int(2) });

    if (!LACKS(&dict)) {
        EXPECT_STR(fate_dict_key(&dict, 0), "z");
        EXPECT_STR(fate_dict_key(&dict, 1), "y");
        EXPECT_INT(fate_dict_at(&dict, 1), 2);
    }
    fate_drop(dict);
}

TEST(a_key_is_copied)
{
    char key[] = "a";
    fate_value dict = fate_dict();

    fate_dict_set(&dict, key, fate_int(1));
    key[0] = 'b';
    EXPECT_INT(get(&dict, "a"), 1);
    EXPECT_PTR(get(&dict, "b"), NULL);
    fate_drop(dict);
}

TEST(setting_a_key_again_replaces_its_item_in_its_place)
{
    fate_value dict = fate_dict_of({ "a", fate_str("before") }, { "b", fate_int(2) });

    if (!LACKS(&dict)) {
        EXPECT_EQ(fate_dict_set(&dict, "a", fate_int(5)), 0);
        EXPECT_DESCRIBED(&dict, "{\"a\": 5, \"b\": 2}");
    }
    fate_drop(dict);
}

static const char *key_of(int i, char to[static 16])
{
    snprintf(to, 16, "key %d", i);
    return to;
}

/* Returns how many keys it has. */
static int fill(fate_value *dict, int n)
{
    char key[16];
    int set = 0;

    for (int i = 0; i < n; i++)
        set += fate_dict_set(dict, key_of(i, key), fate_int(i)) == 0;
    return set;
}

static void expect_keys(const fate_value *dict, int from, int to, int step)
{
    char key[16];
    size_t at = 0;

    if (fate_kind_of(dict) != FATE_KIND_DICT || test_is_oom())
        return;
    for (int i = from; i < to; i += step, at++) {
        EXPECT_INT(fate_dict_get(dict, key_of(i, key)), i);
        EXPECT_STR(fate_dict_key(dict, at), key);
    }
    EXPECT_EQ(fate_count(dict), at);
}

TEST(a_dict_of_each_size_finds_its_keys_in_order)
{
    for (int n = 0; n < 40; n += 3) {
        fate_value dict = fate_dict();
        EXPECT_EQ(fill(&dict, n), n);
        expect_keys(&dict, 0, n, 1);
        EXPECT_PTR(get(&dict, "key"), NULL);
        EXPECT_PTR(get(&dict, "key 40"), NULL);
        fate_drop(dict);
    }
}

VOLUME_TEST(a_dict_of_a_hundred_thousand_keys_finds_them)
{
    fate_value dict = fate_dict();

    EXPECT_EQ(fill(&dict, 100000), 100000);
    EXPECT_EQ(fill(&dict, 100000), 100000);
    expect_keys(&dict, 0, 100000, 1);
    fate_drop(dict);
}

TEST(removing_keeps_the_order_of_the_others)
{
    fate_value dict = fate_dict();
    char key[16];

    fill(&dict, 30);
    for (int i = 1; i < 30; i += 2)
        EXPECT_EQ(fate_dict_remove(&dict, key_of(i, key)), 0);
    EXPECT_EQ(fate_dict_remove(&dict, "key 1"), -ENOENT);
    EXPECT_PTR(get(&dict, "key 1"), NULL);
    expect_keys(&dict, 0, 30, 2);
    fate_drop(dict);
}

TEST(a_key_that_was_removed_can_be_set_again_and_comes_last)
{
    fate_value dict = fate_dict_of({ "a", fate_int(1) }, { "b", fate_int(2) });

    if (!LACKS(&dict)) {
        EXPECT_EQ(fate_dict_remove(&dict, "a"), 0);
        if (fate_dict_set(&dict, "a", fate_int(3)) == 0)
            EXPECT_DESCRIBED(&dict, "{\"b\": 2, \"a\": 3}");
    }
    fate_drop(dict);
}

/* ---- Want of memory ---- */

TEST(a_set_that_has_no_memory_changes_nothing)
{
    /* Which allocation it is: of the entries, of the index, of the key. */
    for (int n = 0; n <= 8; n += 8)
        for (unsigned long nth = 1; nth <= 3; nth++) {
            fate_value dict = fate_dict();
            fill(&dict, n);
            fate_value item = fate_str("given");
            test_fail_allocation(nth, true);
            int error = fate_dict_set(&dict, "new", item);
            bool has_failed = test_fail_allocation(0, false);
            EXPECT_EQ(error, has_failed ? -ENOMEM : 0);
            EXPECT_EQ(has_failed, nth <= (n ? 3 : 2));
            EXPECT_EQ(get(&dict, "new") == NULL, has_failed);
            if (has_failed)
                expect_keys(&dict, 0, n, 1);
            fate_drop(dict);
        }
}

TEST(a_dict_refuses_the_no_memory_failure_as_an_item)
{
    fate_value dict = fate_dict_of({ "a", fate_int(1) });

    EXPECT_EQ(fate_dict_set(&dict, "b", fate__no_memory()), -ENOMEM);
    EXPECT_EQ(fate_dict_set(&dict, "a", fate__no_memory()), -ENOMEM);
    EXPECT_DESCRIBED(&dict, "{\"a\": 1}");
    fate_drop(dict);
}

TEST(a_dict_written_with_the_no_memory_failure_becomes_it)
{
    long before = test_blocks();
    fate_value dict =
        fate_dict_of({ "a", fate_str("x") }, { "b", fate__no_memory() }, { "c", fate_str("y") });

    EXPECT(fate__is_no_memory(&dict));
    EXPECT_EQ(test_blocks(), before);
    fate_drop(dict);
}

TEST(changing_a_dict_that_could_not_be_made_is_refused)
{
    fate_value dict = fate__no_memory();

    EXPECT_EQ(fate_dict_set(&dict, "a", fate_str("a")), -ENOMEM);
    EXPECT_EQ(fate_dict_remove(&dict, "a"), -ENOENT);
}

/* ---- Taking and sharing ---- */

TEST(taking_an_item_removes_its_key)
{
    fate_value dict = fate_dict_of({ "a", fate_str("x") }, { "b", fate_int(2) });

    if (!LACKS(&dict)) {
        fate_value item = fate_dict_take(&dict, "a"), none = fate_dict_take(&dict, "a");
        EXPECT_TEXT(&item, "x");
        EXPECT(fate_is_none(&none));
        EXPECT_DESCRIBED(&dict, "{\"b\": 2}");
        fate_drop(item);
    }
    fate_drop(dict);
}

TEST(taking_an_item_out_of_a_shared_dict_copies_it)
{
    fate_value dict = fate_dict_of({ "a", fate_str("x") });
    fate_value other = fate_copy(&dict);

    if (!LACKS(&dict)) {
        fate_value item = fate_dict_take(&dict, "a");
        EXPECT_EQ(fate__refs(&item), 2);
        EXPECT_DESCRIBED(&other, "{\"a\": \"x\"}");
        fate_drop(item);
    }
    fate_drop(dict);
    fate_drop(other);
}

static fate_value shared_dict(void)
{
    fate_value dict = fate_dict_of({ "a", fate_int(1) });
    fate_copy(&dict);
    return dict;
}

static void set_in_shared(void *arg)
{
    fate_value dict = shared_dict();
    fate_dict_set(&dict, "a", fate_none());
}

static void remove_from_shared(void *arg)
{
    fate_value dict = shared_dict();
    fate_dict_remove(&dict, "b");
}

TEST(changing_a_shared_dict_stops_the_program)
{
    EXPECT_STOP(set_in_shared, NULL,
                "fate_dict_set: the dict ({\"a\": 1}) is shared: there are 2 references");
    EXPECT_STOP(remove_from_shared, NULL, "fate_dict_remove: the dict ({\"a\": 1}) is shared");
}

/* ---- Wrong use ---- */

static void get_null_key(void *arg)
{
    fate_value dict = fate_dict();
    fate_dict_get(&dict, NULL);
}

static void set_null_key(void *arg)
{
    fate_value dict = fate_dict();
    fate_dict_set(&dict, NULL, fate_none());
}

static void get_from_list(void *arg)
{
    fate_value list = fate_list(0, NULL);
    fate_dict_get(&list, "a");
}

static void key_beyond(void *arg)
{
    fate_value dict = fate_dict();
    fate_dict_key(&dict, 0);
}

static void item_beyond(void *arg)
{
    fate_value dict = fate_dict_of({ "a", fate_int(1) });
    fate_dict_at(&dict, 1);
}

TEST(using_a_dict_wrongly_stops_the_program)
{
    EXPECT_STOP(get_null_key, NULL, "fate_dict_get: the key is NULL");
    EXPECT_STOP(set_null_key, NULL, "fate_dict_set: the key is NULL");
    EXPECT_STOP(get_from_list, NULL, "fate_dict_get: the value is a list ([]), not a dict");
    EXPECT_STOP(key_beyond, NULL, "fate_dict_key: there is no item 0 in a dict of 0");
    EXPECT_STOP(item_beyond, NULL, "fate_dict_at: there is no item 1 in a dict of 1");
}
