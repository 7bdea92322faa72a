/* Tests of src/value/box.c. */
#include <stdalign.h>
#include <string.h>

#include <value/value.h>

#include "test.h"

struct point {
    int x, y;
};
typedef struct point point;

struct other {
    int x;
};

struct aligned {
    _Alignas(16) char bytes[16];
};

struct dropped {
    int *count;
};

static void count_drop(void *data)
{
    struct dropped *dropped = data;
    ++*dropped->count;
}

TEST(a_box_is_a_copy_of_the_struct)
{
    struct point p = { 1, 2 };
    fate_value v = fate_box_new("struct point", sizeof p, &p, NULL);

    p.x = 9;
    if (!LACKS(&v)) {
        EXPECT_EQ(fate_unbox(struct point, &v)->x, 1);
        fate_unbox(struct point, &v)->y = 7;
        EXPECT_EQ(fate_unbox(struct point, &v)->y, 7);
    }
    EXPECT_EQ(test_is_oom() || fate_kind_of(&v) == FATE_KIND_BOX, true);
    fate_drop(v);
}

TEST(a_box_is_written_with_its_fields)
{
    fate_value v = fate_box(struct point, .y = 5);

    if (!LACKS(&v)) {
        EXPECT_EQ(fate_unbox(struct point, &v)->x, 0);
        EXPECT_EQ(fate_unbox(struct point, &v)->y, 5);
    }
    EXPECT_DESCRIBED(&v, "<struct point>");
    fate_drop(v);
}

TEST(a_box_is_of_its_type_only)
{
    fate_value v = fate_box(struct point, 1, 2), five = fate_int(5);

    if (!LACKS(&v))
        EXPECT(fate_is_box(struct point, &v));
    EXPECT(!fate_is_box(struct other, &v));
    EXPECT(!fate_is_box(struct point, &five));
    EXPECT(!fate_is_box(struct point, NULL));
    fate_drop(v);
}

TEST(a_typedef_names_the_same_box_as_its_struct)
{
    fate_value v = fate_box(struct point, 1, 2);

    if (!LACKS(&v)) {
        EXPECT(fate_is_box(point, &v));
        EXPECT_EQ(fate_unbox(point, &v)->y, 2);
        EXPECT(!fate_is_box(points, &v));
    }
    fate_drop(v);
}

TEST(a_box_is_aligned_for_every_type)
{
    fate_value v = fate_box(struct aligned, "abc");

    if (!LACKS(&v)) {
        EXPECT_EQ((uintptr_t)fate_unbox(struct aligned, &v) % alignof(max_align_t), 0);
        EXPECT_STR(fate_unbox(struct aligned, &v)->bytes, "abc");
    }
    fate_drop(v);
}

TEST(a_drop_function_is_called_once_with_the_last_reference)
{
    int count = 0;
    fate_value v = fate_box_with(count_drop, struct dropped, &count);
    fate_value copy = fate_copy(&v);

    if (!LACKS(&v)) {
        fate_drop(v);
        EXPECT_EQ(count, 0);
        fate_drop(copy);
    }
    EXPECT_EQ(count, 1);
}

TEST(a_box_without_memory_drops_its_data_at_once)
{
    int count = 0;

    test_fail_allocation(1, true);
    fate_value v = fate_box_with(count_drop, struct dropped, &count);
    EXPECT(test_fail_allocation(0, false));
    EXPECT(fate__is_no_memory(&v));
    EXPECT_EQ(count, 1);
    fate_drop(v);
    EXPECT_EQ(count, 1);
}

TEST(a_box_may_be_empty)
{
    fate_value v = fate_box_new("nothing", 0, NULL, NULL);

    if (!LACKS(&v))
        EXPECT(fate_is_box_named("nothing", &v));
    fate_drop(v);
}

TEST(a_box_too_big_for_memory_is_dropped_at_once)
{
    int count = 0;
    struct dropped data = { &count };
    fate_value v = fate_box_new("struct dropped", SIZE_MAX, &data, count_drop);

    EXPECT(fate__is_no_memory(&v));
    EXPECT_EQ(count, 1);
}

static void open_as_other(void *arg)
{
    fate_value v = fate_box(struct point, 1, 2);
    fate_unbox(struct other, &v);
}

static void open_an_int(void *arg)
{
    fate_value v = fate_int(5);
    fate_unbox(struct other, &v);
}

static void open_nothing(void *arg)
{
    fate_unbox(struct other, NULL);
}

TEST(opening_a_box_as_another_type_stops_the_program_naming_both)
{
    EXPECT_STOP(open_as_other, NULL, "libfate: test_box.c:", "a box of struct point, not of struct other",
                "fate_is_box");
    EXPECT_STOP(open_an_int, NULL,
                "test_box.c:", "fate_unbox: the value is an int (5), not a box of struct other");
    EXPECT_STOP(open_nothing, NULL, "test_box.c:", "fate_unbox: there is no value (NULL)");
}
