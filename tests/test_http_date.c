/* Tests of src/http/date.c. */
#include "test.h"

#include <string.h>
#include <time.h>

#include <http/date.h>

#define NOW 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */

static bool parse(const char *text, int64_t now, int64_t *ret)
{
    return fate__http_date_parse((struct fate__http_slice){ text, strlen(text) }, now, ret);
}

TEST(dates_are_printed_as_imf_fixdate)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } dates[] = {
        { NOW, "Sun, 06 Nov 1994 08:49:37 GMT" },        { 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
        { -1, "Wed, 31 Dec 1969 23:59:59 GMT" },         { 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
        { 4107542399, "Sun, 28 Feb 2100 23:59:59 GMT" }, { 4107542400, "Mon, 01 Mar 2100 00:00:00 GMT" },
        { INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT" },  { INT64_MIN, "Sat, 01 Jan 0000 00:00:00 GMT" },
    };
    char text[FATE__HTTP_DATE_BYTES];

    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        fate__http_date_text(dates[i].seconds, text);
        EXPECT_STR(text, dates[i].text);
    }
}

/* Against the C library, over steps that share no factor with days, months or years. */
TEST(dates_are_those_of_the_c_library_and_come_back)
{
    for (int64_t t = -62167219200; t < 253402300800; t += 86399 * 97 + 13) {
        char ours[FATE__HTTP_DATE_BYTES], theirs[64];
        struct tm tm;
        time_t seconds = (time_t)t;
        int64_t back = t + 1;
        gmtime_r(&seconds, &tm);
        strftime(theirs, sizeof theirs, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        if (tm.tm_year < 1000 - 1900)
            continue;
        fate__http_date_text(t, ours);
        if (!EXPECT_STR(ours, theirs) || !EXPECT(parse(ours, NOW, &back)) || !EXPECT_EQ(back, t))
            return;
    }
}

TEST(all_three_forms_are_parsed)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } dates[] = {
        { "Sun, 06 Nov 1994 08:49:37 GMT", NOW },
        { "Sunday, 06-Nov-94 08:49:37 GMT", NOW },
        { "Sun Nov  6 08:49:37 1994", NOW },
        { "Wed Nov 16 08:49:37 1994", NOW + 10 * 86400 },
        { "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
        { "Sat, 01 Jan 0000 00:00:00 GMT", -62167219200 },
        { "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 },
    };

    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        int64_t seconds = -7;
        EXPECT(parse(dates[i].text, NOW, &seconds));
        EXPECT_EQ(seconds, dates[i].seconds);
    }
}

TEST(two_digits_of_a_year_are_within_50_years_ahead)
{
    int64_t a = 0, b = 0, now = 1700000000; /* November 2023 */

    EXPECT(parse("Sunday, 06-Nov-94 08:49:37 GMT", now, &a));
    EXPECT_EQ(a, NOW);
    EXPECT(parse("Sunday, 06-Nov-73 08:49:37 GMT", now, &a));
    EXPECT(parse("Sun, 06 Nov 2073 08:49:37 GMT", now, &b));
    EXPECT_EQ(a, b);
    EXPECT(parse("Sunday, 06-Dec-73 08:49:37 GMT", now, &a));
    EXPECT(parse("Sun, 06 Dec 1973 08:49:37 GMT", now, &b));
    EXPECT_EQ(a, b);
    /* The 29th of February of 00 is not of 2100, which has none. */
    EXPECT(parse("Tuesday, 29-Feb-00 00:00:00 GMT", 4000000000, &a));
    EXPECT_EQ(a, 951782400);
    EXPECT(!parse("Tuesday, 29-Feb-01 00:00:00 GMT", now, &a));
    /* Nowhere is there a year of five digits, or one before 0. */
    EXPECT(parse("Tuesday, 28-Feb-40 00:00:00 GMT", INT64_MAX, &a));
    EXPECT(parse("Tue, 28 Feb 9940 00:00:00 GMT", now, &b));
    EXPECT_EQ(a, b);
    EXPECT(!parse("Tuesday, 28-Feb-99 00:00:00 GMT", INT64_MIN, &a));
    /* Now itself may be a leap day. */
    EXPECT(parse("Tuesday, 28-Feb-50 00:00:00 GMT", 951782400, &a));
}

TEST(what_is_no_date_is_refused)
{
    static const char *const texts[] = {
        "",
        "Sun",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Xyz, 06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nox 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 29 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov -994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sunday, 06 Nov 94 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Sun Nov 06 08:49:37 94",
        "784111777",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int64_t seconds = -7;
        if (!EXPECT(!parse(texts[i], NOW, &seconds)) || !EXPECT_EQ(seconds, -7))
            test_expect_str(FATE_HERE, "parsed", texts[i], "date");
    }
}
