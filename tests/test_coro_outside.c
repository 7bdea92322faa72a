/* Tests of src/coro/coro.c: whatever a coroutine calls, callbacks run on the reactor's stack. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fate/fate.h>

#include "test.h"

#define MAIN_STACK_MAX ((uintptr_t)1 << 20)

static fate_reactor *reactor;
static uintptr_t main_frame, body_frame;
static size_t body_bytes;
static int n_probes, n_inside, n_elsewhere;

static uintptr_t here(void)
{
    return (uintptr_t)__builtin_frame_address(0);
}

static uintptr_t between(uintptr_t a, uintptr_t b)
{
    return a < b ? b - a : a - b;
}

/* Below the test's own frame, and not far. */
static bool is_on_main_stack(uintptr_t frame)
{
    return frame <= main_frame && main_frame - frame < MAIN_STACK_MAX;
}

/* Called by everything that must not run on the body's stack. */
static void probe(void)
{
    n_probes++;
    n_inside += between(here(), body_frame) < body_bytes;
    n_elsewhere += !is_on_main_stack(here());
}

/* ---- Callbacks of each kind ---- */

static fate_value level(fate_value *result, fate_value *arg)
{
    probe();
    return fate_take(result);
}

static fate_value lost(fate_value *why, fate_value *arg)
{
    probe();
    return fate_none();
}

static fate_value function(fate_value *arg)
{
    probe();
    return fate_none();
}

static fate_value counted_function(int64_t count, fate_value *arg)
{
    probe();
    return fate_none();
}

static fate_value follow(fate_value *result, fate_value *d)
{
    probe();
    return fate_follow(fate_as_ptr(d));
}

static fate_value go_on_later(fate_value *arg)
{
    return fate_follow(fate_as_ptr(arg));
}

static void action(fate_value *arg)
{
    probe();
}

static void canceller(fate_deferred *d, fate_value *arg)
{
    probe();
}

static void canceller_that_fires(fate_deferred *d, fate_value *arg)
{
    probe();
    fate_fire(d, fate_int(1));
}

static void unhandled(const fate_unhandled *what, fate_value *arg)
{
    probe();
}

static void observe(const fate_log_entry *entry, fate_value *arg)
{
    probe();
}

/* ---- What a coroutine calls ---- */

static fate_deferred *fired(void)
{
    return fate_succeed(reactor, fate_int(1));
}

static fate_deferred *failed(void)
{
    return fate_fail(reactor, fate_raise(&FATE_VALUE_ERROR, "no"));
}

static fate_deferred *with_level(void)
{
    return fate_add_both(fate_deferred_new(reactor), level, fate_none());
}

static void do_fire(fate_coro *co)
{
    fate_fire(with_level(), fate_int(1));
}

static void do_fire_failure(fate_coro *co)
{
    fate_deferred *d = fate_add_errback(fate_deferred_new(reactor), lost, fate_none());
    fate_fire(d, fate_raise(&FATE_VALUE_ERROR, "no"));
}

static void do_fire_with_many_levels(fate_coro *co)
{
    fate_deferred *d = with_level();
    for (int i = 0; i < 20; i++)
        fate_add_callbacks(d, level, lost, fate_none());
    fate_fire(d, fate_int(1));
}

static void do_fire_followed(fate_coro *co)
{
    fate_deferred *d = fate_deferred_new(reactor);
    fate_add_both(fate_add_callback(fired(), follow, fate_ptr(d)), level, fate_none());
    fate_fire(d, fate_int(1));
}

static void do_add_callback(fate_coro *co)
{
    fate_add_callback(fired(), level, fate_none());
}

static void do_add_errback(fate_coro *co)
{
    fate_add_errback(failed(), lost, fate_none());
}

static void do_add_both(fate_coro *co)
{
    fate_add_both(fired(), level, fate_none());
}

static void do_add_callbacks(fate_coro *co)
{
    fate_add_callbacks(fired(), level, lost, fate_none());
}

static void do_add_trap(fate_coro *co)
{
    fate_add_trap(failed(), &FATE_VALUE_ERROR, lost, fate_none());
}

static void do_add_handlers(fate_coro *co)
{
    fate_add_handlers(fired(), .callback = level, .errback = lost);
}

static void do_unpause(fate_coro *co)
{
    fate_deferred *d = with_level();
    fate_pause(d);
    fate_fire(d, fate_int(1));
    fate_unpause(d);
}

