/* JSON, read as RFC 8259 has it and no other way: what two programs could read in two ways is refused. */
#include <http/json.h>

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <base/utf8.h>

#define NESTING_MAX 64

struct reader {
    const char *begin, *at, *end;
    struct fate__text text; /* the string or the number that was read last, with a NUL behind it */
    struct fate__why *why;
    int error;
};

/* ---- What is wrong ---- */

static bool refuse(struct reader *reader, const char *what)
{
    if (!reader->error)
        reader->error =
            fate__because(reader->why, -EINVAL, "byte %td: %s", reader->at - reader->begin + 1, what);
    return false;
}

static bool lacks_memory(struct reader *reader)
{
    reader->error = -ENOMEM;
    return false;
}

/* ---- Bytes ---- */

static void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->end && *reader->at && strchr(" \t\r\n", *reader->at))
        reader->at++;
}

static bool is_next(const struct reader *reader, char c)
{
    return reader->at < reader->end && *reader->at == c;
}

static bool take(struct reader *reader, char c)
{
    bool is_there = is_next(reader, c);

    reader->at += is_there;
    return is_there;
}

static bool take_word(struct reader *reader, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(reader->end - reader->at) < len || memcmp(reader->at, word, len) != 0)
        return false;
    reader->at += len;
    return true;
}

/* ---- Strings ---- */

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits behind \u. */
static bool take_unit(struct reader *reader, unsigned *ret_unit)
{
    unsigned unit = 0;

    for (int i = 0; i < 4; i++, reader->at++) {
        int digit = reader->at < reader->end ? digit_of(*reader->at) : -1;
        if (digit < 0)
            return refuse(reader, "four hexadecimal digits must follow \\u");
        unit = unit << 4 | (unsigned)digit;
    }
    *ret_unit = unit;
    return true;
}

static void add_character(struct fate__text *to, unsigned c)
{
    char bytes[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = n; i-- > 1; c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3f));
    bytes[0] = (char)(n == 1 ? c : (0xf00u >> n & 0xf0) | c);
    fate__text_add_n(to, bytes, n);
}

/* Characters beyond U+FFFF are two units, of which one alone is none. */
static bool take_escaped_unit(struct reader *reader)
{
    unsigned unit, second;

    if (!take_unit(reader, &unit))
        return false;
    if (unit >= 0xd800 && unit < 0xdc00) {
        if (!take_word(reader, "\\u"))
            return refuse(reader, "the other half of a surrogate pair must follow");
        if (!take_unit(reader, &second))
            return false;
        if (second < 0xdc00 || second > 0xdfff)
            return refuse(reader, "no second half of a surrogate pair");
        unit = 0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00);
    } else if (unit >= 0xdc00 && unit <= 0xdfff) {
        return refuse(reader, "the second half of a surrogate pair, without the first");
    }
    add_character(&reader->text, unit);
    return true;
}

static bool take_escape(struct reader *reader)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *at = reader->at < reader->end && *reader->at ? strchr(from, *reader->at) : NULL;

    if (at) {
        reader->at++;
        fate__text_add_n(&reader->text, to + (at - from), 1);
        return true;
    }
    return take(reader, 'u') ? take_escaped_unit(reader) : refuse(reader, "no escape that JSON has");
}

/* One character that stands for itself. */
static bool take_character(struct reader *reader)
{
    size_t len = fate__utf8_len(reader->at, (size_t)(reader->end - reader->at));

    if (!len)
        return refuse(reader, "no UTF-8");
    if ((unsigned char)*reader->at < 0x20)
        return refuse(reader, "a control character in a string, which is written as an escape");
    fate__text_add_n(&reader->text, reader->at, len);
    reader->at += len;
    return true;
}

/* Behind the quote; into reader->text. */
static bool read_string(struct reader *reader)
{
    bool is_right = true;

    reader->text.len = 0;
    while (is_right && reader->at < reader->end && !is_next(reader, '"'))
        is_right = take(reader, '\\') ? take_escape(reader) : take_character(reader);
    if (!is_right)
        return false;
    if (!take(reader, '"'))
        return refuse(reader, "a string has no end");
    fate__text_add_n(&reader->text, "", 1);
    return !reader->text.has_failed || lacks_memory(reader);
}

/* ---- Numbers ---- */

static size_t take_digits(struct reader *reader)
{
    const char *from = reader->at;

    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
        reader->at++;
    return (size_t)(reader->at - from);
}

/* "0", "-12", "1.5e-3"; no zeros in front. */
static bool take_number(struct reader *reader, bool *ret_is_whole)
{
    const char *digits = reader->at + take(reader, '-');
    size_t n = take_digits(reader);

    if (n == 0 || (n > 1 && *digits == '0'))
        return refuse(reader, n ? "a number with a zero in front" : "no value");
    *ret_is_whole = true;
    if (take(reader, '.')) {
        *ret_is_whole = false;
        if (!take_digits(reader))
            return refuse(reader, "digits must follow the point");
    }
    if (take(reader, 'e') || take(reader, 'E')) {
        *ret_is_whole = false;
        if (!take(reader, '-'))
            take(reader, '+');
        if (!take_digits(reader))
            return refuse(reader, "digits must follow the e");
    }
    return true;
}

