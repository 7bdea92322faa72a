/* Failures: a class, a text, and the path that they took.
 *
 * A failure is a value like any other, and what the error side of a chain carries.  It prints like a
 * traceback:
 *
 *     ValueError: wrong token
 *       raised use_key client.c:4
 *       past   add_cache client.c:8
 */
#ifndef FATE_FAILURE_H
#define FATE_FAILURE_H

#include <fate/value.h>

FATE_BEGIN

/* An error class is an address with a base.  Declare yours `extern const fate_class BAD_SESSION;` and define
 * it once with FATE_CLASS(BAD_SESSION, "BadSession", &FATE_ERROR); write static before it to keep it in one
 * file. */
typedef struct fate_class {
    const char *name;
    const struct fate_class *base; /* NULL: a root */
    void *reserved[2];
} fate_class;

#define FATE_CLASS(id, name, base) const fate_class id = { name, base, { NULL, NULL } }

/* The standard classes.  Indented under their base; the names are those that are printed. */
FATE_API extern const fate_class FATE_ERROR,   /* "Error", the base of all */
    FATE_LOOKUP_ERROR,                         /*   "LookupError" */
    FATE_KEY_ERROR, FATE_INDEX_ERROR,          /*     "KeyError", "IndexError" */
    FATE_VALUE_ERROR,                          /*   "ValueError" */
    FATE_UNICODE_ERROR,                        /*     "UnicodeError" */
    FATE_TYPE_ERROR,                           /*   "TypeError" */
    FATE_ARITHMETIC_ERROR,                     /*   "ArithmeticError" */
    FATE_ZERO_DIVISION_ERROR,                  /*     "ZeroDivisionError" */
    FATE_RUNTIME_ERROR,                        /*   "RuntimeError" */
    FATE_NOT_IMPLEMENTED,                      /*     "NotImplementedError" */
    FATE_ASSERTION_ERROR,                      /*   "AssertionError" */
    FATE_NO_MEMORY,                            /*   "NoMemory" */
    FATE_OS_ERROR,                             /*   "OSError": payload the errno; see fate_raise_errno */
    FATE_FILE_NOT_FOUND, FATE_FILE_EXISTS,     /*     "FileNotFoundError", "FileExistsError" */
    FATE_PERMISSION_ERROR,                     /*     "PermissionError" */
    FATE_INTERRUPTED, FATE_WOULD_BLOCK,        /*     "InterruptedError", "BlockingIOError" */
    FATE_CHILD_PROCESS_ERROR,                  /*     "ChildProcessError" */
    FATE_PROCESS_LOOKUP_ERROR,                 /*     "ProcessLookupError" */
    FATE_NO_SPACE,                             /*     "NoSpaceError": disk or quota */
    FATE_TOO_MANY_FILES,                       /*     "TooManyFilesError": EMFILE, ENFILE */
    FATE_BROKEN_PIPE,                          /*     "BrokenPipeError" */
    FATE_CONNECT_ERROR,                        /*     "ConnectError" */
    FATE_CONNECTION_REFUSED,                   /*       "RefusedError" */
    FATE_CONNECTION_UNREACHABLE,               /*       "UnreachableError" */
    FATE_CONNECTION_CLOSED,                    /*     "ConnectionClosed" */
    FATE_CONNECTION_LOST,                      /*       "ConnectionLost" */
    FATE_CONNECTION_RESET,                     /*         "ConnectionReset" */
    FATE_CONNECTION_ABORTED,                   /*         "ConnectionAborted" */
    FATE_LISTEN_ERROR,                         /*     "ListenError" */
    FATE_LISTEN_IN_USE,                        /*       "AddressInUse" */
    FATE_CANCELLED,                            /*   "CancelledError" */
    FATE_TIMEOUT,                              /*   "TimeoutError" */
    FATE_ALREADY_CALLED,                       /*   "AlreadyCalledError" */
    FATE_ALREADY_CANCELLED,                    /*   "AlreadyCancelled" */
    FATE_FIRST_ERROR,                          /*   "FirstError": cause the failure, payload its index */
    FATE_FAILURE_GROUP,                        /*   "FailureGroup": payload the list of failures */
    FATE_QUEUE_OVERFLOW, FATE_QUEUE_UNDERFLOW, /*   "QueueOverflow", "QueueUnderflow" */
    FATE_FOLLOW_ERROR,                         /*   "FollowError": a deferred that would wait for itself */
    FATE_POOL_FULL,                            /*   "PoolFull": see fate/thread.h */
    FATE_NOT_A_COROUTINE,                      /*   "NotACoroutineError" */
    FATE_NO_CURRENT_FAILURE,                   /*   "NoCurrentExceptionError" */
    FATE_ALREADY_LOCKING,                      /*   "AlreadyTryingToLockError" */
    FATE_SCHEDULER_ERROR,                      /*   "SchedulerError" */
    FATE_SCHEDULER_STOPPED,                    /*     "SchedulerStopped" */
    FATE_TASK_FINISHED,                        /*     "TaskFinished" */
    FATE_TASK_DONE, FATE_TASK_STOPPED, FATE_TASK_FAILED, /*  "TaskDone", "TaskStopped", "TaskFailed" */
    FATE_NOT_PAUSED,                                     /*     "NotPaused" */
    FATE_REACTOR_ERROR,                                  /*   "ReactorError" */
    FATE_REACTOR_ALREADY_RUNNING,                        /*     "ReactorAlreadyRunning" */
    FATE_REACTOR_NOT_RUNNING,                            /*     "ReactorNotRunning" */
    FATE_REACTOR_NOT_RESTARTABLE;                        /*     "ReactorNotRestartable" */

