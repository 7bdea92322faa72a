/* Keeping SIGPIPE back. */
#include <base/quiet.h>

#include <errno.h>
#include <pthread.h>
#include <time.h>

static sigset_t sigpipe(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    return set;
}

void fate__quiet_begin(struct fate__quiet *quiet)
{
    const sigset_t pipe = sigpipe();
    sigset_t pending;

    pthread_sigmask(SIG_BLOCK, &pipe, &quiet->before);
    quiet->was_blocked = sigismember(&quiet->before, SIGPIPE) == 1;
    quiet->was_pending =
        quiet->was_blocked && sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

void fate__quiet_end(const struct fate__quiet *quiet, bool has_made_it)
{
    const struct timespec at_once = { 0 };
    const sigset_t pipe = sigpipe();
    int why = errno;

    if (has_made_it && !quiet->was_pending)
        while (sigtimedwait(&pipe, NULL, &at_once) < 0 && errno == EINTR)
            ;
    if (!quiet->was_blocked)
        pthread_sigmask(SIG_SETMASK, &quiet->before, NULL);
    errno = why;
}
