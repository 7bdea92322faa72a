/* Tests of tool/bars.c and columns.c. */
#include <errno.h>
#include <string.h>

#include <bars.h>
#include <columns.h>

#include "test.h"

#define MS FATE_MILLISECOND

static const struct fate__bars_options ascii = { 80, 0, true, false };
static const struct fate__bars_options plain = { 80, 0, false, false };

/* What a drawing wrote, with "^" for the escape character; "" where that was nothing. */
static void expect_drawn(const char *here, struct fate__bars *bars, fate_time now, const char *expected)
{
    struct fate__text text = { 0 };

    fate__bars_draw(bars, now, &text);
    for (size_t i = 0; i < text.len; i++)
        if (text.bytes[i] == '\033')
            text.bytes[i] = '^';
    test_expect_str(here, text.len ? text.bytes : "", expected, "what was drawn");
    fate__text_done(&text);
}
#define EXPECT_DRAWN(bars, now, expected) expect_drawn(FATE_HERE, bars, now, expected)

static void expect_cleared(const char *here, struct fate__bars *bars, fate_time now, const char *expected)
{
    struct fate__text text = { 0 };

    fate__bars_clear(bars, now, &text);
    for (size_t i = 0; i < text.len; i++)
        if (text.bytes[i] == '\033')
            text.bytes[i] = '^';
    test_expect_str(here, text.len ? text.bytes : "", expected, "what was cleared");
    fate__text_done(&text);
}
#define EXPECT_CLEARED(bars, now, expected) expect_cleared(FATE_HERE, bars, now, expected)

/* Items 0 to n - 1, a.txt and so on, of 1000 KiB each; NULL: no memory. */
static struct fate__bars *new_bars(const struct fate__bars_options *options, int n)
{
    struct fate__bars *bars = fate__bars_new(options);
    char name[] = "a.txt";

    for (int i = 0; i < n && bars; i++, name[0]++) {
        if (fate__bars_add(bars, name, 1024000, 0) == i)
            continue;
        EXPECT(false);
        fate__bars_free(bars);
        return NULL;
    }
    return bars;
}

/* ---- One item ---- */

TEST(a_bar_grows_and_its_line_stays_when_it_is_done)
{
    struct fate__bars *bars = new_bars(&ascii, 1);

    if (!bars)
        return;
    EXPECT_DRAWN(bars, 0,
                 "a.txt                [..................]   0%        0 B        0 B/s     -:--^[K\n");
    fate__bars_set(bars, 0, 512000, 1024000);
    EXPECT_DRAWN(bars, 1000 * MS,
                 "^[1Aa.txt                [#########.........]  50%  500.0 KiB  500.0 KiB/s     0:01^[K\n");
    fate__bars_set(bars, 0, 1024000, 1024000);
    EXPECT_DRAWN(bars, 2000 * MS,
                 "^[1Aa.txt                [##################] 100% 1000.0 KiB  500.0 KiB/s     0:00^[K\n");
    fate__bars_finish(bars, 0, "a.txt is there");
    EXPECT_DRAWN(bars, 2100 * MS, "^[1Aa.txt is there^[K\n^[J");
    EXPECT_DRAWN(bars, 9000 * MS, "");
    EXPECT(fate__bars_next(bars) == FATE_NEVER);
    fate__bars_free(bars);
    fate__bars_free(NULL);
}

TEST(a_line_shows_nothing_that_a_terminal_would_obey)
{
    struct fate__bars *bars = new_bars(&ascii, 1);

    if (!bars)
        return;
    EXPECT_DRAWN(bars, 0,
                 "a.txt                [..................]   0%        0 B        0 B/s     -:--^[K\n");
    fate__bars_finish(bars, 0, "a.txt: connection\nlost");
    fate__bars_finish(bars, 0, "a second end counts for nothing");
    EXPECT_DRAWN(bars, 700 * MS, "^[1Aa.txt: connection?lost^[K\n^[J");
    EXPECT_DRAWN(bars, 800 * MS, "");
    fate__bars_free(bars);
}

TEST(bars_are_drawn_ten_times_a_second_at_most)
{
    struct fate__bars *bars = new_bars(&ascii, 1);
    struct fate__text text = { 0 };
    int n = 0;

    if (!bars)
        return;
    for (fate_time now = 0; now < FATE_SECOND; now += 3 * MS) {
        size_t before = text.len;
        fate__bars_set(bars, 0, (uint64_t)now, 1024000);
        fate__bars_draw(bars, now, &text);
        n += text.len > before;
    }
    EXPECT(n == 10);
    EXPECT(text.has_failed || fate__bars_next(bars) > FATE_SECOND - 4 * MS);
    fate__text_done(&text);
    fate__bars_free(bars);
}

