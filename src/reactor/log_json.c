/* Entries of the log for programs: an object of JSON a line (RFC 8259). */
#include <string.h>

#include <base/escape.h>
#include <reactor/log.h>

#define DEPTH_MAX 64

/* ---- Values ---- */

static void add_string(struct fate__text *text, const char *s)
{
    fate__add_json_string(text, s, strlen(s));
}

static void add_value(struct fate__text *text, const fate_value *v, int depth);

static void add_given(struct fate__text *text, fate_value given)
{
    const char *s;

    if (fate_get_str(&given, &s))
        fate__add_json_string(text, s, fate_count(&given));
    else
        text->has_failed = true;
    fate_drop(given);
}

static void add_failure(struct fate__text *text, const fate_value *failure)
{
    fate__text_add(text, "{\"class\":");
    add_string(text, fate_class_of(failure)->name);
    fate__text_add(text, ",\"message\":");
    add_string(text, fate_message(failure));
    fate__text_add(text, ",\"traceback\":");
    add_given(text, fate_traceback(failure));
    fate__text_add(text, "}");
}

static void add_list(struct fate__text *text, const fate_value *list, int depth)
{
    fate__text_add(text, "[");
    for (size_t i = 0; i < fate_count(list) && !text->has_failed; i++) {
        fate__text_add(text, i ? "," : "");
        add_value(text, fate_at(list, i), depth + 1);
    }
    fate__text_add(text, "]");
}

static void add_dict(struct fate__text *text, const fate_value *dict, int depth)
{
    fate__text_add(text, "{");
    for (size_t i = 0; i < fate_count(dict) && !text->has_failed; i++) {
        fate__text_add(text, i ? "," : "");
        add_string(text, fate_dict_key(dict, i));
        fate__text_add(text, ":");
        add_value(text, fate_dict_at(dict, i), depth + 1);
    }
    fate__text_add(text, "}");
}

/* JSON has no word for what is not a number, nor for the infinite. */
static bool is_number(const fate_value *v)
{
    double f = fate_as_float(v);
    return f - f == 0;
}

/* One switch, one idea. */
static void add_value(struct fate__text *text, const fate_value *v, int depth)
{
    fate_kind kind = fate_kind_of(v);

    if (depth > DEPTH_MAX) {
        fate__text_add(text, "\"...\"");
        return;
    }
    switch (kind) {
    case FATE_KIND_NONE:
        fate__text_add(text, "null");
        break;
    case FATE_KIND_BOOL:
    case FATE_KIND_INT:
        fate__text_add_value(text, fate_describe(v));
        break;
    case FATE_KIND_FLOAT:
        fate__text_add_value(text, is_number(v) ? fate_describe(v) : fate_str("null"));
        break;
    case FATE_KIND_TEXT:
        fate__add_json_string(text, fate_as_str(v), fate_count(v));
        break;
    case FATE_KIND_LIST:
        add_list(text, v, depth);
        break;
    case FATE_KIND_DICT:
        add_dict(text, v, depth);
        break;
    case FATE_KIND_FAILURE:
        add_failure(text, v);
        break;
    default:
        add_given(text, fate_describe(v));
        break;
    }
}

/* ---- Entries ---- */

static void add_member(struct fate__text *text, const char *name, const char *s)
{
    fate__text_format(text, ",\"%s\":", name);
    add_string(text, s);
}

static void add_entry(struct fate__text *text, const fate_log_entry *entry)
{
    char time[FATE__TIME_BYTES];

    fate__text_format(text, "{\"time\":\"%s\"", fate__time_text(entry->time, 9, time));
    add_member(text, "level", fate_log_level_name(entry->level));
    if (*entry->reactor)
        add_member(text, "reactor", entry->reactor);
    if (*entry->site)
        add_member(text, "site", entry->site);
    add_member(text, "text", entry->text);
    if (entry->fields) {
        fate__text_add(text, ",\"fields\":");
        add_value(text, entry->fields, 0);
    }
    if (entry->failure) {
        fate__text_add(text, ",\"failure\":");
        add_value(text, entry->failure, 0);
    }
    fate__text_add(text, "}\n");
}

/* What there is to say without memory: level and text, or its beginning. */
static void write_bare(FILE *file, const fate_log_entry *entry)
{
    char line[1024], escaped[8];
    size_t len = (size_t)snprintf(line, sizeof line, "{\"level\":\"%s\",\"text\":\"",
                                  fate_log_level_name(entry->level));
    size_t n = strlen(entry->text);

    for (size_t i = 0; i < n && len + 12 < sizeof line;) {
        i += fate__json_next(entry->text + i, n - i, escaped);
        strcpy(line + len, escaped);
        len += strlen(escaped);
    }
    strcpy(line + len, "\"}\n");
    fate__log_write(file, line, len + 3);
}

void fate_log_to_json(const fate_log_entry *entry, fate_value *arg)
{
    FILE *file = fate__log_file(arg);
    struct fate__text text = { 0 };

    add_entry(&text, entry);
    if (text.has_failed)
        write_bare(file, entry);
    else
        fate__log_write(file, text.bytes, text.len);
    fate__text_done(&text);
}
