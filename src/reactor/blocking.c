/* Blocking calls from threads (R245).
 *
 * A call belongs to the thread that waits, to the post that carries it, and to the level on the deferred that
 * its function follows: the last of them frees it.  Who answers it takes it off the reactor's list, under the
 * lock; it is answered once. */
#include <reactor/blocking.h>

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>

#include <base/alloc.h>
#include <reactor/job.h>
#include <reactor/reactor.h>

struct call {
    struct fate__link link; /* in the reactor's list while it is not answered, under the lock */
    atomic_uint refs;
    fate_reactor *reactor;
    fate_function *function;
    fate_value arg; /* the reactor's thread's, from when it has been posted */
    const char *site;
    fate_pool *pool; /* of the thread; NULL: it is none of a pool */
    fate_value answer;
    sem_t answered;
};

static void release(struct call *call)
{
    if (atomic_fetch_sub(&call->refs, 1) != 1)
        return;
    sem_destroy(&call->answered);
    fate__free(call);
}

static const char has_stopped[] = "the reactor stopped before it answered";
static const char was_freed[] = "the pool of its thread was freed before it was answered";

static fate_value cancelled(const struct call *call, const char *why)
{
    return fate__raise(call->site, &FATE_CANCELLED, "%s", why);
}

/* ---- Answering ---- */

/* Under the lock. */
static void answer_one(struct call *call, fate_value v)
{
    fate__list_remove(&call->link);
    call->answer = v;
    sem_post(&call->answered);
}

static void answer(struct call *call, fate_value v)
{
    struct fate__threads *threads = &call->reactor->threads;
    bool is_late;

    if (fate__cross(&v, "fate_blocking_call_from_thread is answered with", call->site) < 0) {
        fate_drop(v);
        v = fate__no_memory();
    }
    pthread_mutex_lock(&threads->lock);
    is_late = fate__list_is_empty(&call->link);
    if (!is_late)
        answer_one(call, v);
    pthread_mutex_unlock(&threads->lock);
    if (is_late)
        fate_drop(v);
}

void fate__blocking_refuse(fate_reactor *reactor)
{
    struct fate__threads *threads = &reactor->threads;

    pthread_mutex_lock(&threads->lock);
    threads->refuses_blocking = true;
    while (!fate__list_is_empty(&threads->blocking)) {
        struct call *call = fate_container_of(threads->blocking.next, struct call, link);
        answer_one(call, cancelled(call, has_stopped));
    }
    pthread_mutex_unlock(&threads->lock);
}

/* Those that have not been listed yet will see that the pool is closing. */
void fate__blocking_refuse_pool(fate_reactor *reactor, const fate_pool *pool)
{
    struct fate__threads *threads = &reactor->threads;
    struct fate__link *next;

    pthread_mutex_lock(&threads->lock);
    for (struct fate__link *link = threads->blocking.next; link != &threads->blocking; link = next) {
        struct call *call = fate_container_of(link, struct call, link);
        next = link->next;
        if (call->pool == pool)
            answer_one(call, cancelled(call, was_freed));
    }
    pthread_mutex_unlock(&threads->lock);
}

/* ---- In the reactor's thread ---- */

/* While it waits for a deferred its thread will post nothing, and a simulated clock may go on. */
static fate_deferred *got(fate_deferred *d, struct fate__level *level)
{
    struct call *call = level->arg.as.p;

    call->reactor->n_blocked--;
    answer(call, fate_take(&d->result));
    release(call);
    return NULL;
}

static void will_not_get(struct fate__level *level)
{
    struct call *call = level->arg.as.p;

    call->reactor->n_blocked--;
    answer(call, cancelled(call, has_stopped));
    release(call);
}

static const struct fate__native answer_level = { "blocking call", got, will_not_get };

static void wait_for(struct call *call, fate_deferred *d)
{
    if (fate__is_no_memory_deferred(d)) {
        answer(call, fate__no_memory());
        return;
    }
    atomic_fetch_add(&call->refs, 1);
    call->reactor->n_blocked++;
    if (fate__add_native(d, &answer_level, call, 0))
        return;
    call->reactor->n_blocked--;
    answer(call, fate__no_memory());
    release(call);
}