#define FULL  "\xe2\x96\x88"
#define FULL6 FULL FULL FULL FULL FULL FULL
#define LEFT  "\xe2\x96\x95"
#define RIGHT "\xe2\x96\x8f" /* and an eighth */

TEST(with_utf_8_a_bar_has_eighths)
{
    const struct fate__bars_options options = { 80, 0, true, true };
    struct fate__bars *bars = new_bars(&options, 1);

    if (!bars)
        return;
    fate__bars_set(bars, 0, 1024000 * 4 / 10, 1024000);
    EXPECT_DRAWN(bars, 0,
                 "a.txt                " LEFT FULL6 FULL RIGHT "          " RIGHT
                 "  40%  400.0 KiB        0 B/s     -:--^[K\n");
    fate__bars_set(bars, 0, 1024000, 1024000);
    EXPECT_DRAWN(bars, 100 * MS,
                 "^[1Aa.txt                " LEFT FULL6 FULL6 FULL6 RIGHT
                 " 100% 1000.0 KiB        0 B/s     -:--^[K\n");
    fate__bars_free(bars);
}

TEST(an_item_of_unknown_size_has_something_that_moves)
{
    struct fate__bars *bars = fate__bars_new(&ascii);

    if (!bars)
        return;
    if (EXPECT_EQ(fate__bars_add(bars, "b", 0, 0), 0)) {
        fate__bars_set(bars, 0, 10, 0);
        EXPECT_DRAWN(bars, 0,
                     "b                    [###...............]            10 B        0 B/s     -:--^[K\n");
        EXPECT_DRAWN(
            bars, 1300 * MS,
            "^[1Ab                    [.............###..]            10 B        7 B/s     -:--^[K\n");
        EXPECT_DRAWN(
            bars, 1500 * MS,
            "^[1Ab                    [...............###]            10 B        6 B/s     -:--^[K\n");
        EXPECT_DRAWN(
            bars, 2800 * MS,
            "^[1Ab                    [..###.............]            10 B        3 B/s     -:--^[K\n");
    }
    fate__bars_free(bars);
}

/* ---- Several ---- */

TEST(several_items_have_a_total)
{
    struct fate__bars *bars = new_bars(&ascii, 2);

    if (!bars)
        return;
    fate__bars_set(bars, 0, 1024000, 1024000);
    EXPECT_DRAWN(bars, 0,
                 "a.txt                [##################] 100% 1000.0 KiB        0 B/s     -:--^[K\n"
                 "b.txt                [..................]   0%        0 B        0 B/s     -:--^[K\n"
                 "total, 0 of 2        [#########.........]  50% 1000.0 KiB        0 B/s     -:--^[K\n");
    fate__bars_finish(bars, 0, "a.txt: well");
    fate__bars_set(bars, 1, 512000, 1024000);
    EXPECT_DRAWN(bars, 1000 * MS,
                 "^[3Aa.txt: well^[K\n"
                 "b.txt                [#########.........]  50%  500.0 KiB  500.0 KiB/s     0:01^[K\n"
                 "total, 1 of 2        [#############.....]  75%    1.4 MiB  500.0 KiB/s     0:01^[K\n^[J");
    fate__bars_finish(bars, 1, "b.txt: refused");
    EXPECT_DRAWN(bars, 2000 * MS, "^[2Ab.txt: refused^[K\n^[J");
    fate__bars_free(bars);
}

TEST(a_total_is_unknown_while_one_of_them_is)
{
    struct fate__bars *bars = new_bars(&ascii, 2);

    if (!bars)
        return;
    fate__bars_set(bars, 0, 1024, 0);
    EXPECT_DRAWN(bars, 0,
                 "a.txt                [###...............]         1.0 KiB        0 B/s     -:--^[K\n"
                 "b.txt                [..................]   0%        0 B        0 B/s     -:--^[K\n"
                 "total, 0 of 2        [###...............]         1.0 KiB        0 B/s     -:--^[K\n");
    fate__bars_free(bars);
}

TEST(what_does_not_fit_on_the_terminal_is_counted)
{
    const struct fate__bars_options options = { 80, 2, true, false };
    struct fate__bars *bars = new_bars(&options, 4);

    if (!bars)
        return;
    EXPECT_DRAWN(bars, 0,
                 "a.txt                [..................]   0%        0 B        0 B/s     -:--^[K\n"
                 "b.txt                [..................]   0%        0 B        0 B/s     -:--^[K\n"
                 "and 2 more^[K\n"
                 "total, 0 of 4        [..................]   0%        0 B        0 B/s     -:--^[K\n");
    fate__bars_finish(bars, 2, "y");
    fate__bars_finish(bars, 0, "x");
    EXPECT_DRAWN(bars, 100 * MS,
                 "^[4Ay^[K\n"
                 "x^[K\n"
                 "b.txt                [..................]   0%        0 B        0 B/s     -:--^[K\n"
                 "d.txt                [..................]   0%        0 B        0 B/s     -:--^[K\n"
                 "total, 2 of 4        [..................]   0%        0 B        0 B/s     -:--^[K\n^[J");
    fate__bars_free(bars);
}

