/* Values as JSON: RFC 8259. */
#include <http/json.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <base/escape.h>

#define NESTING_MAX 64

static int add(struct fate__text *to, const fate_value *v, int depth, const char **ret_why);

/* The point may be another one in the program's locale, of more bytes than one. */
static void add_digits(struct fate__text *to, const char *digits)
{
    size_t n = strspn(digits, "-0123456789"), point = strcspn(digits + n, "0123456789e");

    fate__text_add_n(to, digits, n);
    fate__text_add(to, point ? "." : "");
    fate__text_add(to, digits + n + point);
    if (!digits[n]) /* else it would be read as an int */
        fate__text_add(to, ".0");
}

/* The shortest form that is read as the same number. */
static void add_float(struct fate__text *to, double f)
{
    char digits[40];

    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, f);
        if (strtod(digits, NULL) == f)
            break;
    }
    add_digits(to, digits);
}

/* "2026-11-20T12:10:38.5Z", as RFC 3339 writes it. */
static void add_datetime(struct fate__text *to, int64_t nanoseconds)
{
    int64_t seconds = nanoseconds / FATE_SECOND, rest = nanoseconds % FATE_SECOND;
    struct tm tm;
    char fraction[16] = "";

    if (rest < 0) {
        rest += FATE_SECOND;
        seconds--;
    }
    time_t time = (time_t)seconds;
    gmtime_r(&time, &tm);
    if (rest) {
        int n = snprintf(fraction, sizeof fraction, ".%09d", (int)rest);
        while (fraction[n - 1] == '0')
            fraction[--n] = '\0';
    }
    fate__text_format(to, "\"%04d-%02d-%02dT%02d:%02d:%02d%sZ\"", tm.tm_year + 1900, tm.tm_mon + 1,
                      tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, fraction);
}

static int add_list(struct fate__text *to, const fate_value *v, int depth, const char **ret_why)
{
    int why = 0;

    fate__text_add(to, "[");
    for (size_t i = 0; i < fate_count(v) && why == 0; i++) {
        fate__text_add(to, i ? "," : "");
        why = add(to, fate_at(v, i), depth, ret_why);
    }
    fate__text_add(to, "]");
    return why;
}

static int add_dict(struct fate__text *to, const fate_value *v, int depth, const char **ret_why)
{
    int why = 0;

    fate__text_add(to, "{");
    for (size_t i = 0; i < fate_count(v) && why == 0; i++) {
        const char *key = fate_dict_key(v, i);
        fate__text_add(to, i ? "," : "");
        fate__add_json_string(to, key, strlen(key));
        fate__text_add(to, ":");
        why = add(to, fate_dict_at(v, i), depth, ret_why);
    }
    fate__text_add(to, "}");
    return why;
}

static int no_json(const char **ret_why, const char *why)
{
    *ret_why = why;
    return -EINVAL;
}

static int add_number(struct fate__text *to, const fate_value *v, const char **ret_why)
{
    if (fate_kind_of(v) == FATE_KIND_INT) {
        fate__text_format(to, "%lld", (long long)fate_as_int(v));
        return 0;
    }
    if (!isfinite(fate_as_float(v)))
        return no_json(ret_why, "a float is not finite");
    add_float(to, fate_as_float(v));
    return 0;
}

static int add(struct fate__text *to, const fate_value *v, int depth, const char **ret_why)
{
    switch (fate_kind_of(v)) {
    case FATE_KIND_NONE:
        fate__text_add(to, "null");
        return 0;
    case FATE_KIND_BOOL:
        fate__text_add(to, fate_as_bool(v) ? "true" : "false");
        return 0;
    case FATE_KIND_INT:
    case FATE_KIND_FLOAT:
        return add_number(to, v, ret_why);
    case FATE_KIND_DATETIME:
        add_datetime(to, fate_as_datetime(v));
        return 0;
    case FATE_KIND_TEXT:
        fate__add_json_string(to, fate_as_str(v), fate_count(v));
        return 0;
    case FATE_KIND_LIST:
        return depth ? add_list(to, v, depth - 1, ret_why) : no_json(ret_why, "it is nested too deeply");
    case FATE_KIND_DICT:
        return depth ? add_dict(to, v, depth - 1, ret_why) : no_json(ret_why, "it is nested too deeply");
    case FATE_KIND_BYTES:
        return no_json(ret_why, "there are bytes in it, which JSON has not");
    default:
        return no_json(ret_why, "there is a value in it that JSON has not");
    }
}

int fate__add_json(struct fate__text *to, const fate_value *v, const char **ret_why)
{
    int why = add(to, v, NESTING_MAX, ret_why);

    return why == 0 && to->has_failed ? -ENOMEM : why;
}
