/* Work for threads: handing it in, and what becomes of it (R242-R244, R249). */
#include <reactor/job.h>

#include <errno.h>
#include <stdio.h>

#include <base/alloc.h>
#include <reactor/reactor.h>

/* ---- In a thread ---- */

static _Noreturn void returned_follow(const char *site)
{
    fate__stop(site,
               "a function that runs in a thread returned fate_follow. A thread has no deferreds: return "
               "the value itself, or ask the reactor for it with fate_blocking_call_from_thread.");
}

void fate__job_do(struct fate__job *job)
{
    fate_value out = fate__call_function(job->function, job->value, job->site);

    if (out.type && out.type->kind == FATE_KIND_FOLLOW)
        returned_follow(job->site);
    if (fate__cross(&out, "a function that runs in a thread returned", job->site) < 0) {
        fate_drop(out);
        out = fate__no_memory();
    }
    job->value = out;
}

void fate__job_tell(struct fate__job *job)
{
    fate_reactor *reactor = fate__slab_owner(job);

    fate__post_prepared(&reactor->posts, job->told);
}

/* ---- In the reactor's thread ---- */

static void give_job(fate_reactor *reactor, struct fate__job *job)
{
    atomic_store_explicit(&job->state, FATE__JOB_FREE, memory_order_relaxed);
    fate__slab_give(reactor->threads.jobs, job);
}

/* Its end, whatever it is. */
static void end_in(fate_reactor *reactor, struct fate__job *job, fate_value out)
{
    fate_deferred *d = job->d;
    const char *site = job->site;
    bool logs_failure = job->logs_failure;

    give_job(reactor, job);
    if (d) {
        fate__fire(d, out, site);
        return;
    }
    if (logs_failure && fate_is_failure(&out))
        reactor->turns.log(&reactor->turns, FATE_LOG_ERROR, &out, site, "Failure in thread");
    fate_drop(out);
}

static void is_done(fate_value *arg)
{
    struct fate__job *job = arg->as.p;
    fate_reactor *reactor = fate__slab_owner(job);

    reactor->n_outside--;
    end_in(reactor, job, fate_take(&job->value));
}

/* Its thread has not begun, and will not. */
static void forget(fate_reactor *reactor, struct fate__job *job)
{
    if (fate__pool_has_started(job->pool))
        reactor->n_outside--;
    fate__post_give_up(job->told);
    fate_drop(fate_take(&job->value));
}

static bool cancel(fate_deferred *d, void *data, const char *site)
{
    struct fate__job *job = data;
    fate_reactor *reactor = fate__reactor_of(d);

    job->d = NULL;
    if (fate__pool_take_back(job)) {
        forget(reactor, job);
        give_job(reactor, job);
    }
    return true;
}

static void say_what(const void *data, struct fate__waits *ret)
{
    const struct fate__job *job = data;
    bool has_begun = atomic_load_explicit(&job->state, memory_order_relaxed) == FATE__JOB_BEGUN;

    snprintf(ret->text, sizeof ret->text, "%s of pool %.15s", has_begun ? "a thread" : "a free thread",
             fate__pool_name(job->pool));
    ret->on = job->pool;
}

static const struct fate__source in_thread = { .cancel = cancel, .waits = say_what };

void fate__job_refuse(struct fate__job *job, int why)
{
    fate_reactor *reactor = fate__slab_owner(job);
    fate_value failure =
        why == ECANCELED
            ? fate__raise(job->site, &FATE_CANCELLED, "its threads have been stopped before they began")
            : fate_raise_errno_at("fate_defer_to_thread", job->site, why, "no thread could be made");

    if (why == ECANCELED)
        job->logs_failure = false;
    forget(reactor, job);
    end_in(reactor, job, failure);
}

/* ---- Handing in ---- */

/* All that a job is made of. */
struct wanted {
    fate_function *function;
    fate_value arg;
    const char *site;
    bool logs_failure;
};

static struct fate__job *new_job(fate_pool *pool, fate_reactor *reactor, const struct wanted *wanted)
{
    struct fate__post *told = fate__post_prepare(&reactor->posts);
    struct fate__job *job = told ? fate__slab_take(reactor->threads.jobs) : NULL;

