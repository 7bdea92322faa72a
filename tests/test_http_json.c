/* Tests of src/http/json_read.c and src/http/json.c: reading, and writing what was read. */
#include <errno.h>
#include <locale.h>
#include <string.h>

#include <fate/fate.h>
#include <http/json.h>

#include "test.h"

/* What is read, as fate_describe shows it, or what is wrong with it; a text that is good until the next. */
static const char *read_and_show(const char *json, size_t len)
{
    static char shown[512];
    struct fate__why why;
    fate_value v = fate_none();
    const char *text = "";
    int error = fate__read_json(json, len, &v, &why);

    if (error < 0)
        return error == -ENOMEM ? "no memory" : strcpy(shown, why.text);
    fate_value description = fate_describe(&v);
    fate_get_str(&description, &text);
    strncpy(shown, text, sizeof shown - 1);
    fate_drop(description);
    fate_drop(v);
    return shown;
}

static bool is_out_of_memory(const char *shown)
{
    return strcmp(shown, "no memory") == 0 || !*shown;
}

static void expect_read(const char *here, const char *json, const char *expected)
{
    const char *shown = read_and_show(json, strlen(json));

    if (!is_out_of_memory(shown))
        test_expect_str(here, shown, expected, json);
}
#define EXPECT_READ(json, expected) expect_read(FATE_HERE, json, expected)

TEST(each_kind_of_value_is_read)
{
    EXPECT_READ("null", "none");
    EXPECT_READ(" true\r\n", "true");
    EXPECT_READ("false", "false");
    EXPECT_READ("0", "0");
    EXPECT_READ("-0", "0");
    EXPECT_READ("9223372036854775807", "9223372036854775807");
    EXPECT_READ("-9223372036854775808", "-9223372036854775808");
    EXPECT_READ("1.5", "1.5");
    EXPECT_READ("-1e3", "-1000.0");
    EXPECT_READ("25E-1", "2.5");
    EXPECT_READ("1e+2", "100.0");
    EXPECT_READ("\"a\"", "\"a\"");
    EXPECT_READ("\"\"", "\"\"");
    EXPECT_READ("[]", "[]");
    EXPECT_READ("[ 1 , [ 2 ] , \"3\" ]", "[1, [2], \"3\"]");
    EXPECT_READ("{}", "{}");
    EXPECT_READ("{ \"a\" : 1 , \"b\" : { \"c\" : [ null ] } }", "{\"a\": 1, \"b\": {\"c\": [none]}}");
}

TEST(what_is_escaped_is_what_it_stands_for)
{
    static const char json[] = "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\\ud83d\\ude00\\u0000z\"";
    static const char text[] = "\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\0z";
    fate_value v = fate_none();
    const char *s;

    int error = fate__read_json(json, sizeof json - 1, &v, NULL);
    if (error == 0 && EXPECT(fate_get_str(&v, &s))) {
        EXPECT_EQ(fate_count(&v), sizeof text - 1);
        EXPECT(fate_count(&v) == sizeof text - 1 && memcmp(s, text, sizeof text - 1) == 0);
    }
    EXPECT(error == 0 || error == -ENOMEM);
    fate_drop(v);
}

