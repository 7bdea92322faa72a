/* Tests of src/value/text.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <value/value.h>

#include "test.h"

TEST(a_text_is_a_copy)
{
    char source[] = "abc";
    fate_value v = fate_str(source);

    source[0] = 'x';
    EXPECT_TEXT(&v, "abc");
    if (!LACKS(&v)) {
        EXPECT_EQ(fate_kind_of(&v), FATE_KIND_TEXT);
        EXPECT_EQ(fate_count(&v), 3);
        EXPECT_STR(fate_as_str(&v), "abc");
    }
    fate_drop(v);
}

TEST(an_empty_text_is_a_text)
{
    fate_value a = fate_str(""), b = fate_str_n(NULL, 0);

    EXPECT_TEXT(&a, "");
    EXPECT_TEXT(&b, "");
    fate_drop(a);
    fate_drop(b);
}

TEST(a_text_may_hold_nuls_and_ends_with_one)
{
    fate_value v = fate_str_n("a\0bc", 3);
    const char *s;

    if (fate_get_str(&v, &s)) {
        EXPECT_EQ(fate_count(&v), 3);
        EXPECT(memcmp(s, "a\0b", 4) == 0);
    }
    EXPECT_DESCRIBED(&v, "\"a\\x00b\"");
    fate_drop(v);
}

TEST(bytes_are_not_a_text_but_a_text_is_read_as_bytes)
{
    fate_value bytes = fate_bytes("\0\xff", 2), text = fate_str("abc");
    const char *s = NULL;
    const void *p = NULL;
    size_t len = 99;

    EXPECT(!fate_get_str(&bytes, &s));
    EXPECT_PTR(s, NULL);
    if (EXPECT(fate_get_bytes(&bytes, &p, &len)))
        EXPECT(len == 2 && memcmp(p, "\0\xff", 2) == 0);
    if (EXPECT(fate_get_bytes(&text, &p, &len)))
        EXPECT(len == 3 && memcmp(p, "abc", 3) == 0);
    fate_drop(bytes);
    fate_drop(text);
}

TEST(asking_for_bytes_of_another_type_writes_nothing)
{
    fate_value v = fate_int(5);
    const void *p = &v;
    size_t len = 99;

    EXPECT(!fate_get_bytes(&v, &p, &len));
    EXPECT_PTR(p, &v);
    EXPECT_EQ(len, 99);
}

TEST(a_format_makes_short_and_long_texts)
{
    fate_value brief = fate_format("%d %s", 5, "x"), wide = fate_format("%0*d", 1000, 7);

    EXPECT_TEXT(&brief, "5 x");
    if (!LACKS(&wide)) {
        EXPECT_EQ(fate_count(&wide), 1000);
        EXPECT_STR(fate_as_str(&wide) + 998, "07");
    }
    fate_drop(brief);
    fate_drop(wide);
}

TEST(a_format_of_each_length_around_its_small_buffer_is_whole)
{
    for (int len = 250; len < 262; len++) {
        fate_value v = fate_format("%0*d", len, 1);
        if (!LACKS(&v)) {
            EXPECT_EQ(fate_count(&v), len);
            EXPECT_EQ(strlen(fate_as_str(&v)), len);
            EXPECT_EQ(fate_as_str(&v)[len - 1], '1');
        }
        fate_drop(v);
    }
}

/* %m is glibc's, so the format is kept from the compiler's check. */
TEST(a_format_sees_errno_in_short_and_long_texts)
{
    const char *short_format = "%d %m", *long_format = "%0300d %m";

    errno = ENOENT;
    fate_value brief = fate_format(short_format, 5);
    errno = ENOENT;
    fate_value wide = fate_format(long_format, 5);

    EXPECT_TEXT(&brief, "5 No such file or directory");
    if (!LACKS(&wide))
        EXPECT_CONTAINS(fate_as_str(&wide), "5 No such file or directory");
    fate_drop(brief);
    fate_drop(wide);
}

TEST(a_format_with_an_invalid_wide_text_is_a_failure)
{
    static const wchar_t invalid[] = { 0x110000, 0 };
    fate_value v = fate_format("%ls", invalid);

    EXPECT_FAILURE(&v, &FATE_UNICODE_ERROR);
    fate_drop(v);
}

TEST(a_text_too_big_for_memory_is_want_of_memory)
{
    fate_value v = fate_str_n("", SIZE_MAX - 8);

    EXPECT(fate__is_no_memory(&v));
    fate_drop(v);
}

TEST(without_memory_each_text_is_the_no_memory_failure)
{
    test_fail_allocation(1, true);
    fate_value v[] = { fate_str("a"), fate_str_n("a", 1), fate_bytes("a", 1), fate_format("%d", 5),
                       fate_format("%0300d", 5) };
    bool has_failed = test_fail_allocation(0, false);

    EXPECT(has_failed);
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        EXPECT(fate__is_no_memory(&v[i]));
        fate_drop(v[i]);
    }
}

static void make_null_text(void *arg)
{
    fate_str(NULL);
}

static void make_null_text_of_3(void *arg)
{
    fate_str_n(NULL, 3);
}

static void make_null_bytes_of_3(void *arg)
{
    fate_bytes(NULL, 3);
}

TEST(a_null_for_text_or_bytes_stops_the_program)
{
    EXPECT_STOP(make_null_text, NULL, "fate_str: given NULL", "fate_none()");
    EXPECT_STOP(make_null_text_of_3, NULL, "fate_str_n: given NULL for 3 bytes");
    EXPECT_STOP(make_null_bytes_of_3, NULL, "fate_bytes: given NULL for 3 bytes");
}