static bool is_answered(struct call *call)
{
    pthread_mutex_lock(&call->reactor->threads.lock);
    bool is = fate__list_is_empty(&call->link);
    pthread_mutex_unlock(&call->reactor->threads.lock);
    return is;
}

static void run(fate_value *arg)
{
    struct call *call = *fate_unbox(struct call *, arg);

    if (is_answered(call))
        return;
    fate_value out = fate__call_function(call->function, fate_take(&call->arg), call->site);
    if (out.type && out.type->kind == FATE_KIND_FOLLOW)
        wait_for(call, out.as.p);
    else
        answer(call, out);
}

/* ---- In the thread that calls ---- */

static void drop_post(void *data)
{
    struct call *call = *(struct call **)data;

    fate_drop(fate_take(&call->arg));
    release(call);
}

/* The pool whose end the reactor would wait for, and that so for this call. */
static fate_pool *pool_here(const fate_reactor *reactor)
{
    fate_pool *pool = fate__this_pool();
    return pool && fate__pool_reactor(pool) == reactor ? pool : NULL;
}

static struct call *new_call(fate_reactor *reactor, fate_function *function, fate_value arg, const char *site)
{
    struct call *call = fate__zalloc(sizeof *call);

    if (!call)
        return NULL;
    fate__list_init(&call->link);
    atomic_init(&call->refs, 2);
    call->reactor = reactor;
    call->function = function;
    call->arg = arg;
    call->site = site;
    call->pool = pool_here(reactor);
    sem_init(&call->answered, 0, 0);
    return call;
}

/* Why it comes too late; NULL: it does not. */
static const char *enlist(struct call *call)
{
    struct fate__threads *threads = &call->reactor->threads;

    pthread_mutex_lock(&threads->lock);
    const char *why = call->pool && fate__pool_is_closed(call->pool) ? was_freed : NULL;
    if (threads->refuses_blocking)
        why = has_stopped;
    if (!why)
        fate__list_add_last(&threads->blocking, &call->link);
    pthread_mutex_unlock(&threads->lock);
    return why;
}

static fate_value wait_for_answer(struct call *call)
{
    while (sem_wait(&call->answered) < 0)
        ;
    fate_value v = fate_take(&call->answer);
    release(call);
    return v;
}

static fate_value ask(struct call *call)
{
    fate_value carried = fate_box_with(drop_post, struct call *, call);

    if (fate__is_no_memory(&carried)) {
        release(call);
        return fate__no_memory();
    }
    const char *late = enlist(call);
    if (late) {
        fate_value v = cancelled(call, late);
        fate_drop(carried);
        release(call);
        return v;
    }
    int why = fate__post(&call->reactor->posts, run, carried, call->site);
    if (why)
        answer(call, why == -ESHUTDOWN ? cancelled(call, has_stopped) : fate__no_memory());
    return wait_for_answer(call);
}

static void check(fate_reactor *reactor, fate_function *function, const fate_value *arg, const char *site)
{
    fate__check_living(reactor, "fate_blocking_call_from_thread", site);
    fate__check_given(arg, "fate_blocking_call_from_thread", site);
    if (!function)
        fate__stop(site, "fate_blocking_call_from_thread was given a NULL function.");
    if (fate__is_own_thread(&reactor->turns))
        fate__stop(site, "fate_blocking_call_from_thread was called in the reactor's own thread, which would "
                         "wait for itself (R245). Call the function, or fate_maybe.");
}

fate_value fate_blocking_call_from_thread_at(fate_reactor *reactor, fate_function *function, fate_value arg,
                                             const char *site)
{
    struct call *call = NULL;

    check(reactor, function, &arg, site);
    if (!fate__is_no_memory(&arg) && fate__cross(&arg, "fate_blocking_call_from_thread was given", site) == 0)
        call = new_call(reactor, function, arg, site);
    if (call)
        return ask(call);
    fate_drop(arg);
    return fate__no_memory();
}

fate_value(fate_blocking_call_from_thread)(fate_reactor *reactor, fate_function *function, fate_value arg)
{
    return fate_blocking_call_from_thread_at(reactor, function, arg, "fate_blocking_call_from_thread");
}
