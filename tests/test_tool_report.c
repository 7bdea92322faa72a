/* Tests of tool/report.c. */
#include <string.h>

#include <report.h>

#include "test.h"

#define MS FATE_MILLISECOND

typedef void report_fn(struct fate__text *to, const struct fate__outcome *outcome);
typedef void report_all_fn(struct fate__text *to, const struct fate__sums *sums);

static void expect(const char *here, struct fate__text *text, const char *expected)
{
    if (!text->has_failed)
        test_expect_str(here, text->len ? text->bytes : "", expected, "what was reported");
    fate__text_done(text);
}

static void expect_page(const char *here, report_fn *report, const struct fate__outcome *outcome,
                        const char *expected)
{
    struct fate__text text = { 0 };

    report(&text, outcome);
    expect(here, &text, expected);
}
#define EXPECT_PAGE(report, expected, ...)                                                                   \
    expect_page(FATE_HERE, report, &(const struct fate__outcome){ __VA_ARGS__ }, expected)

static void expect_all(const char *here, report_all_fn *report, const struct fate__sums *sums,
                       const char *expected)
{
    struct fate__text text = { 0 };

    report(&text, sums);
    expect(here, &text, expected);
}
#define EXPECT_ALL(report, expected, ...)                                                                    \
    expect_all(FATE_HERE, report, &(const struct fate__sums){ __VA_ARGS__ }, expected)

TEST(a_page_that_has_come_has_size_time_and_speed)
{
    EXPECT_PAGE(fate__report_page, "Successfully downloaded `http://a/x`: 12.0 KiB in 350 ms (34.2 KiB/s).",
                .url = "http://a/x", .status = 200, .tries = 1, .bytes = 12288, .took = 350 * MS);
    EXPECT_PAGE(fate__report_page, "Successfully downloaded `http://a/x`: 0 B in 0 ms.", .url = "http://a/x",
                .tries = 1);
    EXPECT_PAGE(fate__report_page,
                "Successfully downloaded `http://a/x`: 1.0 KiB in 1.0 s (1.0 KiB/s), to y/x, after 3 tries.",
                .url = "http://a/x", .file = "y/x", .tries = 3, .bytes = 1024, .took = FATE_SECOND);
    EXPECT_PAGE(fate__report_page, "Successfully downloaded `http://a/x`: 1 B in 1.0 s (1 B/s).",
                .url = "http://a/x", .file = "-", .tries = 1, .bytes = 1, .took = FATE_SECOND);
}

TEST(a_page_that_has_failed_says_why)
{
    EXPECT_PAGE(fate__report_page, "Failed to download `htp://a`: did you mean \"http:\"?", .url = "htp://a",
                .error = "did you mean \"http:\"?", .tries = 1);
    EXPECT_PAGE(fate__report_page, "Failed to download `a_bad_url`: there is no scheme.", .url = "a_bad_url",
                .error = "there is no scheme", .tries = 1);
    EXPECT_PAGE(fate__report_page, "Failed to download `http://a/`: refused, after 2 tries.",
                .url = "http://a/", .error = "refused", .tries = 2);
}

TEST(all_pages_have_a_summary)
{
    EXPECT_ALL(fate__report_all,
               "3 of 6 pages, 4.0 MiB in 4.0 s (1.0 MiB/s); 2 failed; 1 not begun.\n"
               "One after another they would have taken 10.0 s, 2.5 times as long.\n",
               .n = 6, .n_come = 3, .n_failed = 2, .bytes = 4 << 20, .took = 4 * FATE_SECOND,
               .took_in_turn = 10 * FATE_SECOND);
    EXPECT_ALL(fate__report_all,
               "2 of 2 pages, 0 B in 0 ms.\nOne after another they would have taken 0 ms.\n", .n = 2,
               .n_come = 2);
    EXPECT_ALL(fate__report_all, "", .n = 1, .n_come = 1, .bytes = 5, .took = FATE_SECOND);
}

TEST(json_has_all_of_it)
{
    EXPECT_PAGE(fate__report_page_json,
                "{\"url\": \"http://a/\\\"\", \"ok\": true, \"status\": 200, \"bytes\": 5, \"seconds\": "
                "0.250000, \"tries\": 1, \"file\": \"x\", \"error\": null, \"error_class\": null}",
                .url = "http://a/\"", .status = 200, .tries = 1, .bytes = 5, .took = 250 * MS, .file = "x");
    EXPECT_PAGE(fate__report_page_json,
                "{\"url\": \"a\", \"ok\": false, \"status\": null, \"bytes\": 0, \"seconds\": 0.000000, "
                "\"tries\": 2, \"file\": null, \"error\": \"no\", \"error_class\": \"ValueError\"}",
                .url = "a", .tries = 2, .error = "no", .error_class = "ValueError");
    EXPECT_ALL(fate__report_all_json,
               "{\"pages\": 3, \"downloaded\": 1, \"failed\": 2, \"bytes\": 7, \"seconds\": 1.500000, "
               "\"seconds_one_after_another\": 2.000000}\n",
               .n = 3, .n_come = 1, .n_failed = 2, .bytes = 7, .took = 1500 * MS,
               .took_in_turn = 2 * FATE_SECOND);
}
