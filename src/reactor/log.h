/* The log from inside. */
#ifndef FATE_SRC_REACTOR_LOG_H
#define FATE_SRC_REACTOR_LOG_H

#include <stdatomic.h>
#include <stdio.h>

#include <base/list.h>
#include <base/text.h>
#include <fate/log.h>

struct fate__observer;
struct fate__turns;
struct fate__watch_kind;

extern const struct fate__watch_kind fate__observer_kind;

struct fate__log {
    struct fate__link observers; /* in order of coming */
    atomic_int level_min;        /* what is below nobody wants; any thread reads it */
    int default_level;           /* of the default observer; never changes */
    bool is_logging;             /* an observer is being called: what it logs goes to the default observer */
    struct fate__observer *current, *next; /* who is being called, and whose turn is next */
    uint64_t n_entries;
};

void fate__log_init(fate_reactor *reactor);
/* Lets the observers go. */
void fate__log_end(fate_reactor *reactor);

/* What the turns below have to say; site may be NULL. */
void fate__log_from_turns(struct fate__turns *turns, int level, const fate_value *failure, const char *site,
                          const char *text);

/* ---- For the ready-made observers ---- */

/* What the default observer does with an entry. */
void fate__log_by_default(const fate_log_entry *entry);
/* The file in an observer's arg. */
FILE *fate__log_file(const fate_value *arg);
/* Writes len bytes at once, so that entries of several threads stay whole. */
void fate__log_write(FILE *file, const char *bytes, size_t len);

#define FATE__TIME_BYTES 48
/* "2026-11-20T12:10:38.123Z", with that many digits behind the point, 1 to 9; returns to. */
const char *fate__time_text(int64_t nanoseconds, int digits, char to[FATE__TIME_BYTES]);
/* Adds text(v), lets that go; a value without memory makes the text fail. */
void fate__text_add_value(struct fate__text *text, fate_value given);

#endif
