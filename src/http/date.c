/* Dates of HTTP, in the Gregorian calendar without end in both directions. */
#include <http/date.h>

#include <string.h>

#define DAY            ((int64_t)86400)
#define YEAR_0         ((int64_t)-62167219200) /* 0000-01-01 00:00:00 */
#define YEAR_9999_LAST ((int64_t)253402300799) /* 9999-12-31 23:59:59 */

static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char day_names[] = "SunMonTueWedThuFriSat";
static const char *const long_day_names[] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
                                              "Thursday", "Friday", "Saturday" };

struct date {
    int year, month, day, hour, minute, second; /* month 0 to 11 */
};

/* ---- The calendar ---- */

/* Days since 1970.  Years are counted from March, so that the leap day is the last of one; 400 of them are a
 * cycle of 146097 days. */
static int64_t days_of(int64_t year, int month, int day)
{
    int from_march = (month + 10) % 12;
    int64_t y = month < 2 ? year - 1 : year;
    int64_t cycle = (y >= 0 ? y : y - 399) / 400, of_cycle = y - cycle * 400;
    int64_t of_year = (153 * from_march + 2) / 5 + day - 1;

    return cycle * 146097 + of_cycle * 365 + of_cycle / 4 - of_cycle / 100 + of_year - 719468;
}

static struct date date_of(int64_t seconds)
{
    int64_t days = seconds / DAY - (seconds % DAY < 0), rest = seconds - days * DAY;
    int64_t shifted = days + 719468, cycle = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t of_cycle = shifted - cycle * 146097;
    int64_t year = (of_cycle - of_cycle / 1460 + of_cycle / 36524 - of_cycle / 146096) / 365;
    int64_t of_year = of_cycle - (365 * year + year / 4 - year / 100);
    int64_t from_march = (5 * of_year + 2) / 153;
    int month = (int)(from_march + 2) % 12;

    return (struct date){ .year = (int)(year + cycle * 400) + (month < 2),
                          .month = month,
                          .day = (int)(of_year - (153 * from_march + 2) / 5) + 1,
                          .hour = (int)(rest / 3600),
                          .minute = (int)(rest / 60 % 60),
                          .second = (int)(rest % 60) };
}

static int days_in(int year, int month)
{
    static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month] + (month == 1 && is_leap);
}

/* The nearest time whose year has four digits. */
static int64_t within_years(int64_t seconds)
{
    if (seconds < YEAR_0)
        return YEAR_0;
    return seconds < YEAR_9999_LAST ? seconds : YEAR_9999_LAST;
}

/* A second 60 is a leap second, and taken for the first of the next minute. */
static bool seconds_of(const struct date *date, int64_t *ret_seconds)
{
    bool is_date = date->day >= 1 && date->day <= days_in(date->year, date->month) && date->hour < 24 &&
                   date->minute < 60 && date->second <= 60;

    if (is_date)
        *ret_seconds = within_years(days_of(date->year, date->month, date->day) * DAY + date->hour * 3600 +
                                    date->minute * 60 + date->second);
    return is_date;
}

/* ---- Printing ---- */

static char *put_digits(char *to, int n, int digits)
{
    for (int i = digits - 1; i >= 0; i--, n /= 10)
        to[i] = (char)('0' + n % 10);
    return to + digits;
}

static char *put(char *to, const char *s, size_t len)
{
    memcpy(to, s, len);
    return to + len;
}

void fate__http_date_text(int64_t seconds, char to[FATE__HTTP_DATE_BYTES])
{
    seconds = within_years(seconds);
    struct date date = date_of(seconds);
    /* 1970 began with a Thursday; the years go back less than 800000 days. */
    int64_t weekday = (seconds / DAY - (seconds % DAY < 0) + 4 + 7 * (int64_t)200000) % 7;

    to = put(put(to, day_names + 3 * weekday, 3), ", ", 2);
    to = put(put_digits(to, date.day, 2), " ", 1);
    to = put(put(to, month_names + (ptrdiff_t)3 * date.month, 3), " ", 1);
    to = put(put_digits(to, date.year, 4), " ", 1);
    to = put(put_digits(to, date.hour, 2), ":", 1);
    to = put(put_digits(to, date.minute, 2), ":", 1);
    put(put_digits(to, date.second, 2), " GMT", 5);
}

/* ---- Parsing ---- */

/* What is left to be read; a step that does not fit makes it wrong, and all after it. */
struct reader {
    struct fate__http_slice rest;
    bool is_wrong;
};

