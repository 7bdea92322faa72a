/* Tests of src/value/describe.c. */
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <value/object.h>

#include "test.h"

static void expect_described(const char *here, fate_value v, const char *as)
{
    test_expect_described(here, &v, as, "the value");
    fate_drop(v);
}
#define EXPECT_OWN(v, as) expect_described(FATE_HERE, (v), (as))

TEST(scalars_are_described)
{
    EXPECT_OWN(fate_none(), "none");
    EXPECT_OWN(fate_bool(true), "true");
    EXPECT_OWN(fate_bool(false), "false");
    EXPECT_OWN(fate_int(0), "0");
    EXPECT_OWN(fate_int(INT64_MIN), "-9223372036854775808");
    EXPECT_OWN(fate_ptr(NULL), "<pointer (nil)>");
}

TEST(a_float_has_as_many_digits_as_read_back)
{
    EXPECT_OWN(fate_float(1.5), "1.5");
    EXPECT_OWN(fate_float(0.1), "0.1");
    EXPECT_OWN(fate_float(1), "1.0");
    EXPECT_OWN(fate_float(-0.0), "-0.0");
    EXPECT_OWN(fate_float(0.1 + 0.2), "0.30000000000000004");
    EXPECT_OWN(fate_float(1.0 / 3), "0.3333333333333333");
    EXPECT_OWN(fate_float(1e300), "1e+300");
    EXPECT_OWN(fate_float(5e-324), "4.94065645841247e-324");
    EXPECT_OWN(fate_float(123456789012345678.0), "1.2345678901234568e+17");
    EXPECT_OWN(fate_float(HUGE_VAL), "inf");
    EXPECT_OWN(fate_float(-HUGE_VAL), "-inf");
    EXPECT_OWN(fate_float(nan("")), "nan");
    EXPECT_OWN(fate_float(-nan("")), "nan");
}

/* Where such a locale is installed; the point stays one elsewhere anyway. */
TEST(a_float_has_a_point_in_every_locale)
{
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8"))
        setlocale(LC_NUMERIC, "fr_FR.UTF-8");
    EXPECT_OWN(fate_float(1.5), "1.5");
    EXPECT_OWN(fate_float(15e20), "1.5e+21");
    EXPECT_OWN(fate_float(2), "2.0");
    setlocale(LC_NUMERIC, "C");
}

TEST(a_datetime_is_iso_8601)
{
    EXPECT_OWN(fate_datetime(0), "1970-01-01T00:00:00Z");
    EXPECT_OWN(fate_datetime(1795164816 * FATE_SECOND), "2026-11-20T08:53:36Z");
    EXPECT_OWN(fate_datetime(951782400 * FATE_SECOND), "2000-02-29T00:00:00Z");
    EXPECT_OWN(fate_datetime(-1 * FATE_SECOND), "1969-12-31T23:59:59Z");
    EXPECT_OWN(fate_datetime(500 * FATE_MILLISECOND), "1970-01-01T00:00:00.500Z");
    EXPECT_OWN(fate_datetime(1500 * FATE_MICROSECOND), "1970-01-01T00:00:00.001500Z");
    EXPECT_OWN(fate_datetime(7), "1970-01-01T00:00:00.000000007Z");
    EXPECT_OWN(fate_datetime(-1), "1969-12-31T23:59:59.999999999Z");
    EXPECT_OWN(fate_datetime(INT64_MAX), "2262-04-11T23:47:16.854775807Z");
    EXPECT_OWN(fate_datetime(INT64_MIN), "1677-09-21T00:12:43.145224192Z");
}

TEST(text_is_escaped)
{
    EXPECT_OWN(fate_str(""), "\"\"");
    EXPECT_OWN(fate_str("a\n\t\r\\\"'"), "\"a\\n\\t\\r\\\\\\\"'\"");
    EXPECT_OWN(fate_str("\x01\x1f\x7f"), "\"\\x01\\x1f\\x7f\"");
    EXPECT_OWN(fate_str_n("\0", 1), "\"\\x00\"");
}

