/* Tests of src/http/list.c, range.c, etag.c and bytes.c. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <http/etag.h>
#include <http/list.h>
#include <http/names.h>
#include <http/range.h>

static struct fate__http_slice slice(const char *text)
{
    return (struct fate__http_slice){ text, strlen(text) };
}

/* ---- Bytes ---- */

TEST(each_byte_is_of_the_classes_that_the_rfcs_say)
{
    static const char alnum[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    for (int i = 0; i < 256; i++) {
        char c = (char)i;
        bool is_alnum = c && strchr(alnum, c), is_visible = i > 0x20 && i < 0x7f;
        EXPECT_EQ(fate__http_is(c, FATE__HTTP_TOKEN), is_alnum || (c && strchr("!#$%&'*+-.^_`|~", c)));
        EXPECT_EQ(fate__http_is(c, FATE__HTTP_VALUE), is_visible || c == ' ' || c == '\t' || i > 0x7f);
        EXPECT_EQ(fate__http_is(c, FATE__HTTP_TARGET), is_visible && !strchr("\"#<>", c));
        EXPECT_EQ(fate__http_is(c, FATE__HTTP_HOST), is_alnum || (c && strchr("-._~!$&'()*+,;=", c)));
        EXPECT_EQ(fate__http_is(c, FATE__HTTP_HEX), c && strchr("0123456789abcdefABCDEF", c));
        EXPECT_EQ(fate__http_is(c, FATE__HTTP_DIGIT), c >= '0' && c <= '9');
        EXPECT_EQ(fate__http_is(c, FATE__HTTP_BLANK), c == ' ' || c == '\t');
        EXPECT_EQ(fate__http_is(c, FATE__HTTP_ETAG), (is_visible && c != '"') || i > 0x7f);
    }
}

TEST(numbers_are_digits_up_to_the_greatest)
{
    EXPECT_EQ(fate__http_number(slice("0")), 0);
    EXPECT_EQ(fate__http_number(slice("007")), 7);
    EXPECT_EQ(fate__http_number(slice("9223372036854775807")), INT64_MAX);
    EXPECT_EQ(fate__http_number(slice("9223372036854775808")), -1);
    EXPECT_EQ(fate__http_number(slice("99999999999999999999")), -1);
    EXPECT_EQ(fate__http_number(slice("")), -1);
    EXPECT_EQ(fate__http_number(slice("1 ")), -1);
    EXPECT_EQ(fate__http_number(slice("+1")), -1);
}

/* Each known name, and each with one bit of one byte flipped, which is another name or the other case. */
TEST(known_names_are_known_in_any_case_and_no_others)
{
    static const struct {
        const char *text;
        enum fate__http_name name;
    } names[] = { { "Host", FATE__HTTP_HOST_FIELD },
                  { "Expect", FATE__HTTP_EXPECT },
                  { "Upgrade", FATE__HTTP_UPGRADE },
                  { "Connection", FATE__HTTP_CONNECTION },
                  { "Content-Length", FATE__HTTP_CONTENT_LENGTH },
                  { "Transfer-Encoding", FATE__HTTP_TRANSFER_ENCODING } };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char text[32];
        EXPECT_EQ(fate__http_name_of(slice(names[i].text)), names[i].name);
        for (size_t bit = 0; bit < 8 * strlen(names[i].text); bit++) {
            strcpy(text, names[i].text);
            text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
            struct fate__http_slice flipped = { text, strlen(names[i].text) };
            bool is_same = fate__http_same(flipped, slice(names[i].text));
            if (fate__http_all(flipped, FATE__HTTP_TOKEN))
                EXPECT_EQ(fate__http_name_of(flipped), is_same ? names[i].name : FATE__HTTP_OTHER);
        }
    }
    EXPECT_EQ(fate__http_name_of(slice("")), FATE__HTTP_OTHER);
    EXPECT_EQ(fate__http_name_of(slice("Accept")), FATE__HTTP_OTHER);
}