static const char *take(struct reader *reader, size_t n)
{
    const char *at = reader->rest.at;

    if (reader->is_wrong || reader->rest.len < n) {
        reader->is_wrong = true;
        return NULL;
    }
    reader->rest.at += n;
    reader->rest.len -= n;
    return at;
}

static void expect(struct reader *reader, const char *text)
{
    const char *at = take(reader, strlen(text));

    if (at && memcmp(at, text, strlen(text)) != 0)
        reader->is_wrong = true;
}

static int digits(struct reader *reader, size_t n)
{
    const char *at = take(reader, n);
    int64_t number = at ? fate__http_number((struct fate__http_slice){ at, n }) : -1;

    reader->is_wrong = reader->is_wrong || number < 0;
    return (int)number;
}

/* Which of names, each of three letters, follows. */
static int name(struct reader *reader, const char *names)
{
    const char *at = take(reader, 3);

    for (int i = 0; at && names[3 * i]; i++)
        if (memcmp(at, names + (ptrdiff_t)3 * i, 3) == 0)
            return i;
    reader->is_wrong = true;
    return 0;
}

static void take_time(struct reader *reader, struct date *date)
{
    date->hour = digits(reader, 2);
    expect(reader, ":");
    date->minute = digits(reader, 2);
    expect(reader, ":");
    date->second = digits(reader, 2);
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static void take_fixdate(struct reader *reader, struct date *date)
{
    name(reader, day_names);
    expect(reader, ", ");
    date->day = digits(reader, 2);
    expect(reader, " ");
    date->month = name(reader, month_names);
    expect(reader, " ");
    date->year = digits(reader, 4);
    expect(reader, " ");
    take_time(reader, date);
    expect(reader, " GMT");
}

/* Sunday, 06-Nov-94 08:49:37 GMT */
static void take_rfc850(struct reader *reader, struct date *date, size_t day_len)
{
    take(reader, day_len);
    expect(reader, ", ");
    date->day = digits(reader, 2);
    expect(reader, "-");
    date->month = name(reader, month_names);
    expect(reader, "-");
    date->year = digits(reader, 2);
    expect(reader, " ");
    take_time(reader, date);
    expect(reader, " GMT");
}

/* Sun Nov  6 08:49:37 1994 */
static void take_asctime(struct reader *reader, struct date *date)
{
    name(reader, day_names);
    expect(reader, " ");
    date->month = name(reader, month_names);
    expect(reader, " ");
    if (reader->rest.len && reader->rest.at[0] == ' ') {
        take(reader, 1);
        date->day = digits(reader, 1);
    } else {
        date->day = digits(reader, 2);
    }
    expect(reader, " ");
    take_time(reader, date);
    expect(reader, " ");
    date->year = digits(reader, 4);
}

/* The length of the long name of a day that text begins with; 0: it does not. */
static size_t long_day_len(struct fate__http_slice text)
{
    for (size_t i = 0; i < 7; i++) {
        size_t len = strlen(long_day_names[i]);
        if (text.len > len && memcmp(text.at, long_day_names[i], len) == 0)
            return len;
    }
    return 0;
}

/* The latest year of those two digits whose date is not more than 50 years ahead, nor behind 9999. */
static bool seconds_of_short(struct date *date, int64_t now, int64_t *ret_seconds)
{
    struct date latest = date_of(within_years(now));
    int64_t limit = 0, seconds;

    date->year += (latest.year / 100 + 1) * 100;
    latest.year += 50;
    if (latest.month == 1 && latest.day == 29)
        latest.day = 28;
    seconds_of(&latest, &limit);
    for (; date->year >= 0; date->year -= 100) {
        if (date->year <= 9999 && seconds_of(date, &seconds) && seconds <= limit) {
            *ret_seconds = seconds;
            return true;
        }
    }
    return false;
}

bool fate__http_date_parse(struct fate__http_slice text, int64_t now, int64_t *ret_seconds)
{
    struct reader reader = { text, false };
    struct date date = { 0 };
    size_t day_len = long_day_len(text);

    if (day_len)
        take_rfc850(&reader, &date, day_len);
    else if (text.len > 3 && text.at[3] == ',')
        take_fixdate(&reader, &date);
    else
        take_asctime(&reader, &date);
    if (reader.is_wrong || reader.rest.len)
        return false;
    return day_len ? seconds_of_short(&date, now, ret_seconds) : seconds_of(&date, ret_seconds);
}
