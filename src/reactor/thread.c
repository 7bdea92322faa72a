/* Calls from other threads, and the threads' beginning and end. */
#include <reactor/thread.h>

#include <errno.h>

#include <base/alloc.h>
#include <base/sys.h>
#include <reactor/blocking.h>
#include <reactor/job.h>
#include <reactor/reactor.h>

/* ---- Life ---- */

void fate__threads_init(fate_reactor *reactor)
{
    struct fate__threads *threads = &reactor->threads;

    fate__list_init(&threads->pools);
    fate__list_init(&threads->blocking);
    pthread_mutex_init(&threads->lock, NULL);
}

int fate__threads_need_jobs(fate_reactor *reactor)
{
    struct fate__threads *threads = &reactor->threads;

    if (threads->jobs)
        return 0;
    threads->jobs = fate__alloc(sizeof *threads->jobs);
    if (!threads->jobs)
        return -ENOMEM;
    fate__slab_init(threads->jobs, (sizeof(struct fate__job) + 15) & ~(size_t)15,
                    offsetof(struct fate__job, link), reactor);
    return 0;
}

void fate__threads_done(fate_reactor *reactor)
{
    if (reactor->threads.jobs)
        fate__slab_done(reactor->threads.jobs);
    fate__free(reactor->threads.jobs);
    reactor->threads.jobs = NULL;
}

void fate__threads_begin(fate_reactor *reactor)
{
    struct fate__threads *threads = &reactor->threads;

    if (threads->has_started)
        return;
    threads->has_started = true;
    for (struct fate__link *link = threads->pools.next; link != &threads->pools; link = link->next)
        fate__pool_start(fate__pool_of(link));
}

void fate__threads_stop(fate_reactor *reactor)
{
    struct fate__threads *threads = &reactor->threads;

    if (threads->has_stopped)
        return;
    threads->has_stopped = true;
    fate__blocking_refuse(reactor);
    for (struct fate__link *link = threads->pools.next; link != &threads->pools; link = link->next)
        fate__pool_stop(fate__pool_of(link));
}

/* ---- Making ---- */

int fate__thread_create(pthread_t *ret_thread, void *(*body)(void *arg), void *arg)
{
    static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS };
    sigset_t all, before;

    sigfillset(&all);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        sigdelset(&all, own[i]);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int why = fate__sys->thread_create(ret_thread, NULL, body, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return why;
}

/* ---- Values that cross ---- */

int fate__cross(fate_value *v, const char *what, const char *site)
{
    int why = fate_detach(v);

    if (why == -EBUSY)
        fate__stop(site,
                   "%s a value that something else has a part in, and two threads must not share one. "
                   "Give it away whole (fate_take), or make a copy of what is in it.",
                   what);
    if (why == -EINVAL)
        fate__stop(site, "%s a value that holds a deferred, which belongs to its reactor's thread.", what);
    return why;
}

/* The reactor's own thread may share it with itself. */
static int cross_from_thread(fate_reactor *reactor, fate_value *v, const char *site)
{
    if (fate__is_own_thread(&reactor->turns))
        return 0;
    return fate__cross(v, "fate_call_from_thread was given", site);
}

/* ---- Calls ---- */

int fate_call_from_thread_at(fate_reactor *reactor, fate_action *action, fate_value arg, const char *site)
{
    fate__check_living(reactor, "fate_call_from_thread", site);
    fate__check_given(&arg, "fate_call_from_thread", site);
    if (fate__unlikely(!action))
        fate__stop(site, "fate_call_from_thread was given a NULL action.");
    if (arg.type && arg.type->is_counted && cross_from_thread(reactor, &arg, site) < 0) {
        fate_drop(arg);
        return -ENOMEM;
    }
    return fate__post(&reactor->posts, action, arg, site);
}

int(fate_call_from_thread)(fate_reactor *reactor, fate_action *action, fate_value arg)
{
    return fate_call_from_thread_at(reactor, action, arg, "fate_call_from_thread");
}

/* ---- The simulated clock ---- */

void fate_pause_clock(fate_reactor *reactor)
{
    fate__check_reactor(reactor, "fate_pause_clock", NULL);
    reactor->n_outside++;
}

void fate_unpause_clock(fate_reactor *reactor)
{
    fate__check_reactor(reactor, "fate_unpause_clock", NULL);
    if (reactor->n_outside == 0)
        fate__stop(NULL, "fate_unpause_clock was called while no job was under way, and more often than "
                         "fate_pause_clock.");
    reactor->n_outside--;
}