TEST(methods_are_known_in_capitals_alone)
{
    static const char *const names[] = {
        [FATE__HTTP_GET] = "GET",         [FATE__HTTP_HEAD_METHOD] = "HEAD", [FATE__HTTP_POST] = "POST",
        [FATE__HTTP_PUT] = "PUT",         [FATE__HTTP_DELETE] = "DELETE",    [FATE__HTTP_CONNECT] = "CONNECT",
        [FATE__HTTP_OPTIONS] = "OPTIONS", [FATE__HTTP_TRACE] = "TRACE",      [FATE__HTTP_PATCH] = "PATCH"
    };

    for (size_t i = FATE__HTTP_GET; i < sizeof names / sizeof *names; i++)
        EXPECT_EQ(fate__http_method_of(slice(names[i])), i);
    EXPECT_EQ(fate__http_method_of(slice("get")), FATE__HTTP_METHOD_OTHER);
    EXPECT_EQ(fate__http_method_of(slice("GOT")), FATE__HTTP_METHOD_OTHER);
    EXPECT_EQ(fate__http_method_of(slice("PROPFIND")), FATE__HTTP_METHOD_OTHER);
}

/* ---- Lists ---- */

static const char *items_of(const char *list)
{
    static char text[256];
    struct fate__http_slice rest = slice(list), item;
    size_t len = 0;

    text[0] = '\0';
    while (fate__http_next_item(&rest, &item))
        len += (size_t)snprintf(text + len, sizeof text - len, "[%.*s]", (int)item.len, item.at);
    return text;
}

TEST(lists_are_cut_at_commas_outside_of_quotes)
{
    EXPECT_STR(items_of(""), "");
    EXPECT_STR(items_of(" \t "), "");
    EXPECT_STR(items_of(",, ,"), "");
    EXPECT_STR(items_of("a"), "[a]");
    EXPECT_STR(items_of(" a ,b\t,, c d ,"), "[a][b][c d]");
    EXPECT_STR(items_of("a=\"x,y\", \"\\\",\",b"), "[a=\"x,y\"][\"\\\",\"][b]");
    EXPECT_STR(items_of("a,\"b,c"), "[a][\"b,c]");
    EXPECT_STR(items_of("a,\"b\\"), "[a][\"b\\]");
}

TEST(a_token_is_looked_for_without_regard_to_case)
{
    EXPECT(fate__http_has_item(slice("a, Close"), slice("close")));
    EXPECT(!fate__http_has_item(slice("a, closed"), slice("close")));
    EXPECT(!fate__http_has_item(slice("\"close\""), slice("close")));
    EXPECT(!fate__http_has_item(slice(""), slice("close")));
}

static const char *parameters_of(const char *item)
{
    static char text[256];
    struct fate__http_slice rest = slice(item), name, value;
    size_t len = 0;

    text[0] = '\0';
    while (fate__http_next_parameter(&rest, &name, &value))
        len += (size_t)snprintf(text + len, sizeof text - len, "[%.*s|%.*s]", (int)name.len, name.at,
                                (int)value.len, value.at);
    return text;
}

TEST(parameters_are_names_and_values)
{
    EXPECT_STR(parameters_of("text/html"), "[text/html|]");
    EXPECT_STR(parameters_of("text/html; charset=utf-8;x=\"a;b\" ;;y"),
               "[text/html|][charset|utf-8][x|\"a;b\"][y|]");
    EXPECT_STR(parameters_of("a=b"), "[a|b]");
    EXPECT_STR(parameters_of("a; b="), "[a|][b|]");
    EXPECT_STR(parameters_of("a; =b"), "[a|][=b|]");
    EXPECT_STR(parameters_of(""), "");
}

static void expect_unquoted(const char *value, const char *meaning)
{
    char text[64];
    ptrdiff_t len = fate__http_unquote(slice(value), text);

    EXPECT_EQ(len, meaning ? (ptrdiff_t)strlen(meaning) : -1);
    if (meaning && len >= 0)
        EXPECT(memcmp(text, meaning, strlen(meaning)) == 0);
}

TEST(quoted_strings_mean_what_is_between_the_quotes)
{
    expect_unquoted("abc", "abc");
    expect_unquoted("\"\"", "");
    expect_unquoted("\"a b\"", "a b");
    expect_unquoted("\"a\\\"b\\\\\"", "a\"b\\");
    expect_unquoted("", NULL);
    expect_unquoted("\"", NULL);
    expect_unquoted("\"a", NULL);
    expect_unquoted("a\"", NULL);
    expect_unquoted("\"a\"b\"", NULL);
    expect_unquoted("\"a\\\"", NULL);
    expect_unquoted("\"a\nb\"", NULL);
    expect_unquoted("a b", NULL);
}

/* ---- Weights ---- */

