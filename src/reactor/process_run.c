/* Programs run to their end: fate_process_output and fate_process_status. */
#include <reactor/process.h>

#include <stdio.h>
#include <string.h>

#include <base/alloc.h>
#include <reactor/reactor.h>
#include <reactor/stream.h>

/* How much of the last line of stderr goes into a failure's text. */
#define LINE_BYTES_MAX 200

/* One of the child's two outputs. */
struct said {
    struct fate__ear ear;
    struct run *run;
    fate_value text; /* none until its end */
};

struct run {
    fate_deferred *d;
    fate_reactor *reactor;
    const char *site;
    fate_value process; /* none once it is over */
    bool wants_status;
    bool has_fired;
    unsigned n_inside;
    size_t bytes_max;
    struct fate__ear exit;
    fate_value ended; /* what is known of its exit */
    bool has_exited;
    fate_value trouble;  /* the failure of its output, for which it has been told to end */
    struct said said[2]; /* stdout, stderr */
};

/* ---- Memory ---- */

static bool is_listening(const struct run *run)
{
    return run->exit.d || run->said[0].ear.d || run->said[1].ear.d;
}

static void leave(struct run *run)
{
    if (--run->n_inside > 0 || !run->has_fired || is_listening(run))
        return;
    fate_drop(run->process);
    fate_drop(run->ended);
    fate_drop(run->trouble);
    fate_drop(run->said[0].text);
    fate_drop(run->said[1].text);
    fate__free(run);
}

static void stop_listening(struct fate__ear *ear)
{
    if (ear->d)
        fate_cancel(ear->d);
}

/* Whatever is still under way is of no interest any more. */
static void close_up(struct run *run)
{
    run->has_fired = true;
    stop_listening(&run->exit);
    stop_listening(&run->said[0].ear);
    stop_listening(&run->said[1].ear);
    fate_drop(fate_take(&run->process));
}

/* ---- Results ---- */

struct line {
    const char *p;
    int len;
};

/* The last line of a text that is not empty, or its beginning. */
static struct line last_line(const fate_value *text)
{
    size_t len;
    const char *p = fate_as_bytes(text, &len);

    while (len && (p[len - 1] == '\n' || p[len - 1] == '\r'))
        len--;
    size_t begin = len;
    while (begin && p[begin - 1] != '\n')
        begin--;
    size_t n = len - begin;
    return (struct line){ p + begin, (int)(n < LINE_BYTES_MAX ? n : LINE_BYTES_MAX) };
}

/* What the exit says, and what the child said. */
static fate_value failure_with_output(struct run *run)
{
    bool was_killed = fate_is(&run->ended, &FATE_PROCESS_KILLED);
    const struct line line = last_line(&run->said[1].text);
    const fate_value *status = fate_payload(&run->ended);
    fate_value payload = fate_dict_from(3, (const fate_pair[]){
                                               { was_killed ? "signal" : "status", fate_copy(status) },
                                               { "stdout", fate_take(&run->said[0].text) },
                                               { "stderr", fate_copy(&run->said[1].text) },
                                           });

    return fate_raise_with_at("fate_process_output", run->site, fate_class_of(&run->ended), payload,
                              "%s%s%.*s", fate_message(&run->ended), line.len ? ": " : "", line.len, line.p);
}

static fate_value status_of(struct run *run)
{
    if (fate_is(&run->ended, &FATE_PROCESS_STATUS))
        return fate_copy(fate_payload(&run->ended));
    return fate_is_failure(&run->ended) ? fate_take(&run->ended) : fate_int(0);
}

static fate_value output_of(struct run *run)
{
    bool has_said_all = !fate_is_none(&run->said[0].text) && !fate_is_none(&run->said[1].text);
    bool is_verdict =
        fate_is(&run->ended, &FATE_PROCESS_STATUS) || fate_is(&run->ended, &FATE_PROCESS_KILLED);

    if (!fate_is_failure(&run->ended))
        return fate_take(&run->said[0].text);
    return is_verdict && has_said_all ? failure_with_output(run) : fate_take(&run->ended);
}

static fate_value result_of(struct run *run)
{
    if (fate_is_failure(&run->trouble))
        return fate_take(&run->trouble);
    return run->wants_status ? status_of(run) : output_of(run);
}

static void finish(struct run *run)
{
    fate_value result = result_of(run);

    close_up(run);
    fate__fire(run->d, result, run->site);
}

/* ---- Listening ---- */

static fate_process *process_of(const struct run *run)
{
    return fate_as_process(&run->process);
}

static bool is_complete(const struct run *run)
{
    bool was_told = fate_is_failure(&process_of(run)->why) || fate_is_failure(&run->trouble);
    bool is_at_end = !run->said[0].ear.d && !run->said[1].ear.d;

    return run->has_exited && (is_at_end || was_told);
}

static void go_on(struct run *run)
{
    run->n_inside++;
    if (!run->has_fired && is_complete(run))
        finish(run);
    leave(run);
}

static void heard_exit(struct fate__ear *ear, fate_value result)
{
    struct run *run = fate_container_of(ear, struct run, exit);

    run->ended = result;
    run->has_exited = true;
    go_on(run);
}

/* What cannot be kept must not pass for all; nor is there a use in more of it.  Whoever has told the child to
 * end before has a better reason. */
static void has_trouble(struct run *run, fate_value failure)
{
    fate_process *process = process_of(run);

    if (fate_is_failure(&process->why) || fate_is_failure(&run->trouble)) {
        fate_drop(failure);
        return;
    }
    run->trouble = failure;
    if (fate_is(&failure, &FATE_TOO_LONG)) {
        run->trouble = fate_raise_at("fate_process_output", run->site, &FATE_PROCESS_OUTPUT,
                                     "%s: said more than %zu bytes", process->name, run->bytes_max);
        fate_drop(failure);
    }
    fate__process_end(process, fate_copy(&run->trouble), true);
}

