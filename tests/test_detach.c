/* Tests of src/value/detach.c. */
#include <errno.h>

#include <value/object.h>

#include "test.h"

struct point {
    int x;
};

TEST(what_needs_no_memory_is_fit_for_another_thread)
{
    fate_value v[] = { fate_none(), fate_int(5), fate_float(1), fate_ptr(NULL), fate__no_memory() };

    for (size_t i = 0; i < sizeof v / sizeof *v; i++)
        EXPECT_EQ(fate_detach(&v[i]), 0);
    EXPECT_INT(&v[1], 5);
}

TEST(a_text_of_ones_own_stays_the_same)
{
    fate_value v = fate_str("abc");
    void *before = v.as.p;

    EXPECT_EQ(fate_detach(&v), 0);
    EXPECT_PTR(v.as.p, before);
    fate_drop(v);
}

TEST(a_shared_text_is_replaced_by_a_copy)
{
    fate_value text = fate_str_n("a\0b", 3), bytes = fate_bytes("cd", 2);
    fate_value other_text = fate_copy(&text), other_bytes = fate_copy(&bytes);

    if (fate_detach(&text) == 0 && !LACKS(&text)) {
        EXPECT(text.as.p != other_text.as.p);
        EXPECT_EQ(fate__refs(&text), 1);
        EXPECT_EQ(fate__refs(&other_text), 1);
        EXPECT(fate_equal(&text, &other_text));
    }
    if (fate_detach(&bytes) == 0 && !LACKS(&bytes)) {
        EXPECT(bytes.as.p != other_bytes.as.p);
        EXPECT(fate_equal(&bytes, &other_bytes));
    }
    fate_drop(text);
    fate_drop(other_text);
    fate_drop(bytes);
    fate_drop(other_bytes);
}

TEST(containers_are_gone_through)
{
    fate_value shared = fate_str("s");
    fate_value failure = fate_raise_with(&FATE_ERROR, fate_list_of(fate_copy(&shared)), "x");
    fate_value v =
        fate_list_of(fate_copy(&shared), fate_dict_of({ "k", fate_copy(&shared) }), failure,
                     fate_raise_from(&FATE_ERROR, fate_raise_with(&FATE_ERROR, fate_copy(&shared), "y"), "z"),
                     fate_box(struct point, 5));

    if (!LACKS(&v) && !LACKS(&shared)) {
        EXPECT_EQ(fate__refs(&shared), 5);
        int error = fate_detach(&v);
        EXPECT_EQ(error, 0);
        if (!error)
            EXPECT_EQ(fate__refs(&shared), 1);
        EXPECT_DESCRIBED(&v, "[\"s\", {\"k\": \"s\"}, <Error: x>, <Error: z>, <struct point>]");
    }
    fate_drop(v);
    fate_drop(shared);
}

static void expect_error(const char *here, fate_value v, int error)
{
    if (!LACKS(&v))
        test_expect_eq(here, fate_detach(&v), error, "detaching");
    fate_drop(v);
}
#define EXPECT_DETACH(v, error) expect_error(FATE_HERE, (v), (error))

TEST(a_shared_container_or_box_is_refused)
{
    fate_value shared[] = { fate_list_of(fate_int(1)), fate_dict(), fate_box(struct point, 1) };

    for (size_t i = 0; i < 3; i++) {
        EXPECT_DETACH(fate_copy(&shared[i]), -EBUSY);
        EXPECT_DETACH(fate_list_of(fate_int(1), fate_copy(&shared[i])), -EBUSY);
        EXPECT_DETACH(fate_dict_of({ "k", fate_list_of(fate_copy(&shared[i])) }), -EBUSY);
        EXPECT_DETACH(fate_raise_with(&FATE_ERROR, fate_copy(&shared[i]), "x"), -EBUSY);
    }
    for (size_t i = 0; i < 3; i++)
        fate_drop(shared[i]);
}

TEST(a_shared_failure_is_copied_with_its_payload)
{
    fate_value payload = fate_dict_of({ "status", fate_int(1) }, { "said", fate_str("no") });
    fate_value inner = fate_raise_with(&FATE_ERROR, fate_list_of(fate_copy(&payload)), "inner");
    fate_value failure = fate_raise_with(&FATE_VALUE_ERROR, payload, "broken");
    fate_value copy = fate_copy(&failure), again = fate_list_of(fate_copy(&failure));

    if (!LACKS(&failure) && EXPECT_EQ(fate_detach(&copy), 0)) {
        EXPECT(copy.as.p != failure.as.p);
        EXPECT(fate_payload(&copy)->as.p != fate_payload(&failure)->as.p);
        EXPECT(fate_is(&copy, &FATE_VALUE_ERROR));
        EXPECT_STR(fate_message(&copy), "broken");
        EXPECT_DESCRIBED(fate_payload(&copy), "{\"status\": 1, \"said\": \"no\"}");
    }
    EXPECT_EQ(LACKS(&again) ? 0 : fate_detach(&again), 0);
    EXPECT_DETACH(inner, -EBUSY); /* a list in it is shared, which is not a payload */
    fate_drop(copy);
    fate_drop(again);
    fate_drop(failure);
}

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
    return "a.c:1";
}

TEST(a_deferred_is_refused)
{
    static const struct fate__held_ops ops = { hold, release, site_of };
    const struct fate__held_ops *before = fate__held;
    int object;
    fate_value d = fate__of(&fate__type_deferred, &object), follow = fate__of(&fate__type_follow, &object);

    fate__held = &ops;
    held = 1;
    EXPECT_EQ(fate_detach(&d), -EINVAL);
    EXPECT_EQ(fate_detach(&follow), -EINVAL);
    EXPECT_DETACH(fate_list_of(fate_list(1, &d)), -EINVAL);
    EXPECT_EQ(held, 0);
    fate__held = before;
}

TEST(without_memory_for_a_copy_nothing_is_lost)
{
    fate_value text = fate_str("abc"), other = fate_copy(&text);

    test_fail_allocation(1, true);
    int error = fate_detach(&text);
    EXPECT(test_fail_allocation(0, false));
    EXPECT_EQ(error, -ENOMEM);
    EXPECT_TEXT(&text, "abc");
    EXPECT_PTR(text.as.p, other.as.p);
    fate_drop(text);
    fate_drop(other);
}

TEST(a_lent_value_becomes_plain)
{
    fate_value v = fate_str("abc");

    v.type = v.type->lent;
    EXPECT_EQ(fate_detach(&v), 0);
    EXPECT(!v.type->is_lent);
    fate_drop(v);
}

VOLUME_TEST(a_value_nested_a_million_deep_is_detached_without_a_deep_stack)
{
    fate_value shared = fate_str("s"), v = fate_copy(&shared);

    for (int i = 0; i < 1000000; i++)
        v = fate_list(1, &v);
    EXPECT_EQ(fate_detach(&v), 0);
    EXPECT_EQ(fate__refs(&shared), 1);
    fate_drop(v);
    fate_drop(shared);
}