TEST(weights_are_thousandths)
{
    static const struct {
        const char *item;
        int quality;
    } items[] = { { "gzip", 1000 },      { "gzip;q=1", 1000 },    { "gzip;q=1.000", 1000 },
                  { "gzip; Q=0", 0 },    { "gzip ; q=0.5", 500 }, { "gzip;x=y;q=0.125", 125 },
                  { "gzip;q=0.", 0 },    { "gzip;q=1.001", -1 },  { "gzip;q=2", -1 },
                  { "gzip;q=", -1 },     { "gzip;q=0.1234", -1 }, { "gzip;q=-1", -1 },
                  { "gzip;q=.5", -1 },   { "gzip;q=0,5", -1 },    { "gzip;q=0.a", -1 },
                  { "gzip;q=\"1\"", -1 } };

    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        struct fate__http_slice name;
        if (!EXPECT_EQ(fate__http_quality(slice(items[i].item), &name), items[i].quality))
            test_expect_str(FATE_HERE, items[i].item, "", "item");
        EXPECT(fate__http_same(name, slice("gzip")));
    }
}

TEST(codings_are_accepted_as_accept_encoding_says)
{
    static const struct {
        const char *value, *coding;
        int quality;
    } cases[] = {
        { "", "gzip", 0 },
        { "", "identity", 1000 },
        { "gzip, br", "gzip", 1000 },
        { "GZIP", "gzip", 1000 },
        { "x-gzip", "gzip", 1000 },
        { "br;q=0.8, gzip;q=0.3", "gzip", 300 },
        { "gzip;q=0", "gzip", 0 },
        { "gzip;q=0, *", "gzip", 0 },
        { "*", "gzip", 1000 },
        { "*;q=0.1", "gzip", 100 },
        { "*;q=0", "identity", 0 },
        { "identity;q=0", "identity", 0 },
        { "identity;q=0.5, *;q=0", "identity", 500 },
        { "gzip", "identity", 1000 },
        { "gzip;q=9", "gzip", 0 },
        { "gzipped", "gzip", 0 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (!EXPECT_EQ(fate__http_accepts_coding(slice(cases[i].value), slice(cases[i].coding)),
                       cases[i].quality))
            test_expect_str(FATE_HERE, cases[i].value, "", "value");
}

/* ---- Ranges ---- */

static const char *ranges_of(const char *value, int64_t total)
{
    static char text[512];
    struct fate__http_range ranges[FATE__HTTP_RANGES_MAX];
    int n = fate__http_ranges(slice(value), total, ranges);
    int len = snprintf(text, sizeof text, "%d", n);

    for (int i = 0; i < n; i++)
        len += snprintf(text + len, sizeof text - (size_t)len, " %lld+%lld", (long long)ranges[i].first,
                        (long long)ranges[i].n);
    return n == -ERANGE ? "none" : text;
}

TEST(ranges_are_those_that_lie_in_the_body)
{
    EXPECT_STR(ranges_of("bytes=0-499", 1000), "1 0+500");
    EXPECT_STR(ranges_of("Bytes=0-0,-1", 1000), "2 0+1 999+1");
    EXPECT_STR(ranges_of("bytes= 500-600 , 601-999 ,", 1000), "2 500+101 601+399");
    EXPECT_STR(ranges_of("bytes=500-", 1000), "1 500+500");
    EXPECT_STR(ranges_of("bytes=500-5000", 1000), "1 500+500");
    EXPECT_STR(ranges_of("bytes=-5000", 1000), "1 0+1000");
    EXPECT_STR(ranges_of("bytes=-99999999999999999999", 1000), "1 0+1000");
    EXPECT_STR(ranges_of("bytes=0-99999999999999999999", 1000), "1 0+1000");
    EXPECT_STR(ranges_of("bytes=0-1,5000-6000", 1000), "1 0+2");
    EXPECT_STR(ranges_of("bytes=0-", INT64_MAX), "1 0+9223372036854775807");
}

TEST(ranges_outside_of_the_body_are_none)
{
    EXPECT_STR(ranges_of("bytes=1000-", 1000), "none");
    EXPECT_STR(ranges_of("bytes=5000-6000", 1000), "none");
    EXPECT_STR(ranges_of("bytes=-0", 1000), "none");
    EXPECT_STR(ranges_of("bytes=0-", 0), "none");
    EXPECT_STR(ranges_of("bytes=-5", 0), "none");
    EXPECT_STR(ranges_of("bytes=99999999999999999999-", 1000), "none");
}

TEST(ranges_that_are_wrong_or_overlap_are_ignored)
{
    static const char *const values[] = {
        "",           "bytes",       "bytes=",         "bytes=,",        "items=0-1",     "bytes=a-b",
        "bytes=1",    "bytes=-",     "bytes=2-1",      "bytes=0-1;2-3",  "bytes=0 - 1",   "bytes=--1",
        "bytes=+0-1", "bytes=0-1-2", "bytes=0-9,5-20", "bytes=-5,0-999", "bytes=0-1,x-2", "bytes =0-1",
    };

    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (!EXPECT_STR(ranges_of(values[i], 1000), "0"))
            test_expect_str(FATE_HERE, values[i], "", "value");
}

TEST(many_ranges_are_ignored)
{
    char value[256] = "bytes=0-0";

    for (int i = 1; i < FATE__HTTP_RANGES_MAX; i++)
        snprintf(value + strlen(value), sizeof value - strlen(value), ",%d-%d", i, i);
    EXPECT_CONTAINS(ranges_of(value, 1000), "16 0+1 1+1");
    strcat(value, ",16-16");
    EXPECT_STR(ranges_of(value, 1000), "0");
}

TEST(a_content_range_says_which_bytes_and_of_how_many)
{
    char text[FATE__HTTP_CONTENT_RANGE_BYTES];
    const struct fate__http_range range = { 500, 100 }, last = { INT64_MAX - 1, 1 };

    fate__http_content_range(&range, 1234, text);
    EXPECT_STR(text, "bytes 500-599/1234");
    fate__http_content_range(NULL, 1234, text);
    EXPECT_STR(text, "bytes */1234");
    fate__http_content_range(&last, INT64_MAX, text);
    EXPECT_STR(text, "bytes 9223372036854775806-9223372036854775806/9223372036854775807");
}

/* ---- Entity tags ---- */

TEST(entity_tags_are_in_quotes)
{
    EXPECT(fate__http_is_etag(slice("\"\"")));
    EXPECT(fate__http_is_etag(slice("W/\"a\\b\xff\"")));
    static const char *const wrong[] = { "",    "a",  "\"",       "\"a",     "a\"", "w/\"a\"",
                                         "W/a", "W/", "\"a\"b\"", "\"a b\"", "*" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        EXPECT(!fate__http_is_etag(slice(wrong[i])));
}

/* The table of RFC 9110, 8.8.3.2. */
TEST(entity_tags_match_strongly_and_weakly)
{
    static const struct {
        const char *a, *b;
        bool strongly, weakly;
    } cases[] = {
        { "W/\"1\"", "W/\"1\"", false, true }, { "W/\"1\"", "W/\"2\"", false, false },
        { "W/\"1\"", "\"1\"", false, true },   { "\"1\"", "\"1\"", true, true },
        { "\"a\"", "\"A\"", false, false },    { "1", "1", false, false },
        { "Wx\"1\"", "\"1\"", false, false },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        EXPECT_EQ(fate__http_etags_match_strongly(slice(cases[i].a), slice(cases[i].b)), cases[i].strongly);
        EXPECT_EQ(fate__http_etags_match_weakly(slice(cases[i].a), slice(cases[i].b)), cases[i].weakly);
    }
}

TEST(an_entity_tag_is_looked_for_in_a_list)
{
    EXPECT(fate__http_etag_in(slice("\"a\", W/\"b\" ,\"c,d\""), slice("\"b\""), false));
    EXPECT(!fate__http_etag_in(slice("\"a\", W/\"b\""), slice("\"b\""), true));
    EXPECT(fate__http_etag_in(slice(",,\"a\",\"c,d\""), slice("\"c,d\""), true));
    EXPECT(fate__http_etag_in(slice("\"a\\\", \"b\""), slice("\"b\""), true));
    EXPECT(fate__http_etag_in(slice(" * "), slice("\"b\""), true));
    EXPECT(!fate__http_etag_in(slice("*"), slice(""), true));
    EXPECT(!fate__http_etag_in(slice(""), slice("\"b\""), true));
    EXPECT(!fate__http_etag_in(slice("b, \"b\""), slice("\"b\""), true));
    EXPECT(!fate__http_etag_in(slice("\"a\" \"b\""), slice("\"b\""), true));
}