static void heard_output(struct fate__ear *ear, fate_value result)
{
    struct said *said = fate_container_of(ear, struct said, ear);
    struct run *run = said->run;

    run->n_inside++;
    if (run->has_fired)
        fate_drop(result);
    else if (fate_is_failure(&result))
        has_trouble(run, result);
    else
        said->text = result;
    go_on(run);
    leave(run);
}

static void listen_to(struct run *run, struct said *said, fate_value source)
{
    said->run = run;
    said->ear.hear = heard_output;
    if (!fate_is_none(&source))
        fate__listen(&said->ear, fate_read_all_at(source, run->bytes_max, run->site));
    else
        said->text = fate_str("");
}

static void listen_to_all(struct run *run)
{
    run->n_inside++;
    if (!run->wants_status) {
        listen_to(run, &run->said[0], fate_process_stdout(process_of(run)));
        listen_to(run, &run->said[1], fate_process_stderr(process_of(run)));
    }
    fate__listen(&run->exit, fate_process_exited_at(process_of(run), run->site));
    go_on(run);
    leave(run);
}

/* ---- Cancelling ---- */

/* The child is told to end, and its exit is waited for; of one that has exited already only the pipes are
 * left, and nobody waits for them. */
static bool cancel(fate_deferred *d, void *data, const char *site)
{
    struct run *run = data;

    if (run->has_fired) /* it is about to: what is let go on the way may cancel it */
        return false;
    fate_process *process = process_of(run);
    bool is_alive = process->is_alive;

    run->n_inside++;
    if (is_alive) {
        fate_value why = fate__raise_with("fate_cancel", site, &FATE_CANCELLED, fate_none(), fate_none());
        fate__process_end(process, why, false);
        if (run->reactor->turns.is_ending)
            fate__process_kill_now(process);
    } else {
        close_up(run);
    }
    leave(run);
    return !is_alive;
}

static void say_what(const void *data, struct fate__waits *ret)
{
    const struct run *run = data;

    if (run->has_fired)
        return;
    const fate_process *process = process_of(run);
    snprintf(ret->text, sizeof ret->text, "%sprocess %d (%.40s)", run->has_exited ? "the pipes of " : "",
             (int)process->pid, process->name);
    ret->on = process;
}

static const struct fate__source running = { .cancel = cancel, .waits = say_what };

/* ---- Beginning ---- */

static struct run *new_run(const struct fate__spawn *wanted, bool wants_status, fate_value process)
{
    struct run *run = fate__zalloc(sizeof *run);

    if (!run)
        return NULL;
    run->reactor = wanted->reactor;
    run->site = wanted->site;
    run->bytes_max = wanted->options.output_bytes_max;
    run->wants_status = wants_status;
    run->process = process;
    run->exit.hear = heard_exit;
    return run;
}

/* A child has been started that nobody will ask about. */
static fate_deferred *give_up(fate_reactor *reactor, fate_value process)
{
    fate__process_end(fate_as_process(&process), fate__no_memory(), true);
    fate_drop(process);
    return fate__hand_out_no_memory(&reactor->turns);
}

static fate_deferred *run_program(struct fate__spawn *wanted, bool wants_status)
{
    fate_reactor *reactor = wanted->reactor;
    fate_deferred *refused = fate__refuse_start(wanted);

    if (refused)
        return refused;
    fate_value process = fate__process_start(wanted);
    if (fate_is_failure(&process))
        return fate_succeed_at(reactor, process, wanted->site);
    struct run *run = new_run(wanted, wants_status, process);
    if (!run)
        return give_up(reactor, process);
    fate_deferred *d = run->d = fate__sourced(reactor, &running, run, wanted->site);
    if (!(d->flags & FATE__SOURCE)) {
        fate__free(run);
        return give_up(reactor, process);
    }
    listen_to_all(run);
    return d;
}

fate_deferred *fate_process_output_at(fate_reactor *reactor, const char *const argv[],
                                      const fate_spawn_options *options, const char *site)
{
    struct fate__spawn wanted = fate__spawn_wanted(reactor, argv, options, "fate_process_output", site);

    wanted.stdio = FATE__OUTPUT;
    return run_program(&wanted, false);
}

fate_deferred *fate_process_status_at(fate_reactor *reactor, const char *const argv[],
                                      const fate_spawn_options *options, const char *site)
{
    struct fate__spawn wanted = fate__spawn_wanted(reactor, argv, options, "fate_process_status", site);

    wanted.stdio = FATE__NOTHING;
    return run_program(&wanted, true);
}

fate_deferred *(fate_process_output)(fate_reactor *reactor, const char *const argv[])
{
    return fate_process_output_at(reactor, argv, NULL, "fate_process_output");
}

fate_deferred *(fate_process_output_with)(fate_reactor *reactor, const char *const argv[],
                                          const fate_spawn_options *options)
{
    return fate_process_output_at(reactor, argv, options, "fate_process_output_with");
}

fate_deferred *(fate_process_status)(fate_reactor *reactor, const char *const argv[])
{
    return fate_process_status_at(reactor, argv, NULL, "fate_process_status");
}

fate_deferred *(fate_process_status_with)(fate_reactor *reactor, const char *const argv[],
                                          const fate_spawn_options *options)
{
    return fate_process_status_at(reactor, argv, options, "fate_process_status_with");
}
