/* Processes: programs that are started, what they say, and how they end.
 *
 * A child gets the descriptors 0, 1 and 2 and those that are mapped to it, no others; its signals are at
 * their defaults and none is blocked.  SIGCHLD and its handler are left alone, so other parts of the program
 * may have children too; but SIGCHLD must not be ignored, and nobody may wait for all children at once
 * (waitpid(-1, …)): then how a child has ended is lost, and FATE_CHILD_PROCESS_ERROR says so.
 *
 * It takes Linux 5.4.  On a simulated reactor there are no processes: each start fails with EOPNOTSUPP.
 *
 * fate_reactor_free kills the children that are still there, by SIGKILL, and waits for their end; fate_stop
 * alone does nothing to them. */
#ifndef FATE_PROCESS_H
#define FATE_PROCESS_H

#include <fate/reactor.h>
#include <fate/stream.h>

FATE_BEGIN

FATE_API extern const fate_class FATE_PROCESS_ERROR, /* "ProcessError" */
    FATE_PROCESS_STATUS,                             /*   "ProcessStatusError": an exit status beside 0 */
    FATE_PROCESS_KILLED,                             /*   "ProcessKilledError": ended by a signal */
    FATE_PROCESS_OUTPUT;                             /*   "ProcessOutputError": it said more than it may */

/* In the child, our_fd is child_fd; ours stays open and yours. */
typedef struct fate_descriptor_pair {
    int child_fd, our_fd; /* child_fd: 0 to 1023; 0, 1 and 2 take the place of the pipes */
} fate_descriptor_pair;

/* Zero means the default. */
typedef struct fate_spawn_options {
    size_t size;
    size_t output_bytes_max;        /* of fate_process_output, for stdout and stderr each: 16 MiB; beyond, the
                                       child is killed, FATE_PROCESS_OUTPUT */
    const char *directory;          /* the child begins in it; NULL: in ours */
    const char *const *environment; /* "NAME=value", then NULL; NULL: ours */
    fate_value
        input; /* given: text, bytes or a source for its stdin, which is then closed; none: see below */
    fate_time kill_after; /* a child that is to end gets SIGTERM, and that much later SIGKILL: 2 s */
    const fate_descriptor_pair *descriptors;
    size_t n_descriptors;
    bool keep_stdout, keep_stderr; /* ours instead of pipes */
} fate_spawn_options;

typedef struct fate_process fate_process;

/* ---- Running a program to its end ----
 *
 * argv ends with NULL; argv[0] is looked up in PATH unless it has a slash.  All is copied.  The program not
 * started is a failure that names it, or the directory: FATE_FILE_NOT_FOUND "start git: No such file or
 * directory (ENOENT)", FATE_PERMISSION_ERROR, FATE_TOO_MANY_FILES ….
 *
 * Cancelling sends SIGTERM, and SIGKILL if the child is still there after kill_after or is cancelled again;
 * FATE_CANCELLED comes when it has gone, so that who waits for that leaves nothing behind.  fate_add_timeout
 * works by such a cancel.  While the reactor is being freed it is SIGKILL at once.  A child that may not be
 * sent signals, having other rights, is left to itself, and FATE_CANCELLED comes at once.
 *
 * Input that fails, other than by the child not reading it all, ends the child likewise, and what is fired is
 * that failure. */

/* What it writes to stdout, a text; its stdin is the input, or empty.  It fires when the child has exited and
 * all who had its pipes have closed them, children of its own too: one that stays in the background is waited
 * for unless it closes or redirects its stdout and stderr.  An exit status beside 0, or a signal, is a
 * failure whose text ends with the last line of stderr, and whose payload is a dict of "status" or "signal",
 * an int, and "stdout" and "stderr", texts. */
FATE_API fate_deferred *fate_process_output_at(fate_reactor *reactor, const char *const argv[],
                                               const fate_spawn_options *options, const char *site);
/* Its exit status, an int, at its exit; FATE_PROCESS_KILLED after a signal.  Its stdin is the input, or
 * empty; what it writes is lost unless kept. */