static void do_cancel(fate_coro *co)
{
    fate_deferred *d = fate_deferred_new_cancellable(reactor, canceller, fate_none());
    fate_cancel(fate_add_errback(d, lost, fate_none()));
}

static void do_cancel_that_fires(fate_coro *co)
{
    fate_deferred *d = fate_deferred_new_cancellable(reactor, canceller_that_fires, fate_none());
    fate_cancel(fate_add_both(d, lost, fate_none()));
}

static void do_cancel_without_canceller(fate_coro *co)
{
    fate_cancel(fate_add_errback(fate_deferred_new(reactor), lost, fate_none()));
}

static void do_cancel_followed(fate_coro *co)
{
    fate_deferred *d = fate_deferred_new_cancellable(reactor, canceller, fate_none());
    fate_deferred *outer = fate_add_callback(fired(), follow, fate_ptr(d));
    fate_add_errback(outer, lost, fate_none());
    fate_cancel(outer);
}

static void do_chain(fate_coro *co)
{
    fate_chain(fired(), with_level());
}

static void do_branch(fate_coro *co)
{
    fate_deferred *d = fate_deferred_new(reactor);
    fate_add_both(fate_branch(d), level, fate_none());
    fate_fire(d, fate_int(1));
}

static void do_settle(fate_coro *co)
{
    fate_deferred *d = fate_deferred_new(reactor);
    fate_add_both(fate_settle_of(reactor, fired(), d), level, fate_none());
    fate_fire(d, fate_int(1));
}

static void do_gather(fate_coro *co)
{
    fate_deferred *d = fate_deferred_new(reactor);
    fate_add_both(fate_gather_of(reactor, fired(), d), level, fate_none());
    fate_fire(d, fate_int(1));
}

static void do_gather_of_fired(fate_coro *co)
{
    fate_add_both(fate_gather_of(reactor, fired(), fired()), level, fate_none());
}

static void do_race(fate_coro *co)
{
    fate_deferred *d = fate_deferred_new_cancellable(reactor, canceller, fate_none());
    fate_add_both(fate_race_of(reactor, fired(), d), level, fate_none());
}

static void do_lock_release(fate_coro *co)
{
    fate_lock *lock = fate_lock_new(reactor);
    bool is_mine = !fate_is_failure(fate_peek(fate_lock_acquire(lock)));
    fate_add_both(fate_lock_acquire(lock), lost, fate_none());
    if (is_mine)
        fate_lock_release(lock);
}

static void do_lock_free(fate_coro *co)
{
    fate_lock *lock = fate_lock_new(reactor);
    fate_lock_acquire(lock);
    fate_add_both(fate_lock_acquire(lock), lost, fate_none());
    fate_lock_free(lock);
}

static void do_lock_run(fate_coro *co)
{
    fate_lock_run(fate_lock_new(reactor), function, fate_none());
}

static void do_lock_run_later(fate_coro *co)
{
    fate_lock *lock = fate_lock_new(reactor);
    fate_deferred *d = fate_deferred_new(reactor);
    fate_lock_run(lock, go_on_later, fate_ptr(d));
    fate_lock_run(lock, function, fate_none());
    fate_fire(d, fate_none());
}

static void do_semaphore_release(fate_coro *co)
{
    fate_semaphore *semaphore = fate_semaphore_new(reactor, 1);
    bool is_mine = !fate_is_failure(fate_peek(fate_semaphore_acquire(semaphore)));
    fate_add_both(fate_semaphore_acquire(semaphore), lost, fate_none());
    if (is_mine)
        fate_semaphore_release(semaphore);
}

static void do_semaphore_run(fate_coro *co)
{
    fate_semaphore_run(fate_semaphore_new(reactor, 1), function, fate_none());
}

static void do_semaphore_free(fate_coro *co)
{
    fate_semaphore *semaphore = fate_semaphore_new(reactor, 1);
    fate_semaphore_acquire(semaphore);
    fate_add_both(fate_semaphore_acquire(semaphore), lost, fate_none());
    fate_semaphore_free(semaphore);
}

static void do_queue_put(fate_coro *co)
{
    fate_queue *queue = fate_queue_new(reactor, FATE_UNLIMITED, FATE_UNLIMITED);
    fate_add_both(fate_queue_get(queue), lost, fate_none());
    fate_queue_put(queue, fate_int(1));
}

static void do_queue_get(fate_coro *co)
{
    fate_queue *queue = fate_queue_new(reactor, FATE_UNLIMITED, FATE_UNLIMITED);
    fate_queue_put(queue, fate_int(1));
    fate_add_both(fate_queue_get(queue), lost, fate_none());
}