/* What it would be as a float is another number, so it is not made one. */
static fate_value read_int(struct reader *reader, const char *s)
{
    bool is_negative = *s == '-';
    int64_t n = 0;

    for (s += is_negative; s < reader->at; s++) {
        int digit = is_negative ? '0' - *s : *s - '0';
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, digit, &n)) {
            refuse(reader, "an integer of more than 64 bits");
            return fate_none();
        }
    }
    return fate_int(n);
}

/* As the program's locale writes it, since that is how strtod reads it. */
static fate_value read_float(struct reader *reader, const char *from)
{
    struct fate__text *text = &reader->text;

    text->len = 0;
    for (const char *s = from; s < reader->at; s++)
        if (*s == '.')
            fate__text_add(text, localeconv()->decimal_point);
        else
            fate__text_add_n(text, s, 1);
    fate__text_add_n(text, "", 1);
    if (text->has_failed) {
        lacks_memory(reader);
        return fate_none();
    }
    double f = strtod(text->bytes, NULL);
    if (!isfinite(f))
        refuse(reader, "a number that is too great");
    return fate_float(f);
}

static fate_value read_number(struct reader *reader)
{
    const char *from = reader->at;
    bool is_whole = false;

    if (!take_number(reader, &is_whole))
        return fate_none();
    return is_whole ? read_int(reader, from) : read_float(reader, from);
}

/* ---- Values: all of these give something of no use after an error ---- */

static fate_value read_value(struct reader *reader, int depth);

static void append(struct reader *reader, fate_value *list, int depth)
{
    fate_value item = read_value(reader, depth);

    if (reader->error)
        fate_drop(item);
    else if (fate_list_append(list, item) < 0)
        lacks_memory(reader);
}

/* Behind the bracket. */
static fate_value read_list(struct reader *reader, int depth)
{
    fate_value list = fate_list(0, NULL);

    if (fate_is_failure(&list)) {
        lacks_memory(reader);
        return fate_none();
    }
    skip_blanks(reader);
    bool goes_on = !take(reader, ']');
    while (goes_on && !reader->error) {
        append(reader, &list, depth);
        goes_on = take(reader, ',');
        if (!goes_on && !take(reader, ']'))
            refuse(reader, "a comma or ] must follow");
    }
    return list;
}

static void set(struct reader *reader, fate_value *dict, int depth)
{
    skip_blanks(reader);
    if (!take(reader, '"')) {
        refuse(reader, "a key must follow, in double quotes");
        return;
    }
    if (!read_string(reader))
        return;
    size_t len = reader->text.len - 1;
    struct fate__text key = reader->text;
    reader->text = (struct fate__text){ 0 };
    skip_blanks(reader);
    if (memchr(key.bytes, '\0', len))
        refuse(reader, "a key with a NUL");
    else if (fate_dict_get(dict, key.bytes))
        refuse(reader, "a key that was there before");
    else if (!take(reader, ':'))
        refuse(reader, "a colon must follow");
    fate_value item = reader->error ? fate_none() : read_value(reader, depth);
    if (reader->error)
        fate_drop(item);
    else if (fate_dict_set(dict, key.bytes, item) < 0)
        lacks_memory(reader);
    fate__text_done(&key);
}

/* Behind the brace. */
static fate_value read_dict(struct reader *reader, int depth)
{
    fate_value dict = fate_dict();

    if (fate_is_failure(&dict)) {
        lacks_memory(reader);
        return fate_none();
    }
    skip_blanks(reader);
    bool goes_on = !take(reader, '}');
    while (goes_on && !reader->error) {
        set(reader, &dict, depth);
        goes_on = take(reader, ',');
        if (!goes_on && !take(reader, '}'))
            refuse(reader, "a comma or } must follow");
    }
    return dict;
}

static fate_value read_text(struct reader *reader)
{
    if (!read_string(reader))
        return fate_none();
    fate_value text = fate_str_n(reader->text.bytes, reader->text.len - 1);
    if (fate_is_failure(&text))
        lacks_memory(reader);
    return text;
}

static fate_value read_some(struct reader *reader, int depth)
{
    if (take(reader, '"'))
        return read_text(reader);
    if (take_word(reader, "null"))
        return fate_none();
    if (take_word(reader, "true"))
        return fate_bool(true);
    if (take_word(reader, "false"))
        return fate_bool(false);
    bool is_list = take(reader, '[');
    if (!is_list && !take(reader, '{'))
        return read_number(reader);
    if (!depth) {
        refuse(reader, "lists and dicts in more than 64 others");
        return fate_none();
    }
    return is_list ? read_list(reader, depth - 1) : read_dict(reader, depth - 1);
}

static fate_value read_value(struct reader *reader, int depth)
{
    skip_blanks(reader);
    fate_value v = read_some(reader, depth);
    skip_blanks(reader);
    return v;
}

int fate__read_json(const char *s, size_t len, fate_value *ret_value, struct fate__why *why)
{
    struct reader reader = { .begin = s, .at = s, .end = s + len, .why = why };
    fate_value v = read_value(&reader, NESTING_MAX);

    if (reader.at < reader.end)
        refuse(&reader, "something behind the value");
    fate__text_done(&reader.text);
    if (reader.error) {
        fate_drop(v);
        return reader.error;
    }
    *ret_value = v;
    return 0;
}