/* ---- Making ---- */

/* A failure of that class with a text made as printf does ("" or NULL for none).  It remembers the function
 * and the line of the call. */
FATE_API fate_value fate_raise_at(const char *function, const char *here, const fate_class *c,
                                  const char *fmt, ...) FATE_PRINTF(4, 5);
/* The same that also carries a payload, a value of your choice, given. */
FATE_API fate_value fate_raise_with_at(const char *function, const char *here, const fate_class *c,
                                       fate_value payload, const char *fmt, ...) FATE_PRINTF(5, 6);
/* The same that names the failure which caused it, given. */
FATE_API fate_value fate_raise_from_at(const char *function, const char *here, const fate_class *c,
                                       fate_value cause, const char *fmt, ...) FATE_PRINTF(5, 6);
/* The class is picked by the errno (positive or negative), its words are put behind the text, "connect to
 * ::1: Connection refused (ECONNREFUSED)", and the positive errno is the payload.  fmt says what was being
 * done. ENOMEM gives the NO_MEMORY failure. */
FATE_API fate_value fate_raise_errno_at(const char *function, const char *here, int errnum, const char *fmt,
                                        ...) FATE_PRINTF(4, 5);
/* All of these at once; text made from args.  payload and cause may be none. */
FATE_API fate_value fate_raise_v(const char *function, const char *here, const fate_class *c,
                                 fate_value payload, fate_value cause, const char *fmt, va_list args)
    FATE_PRINTF(6, 0);
FATE_API fate_value fate_raise_errno_v(const char *function, const char *here, int errnum, const char *fmt,
                                       va_list args) FATE_PRINTF(4, 0);

/* ---- Asking ---- */

/* Is v a failure of that class or of one derived from it?  (R169-R172) */
FATE_API bool fate_is(const fate_value *v, const fate_class *c);
/* The first of n classes, in that order, that v belongs to; NULL: none, or v is no failure.  (R169) */
FATE_API const fate_class *fate_is_any(const fate_value *v, size_t n, const fate_class *const classes[]);
/* The class of a failure; NULL when v is none. */
FATE_API const fate_class *fate_class_of(const fate_value *v);
/* Is c the class base, or derived from it? */
FATE_API bool fate_class_is(const fate_class *c, const fate_class *base);
/* The text of a failure without its class, "" for none; lent. */
FATE_API const char *fate_message(const fate_value *failure);
/* The failure that caused it, and what it carries; lent, NULL when there is none. */
FATE_API const fate_value *fate_cause(const fate_value *failure);
FATE_API const fate_value *fate_payload(const fate_value *failure);
/* The errno of a failure made by fate_raise_errno; 0 for any other. */
FATE_API int fate_failure_errno(const fate_value *failure);
/* Where it was made: "use_key client.c:4"; "" for the NO_MEMORY failure.  Text. */
FATE_API fate_value fate_raised_at(const fate_value *failure);
/* "ValueError: wrong token", one line.  Text. */
FATE_API fate_value fate_failure_line(const fate_value *failure);
/* That line, the path and the causes, as at the head of this page; no newline at the end.  Text. */
FATE_API fate_value fate_traceback(const fate_value *failure);

/* "ECONNREFUSED"; "errno 999" for one without a name.  Positive or negative.  A static text. */
FATE_API const char *fate_errno_name(int errnum);
/* The class that fate_raise_errno picks. */
FATE_API const fate_class *fate_errno_class(int errnum);

FATE_END

#ifdef __cplusplus
#include <fate/failure_cxx.h>
#else
/* The plain functions, without a line, for dlsym and other languages. */
FATE_API fate_value fate_raise(const fate_class *c, const char *fmt, ...) FATE_PRINTF(2, 3);
FATE_API fate_value fate_raise_with(const fate_class *c, fate_value payload, const char *fmt, ...)
    FATE_PRINTF(3, 4);
FATE_API fate_value fate_raise_from(const fate_class *c, fate_value cause, const char *fmt, ...)
    FATE_PRINTF(3, 4);
FATE_API fate_value fate_raise_errno(int errnum, const char *fmt, ...) FATE_PRINTF(2, 3);
#define fate_raise(c, ...)       fate_raise_at(__func__, FATE_HERE, c, __VA_ARGS__)
#define fate_raise_with(c, ...)  fate_raise_with_at(__func__, FATE_HERE, c, __VA_ARGS__)
#define fate_raise_from(c, ...)  fate_raise_from_at(__func__, FATE_HERE, c, __VA_ARGS__)
#define fate_raise_errno(e, ...) fate_raise_errno_at(__func__, FATE_HERE, e, __VA_ARGS__)
#endif

#endif
