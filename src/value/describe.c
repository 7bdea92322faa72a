/* Values as text for people. */
#include <value/failure.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/text.h>
#include <base/utf8.h>

#define DEPTH_MAX 64

static void describe(struct fate__text *text, const fate_value *v, int depth);

/* ---- Text and bytes ---- */

/* The letter behind the backslash, or 0. */
static char letter_of(char c, char quote)
{
    switch (c) {
    case '\n':
        return 'n';
    case '\t':
        return 't';
    case '\r':
        return 'r';
    case '\\':
        return quote ? '\\' : '\0';
    default:
        return quote && c == quote ? c : '\0';
    }
}

static bool is_plain(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte >= 0x20 && byte < 0x7f;
}

static void escape_byte(struct fate__text *text, char c, char quote)
{
    char letter = letter_of(c, quote);

    if (letter)
        fate__text_format(text, "\\%c", letter);
    else if (is_plain(c))
        fate__text_add_n(text, &c, 1);
    else
        fate__text_format(text, "\\x%02x", (unsigned)(unsigned char)c);
}

void fate__escape_to(struct fate__text *text, const char *s, size_t len, char quote)
{
    for (size_t i = 0; i < len && !text->has_failed;) {
        size_t n = fate__utf8_len(s + i, len - i);
        if (n > 1) {
            fate__text_add_n(text, s + i, n);
            i += n;
        } else {
            escape_byte(text, s[i++], quote);
        }
    }
}

static void describe_text(struct fate__text *text, const struct fate__string *string)
{
    fate__text_add(text, "\"");
    fate__escape_to(text, string->bytes, string->len, '"');
    fate__text_add(text, "\"");
}

static void describe_bytes(struct fate__text *text, const struct fate__string *string)
{
    fate__text_add(text, "b\"");
    for (size_t i = 0; i < string->len && !text->has_failed; i++)
        escape_byte(text, string->bytes[i], '"');
    fate__text_add(text, "\"");
}

/* ---- Numbers and moments ---- */

/* The locale may write the point otherwise. */
static bool write_point(char *digits)
{
    bool has_point = false, is_whole = true;
    char *to = digits;

    for (const char *from = digits; *from; from++) {
        bool is_ours = strchr("0123456789+-e", *from) != NULL;
        is_whole = is_whole && is_ours && *from != 'e';
        if (!is_ours && has_point)
            continue;
        has_point = has_point || !is_ours;
        *to++ = is_ours ? *from : '.';
    }
    *to = '\0';
    return is_whole;
}

/* With as few digits as read back as the same number. */
static void describe_float(struct fate__text *text, double f)
{
    char digits[48];

    if (f != f || f - f != 0) {
        fate__text_add(text, f != f ? "nan" : f > 0 ? "inf" : "-inf");
        return;
    }
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, f);
        double back = strtod(digits, NULL);
        if (memcmp(&back, &f, sizeof f) == 0)
            break;
    }
    bool is_whole = write_point(digits);
    fate__text_add(text, digits);
    if (is_whole)
        fate__text_add(text, ".0");
}

struct date {
    int64_t year;
    int month, day;
};

/* The Gregorian date of a day counted from 1970-01-01.  Years are counted from March, so that leap days
 * come last, in eras of 400 (Howard Hinnant, "chrono-compatible low-level date algorithms",
 * civil_from_days). */
static struct date date_of(int64_t day)
{
    int64_t from_era = day + 719468;
    int64_t era = (from_era >= 0 ? from_era : from_era - 146096) / 146097;
    int64_t day_of_era = from_era - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    int day_of_month = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    return (struct date){ year_of_era + era * 400 + (month <= 2), month, day_of_month };
}

static int64_t floor_of(int64_t a, int64_t by)
{
    return a / by - (a % by < 0);
}

/* Three, six or nine digits, or none at all. */
static void add_fraction(struct fate__text *text, int64_t nanoseconds)
{
    int digits = 9;

    if (!nanoseconds)
        return;
    for (; nanoseconds % 1000 == 0; digits -= 3)
        nanoseconds /= 1000;
    fate__text_format(text, ".%0*lld", digits, (long long)nanoseconds);
}