    if (!job) {
        if (told)
            fate__post_give_up(told);
        return NULL;
    }
    told->action = is_done;
    told->arg = fate_ptr(job);
    told->site = wanted->site;
    fate__list_init(&job->link);
    job->pool = pool;
    job->told = told;
    job->function = wanted->function;
    job->value = wanted->arg;
    job->site = wanted->site;
    job->d = NULL;
    job->logs_failure = wanted->logs_failure;
    return job;
}

static void give_to_pool(fate_pool *pool, fate_reactor *reactor, struct fate__job *job)
{
    if (fate__pool_has_started(pool))
        reactor->n_outside++;
    int why = fate__pool_give(pool, job);
    if (why)
        fate__job_refuse(job, why);
}

static fate_deferred *fail(fate_reactor *reactor, struct wanted *wanted, const fate_class *c, const char *why)
{
    fate_drop(wanted->arg);
    fate_deferred *d = fate__library_deferred(reactor, wanted->site);
    if (!fate__is_no_memory_deferred(d))
        fate__fire(d, fate__raise(wanted->site, c, "%s", why), wanted->site);
    return d;
}

static fate_deferred *lacks_memory(fate_reactor *reactor, const struct wanted *wanted)
{
    fate_drop(wanted->arg);
    return fate__hand_out_no_memory(&reactor->turns);
}

static fate_deferred *defer(fate_pool *pool, struct wanted *wanted, const char *what)
{
    fate_reactor *reactor = fate__pool_reactor(pool);

    if (reactor->threads.has_stopped)
        return fail(reactor, wanted, &FATE_CANCELLED, "the reactor has stopped, and its threads with it");
    if (fate__pool_is_no_memory(pool) || fate__is_no_memory(&wanted->arg))
        return lacks_memory(reactor, wanted);
    if (fate__pool_is_full(pool))
        return fail(reactor, wanted, &FATE_POOL_FULL, "all threads are busy, and as many jobs wait as may");
    struct fate__job *job = NULL;
    if (fate__cross(&wanted->arg, what, wanted->site) == 0)
        job = new_job(pool, reactor, wanted);
    if (!job)
        return lacks_memory(reactor, wanted);
    fate_deferred *d = fate__sourced(reactor, &in_thread, job, wanted->site);
    if (!(d->flags & FATE__SOURCE)) {
        fate__post_give_up(job->told);
        give_job(reactor, job);
        fate_drop(wanted->arg);
        return d;
    }
    job->d = d;
    give_to_pool(pool, reactor, job);
    return d;
}

static void check(fate_function *function, const fate_value *arg, const char *what, const char *site)
{
    fate__check_given(arg, what, site);
    if (fate__unlikely(!function))
        fate__stop(site, "%s was given a NULL function.", what);
}

fate_deferred *fate_defer_to_thread_at(fate_reactor *reactor, fate_function *function, fate_value arg,
                                       const char *site)
{
    struct wanted wanted = { function, arg, site, false };

    fate__check_reactor(reactor, "fate_defer_to_thread", site);
    check(function, &arg, "fate_defer_to_thread", site);
    return defer(fate_reactor_pool(reactor), &wanted, "fate_defer_to_thread was given");
}

fate_deferred *fate_defer_to_pool_at(fate_pool *pool, fate_function *function, fate_value arg,
                                     const char *site)
{
    struct wanted wanted = { function, arg, site, false };

    if (!pool)
        fate__stop(site, "fate_defer_to_pool was given a NULL pool.");
    fate__check_reactor(fate__pool_reactor(pool), "fate_defer_to_pool", site);
    check(function, &arg, "fate_defer_to_pool", site);
    return defer(pool, &wanted, "fate_defer_to_pool was given");
}

/* ---- Without a deferred ---- */

static void log_no_memory(fate_reactor *reactor, struct wanted *wanted)
{
    const fate_value failure = fate__no_memory();

    fate_drop(wanted->arg);
    reactor->turns.log(&reactor->turns, FATE_LOG_ERROR, &failure, wanted->site, "Failure in thread");
}

static void call(fate_reactor *reactor, struct wanted *wanted, const char *what)
{
    fate_pool *pool = fate_reactor_pool(reactor);
    struct fate__job *job = NULL;

    if (reactor->threads.has_stopped) {
        fate_drop(wanted->arg);
        return;
    }
    bool has_memory = !fate__pool_is_no_memory(pool) && !fate__is_no_memory(&wanted->arg);
    if (has_memory && fate__cross(&wanted->arg, what, wanted->site) == 0)
        job = new_job(pool, reactor, wanted);
    if (job)
        give_to_pool(pool, reactor, job);
    else
        log_no_memory(reactor, wanted);
}