TEST(what_is_cleared_comes_back)
{
    struct fate__bars *bars = new_bars(&ascii, 1);

    if (!bars)
        return;
    EXPECT_DRAWN(bars, 0,
                 "a.txt                [..................]   0%        0 B        0 B/s     -:--^[K\n");
    EXPECT_CLEARED(bars, 10 * MS, "^[1A^[J");
    EXPECT_CLEARED(bars, 10 * MS, "");
    EXPECT_DRAWN(bars, 20 * MS,
                 "a.txt                [..................]   0%        0 B        0 B/s     -:--^[K\n");
    fate__bars_finish(bars, 0, "x");
    EXPECT_CLEARED(bars, 30 * MS, "^[1Ax^[K\n^[J");
    EXPECT(test_is_oom() || fate__bars_next(bars) == FATE_NEVER);
    fate__bars_free(bars);
}

/* ---- Widths ---- */

TEST(lines_follow_the_width)
{
    struct fate__bars *bars = new_bars(&ascii, 1);

    if (!bars)
        return;
    fate__bars_set(bars, 0, 512000, 1024000);
    fate__bars_resize(bars, 120, 0);
    EXPECT_DRAWN(bars, 0,
                 "a.txt                          [########################........................]  50%  "
                 "500.0 KiB        0 B/s     -:--^[K\n");
    fate__bars_resize(bars, 62, 0);
    EXPECT_DRAWN(bars, 100 * MS, "^[1Aa.txt       [####.....]  50%  500.0 KiB        0 B/s     -:--^[K\n");
    fate__bars_resize(bars, 61, 0);
    EXPECT_DRAWN(bars, 200 * MS, "^[1Aa.txt                   50%  500.0 KiB    2.4 MiB/s     0:00^[K\n");
    fate__bars_resize(bars, 20, 0);
    EXPECT_DRAWN(bars, 300 * MS, "^[1Aa.txt           50%^[K\n");
    fate__bars_resize(bars, 10, 0);
    EXPECT_DRAWN(bars, 400 * MS, "^[1A~txt  50%^[K\n");
    fate__bars_resize(bars, 4, 0);
    EXPECT_DRAWN(bars, 500 * MS, "^[1A~xt^[K\n");
    fate__bars_resize(bars, 1, 0);
    EXPECT_DRAWN(bars, 600 * MS, "^[1A^[K\n");
    fate__bars_free(bars);
}

/* No line has more columns than the terminal less one. */
TEST(no_line_is_too_wide)
{
    struct fate__bars *bars = new_bars(&ascii, 2);

    for (size_t columns = 1; columns < 200 && bars && !test_is_oom(); columns++) {
        struct fate__text text = { 0 };
        fate__bars_set(bars, 0, UINT64_MAX / 200 * columns, UINT64_MAX);
        fate__bars_resize(bars, columns, 0);
        fate__bars_clear(bars, 0, &text);
        fate__text_done(&text);
        fate__bars_draw(bars, (fate_time)columns * FATE_SECOND, &text);
        for (const char *line = text.bytes; line && *line; line = strchr(line, '\n') + 1)
            EXPECT((size_t)(strstr(line, "\033[K") - line) <= columns - 1);
        fate__text_done(&text);
    }
    fate__bars_free(bars);
}

/* ---- Without a terminal ---- */

TEST(without_a_terminal_each_finished_item_has_a_line)
{
    struct fate__bars *bars = new_bars(&plain, 2);

    if (!bars)
        return;
    EXPECT(fate__bars_next(bars) == FATE_NEVER);
    EXPECT_DRAWN(bars, 0, "");
    fate__bars_set(bars, 0, 1024, 1024);
    EXPECT_DRAWN(bars, 1000 * MS, "");
    fate__bars_finish(bars, 0, "a.txt: here");
    EXPECT_DRAWN(bars, 1500 * MS, "a.txt: here\n");
    fate__bars_finish(bars, 1, "b.txt: no such page");
    EXPECT_DRAWN(bars, 1560 * MS, "");
    EXPECT(test_is_oom() || fate__bars_next(bars) == 1600 * MS);
    EXPECT_CLEARED(bars, 1560 * MS, "b.txt: no such page\n");
    EXPECT_DRAWN(bars, 9000 * MS, "");
    fate__bars_free(bars);
}

