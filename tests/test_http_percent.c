/* Tests of src/http/percent.c. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <http/percent.h>

#include "test.h"

#define N(array) (sizeof(array) / sizeof *(array))

TEST(percent_encoding_is_decoded_in_place)
{
    static const struct {
        const char *s, *expected;
    } cases[] = {
        { "", "" },         { "abc", "abc" }, { "%41%42c", "ABc" },     { "%2f%2F", "//" }, { "a+b", "a+b" },
        { "%25%32", "%2" }, { "%", NULL },    { "%4", NULL },           { "%g0", NULL },    { "%0g", NULL },
        { "a%", NULL },     { "%%41", NULL }, { "%C3%BC", "\xc3\xbc" },
    };
    char room[32];

    for (size_t i = 0; i < N(cases); i++) {
        strcpy(room, cases[i].s);
        ssize_t n = fate__percent_decode(room, room, strlen(room));
        EXPECT_EQ(n, cases[i].expected ? (ssize_t)strlen(cases[i].expected) : -EINVAL);
        EXPECT(n < 0 || memcmp(room, cases[i].expected, (size_t)n) == 0);
    }
    EXPECT_EQ(fate__percent_decode(room, "a%00b", 5), 3);
    EXPECT(memcmp(room, "a\0b", 3) == 0);
}

TEST(all_but_what_is_kept_is_encoded)
{
    struct fate__text text = { 0 };

    fate__percent_encode(&text, "aZ09-._~/ \0%\xff", 13, "/");
    EXPECT_STR(text.bytes, "aZ09-._~/%20%00%25%FF");
    fate__text_done(&text);
}

/* "name=value;" of each, NULs as dots. */
static const char *fields_of(const char *s, size_t len, size_t n_max, char *to)
{
    struct fate__fields fields;
    int error = fate__fields_parse(&fields, s, len, n_max);
    char *at = to;

    if (error < 0)
        return error == -E2BIG ? "(too many)" : "(no memory)";
    for (size_t i = 0; i < fields.n; i++) {
        struct fate__slice name = fields.fields[i].name, value = fields.fields[i].value;
        EXPECT_EQ(name.s[name.len], 0);
        EXPECT_EQ(value.s[value.len], 0);
        at += sprintf(at, "%.*s=", (int)name.len, name.s);
        for (size_t k = 0; k < value.len; k++)
            *at++ = value.s[k] ? value.s[k] : '.';
        *at++ = ';';
    }
    *at = '\0';
    fate__fields_done(&fields);
    return to;
}

TEST(fields_are_parsed_and_decoded)
{
    static const char *const cases[][2] = {
        { "", "" },
        { "&&", "" },
        { "a=1&b=2", "a=1;b=2;" },
        { "a", "a=;" },
        { "a=", "a=;" },
        { "=", "=;" },
        { "=b", "=b;" },
        { "a=b=c", "a=b=c;" },
        { "&a=1&&b=2&", "a=1;b=2;" },
        { "a+b=c+d%2Be", "a b=c d+e;" },
        { "%61%3d=%26", "a==&;" },
        { "a=100%&b=%zz&c=%4", "a=100%;b=%zz;c=%4;" },
        { "a=x%00y", "a=x.y;" },
        { "a=1;b=2", "a=1;b=2;" },
        { "a=1&a=2", "a=1;a=2;" },
    };
    char room[64];

    for (size_t i = 0; i < N(cases); i++)
        EXPECT_STR(fields_of(cases[i][0], strlen(cases[i][0]), 10, room), cases[i][1]);
    EXPECT_STR(fields_of(NULL, 0, 10, room), "");
}

TEST(fields_have_a_limit)
{
    char room[64];

    EXPECT_STR(fields_of("a=1&b=2&", 8, 2, room), "a=1;b=2;");
    EXPECT_STR(fields_of("a=1&b=2&c", 9, 2, room), "(too many)");
    EXPECT_STR(fields_of("a", 1, 0, room), "(too many)");
}

TEST(a_field_is_found_by_name)
{
    struct fate__fields fields;

    if (!EXPECT_EQ(fate__fields_parse(&fields, "a=1&b=2&a=3", 11, 10), 0))
        return;
    EXPECT_STR(fate__fields_find(&fields, "a")->value.s, "1");
    EXPECT_STR(fate__fields_find(&fields, "b")->value.s, "2");
    EXPECT_PTR(fate__fields_find(&fields, "c"), NULL);
    EXPECT_PTR(fate__fields_find(&fields, ""), NULL);
    fate__fields_done(&fields);
}

TEST(fields_are_written_so_that_they_are_read_again)
{
    struct fate__text text = { 0 };
    char room[64];

    fate__fields_add(&text, "a b", "1 & 2 ");
    fate__fields_add(&text, "\xc3\xbc", "");
    fate__fields_add(&text, "p", "a+b=c");
    EXPECT_STR(text.bytes, "a+b=1+%26+2+&%C3%BC=&p=a%2Bb%3Dc");
    if (!text.has_failed)
        EXPECT_STR(fields_of(text.bytes, text.len, 10, room), "a b=1 & 2 ;\xc3\xbc=;p=a+b=c;");
    fate__text_done(&text);
}