TEST(valid_utf8_is_kept_and_other_bytes_are_escaped)
{
    EXPECT_OWN(fate_str("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"),
               "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"");
    EXPECT_OWN(fate_str("\xff"), "\"\\xff\"");
    EXPECT_OWN(fate_str("\xc3"), "\"\\xc3\"");
    EXPECT_OWN(fate_str("\xc0\x80"), "\"\\xc0\\x80\"");
    EXPECT_OWN(fate_str("\xed\xa0\x80"), "\"\\xed\\xa0\\x80\"");
    EXPECT_OWN(fate_str("\xf4\x90\x80\x80"), "\"\\xf4\\x90\\x80\\x80\"");
    EXPECT_OWN(fate_str("\xe2\x82x"), "\"\\xe2\\x82x\"");
}

TEST(bytes_are_escaped_beyond_ascii)
{
    EXPECT_OWN(fate_bytes("a\0\"\xc3\xa9", 5), "b\"a\\x00\\\"\\xc3\\xa9\"");
    EXPECT_OWN(fate_bytes(NULL, 0), "b\"\"");
}

struct point {
    int x;
};

TEST(containers_are_described_with_their_items)
{
    EXPECT_OWN(fate_list_of(fate_int(1), fate_str("b"), fate_list_of()), "[1, \"b\", []]");
    EXPECT_OWN(fate_dict_of({ "k\n", fate_int(1) }, { "\"", fate_dict() }), "{\"k\\n\": 1, \"\\\"\": {}}");
    EXPECT_OWN(fate_box(struct point, 5), "<struct point>");
    EXPECT_OWN(fate_raise(&FATE_VALUE_ERROR, "wrong token"), "<ValueError: wrong token>");
    EXPECT_OWN(fate__no_memory(), "<NoMemory: out of memory>");
}

TEST(objects_are_described_by_their_type)
{
    static const fate_type lock_type = { .name = "lock", .kind = FATE_KIND_OBJECT, .plain = &lock_type };
    fate_value lock = fate__object(&lock_type, NULL), follow = fate__of(&fate__type_follow, NULL);

    EXPECT_DESCRIBED(&lock, "<lock>");
    EXPECT_DESCRIBED(&follow, "<follow>");
}

static fate_value nested(int depth)
{
    fate_value v = fate_list(0, NULL);

    for (int i = 0; i < depth; i++)
        v = fate_list(1, &v);
    return v;
}

TEST(what_is_nested_deeper_than_64_is_dots)
{
    fate_value at_limit = nested(64), beyond = nested(65);
    fate_value whole = fate_describe(&at_limit), cut = fate_describe(&beyond);
    const char *s;

    if (fate_get_str(&whole, &s)) {
        EXPECT_EQ(strlen(s), 130);
        EXPECT_PTR(strstr(s, "..."), NULL);
    }
    if (fate_get_str(&cut, &s)) {
        EXPECT_EQ(strlen(s), 65 + 3 + 65);
        EXPECT_CONTAINS(s, "[[...]]");
    }
    fate_drop(whole);
    fate_drop(cut);
    fate_drop(at_limit);
    fate_drop(beyond);
}

VOLUME_TEST(a_value_nested_a_million_deep_can_be_described)
{
    fate_value v = nested(1000000), text = fate_describe(&v);

    EXPECT_EQ(fate_count(&text), 65 + 3 + 65);
    fate_drop(text);
    fate_drop(v);
}

TEST(describing_without_memory_is_want_of_memory)
{
    fate_value v = fate_list_of(fate_str("a"), fate_int(2));

    for (unsigned long n = 1; n <= 2; n++) {
        test_fail_allocation(n, true);
        fate_value text = fate_describe(&v);
        EXPECT(test_fail_allocation(0, false));
        EXPECT(fate__is_no_memory(&text));
        fate_drop(text);
    }
    fate_drop(v);
}

static void describe_nothing(void *arg)
{
    fate_describe(NULL);
}

TEST(describing_no_value_stops_the_program)
{
    EXPECT_STOP(describe_nothing, NULL, "fate_describe: there is no value (NULL)");
}