FATE_API fate_deferred *fate_process_status_at(fate_reactor *reactor, const char *const argv[],
                                               const fate_spawn_options *options, const char *site);

/* ---- Talking to a child ---- */

/* Starts the program and fires with its fate_process (fate_as_process): at once, since the start waits until
 * the program itself runs or has failed to.  So there is nothing to cancel.
 *
 * The value keeps the child's pipes; when the last one goes, those are closed that nobody else has, which a
 * child that reads or writes will notice.  The child itself goes on, and is reaped when it ends. */
FATE_API fate_deferred *fate_spawn_at(fate_reactor *reactor, const char *const argv[],
                                      const fate_spawn_options *options, const char *site);
FATE_API fate_process *fate_as_process(const fate_value *v);

/* Its pipes: a sink, two sources; each call gives a reference to the same one.  None where there is no pipe:
 * stdin while input is given to it, and what is kept or mapped.  The child having gone, what is still in the
 * pipes can be read; writing fails with FATE_BROKEN_PIPE. */
FATE_API fate_value fate_process_stdin(fate_process *process);
FATE_API fate_value fate_process_stdout(fate_process *process);
FATE_API fate_value fate_process_stderr(fate_process *process);

/* A new deferred for each who asks: at the exit of the child, none for the status 0; else FATE_PROCESS_STATUS
 * or FATE_PROCESS_KILLED, whose payload is the status or the signal, an int.  What the child has written may
 * still be in its pipes, and children of its own may hold them.  Cancel ends only the waiting. */
FATE_API fate_deferred *fate_process_exited_at(fate_process *process, const char *site);
/* 0; -ESRCH when it has gone: never another process that has got its number.  Else -EINVAL, -EPERM. */
FATE_API int fate_process_signal(fate_process *process, int signo);
FATE_API int fate_process_pid(const fate_process *process);

FATE_END

#ifdef __cplusplus
#include <fate/process_cxx.h>
#else
FATE_API fate_deferred *fate_spawn(fate_reactor *reactor, const char *const argv[]);
FATE_API fate_deferred *fate_spawn_with(fate_reactor *reactor, const char *const argv[],
                                        const fate_spawn_options *options);
FATE_API fate_deferred *fate_process_output(fate_reactor *reactor, const char *const argv[]);
FATE_API fate_deferred *fate_process_output_with(fate_reactor *reactor, const char *const argv[],
                                                 const fate_spawn_options *options);
FATE_API fate_deferred *fate_process_status(fate_reactor *reactor, const char *const argv[]);
FATE_API fate_deferred *fate_process_status_with(fate_reactor *reactor, const char *const argv[],
                                                 const fate_spawn_options *options);
FATE_API fate_deferred *fate_process_exited(fate_process *process);

/* fate_spawn(reactor, fate_argv("git", "log")) */
#define fate_argv(...)                                                                                       \
    (const char *const[])                                                                                    \
    {                                                                                                        \
        __VA_ARGS__, NULL                                                                                    \
    }
#define fate_spawn(reactor, ...) fate_spawn_at(reactor, __VA_ARGS__, NULL, FATE_HERE)
#define fate_spawn_with(reactor, argv, ...)                                                                  \
    fate_spawn_at(reactor, argv, FATE_WITH(fate_spawn_options, __VA_ARGS__), FATE_HERE)
#define fate_process_output(reactor, ...) fate_process_output_at(reactor, __VA_ARGS__, NULL, FATE_HERE)
#define fate_process_output_with(reactor, argv, ...)                                                         \
    fate_process_output_at(reactor, argv, FATE_WITH(fate_spawn_options, __VA_ARGS__), FATE_HERE)
#define fate_process_status(reactor, ...) fate_process_status_at(reactor, __VA_ARGS__, NULL, FATE_HERE)
#define fate_process_status_with(reactor, argv, ...)                                                         \
    fate_process_status_at(reactor, argv, FATE_WITH(fate_spawn_options, __VA_ARGS__), FATE_HERE)
#define fate_process_exited(process) fate_process_exited_at(process, FATE_HERE)
#endif

#endif
