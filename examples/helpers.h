/* What the example programs share: dice, a stopwatch, a log that prints. */
#ifndef EXAMPLES_HELPERS_H
#define EXAMPLES_HELPERS_H

#include <fate/fate.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* ---- Dice: the same seed rolls the same on every machine ---- */

static uint64_t dice_state = 1;

/* The program's argument is the seed; without one it is the time. */
static inline void seed_dice(int argc, char **argv)
{
    dice_state = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)time(NULL);
}

/* A number from 0 to n - 1, each as likely as the others. */
static inline unsigned roll_dice(unsigned n)
{
    dice_state = dice_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(dice_state >> 33) % n;
}

/* ---- The stopwatch ---- */

struct stopwatch {
    fate_reactor *reactor;
    fate_time started;
};

/* One that starts now, as the arg of print_timed. */
static inline fate_value stopwatch(fate_reactor *reactor)
{
    return fate_box(struct stopwatch, reactor, fate_now(reactor));
}

/* Whole seconds since a time of the reactor's clock, rounded, as a number for printf. */
static inline long long seconds_since(const fate_reactor *reactor, fate_time started)
{
    return (fate_now(reactor) - started + FATE_SECOND / 2) / FATE_SECOND;
}

/* A callback that prints its value and how long that took: "30 after 5 s". */
static inline fate_value print_timed(fate_value *value, fate_value *arg)
{
    struct stopwatch *watch = fate_unbox(struct stopwatch, arg);
    fate_value text = fate_kind_of(value) == FATE_KIND_TEXT ? fate_copy(value) : fate_describe(value);

    printf("%s after %lld s\n", fate_as_str(&text), seconds_since(watch->reactor, watch->started));
    fate_drop(text);
    return fate_none();
}

/* Runs what there is to run for that long, and then frees the reactor. */
static inline void run_for(fate_reactor *reactor, fate_time t)
{
    fate_stop_later(reactor, t);
    fate_run(reactor);
    fate_reactor_free(reactor);
}

/* ---- The log ---- */

static inline void print_entry(const fate_log_entry *entry, fate_value *arg)
{
    fate_value line = entry->failure ? fate_failure_line(entry->failure) : fate_str(entry->text);
    printf("log: %s\n", fate_as_str(&line));
    fate_drop(line);
}

/* The log goes to standard output, a line for each entry, instead of standard error with tracebacks. */
static inline void print_log(fate_reactor *reactor)
{
    fate_log_observe(reactor, FATE_LOG_INFO, print_entry, fate_none());
}

#endif