TEST(what_is_no_json_is_refused_with_its_place)
{
    EXPECT_READ("", "byte 1: no value");
    EXPECT_READ("  ", "byte 3: no value");
    EXPECT_READ("nul", "byte 1: no value");
    EXPECT_READ("True", "byte 1: no value");
    EXPECT_READ("NaN", "byte 1: no value");
    EXPECT_READ("'a'", "byte 1: no value");
    EXPECT_READ("1 2", "byte 3: something behind the value");
    EXPECT_READ("nullx", "byte 5: something behind the value");
    EXPECT_READ("01", "byte 3: a number with a zero in front");
    EXPECT_READ("-", "byte 2: no value");
    EXPECT_READ("+1", "byte 1: no value");
    EXPECT_READ(".5", "byte 1: no value");
    EXPECT_READ("1.", "byte 3: digits must follow the point");
    EXPECT_READ("1e", "byte 3: digits must follow the e");
    EXPECT_READ("1e999", "byte 6: a number that is too great");
    EXPECT_READ("9223372036854775808", "byte 20: an integer of more than 64 bits");
    EXPECT_READ("-9223372036854775809", "byte 21: an integer of more than 64 bits");
    EXPECT_READ("[1,]", "byte 4: no value");
    EXPECT_READ("[1", "byte 3: a comma or ] must follow");
    EXPECT_READ("[1 2]", "byte 4: a comma or ] must follow");
    EXPECT_READ("[", "byte 2: no value");
    EXPECT_READ("{\"a\" 1}", "byte 6: a colon must follow");
    EXPECT_READ("{\"a\":1,}", "byte 8: a key must follow, in double quotes");
    EXPECT_READ("{a:1}", "byte 2: a key must follow, in double quotes");
    EXPECT_READ("{\"a\":1 \"b\":2}", "byte 8: a comma or } must follow");
    EXPECT_READ("{\"a\":1,\"a\":2}", "byte 11: a key that was there before");
    EXPECT_READ("{\"\\u0000\":1}", "byte 10: a key with a NUL");
    EXPECT_READ("\"a", "byte 3: a string has no end");
    EXPECT_READ("\"a\nb\"", "byte 3: a control character in a string, which is written as an escape");
    EXPECT_READ("\"\\x\"", "byte 3: no escape that JSON has");
    EXPECT_READ("\"\\u12g4\"", "byte 6: four hexadecimal digits must follow \\u");
    EXPECT_READ("\"\\ud800\"", "byte 8: the other half of a surrogate pair must follow");
    EXPECT_READ("\"\\ud800\\u0041\"", "byte 14: no second half of a surrogate pair");
    EXPECT_READ("\"\\udc00\"", "byte 8: the second half of a surrogate pair, without the first");
    EXPECT_READ("\"\xff\"", "byte 2: no UTF-8");
    EXPECT_READ("\"\xed\xa0\x80\"", "byte 2: no UTF-8");
    EXPECT_READ("\xef\xbb\xbf{}", "byte 1: no value");
    EXPECT_READ("[1] // one", "byte 5: something behind the value");
}

TEST(nesting_has_a_limit)
{
    char json[200];

    memset(json, '[', 65);
    memset(json + 65, ']', 65);
    EXPECT(!strstr(read_and_show(json + 1, 128), "64 others"));
    const char *shown = read_and_show(json, 130);
    EXPECT(is_out_of_memory(shown) || strstr(shown, "byte 66: lists and dicts in more than 64 others"));
}

TEST(what_is_cut_anywhere_is_refused)
{
    static const char json[] = "{\"a\":[1.5e3,\"\\u20ac\\n\",true,null,{\"b\":-2}]}";

    for (size_t len = 0; len < sizeof json - 1; len++) {
        fate_value v = fate_none();
        int error = fate__read_json(json, len, &v, NULL);
        EXPECT(error == -EINVAL || error == -ENOMEM);
        fate_drop(v);
    }
}

TEST(what_was_read_is_written_as_it_was)
{
    static const char json[] =
        "{\"a\":[1.5,2.0,-0.0,1e+30,\"\\\"\\n\xe2\x82\xac\",true,null,{\"b\":-2}],\"c\":{},\"d\":[]}";
    struct fate__text text = { 0 };
    fate_value v = fate_none();
    const char *why;

    if (fate__read_json(json, sizeof json - 1, &v, NULL) == 0 && fate__add_json(&text, &v, &why) == 0) {
        fate__text_add_n(&text, "", 1);
        EXPECT_STR(text.has_failed ? json : text.bytes, json);
    }
    fate__text_done(&text);
    fate_drop(v);
}

/* Where such a locale is installed; the point stays one elsewhere anyway. */
TEST(numbers_are_read_in_every_locale)
{
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8"))
        setlocale(LC_NUMERIC, "fr_FR.UTF-8");
    EXPECT_READ("[1.5]", "[1.5]");
    setlocale(LC_NUMERIC, "C");
}