static void do_queue_free(fate_coro *co)
{
    fate_queue *queue = fate_queue_new(reactor, FATE_UNLIMITED, FATE_UNLIMITED);
    fate_add_both(fate_queue_get(queue), lost, fate_none());
    fate_queue_free(queue);
}

static void do_maybe(fate_coro *co)
{
    fate_maybe(reactor, function, fate_none());
}

static void do_turn(fate_coro *co)
{
    fate_turn(reactor, action, fate_none());
}

static void do_loop(fate_coro *co)
{
    fate_looping_call *loop = fate_looping_call_new(reactor, function, fate_none());
    fate_add_both(fate_looping_call_start(loop, FATE_SECOND, true), lost, fate_none());
    fate_looping_call_stop(loop);
}

static void do_counted_loop(fate_coro *co)
{
    fate_looping_call *loop = fate_looping_call_new_counted(reactor, counted_function, fate_none());
    fate_add_both(fate_looping_call_start(loop, FATE_SECOND, true), lost, fate_none());
    fate_looping_call_free(loop);
}

static void do_loop_later(fate_coro *co)
{
    fate_deferred *d = fate_deferred_new(reactor);
    fate_looping_call *loop = fate_looping_call_new(reactor, go_on_later, fate_ptr(d));
    fate_add_both(fate_looping_call_start(loop, FATE_SECOND, true), lost, fate_none());
    fate_looping_call_stop(loop);
    fate_fire(d, fate_none());
}

static void do_await_with_levels(fate_coro *co)
{
    fate_drop(fate_await(co, fate_add_both(fired(), level, fate_none())));
}

static void do_sleep(fate_coro *co)
{
    fate_deferred *d = fate_defer_later(reactor, FATE_SECOND, function, fate_none());
    fate_call_later(reactor, FATE_SECOND, action, fate_none());
    fate_drop(fate_await(co, d));
}

static fate_value child(fate_coro *co, fate_value *arg)
{
    fate_fire(with_level(), fate_int(1));
    return fate_none();
}

static void do_go(fate_coro *co)
{
    fate_add_both(fate_go(reactor, child, fate_none()), level, fate_none());
}

static void do_cancel_coroutine(fate_coro *co);

static void do_forget(fate_coro *co)
{
    fate_forget(failed());
}

static void do_release(fate_coro *co)
{
    fate_deferred *d = fate_hold(failed());
    fate_forget(d);
    fate_release(d);
}

static void do_fire_twice(fate_coro *co)
{
    fate_deferred *d = fate_deferred_new(reactor);
    fate_fire(d, fate_int(1));
    fate_fire(d, fate_int(2));
}

static void do_log(fate_coro *co)
{
    fate_log(reactor, FATE_LOG_INFO, "from a coroutine");
}

static void do_no_memory(fate_coro *co)
{
    test_fail_allocation(1, true);
    fate_deferred *d = fate_deferred_new_cancellable(reactor, canceller, fate_str("x"));
    test_fail_allocation(0, false);
    fate_add_errback(d, lost, fate_none());
}

/* ---- Each on a coroutine of its own ---- */

typedef void act_fn(fate_coro *co);

static fate_value act_in_body(fate_coro *co, fate_value *arg)
{
    act_fn *act;

    memcpy(&act, fate_as_ptr(arg), sizeof act);
    body_frame = here();
    body_bytes = fate_coro_stack_bytes(co);
    EXPECT(!is_on_main_stack(body_frame));
    act(co);
    return fate_none();
}

static fate_value await_forever(fate_coro *co, fate_value *arg)
{
    return fate_await(co, fate_deferred_new_cancellable(reactor, canceller, fate_none()));
}

static void do_cancel_coroutine(fate_coro *co)
{
    fate_deferred *d = fate_go(reactor, await_forever, fate_none());
    fate_cancel(fate_add_both(d, lost, fate_none()));
}

static void expect_outside(act_fn *act, int n)
{
    static act_fn *acting;

    acting = act;
    reactor = test_reactor();
    main_frame = here();
    n_probes = n_inside = n_elsewhere = 0;
    fate_go(reactor, act_in_body, fate_ptr(&acting));
    fate_advance(reactor, FATE_SECOND);
    EXPECT_EQ(n_inside, 0);
    EXPECT_EQ(n_elsewhere, 0);
    EXPECT_EQ(n_probes, n);
}

