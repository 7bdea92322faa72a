/* A child from inside. */
#ifndef FATE_SRC_REACTOR_PROCESS_H
#define FATE_SRC_REACTOR_PROCESS_H

#include <base/sys.h>
#include <deferred/ear.h>
#include <deferred/line.h>
#include <fate/process.h>
#include <reactor/watch.h>

/* It lives as long as there is a child to be reaped, a value that refers to it, or input under way. */
struct fate_process {
    struct fate__watched watched; /* first: while there is a child it is in the reactor's table */
    fate_reactor *reactor;
    unsigned n_values;
    bool is_alive; /* started and not yet reaped */
    bool is_lost;  /* gone, and nobody knows how */
    bool was_told; /* to end: the next time it is SIGKILL */
    pid_t pid;
    int pidfd; /* readable when it has exited; -1: none */
    fate_watch exit_watch;
    siginfo_t end;          /* how it has ended */
    fate_value why;         /* the failure for which it has been told to end */
    struct fate__line line; /* who asks for its exit */
    fate_value streams[3];  /* a sink, two sources; none: no pipe */
    struct fate__ear input;
    fate_time kill_after;
    fate_timer kill_timer;
    char name[]; /* argv[0] */
};

/* What its stdin, stdout and stderr are where the options do not say. */
enum fate__stdio {
    FATE__PIPES,  /* all three */
    FATE__OUTPUT, /* stdout and stderr; nothing to read */
    FATE__NOTHING /* to read, and what it writes is lost */
};

/* What is asked for; taken apart by fate__process_start. */
struct fate__spawn {
    fate_reactor *reactor;
    const char *const *argv;
    fate_spawn_options options;
    enum fate__stdio stdio;
    const char *site;
};

/* The options with their defaults; stops the program when argv is not one.  what: the public function. */
struct fate__spawn fate__spawn_wanted(fate_reactor *reactor, const char *const argv[],
                                      const fate_spawn_options *options, const char *what, const char *site);

/* ---- process.c ---- */

/* While the reactor is being freed nothing is started: a deferred born cancelled then, else NULL. */
fate_deferred *fate__refuse_start(struct fate__spawn *wanted);

/* Starts it: its value, or a failure. */
fate_value fate__process_start(struct fate__spawn *wanted);
/* Tells it to end: by SIGTERM and later SIGKILL, or at_once by that.  why, a failure given, is then what
 * those get who ask for its exit; the first one counts. */
void fate__process_end(fate_process *process, fate_value why, bool at_once);
/* Kills it and waits for its end, which those who ask are told before this returns. */
void fate__process_kill_now(fate_process *process);

/* ---- process_spawn.c ---- */

/* Starts the program: 0, *ret_pid and our ends of its pipes, -1 where there is none, or a negative errno.
 * *ret_part is what could not be done, for messages: "directory /nowhere"; NULL: the start itself. */
int fate__spawn_program(const struct fate__spawn *wanted, pid_t *ret_pid, int ret_ends[3],
                        const char **ret_part);

#endif
