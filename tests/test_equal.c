/* Tests of src/value/equal.c. */
#include <math.h>

#include <value/value.h>

#include "test.h"

/* Are they equal, both ways round?  Drops both. */
static bool equal(fate_value a, fate_value b)
{
    bool are_equal = fate_equal(&a, &b);

    EXPECT_EQ(fate_equal(&b, &a), are_equal);
    EXPECT(fate_equal(&a, &a));
    fate_drop(a);
    fate_drop(b);
    return are_equal;
}

TEST(scalars_are_equal_by_type_and_content)
{
    EXPECT(equal(fate_none(), fate_none()));
    EXPECT(equal(fate_bool(true), fate_bool(true)));
    EXPECT(!equal(fate_bool(true), fate_bool(false)));
    EXPECT(equal(fate_int(5), fate_int(5)));
    EXPECT(!equal(fate_int(5), fate_int(6)));
    EXPECT(!equal(fate_int(1), fate_bool(true)));
    EXPECT(!equal(fate_int(1), fate_float(1)));
    EXPECT(!equal(fate_int(1), fate_datetime(1)));
    EXPECT(!equal(fate_int(0), fate_none()));
    EXPECT(equal(fate_datetime(5), fate_datetime(5)));
}

TEST(nan_equals_nan_and_the_zeros_one_another)
{
    EXPECT(equal(fate_float(nan("")), fate_float(nan(""))));
    EXPECT(!equal(fate_float(nan("")), fate_float(0)));
    EXPECT(equal(fate_float(0.0), fate_float(-0.0)));
    EXPECT(!equal(fate_float(1), fate_float(2)));
}

TEST(texts_are_equal_by_their_bytes)
{
    EXPECT(equal(fate_str("abc"), fate_str("abc")));
    EXPECT(!equal(fate_str("abc"), fate_str("abd")));
    EXPECT(!equal(fate_str("abc"), fate_str("ab")));
    EXPECT(!equal(fate_str_n("a\0b", 3), fate_str_n("a\0c", 3)));
    EXPECT(!equal(fate_str("abc"), fate_bytes("abc", 3)));
    EXPECT(equal(fate_bytes("a\0b", 3), fate_bytes("a\0b", 3)));
}

TEST(lists_are_equal_item_by_item)
{
    EXPECT(equal(fate_list_of(fate_int(1), fate_list_of(fate_str("x"))),
                 fate_list_of(fate_int(1), fate_list_of(fate_str("x")))));
    EXPECT(!equal(fate_list_of(fate_int(1), fate_list_of(fate_str("x"))),
                  fate_list_of(fate_int(1), fate_list_of(fate_str("y")))));
    EXPECT(!equal(fate_list_of(fate_int(1)), fate_list_of(fate_int(1), fate_int(2))));
    EXPECT(!equal(fate_list_of(fate_int(1), fate_int(2)), fate_list_of(fate_int(2), fate_int(1))));
    EXPECT(!equal(fate_list_of(), fate_dict()));
    EXPECT(equal(fate_list_of(), fate_list_of()));
}

TEST(dicts_are_equal_in_any_order)
{
    EXPECT(equal(fate_dict_of({ "a", fate_int(1) }, { "b", fate_int(2) }),
                 fate_dict_of({ "b", fate_int(2) }, { "a", fate_int(1) })));
    EXPECT(!equal(fate_dict_of({ "a", fate_int(1) }), fate_dict_of({ "b", fate_int(1) })));
    EXPECT(!equal(fate_dict_of({ "a", fate_int(1) }), fate_dict_of({ "a", fate_int(2) })));
    EXPECT(!equal(fate_dict_of({ "a", fate_none() }), fate_dict()));
}

static fate_value failure(const char *text)
{
    return fate_raise(&FATE_KEY_ERROR, "%s", text);
}