void fate_call_in_thread_at(fate_reactor *reactor, fate_function *function, fate_value arg, const char *site)
{
    struct wanted wanted = { function, arg, site, true };

    fate__check_reactor(reactor, "fate_call_in_thread", site);
    check(function, &arg, "fate_call_in_thread", site);
    call(reactor, &wanted, "fate_call_in_thread was given");
}

/* ---- Several, one after the other ---- */

struct several {
    size_t n, next;
    const char *site;
    struct one {
        fate_function *function;
        fate_value arg;
    } calls[];
};

static void drop_several(void *data)
{
    struct several *several = *(struct several **)data;

    for (size_t i = several->next; i < several->n; i++)
        fate_drop(several->calls[i].arg);
    fate__free(several);
}

static fate_value call_several(fate_value *arg)
{
    struct several *several = *fate_unbox(struct several *, arg);

    while (several->next < several->n) {
        struct one *one = &several->calls[several->next++];
        fate_value out = fate__call_function(one->function, one->arg, several->site);
        if (out.type && out.type->kind == FATE_KIND_FOLLOW)
            returned_follow(several->site);
        if (fate_is_failure(&out))
            return out;
        fate_drop(out);
    }
    return fate_none();
}

/* NO_MEMORY without memory; the args are gone then. */
static fate_value box_several(size_t n, fate_function *const functions[], const fate_value args[],
                              const char *site)
{
    struct several *several =
        n > SIZE_MAX / 64 ? NULL : fate__alloc(sizeof *several + n * sizeof several->calls[0]);
    bool lacks = !several;

    for (size_t i = 0; i < n; i++) {
        fate_value arg = args[i];
        check(functions[i], &arg, "fate_call_multiple_in_thread", site);
        lacks |= fate__cross(&arg, "fate_call_multiple_in_thread was given", site) < 0;
        if (several)
            several->calls[i] = (struct one){ functions[i], arg };
        else
            fate_drop(arg);
    }
    if (!several)
        return fate__no_memory();
    several->n = n;
    several->next = 0;
    several->site = site;
    if (!lacks)
        return fate_box_with(drop_several, struct several *, several);
    drop_several(&several);
    return fate__no_memory();
}

void fate_call_multiple_in_thread_at(fate_reactor *reactor, size_t n, fate_function *const functions[],
                                     fate_value args[], const char *site)
{
    fate__check_reactor(reactor, "fate_call_multiple_in_thread", site);
    struct wanted wanted = { call_several, box_several(n, functions, args, site), site, true };
    call(reactor, &wanted, "fate_call_multiple_in_thread was given");
}

/* ---- The end ---- */

/* No thread is left, and no pool.  What has been done was not told. */
static void drop_left(void *block, void *arg)
{
    struct fate__job *job = block;

    if (fate__slab_is_poisoned(job) || atomic_load(&job->state) == FATE__JOB_FREE)
        return;
    fate_drop(fate_take(&job->value));
    give_job(arg, job);
}

void fate__threads_drop(fate_reactor *reactor)
{
    if (reactor->threads.jobs)
        fate__slab_each(reactor->threads.jobs, drop_left, reactor);
}

/* ---- Without a line ---- */

fate_deferred *(fate_defer_to_thread)(fate_reactor *reactor, fate_function *function, fate_value arg)
{
    return fate_defer_to_thread_at(reactor, function, arg, "fate_defer_to_thread");
}

fate_deferred *(fate_defer_to_pool)(fate_pool *pool, fate_function *function, fate_value arg)
{
    return fate_defer_to_pool_at(pool, function, arg, "fate_defer_to_pool");
}

void(fate_call_in_thread)(fate_reactor *reactor, fate_function *function, fate_value arg)
{
    fate_call_in_thread_at(reactor, function, arg, "fate_call_in_thread");
}

void(fate_call_multiple_in_thread)(fate_reactor *reactor, size_t n, fate_function *const functions[],
                                   fate_value args[])
{
    fate_call_multiple_in_thread_at(reactor, n, functions, args, "fate_call_multiple_in_thread");
}