TEST(items_that_are_still_to_come_are_counted)
{
    struct fate__bars *bars = new_bars(&ascii, 1);

    if (!bars)
        return;
    fate__bars_expect(bars, 3);
    EXPECT_DRAWN(bars, 0,
                 "a.txt                [..................]   0%        0 B        0 B/s     -:--^[K\n"
                 "total, 0 of 3        [###...............]             0 B        0 B/s     -:--^[K\n");
    fate__bars_free(bars);
}

TEST(without_memory_for_its_line_an_item_is_over)
{
    struct fate__bars *bars = new_bars(&plain, 1);

    if (!bars)
        return;
    test_fail_allocation(1, true);
    fate__bars_finish(bars, 0, "a.txt: well");
    EXPECT(test_fail_allocation(0, false));
    EXPECT_DRAWN(bars, 0, "a.txt: over\n");
    fate__bars_free(bars);
}

TEST(without_memory_a_line_is_said_later)
{
    struct fate__bars *bars = new_bars(&plain, 1);
    struct fate__text text = { 0 };

    if (!bars)
        return;
    fate__bars_finish(bars, 0, "a.txt: well");
    test_fail_allocation(1, true);
    fate__bars_draw(bars, 0, &text);
    EXPECT(test_fail_allocation(0, false));
    EXPECT(text.has_failed);
    fate__text_done(&text);
    EXPECT_DRAWN(bars, 0, "a.txt: well\n");
    fate__bars_free(bars);
}

/* ---- Columns ---- */

TEST(of_what_is_too_long_the_end_may_be_kept)
{
    const struct {
        const char *s;
        size_t columns;
        bool is_utf8;
        const char *expected;
    } cases[] = {
        { "abcd", 3, false, "~cd" },
        { "abc", 4, false, "abc " },
        { "abc", 0, false, "" },
        { "abc", 1, true, "\xe2\x80\xa6" },
        { "a\xe4\xb8\xad\xe6\x96\x87", 4, true, "\xe2\x80\xa6\xe6\x96\x87 " },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fate__text text = { 0 };
        fate__add_last_columns(&text, cases[i].s, cases[i].columns, cases[i].is_utf8);
        test_expect_str(FATE_HERE, text.len ? text.bytes : "", cases[i].expected, cases[i].s);
        fate__text_done(&text);
    }
}

static void expect_columns(const char *here, const char *s, size_t columns, bool is_utf8,
                           const char *expected)
{
    struct fate__text text = { 0 };

    fate__add_columns(&text, s, columns, is_utf8);
    test_expect_str(here, text.len ? text.bytes : "", expected, s);
    fate__text_done(&text);
}
#define EXPECT_COLUMNS(s, columns, is_utf8, expected) expect_columns(FATE_HERE, s, columns, is_utf8, expected)

TEST(texts_are_filled_and_cut)
{
    EXPECT_COLUMNS("abc", 5, false, "abc  ");
    EXPECT_COLUMNS("abc", 3, false, "abc");
    EXPECT_COLUMNS("abcd", 3, false, "ab~");
    EXPECT_COLUMNS("abcd", 3, true, "ab\xe2\x80\xa6");
    EXPECT_COLUMNS("abcd", 1, false, "~");
    EXPECT_COLUMNS("abcd", 0, false, "");
    EXPECT_COLUMNS("", 2, false, "  ");
    EXPECT_COLUMNS("a\033[2Jb\n", 9, false, "a?[2Jb?  ");
    EXPECT_COLUMNS("\xc2\x9b"
                   "a\x7f\xff",
                   5, true, "?a?? ");
    EXPECT_COLUMNS("\xe2\x80\xae"
                   "a",
                   3, true, "?a ");
}

TEST(characters_have_none_one_or_two_columns)
{
    EXPECT_COLUMNS("\xc3\xbc", 2, true, "\xc3\xbc ");
    EXPECT_COLUMNS("\xc3\xbc", 2, false, "? ");
    EXPECT_COLUMNS("u\xcc\x88x", 3, true, "u\xcc\x88x ");
    EXPECT_COLUMNS("\xe4\xb8\xad\xe6\x96\x87", 5, true, "\xe4\xb8\xad\xe6\x96\x87 ");
    EXPECT_COLUMNS("\xe4\xb8\xad\xe6\x96\x87", 3, true, "\xe4\xb8\xad\xe2\x80\xa6");
    EXPECT_COLUMNS("\xe4\xb8\xad\xe6\x96\x87", 2, true, "\xe2\x80\xa6 ");
    EXPECT_COLUMNS("\xf0\x9f\x98\x80", 3, true, "\xf0\x9f\x98\x80 ");
    EXPECT_EQ(fate__columns_of("a\xe4\xb8\xad\xcc\x88", true), 3);
}