TEST(firing)
{
    expect_outside(do_fire, 1);
    expect_outside(do_fire_failure, 1);
    expect_outside(do_fire_with_many_levels, 21);
    expect_outside(do_fire_followed, 2);
}

TEST(adding_to_what_has_fired)
{
    expect_outside(do_add_callback, 1);
    expect_outside(do_add_errback, 1);
    expect_outside(do_add_both, 1);
    expect_outside(do_add_callbacks, 1);
    expect_outside(do_add_trap, 1);
    expect_outside(do_add_handlers, 1);
}

TEST(adding_to_the_no_memory_deferred)
{
    if (!test_is_oom())
        expect_outside(do_no_memory, 1);
}

TEST(unpausing)
{
    expect_outside(do_unpause, 1);
}

TEST(cancelling)
{
    expect_outside(do_cancel, 2);
    expect_outside(do_cancel_that_fires, 2);
    expect_outside(do_cancel_without_canceller, 1);
    expect_outside(do_cancel_followed, 3);
    expect_outside(do_cancel_coroutine, 2);
}

TEST(joining)
{
    expect_outside(do_chain, 1);
    expect_outside(do_branch, 1);
    expect_outside(do_settle, 1);
    expect_outside(do_gather, 1);
    expect_outside(do_gather_of_fired, 1);
    expect_outside(do_race, 2);
}

TEST(locks)
{
    expect_outside(do_lock_release, 1);
    expect_outside(do_lock_free, 1);
    expect_outside(do_lock_run, 1);
    expect_outside(do_lock_run_later, 1);
}

TEST(semaphores)
{
    expect_outside(do_semaphore_release, 1);
    expect_outside(do_semaphore_run, 1);
    expect_outside(do_semaphore_free, 1);
}

TEST(queues)
{
    expect_outside(do_queue_put, 1);
    expect_outside(do_queue_get, 1);
    expect_outside(do_queue_free, 1);
}

TEST(functions_and_turns)
{
    expect_outside(do_maybe, 1);
    expect_outside(do_turn, 1);
}

TEST(looping_calls)
{
    expect_outside(do_loop, 2);
    expect_outside(do_counted_loop, 2);
    expect_outside(do_loop_later, 1);
}

TEST(waiting)
{
    expect_outside(do_await_with_levels, 1);
    expect_outside(do_sleep, 2);
}

TEST(starting)
{
    expect_outside(do_go, 2);
}

/* The harness no longer knows that reactor, as its hooks are replaced. */
static void expect_hook_outside(act_fn *act)
{
    static act_fn *acting;

    acting = act;
    reactor = test_reactor();
    main_frame = here();
    n_probes = n_inside = n_elsewhere = 0;
    fate_on_unhandled(reactor, unhandled, fate_none());
    fate_log_observe(reactor, FATE_LOG_DEBUG, observe, fate_none());
    fate_go(reactor, act_in_body, fate_ptr(&acting));
    EXPECT_EQ(n_inside, 0);
    EXPECT_EQ(n_elsewhere, 0);
    EXPECT_EQ(n_probes, 1);
    fate_reactor_free(reactor);
}

TEST(reports_of_unhandled_failures)
{
    expect_hook_outside(do_forget);
    expect_hook_outside(do_release);
}

TEST(observers_of_the_log)
{
    expect_hook_outside(do_fire_twice);
    expect_hook_outside(do_log);
}

/* ---- What has many frames to return through ---- */

static fate_value fire_in_callback(fate_value *result, fate_value *d)
{
    probe();
    fate_fire(fate_as_ptr(d), fate_take(result));
    return fate_none();
}

static void do_fire_nested(fate_coro *co)
{
    fate_deferred *d = with_level();
    fate_deferred *outer = fate_add_both(fate_deferred_new(reactor), fire_in_callback, fate_ptr(d));
    fate_fire(outer, fate_int(1));
}

TEST(what_callbacks_call)
{
    expect_outside(do_fire_nested, 2);
}

static fate_value large_level(fate_value *result, fate_value *arg)
{
    volatile char large[256 * 1024];

    for (size_t i = 0; i < sizeof large; i += 512)
        large[i] = 1;
    probe();
    return fate_take(result);
}

static void do_fire_large(fate_coro *co)
{
    fate_fire(fate_add_both(fate_deferred_new(reactor), large_level, fate_none()), fate_int(1));
}

TEST(a_callback_may_need_more_stack_than_the_coroutine_has)
{
    expect_outside(do_fire_large, 1);
}
