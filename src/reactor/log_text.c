/* Entries of the log for people: a line each, and the traceback of a failure. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <base/stop.h>
#include <base/sys.h>
#include <reactor/log.h>
#include <value/object.h>

/* ---- What all ready-made observers need ---- */

FILE *fate__log_file(const fate_value *arg)
{
    FILE *file = fate_is_none(arg) ? NULL : fate_as_ptr(arg);
    return file ? file : stderr;
}

void fate__log_write(FILE *file, const char *bytes, size_t len)
{
    if (file == stderr)
        fflush(stdout);
    fwrite(bytes, 1, len, file);
    fflush(file);
}

const char *fate__time_text(int64_t nanoseconds, int digits, char to[FATE__TIME_BYTES])
{
    int64_t fraction = nanoseconds % FATE_SECOND;
    time_t seconds = (time_t)(nanoseconds / FATE_SECOND) - (fraction < 0);
    char fraction_text[16];
    struct tm tm;

    if (fraction < 0)
        fraction += FATE_SECOND;
    gmtime_r(&seconds, &tm);
    snprintf(fraction_text, sizeof fraction_text, "%09d", (int)fraction);
    snprintf(to, FATE__TIME_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d.%.*sZ", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, digits, fraction_text);
    return to;
}

void fate__text_add_value(struct fate__text *text, fate_value given)
{
    const char *s;

    if (fate_get_str(&given, &s))
        fate__text_add(text, s);
    else
        text->has_failed = true;
    fate_drop(given);
}

/* ---- Colours ---- */

/* ECMA-48, 8.3.117. */
#define DIM   "\x1b[2m"
#define PLAIN "\x1b[0m"

static const char *colour_of(int level)
{
    static const char *const colours[] = { DIM, "", "\x1b[1m", "\x1b[33m", "\x1b[31m" };
    return level >= FATE_LOG_DEBUG && level <= FATE_LOG_ERROR ? colours[level] : "";
}

/* no-color.org: set and not empty. */
static bool has_colours(FILE *file)
{
    const char *no_color = getenv("NO_COLOR");
    int fd = fileno(file);

    return !(no_color && *no_color) && fd >= 0 && fate__sys->isatty(fd) == 1;
}

/* ---- Lines ---- */

static void add_head(struct fate__text *text, const fate_log_entry *entry, bool is_coloured)
{
    const char *name = fate_log_level_name(entry->level);
    const char *colour = colour_of(entry->level);
    char time[FATE__TIME_BYTES];

    fate__time_text(entry->time, 3, time);
    if (is_coloured)
        fate__text_format(text, DIM "%s" PLAIN " %s%s:%s ", time, colour, name, *colour ? PLAIN : "");
    else
        fate__text_format(text, "%s %s: ", time, name);
}

/* Does it stand without quotes? */
static bool is_word(const char *s)
{
    const char *end = s;

    while (*end > ' ' && *end < 0x7f && *end != '"' && *end != '=' && *end != '\\')
        end++;
    return *s && !*end;
}

static void add_field(struct fate__text *text, const char *key, const fate_value *value)
{
    const char *s;

    fate__text_add(text, " ");
    fate__escape_to(text, key, strlen(key), 0);
    fate__text_add(text, "=");
    if (fate_get_str(value, &s) && strlen(s) == fate_count(value) && is_word(s))
        fate__text_add(text, s);
    else
        fate__describe_to(text, value);
}

static void add_fields(struct fate__text *text, const fate_value *fields)
{
    for (size_t i = 0; fields && i < fate_count(fields); i++)
        add_field(text, fate_dict_key(fields, i), fate_dict_at(fields, i));
}

/* What an entry says of a failure reads on into the site: "Unhandled failure in deferred client.c:6". */
static void add_line(struct fate__text *text, const fate_log_entry *entry)
{
    bool has_site = *entry->site;

    if (has_site && !entry->failure) {
        fate__text_add_site(text, entry->site);
        fate__text_add(text, ": ");
    }
    fate__escape_to(text, entry->text, strlen(entry->text), 0);
    if (has_site && entry->failure) {
        fate__text_add(text, " ");
        fate__text_add_site(text, entry->site);
    }
    add_fields(text, entry->fields);
    fate__text_add(text, "\n");
}

static void add_traceback(struct fate__text *text, const fate_value *failure)
{
    fate_value traceback = fate_traceback(failure);
    const char *line;

    if (!fate_get_str(&traceback, &line))
        text->has_failed = true;
    else
        while (*line) {
            size_t len = strcspn(line, "\n");
            fate__text_add(text, "  ");
            fate__escape_to(text, line, len, 0);
            fate__text_add(text, "\n");
            line += len + (line[len] == '\n');
        }
    fate_drop(traceback);
}

/* What there is to say without memory. */
static void write_bare(FILE *file, const fate_log_entry *entry)
{
    const fate_class *class = entry->failure ? fate_class_of(entry->failure) : NULL;

    fprintf(file, "%s: %s\n", fate_log_level_name(entry->level), entry->text);
    if (class)
        fprintf(file, "  %s: %s\n", class->name, fate_message(entry->failure));
    fflush(file);
}

void fate_log_to_text(const fate_log_entry *entry, fate_value *arg)
{
    FILE *file = fate__log_file(arg);
    struct fate__text text = { 0 };

    add_head(&text, entry, has_colours(file));
    add_line(&text, entry);
    if (entry->failure)
        add_traceback(&text, entry->failure);
    if (text.has_failed)
        write_bare(file, entry);
    else
        fate__log_write(file, text.bytes, text.len);
    fate__text_done(&text);
}