TEST(failures_are_equal_but_for_their_paths)
{
    fate_value far = failure("k");
    fate__failure_past(&far, "a.c:1");

    EXPECT(equal(far, failure("k")));
    EXPECT(!equal(failure("k"), failure("l")));
    EXPECT(!equal(fate_raise(&FATE_LOOKUP_ERROR, "k"), failure("k")));
    EXPECT(!equal(fate_raise_with(&FATE_KEY_ERROR, fate_int(1), "k"), failure("k")));
    EXPECT(equal(fate__no_memory(), fate__no_memory()));
}

TEST(first_errors_are_equal_by_index_and_failure)
{
    EXPECT(equal(fate_raise_from(&FATE_FIRST_ERROR, failure("k"), "x"),
                 fate_raise_from(&FATE_FIRST_ERROR, failure("k"), "x")));
    EXPECT(!equal(fate_raise_from(&FATE_FIRST_ERROR, failure("k"), "x"),
                  fate_raise_from(&FATE_FIRST_ERROR, failure("l"), "x")));
    EXPECT(!equal(fate_raise_with(&FATE_FIRST_ERROR, fate_int(1), "x"),
                  fate_raise_with(&FATE_FIRST_ERROR, fate_int(2), "x")));
}

struct point {
    int x;
};

TEST(boxes_and_pointers_are_equal_to_themselves_only)
{
    int a, b;
    fate_value box = fate_box(struct point, 1), copy = fate_copy(&box);

    EXPECT(fate_equal(&box, &copy));
    EXPECT(!equal(fate_box(struct point, 1), fate_box(struct point, 1)));
    EXPECT(equal(fate_ptr(&a), fate_ptr(&a)));
    EXPECT(!equal(fate_ptr(&a), fate_ptr(&b)));
    fate_drop(box);
    fate_drop(copy);
}

TEST(a_lent_value_equals_a_plain_one)
{
    fate_value a = fate_str("abc"), b = fate_str("abc"), lent = a;

    lent.type = a.type->lent;
    EXPECT(fate_equal(&lent, &b));
    fate_drop(a);
    fate_drop(b);
}

TEST(no_value_equals_no_value_only)
{
    fate_value none = fate_none();

    EXPECT(fate_equal(NULL, NULL));
    EXPECT(!fate_equal(NULL, &none));
    EXPECT(!fate_equal(&none, NULL));
}

static fate_value nested(int depth, fate_value innermost)
{
    fate_value v = innermost;

    for (int i = 0; i < depth; i++)
        v = fate_list(1, &v);
    return v;
}

TEST(deep_values_are_compared_to_the_innermost)
{
    fate_value a = nested(300, fate_int(1)), b = nested(300, fate_int(1)), c = nested(300, fate_int(2));

    EXPECT(fate_equal(&a, &b));
    if (!LACKS(&a))
        EXPECT(!fate_equal(&a, &c));
    fate_drop(a);
    fate_drop(b);
    fate_drop(c);
}

TEST(without_memory_deep_values_are_not_equal_and_shallow_ones_are)
{
    fate_value a = nested(65, fate_int(1)), b = nested(65, fate_int(1));
    fate_value c = nested(64, fate_int(1)), d = nested(64, fate_int(1));

    test_fail_allocation(1, true);
    bool deep = fate_equal(&a, &b), shallow = fate_equal(&c, &d);
    EXPECT(test_fail_allocation(0, false));
    EXPECT(!deep);
    EXPECT(shallow);
    fate_drop(a);
    fate_drop(b);
    fate_drop(c);
    fate_drop(d);
}

VOLUME_TEST(values_nested_a_million_deep_are_compared_without_a_deep_stack)
{
    fate_value a = nested(1000000, fate_int(1)), b = nested(1000000, fate_int(1));
    fate_value c = nested(1000000, fate_int(2));

    EXPECT(fate_equal(&a, &b));
    EXPECT(!fate_equal(&a, &c));
    fate_drop(a);
    fate_drop(b);
    fate_drop(c);
}
