/* What coroutines do with the rest of the library: sleeping, awaiting several, cleaning up. */
#include <errno.h>

#include <base/alloc.h>
#include <coro/coro.h>
#include <fate/combine.h>
#include <fate/reactor.h>

fate_reactor *fate_coro_reactor(const fate_coro *co)
{
    return fate__reactor(co->coros->owned.turns);
}

/* As given, or the function's as written in the call. */
const char *fate_coro_name(const fate_coro *co)
{
    char *name = ((fate_coro *)(uintptr_t)co)->name;
    const char *from = co->given_name ? co->given_name : co->site;
    size_t len = 0;

    while (len < sizeof co->name - 1 && from[len] && (co->given_name || from[len] != ' ')) {
        name[len] = from[len];
        len++;
    }
    name[len] = '\0';
    return name;
}

size_t fate_coro_stack_bytes(const fate_coro *co)
{
    return (size_t)(co->stack.top - co->stack.low);
}

size_t fate_coro_stack_used(const fate_coro *co)
{
    return fate__stack_used(&co->coros->stacks, &co->stack);
}

/* ---- Awaiting ---- */

fate_value fate_await_all_at(fate_coro *co, size_t n, fate_deferred *const members[], const char *site)
{
    fate__check_running(co, "fate_await_all", site);
    return fate_await_at(co, fate_gather_at(fate_coro_reactor(co), n, members, NULL, site), site);
}

fate_value fate_await_any_at(fate_coro *co, size_t n, fate_deferred *const members[], const char *site)
{
    fate__check_running(co, "fate_await_any", site);
    return fate_await_at(co, fate_race_at(fate_coro_reactor(co), n, members, site), site);
}

fate_value fate_coro_sleep_at(fate_coro *co, fate_time t, const char *site)
{
    fate__check_running(co, "fate_coro_sleep", site);
    return fate_await_at(co, fate_defer_later_at(fate_coro_reactor(co), t, NULL, fate_none(), site), site);
}

/* ---- Cleaning up ---- */

static struct fate__exit *new_exit(fate_coro *co, fate_action *action, fate_value arg)
{
    struct fate__exit *one = fate__is_no_memory(&arg) ? NULL : fate__alloc(sizeof *one);
    if (!one)
        return NULL;
    *one = (struct fate__exit){ co->exits, action, arg };
    co->exits = one;
    return one;
}

int fate_coro_at_exit_at(fate_coro *co, fate_action *action, fate_value arg, const char *site)
{
    fate__check_running(co, "fate_coro_at_exit", site);
    fate__check_given(&arg, "fate_coro_at_exit", site);
    if (new_exit(co, action, arg))
        return 0;
    if (!fate__is_no_memory(&arg))
        action(&arg);
    fate_drop(arg);
    return -ENOMEM;
}

static void nothing(fate_value *arg)
{
}

static void release_lock(fate_value *lock)
{
    fate_lock_release(fate_as_ptr(lock));
}

static void release_semaphore(fate_value *semaphore)
{
    fate_semaphore_release(fate_as_ptr(semaphore));
}

/* The release was planned before the acquire, so that it cannot fail afterwards; it is in force from now on.
 */
static fate_value await_token(fate_coro *co, fate_deferred *d, struct fate__exit *one, fate_action *release,
                              const char *site)
{
    fate_value v = fate_await_at(co, d, site);

    if (fate_is_failure(&v))
        return v;
    fate_drop(v);
    one->action = release;
    return fate_none();
}

fate_value fate_coro_lock_at(fate_coro *co, fate_lock *lock, const char *site)
{
    fate__check_running(co, "fate_coro_lock", site);
    struct fate__exit *one = new_exit(co, nothing, fate_ptr(lock));
    if (!one)
        return fate__no_memory();
    return await_token(co, fate_lock_acquire_at(lock, site), one, release_lock, site);
}

fate_value fate_coro_semaphore_at(fate_coro *co, fate_semaphore *semaphore, const char *site)
{
    fate__check_running(co, "fate_coro_semaphore", site);
    struct fate__exit *one = new_exit(co, nothing, fate_ptr(semaphore));
    if (!one)
        return fate__no_memory();
    return await_token(co, fate_semaphore_acquire_at(semaphore, site), one, release_semaphore, site);
}

/* ---- Without a line ---- */

fate_deferred *(fate_go)(fate_reactor *reactor, fate_coroutine *body, fate_value arg)
{
    return fate_go_at(reactor, body, arg, NULL, "fate_go");
}

fate_deferred *(fate_go_with)(fate_reactor *reactor, fate_coroutine *body, fate_value arg,
                              const fate_go_options *options)
{
    return fate_go_at(reactor, body, arg, options, "fate_go");
}

fate_value(fate_await)(fate_coro *co, fate_deferred *d)
{
    return fate_await_at(co, d, "fate_await");
}

fate_value(fate_await_all)(fate_coro *co, size_t n, fate_deferred *const members[])
{
    return fate_await_all_at(co, n, members, "fate_await_all");
}

fate_value(fate_await_any)(fate_coro *co, size_t n, fate_deferred *const members[])
{
    return fate_await_any_at(co, n, members, "fate_await_any");
}

fate_value(fate_coro_sleep)(fate_coro *co, fate_time t)
{
    return fate_coro_sleep_at(co, t, "fate_coro_sleep");
}

int(fate_coro_at_exit)(fate_coro *co, fate_action *action, fate_value arg)
{
    return fate_coro_at_exit_at(co, action, arg, "fate_coro_at_exit");
}

fate_value(fate_coro_lock)(fate_coro *co, fate_lock *lock)
{
    return fate_coro_lock_at(co, lock, "fate_coro_lock");
}

fate_value(fate_coro_semaphore)(fate_coro *co, fate_semaphore *semaphore)
{
    return fate_coro_semaphore_at(co, semaphore, "fate_coro_semaphore");
}
