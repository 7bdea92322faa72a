/* Amounts: read from command lines, written for terminals. */
#include <amount.h>

#include <stdio.h>
#include <string.h>

/* ---- Reading ---- */

struct unit {
    const char *name;
    uint64_t size;
};

#define FRACTION_DIGITS_MAX 9
#define BILLION             ((uint64_t)1000000000)

/* number and fraction of a billion; *s is moved behind them. */
static bool read_decimal(const char **s, uint64_t *ret_number, uint64_t *ret_billionths)
{
    uint64_t number = 0, billionths = 0, place = BILLION;
    const char *first = *s;

    for (; **s >= '0' && **s <= '9'; ++*s)
        if (__builtin_mul_overflow(number, (uint64_t)10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(**s - '0'), &number))
            return false;
    if (*s == first)
        return false;
    if (**s == '.') {
        first = ++*s;
        for (; **s >= '0' && **s <= '9' && *s - first < FRACTION_DIGITS_MAX; ++*s)
            billionths += (uint64_t)(**s - '0') * (place /= 10);
        if (*s == first)
            return false;
    }
    *ret_number = number;
    *ret_billionths = billionths;
    return true;
}

static bool read_amount(const char *s, const struct unit *units, size_t n_units, uint64_t *ret_amount)
{
    uint64_t number, billionths, amount;

    if (!read_decimal(&s, &number, &billionths))
        return false;
    for (size_t i = 0; i < n_units; i++) {
        if (strcmp(s, units[i].name) != 0)
            continue;
        /* In two parts, since a day times a billion does not fit. */
        uint64_t size = units[i].size, rest = size % BILLION;
        uint64_t part = size / BILLION * billionths + rest * billionths / BILLION;
        if (__builtin_mul_overflow(number, size, &amount) || __builtin_add_overflow(amount, part, &amount))
            return false;
        *ret_amount = amount;
        return true;
    }
    return false;
}

bool fate__read_span(const char *s, fate_time *ret_span)
{
    static const struct unit units[] = {
        { "", FATE_SECOND },
        { "s", FATE_SECOND },
        { "ms", FATE_MILLISECOND },
        { "us", FATE_MICROSECOND },
        { "ns", 1 },
        { "min", 60 * FATE_SECOND },
        { "m", 60 * FATE_SECOND },
        { "h", 3600 * FATE_SECOND },
        { "d", 24 * 3600 * FATE_SECOND },
    };
    uint64_t amount;

    if (!read_amount(s, units, sizeof units / sizeof *units, &amount) || amount >= (uint64_t)FATE_NEVER)
        return false;
    *ret_span = (fate_time)amount;
    return true;
}

bool fate__read_size(const char *s, uint64_t *ret_bytes)
{
    static const struct unit units[] = {
        { "", 1 },
        { "B", 1 },
        { "K", 1u << 10 },
        { "KiB", 1u << 10 },
        { "M", 1u << 20 },
        { "MiB", 1u << 20 },
        { "G", 1u << 30 },
        { "GiB", 1u << 30 },
        { "T", (uint64_t)1 << 40 },
        { "TiB", (uint64_t)1 << 40 },
        { "k", 1u << 10 },
    };

    return read_amount(s, units, sizeof units / sizeof *units, ret_bytes);
}

/* ---- Writing ---- */

const char *fate__size_text(uint64_t bytes, char to[FATE__AMOUNT_BYTES])
{
    static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    uint64_t unit = 1024;
    size_t i = 0;

    if (bytes < 1024) {
        snprintf(to, FATE__AMOUNT_BYTES, "%u B", (unsigned)bytes);
        return to;
    }
    while (bytes / unit >= 1024 && i + 1 < sizeof units / sizeof *units) {
        unit *= 1024;
        i++;
    }
    uint64_t tenths = bytes % unit / (unit / 1024) * 10 / 1024;
    snprintf(to, FATE__AMOUNT_BYTES, "%u.%u %s", (unsigned)(bytes / unit), (unsigned)tenths, units[i]);
    return to;
}

const char *fate__clock_text(fate_time span, char to[FATE__AMOUNT_BYTES])
{
    long long seconds = span / FATE_SECOND;

    if (span < 0 || seconds >= 360000)
        return strcpy(to, "-:--");
    if (seconds >= 3600)
        snprintf(to, FATE__AMOUNT_BYTES, "%d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60),
                 (int)(seconds % 60));
    else
        snprintf(to, FATE__AMOUNT_BYTES, "%d:%02d", (int)(seconds / 60), (int)(seconds % 60));
    return to;
}