/* ISO 8601 */
static void describe_datetime(struct fate__text *text, int64_t nanoseconds)
{
    int64_t seconds = floor_of(nanoseconds, FATE_SECOND);
    int64_t days = floor_of(seconds, 86400);
    struct date date = date_of(days);
    int in_day = (int)(seconds - days * 86400);

    fate__text_format(text, "%04lld-%02d-%02dT%02d:%02d:%02d", (long long)date.year, date.month, date.day,
                      in_day / 3600, in_day / 60 % 60, in_day % 60);
    add_fraction(text, (nanoseconds % FATE_SECOND + FATE_SECOND) % FATE_SECOND);
    fate__text_add(text, "Z");
}

/* ---- Containers ---- */

static void describe_list(struct fate__text *text, const fate_value *list, int depth)
{
    fate__text_add(text, "[");
    for (size_t i = 0; i < fate_count(list) && !text->has_failed; i++) {
        fate__text_add(text, i ? ", " : "");
        describe(text, fate_at(list, i), depth + 1);
    }
    fate__text_add(text, "]");
}

static void describe_dict(struct fate__text *text, const fate_value *dict, int depth)
{
    fate__text_add(text, "{");
    for (size_t i = 0; i < fate_count(dict) && !text->has_failed; i++) {
        const char *key = fate_dict_key(dict, i);
        fate__text_add(text, i ? ", \"" : "\"");
        fate__escape_to(text, key, strlen(key), '"');
        fate__text_add(text, "\": ");
        describe(text, fate_dict_at(dict, i), depth + 1);
    }
    fate__text_add(text, "}");
}

static void describe_failure(struct fate__text *text, const fate_value *failure)
{
    fate__text_add(text, "<");
    fate__failure_line_to(text, failure);
    fate__text_add(text, ">");
}

static void describe_deferred(struct fate__text *text, const fate_value *v)
{
    fate__text_add(text, "<deferred ");
    fate__text_add_site(text, fate__held->site(v->as.p));
    fate__text_add(text, ">");
}

/* ---- All kinds: one switch, one idea ---- */

static void describe(struct fate__text *text, const fate_value *v, int depth)
{
    if (depth > DEPTH_MAX) {
        fate__text_add(text, "...");
        return;
    }
    switch (fate_kind_of(v)) {
    case FATE_KIND_NONE:
        fate__text_add(text, "none");
        break;
    case FATE_KIND_BOOL:
        fate__text_add(text, v->as.i ? "true" : "false");
        break;
    case FATE_KIND_INT:
        fate__text_format(text, "%lld", (long long)v->as.i);
        break;
    case FATE_KIND_FLOAT:
        describe_float(text, v->as.f);
        break;
    case FATE_KIND_DATETIME:
        describe_datetime(text, v->as.i);
        break;
    case FATE_KIND_TEXT:
        describe_text(text, v->as.p);
        break;
    case FATE_KIND_BYTES:
        describe_bytes(text, v->as.p);
        break;
    case FATE_KIND_LIST:
        describe_list(text, v, depth);
        break;
    case FATE_KIND_DICT:
        describe_dict(text, v, depth);
        break;
    case FATE_KIND_BOX:
        fate__text_format(text, "<%s>", ((const struct fate__box *)v->as.p)->name);
        break;
    case FATE_KIND_PTR:
        fate__text_format(text, "<pointer %p>", v->as.p);
        break;
    case FATE_KIND_OBJECT:
    case FATE_KIND_FOLLOW:
        fate__text_format(text, "<%s>", v->type->name);
        break;
    case FATE_KIND_DEFERRED:
        describe_deferred(text, v);
        break;
    case FATE_KIND_FAILURE:
        describe_failure(text, v);
        break;
    }
}

void fate__describe_to(struct fate__text *text, const fate_value *v)
{
    describe(text, v, 0);
}

fate_value fate_describe(const fate_value *v)
{
    struct fate__text text = { 0 };

    if (!v)
        fate__stop_wrong_kind("fate_describe", v, "a value", "", NULL);
    fate__describe_to(&text, v);
    return fate__text_value(&text);
}
