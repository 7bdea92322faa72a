/* Tests of src/http/status.c and src/base/escape.c. */
#include <string.h>

#include <base/escape.h>
#include <http/status.h>

#include "test.h"

TEST(a_status_has_a_reason)
{
    EXPECT_STR(fate__status_reason(100), "Continue");
    EXPECT_STR(fate__status_reason(200), "OK");
    EXPECT_STR(fate__status_reason(304), "Not Modified");
    EXPECT_STR(fate__status_reason(404), "Not Found");
    EXPECT_STR(fate__status_reason(413), "Content Too Large");
    EXPECT_STR(fate__status_reason(431), "Request Header Fields Too Large");
    EXPECT_STR(fate__status_reason(511), "Network Authentication Required");
}

TEST(another_status_means_what_its_class_means)
{
    EXPECT_STR(fate__status_reason(199), "Informational");
    EXPECT_STR(fate__status_reason(299), "Successful");
    EXPECT_STR(fate__status_reason(399), "Redirection");
    EXPECT_STR(fate__status_reason(418), "Client Error");
    EXPECT_STR(fate__status_reason(599), "Server Error");
    EXPECT_STR(fate__status_reason(600), "Unknown");
    EXPECT_STR(fate__status_reason(99), "Unknown");
    EXPECT_STR(fate__status_reason(0), "Unknown");
    EXPECT_STR(fate__status_reason(-404), "Unknown");
}

static void expect_page(const char *here, enum fate__page_kind kind, int status, const char *detail,
                        const char *expected)
{
    struct fate__text text = { 0 };

    fate__add_error_page(&text, kind, status, detail);
    test_expect_str(here, text.bytes, expected, "the page");
    fate__text_done(&text);
}
#define EXPECT_PAGE(kind, status, detail, expected) expect_page(FATE_HERE, kind, status, detail, expected)

TEST(a_page_says_what_is_wrong)
{
    EXPECT_PAGE(
        FATE__PAGE_HTML, 404, NULL,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>404 Not Found</title>\n"
        "<h1>404 Not Found</h1>\n</html>\n");
    EXPECT_PAGE(
        FATE__PAGE_HTML, 400, "<script>\"a\" & 'b'</script>\n",
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>400 Bad Request</title>\n"
        "<h1>400 Bad Request</h1>\n"
        "<p>&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;\n</p>\n</html>\n");
    EXPECT_PAGE(FATE__PAGE_JSON, 404, "", "{\"status\":404,\"error\":\"Not Found\"}\n");
    EXPECT_PAGE(
        FATE__PAGE_JSON, 400, "a \"b\"\n\\\x01\x7f\xff",
        "{\"status\":400,\"error\":\"Bad Request\",\"detail\":\"a \\\"b\\\"\\n\\\\\\u0001\x7f\\ufffd\"}\n");
    EXPECT_PAGE(FATE__PAGE_TEXT, 404, NULL, "404 Not Found\n");
    EXPECT_PAGE(FATE__PAGE_TEXT, 400, "no %s", "400 Bad Request: no %s\n");
}

TEST(a_page_has_a_type)
{
    EXPECT_STR(fate__page_type(FATE__PAGE_HTML), "text/html; charset=utf-8");
    EXPECT_STR(fate__page_type(FATE__PAGE_JSON), "application/json");
    EXPECT_STR(fate__page_type(FATE__PAGE_TEXT), "text/plain; charset=utf-8");
}

TEST(html_has_no_characters_that_it_does_not_allow)
{
    static const char *const cases[][2] = {
        { "a\tb\nc", "a\tb\nc" },
        { "\xc3\xbc\xf0\x9f\x98\x80", "\xc3\xbc\xf0\x9f\x98\x80" },
        { "\x01", "\xef\xbf\xbd" },
        { "\x7f\r", "\xef\xbf\xbd\xef\xbf\xbd" },
        { "\xc2\x9b\xc2\xa0", "\xef\xbf\xbd\xc2\xa0" },
        { "\xff<\xc3", "\xef\xbf\xbd&lt;\xef\xbf\xbd" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fate__text text = { 0 };
        fate__add_html(&text, cases[i][0], strlen(cases[i][0]));
        EXPECT_STR(text.bytes, cases[i][1]);
        fate__text_done(&text);
    }
}
