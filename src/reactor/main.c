/* fate_main: a whole program as one deferred (R223). */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/sys.h>
#include <reactor/reactor.h>

struct program {
    fate_reactor *reactor;
    fate_main_fn *start;
    int argc;
    char **argv;
    fate_deferred *d; /* main's, held */
    int signo;        /* the one that ended it; 0: none */
    int status;
    bool is_over;               /* the reactor was stopped first: what its end does to d concerns nobody */
    struct sigaction before[2]; /* of SIGINT and SIGTERM */
};

static int status_of_signal(int signo)
{
    return 128 + signo;
}

static int status_of(const struct program *program, const fate_value *why)
{
    if (program->signo && fate_is(why, &FATE_CANCELLED))
        return status_of_signal(program->signo);
    fate_value copy = fate_copy(why);
    fate_value none = fate_none();
    fate_drop(fate_log_failure(&copy, &none));
    fate_drop(copy);
    return EXIT_FAILURE;
}

/* main's deferred is done, and its failure answered for. */
static fate_deferred *has_ended(fate_deferred *d, struct fate__level *level)
{
    struct program *program = level->arg.as.p;

    if (fate_is_failure(&d->result)) {
        program->status = program->is_over ? program->status : status_of(program, &d->result);
        fate__become(d, fate_none(), "fate_main");
    }
    fate_stop(program->reactor);
    return NULL;
}

/* It will never be: nobody can end the program any more. */
static void will_not_end(struct fate__level *level)
{
    struct program *program = level->arg.as.p;

    fate_stop(program->reactor);
}

static const struct fate__native end_level = { "fate_main", has_ended, will_not_end };

static fate_value start(fate_value *arg)
{
    struct program *program = fate_as_ptr(arg);
    fate_deferred *d = program->start(program->reactor, program->argc, program->argv);

    if (!d)
        fate__stop(
            NULL, "fate_main: the main function returned NULL. It must return a deferred; fate_succeed makes "
                  "one that is done.");
    program->d = fate_hold(d);
    if (!fate__is_no_memory_deferred(d) && fate__add_native(d, &end_level, program, 0))
        return fate_none();
    const fate_value why = fate__no_memory();
    program->status = status_of(program, &why);
    fate_stop(program->reactor);
    return fate_none();
}

/* ---- Signals ---- */

/* The second: whoever gave it does not want to wait. */
static void end_at_once(int signo)
{
    _exit(status_of_signal(signo));
}

static void has_come(struct program *program, int signo)
{
    struct sigaction second = { .sa_handler = end_at_once };

    if (program->signo)
        end_at_once(signo);
    program->signo = signo;
    fate__sys->sigaction(SIGINT, &second, NULL);
    fate__sys->sigaction(SIGTERM, &second, NULL);
    fate_stop(program->reactor);
    if (program->d)
        fate_cancel(program->d);
}

static void interrupted(fate_value *arg)
{
    has_come(fate_as_ptr(arg), SIGINT);
}

static void terminated(fate_value *arg)
{
    has_come(fate_as_ptr(arg), SIGTERM);
}

/* What main's deferred does when it is cancelled may take time, and the shutdown waits for it. */
static fate_value wait_for_main(fate_value *arg)
{
    struct program *program = fate_as_ptr(arg);

    if (!program->d || !program->signo || fate_state(program->d) == FATE_DONE)
        return fate_none();
    return fate_follow(program->d);
}

/* ---- The whole ---- */

static int watch_signals(struct program *program)
{
    fate__sys->sigaction(SIGINT, NULL, &program->before[0]);
    fate__sys->sigaction(SIGTERM, NULL, &program->before[1]);
    const char *site = FATE__OWN_SITE("fate_main");
    fate_watch one = fate_on_signal_at(program->reactor, SIGINT, interrupted, fate_ptr(program), site);
    fate_watch other = fate_on_signal_at(program->reactor, SIGTERM, terminated, fate_ptr(program), site);

    return one.id < 0 ? (int)one.id : other.id < 0 ? (int)other.id : 0;
}

static void restore_signals(const struct program *program)
{
    if (!program->signo)
        return; /* fate_unwatch has */
    fate__sys->sigaction(SIGINT, &program->before[0], NULL);
    fate__sys->sigaction(SIGTERM, &program->before[1], NULL);
}

static int prepare(struct program *program, bool keep_signals)
{
    fate_reactor *reactor = program->reactor;
    fate_value arg = fate_ptr(program);
    const char *site = FATE__OWN_SITE("fate_main");
    fate_watch before = fate_add_trigger_at(reactor, FATE_BEFORE, FATE_SHUTDOWN, wait_for_main, arg, site);
    fate_watch running = fate_call_when_running_at(reactor, start, arg, site);

    if (before.id < 0 || running.id < 0)
        return -ENOMEM;
    return keep_signals ? 0 : watch_signals(program);
}

static int say_why(const char *what, int why)
{
    fprintf(stderr, "fate_main could not %s: %s\n", what, strerror(-why));
    return EXIT_FAILURE;
}

int(fate_main_with)(fate_main_fn *main_fn, int argc, char **argv, const fate_reactor_options *options)
{
    struct program program = { .start = main_fn, .argc = argc, .argv = argv };

    if (!main_fn)
        fate__stop(NULL, "fate_main was given a NULL main function.");
    program.reactor = (fate_reactor_new_with)(options);
    if (!program.reactor)
        return say_why("make a reactor", -errno);
    int why = prepare(&program, program.reactor->options.keep_signals);
    if (why == 0)
        why = fate_run(program.reactor);
    if (why < 0)
        program.status = say_why("run", why);
    program.is_over = true;
    if (program.d)
        fate_release(program.d);
    fate_reactor_free(program.reactor);
    restore_signals(&program);
    return program.status;
}

int fate_main(fate_main_fn *main_fn, int argc, char **argv)
{
    return (fate_main_with)(main_fn, argc, argv, NULL);
}
