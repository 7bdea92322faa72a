/* Tests of what the programmer does wrong: each stop names the rule, the places and the remedy.  What honest
 * parties bring about by racing is refused and logged (DESIGN, 9). */
#include <errno.h>
#include <string.h>

#include <fate/fate.h>

#include "test.h"

/* ---- A lent value returned untaken ---- */

static fate_value return_result(fate_value *result, fate_value *arg)
{
    return *result;
}

static fate_value return_arg(fate_value *result, fate_value *arg)
{
    return *arg;
}

static fate_value return_copies(fate_value *result, fate_value *arg)
{
    fate_drop(fate_copy(arg));
    return fate_copy(result);
}

static void pass_result_untaken(void *unused)
{
    fate_deferred *d = fate_succeed(fate_reactor_new_simulated(), fate_str("text"));
    fate_add_callback(d, return_result, fate_none());
}

static void pass_failure_untaken(void *unused)
{
    fate_deferred *d = fate_deferred_new(fate_reactor_new_simulated());
    fate_add_both(d, return_result, fate_none());
    fate_fire(d, fate_raise(&FATE_ERROR, "x"));
}

static void pass_arg_untaken(void *unused)
{
    fate_deferred *d = fate_succeed(fate_reactor_new_simulated(), fate_none());
    fate_add_callback(d, return_arg, fate_str("text"));
}

static fate_value give_arg_untaken(fate_value *arg)
{
    return *arg;
}

static void return_arg_from_maybe(void *unused)
{
    fate_maybe(fate_reactor_new_simulated(), give_arg_untaken, fate_str("text"));
}

static void return_arg_from_lock_run(void *unused)
{
    fate_lock_run(fate_lock_new(fate_reactor_new_simulated()), give_arg_untaken, fate_str("text"));
}

TEST(a_callback_that_returns_its_result_untaken_is_named)
{
    EXPECT_STOP(pass_result_untaken, NULL, "return_result test_misuse.c:", "*result", "only lent", "rule 1",
                "fate_take(result)");
    EXPECT_STOP(pass_failure_untaken, NULL, "return_result test_misuse.c:", "fate_take(result)");
}

TEST(a_callback_that_returns_its_arg_untaken_is_named)
{
    EXPECT_STOP(pass_arg_untaken, NULL, "return_arg test_misuse.c:", "*arg", "rule 1", "fate_take(arg)");
}

TEST(a_function_that_returns_its_arg_untaken_is_named)
{
    EXPECT_STOP(return_arg_from_maybe, NULL, "give_arg_untaken test_misuse.c:", "*arg", "fate_take(arg)");
    EXPECT_STOP(return_arg_from_lock_run, NULL, "give_arg_untaken test_misuse.c:", "*arg", "fate_take(arg)");
}

#ifdef FATE_DEBUG_CHECKS
static void pass_shared_result_untaken(void *unused)
{
    fate_value text = fate_str("text");
    fate_deferred *d = fate_succeed(fate_reactor_new_simulated(), fate_copy(&text));

    fate_add_callback(d, return_result, fate_none());
}

static void pass_shared_arg_untaken(void *unused)
{
    fate_value text = fate_str("text");
    fate_deferred *d = fate_succeed(fate_reactor_new_simulated(), fate_none());

    fate_add_callback(d, return_arg, fate_copy(&text));
}

static fate_value fire_with_result(fate_value *result, fate_value *d)
{
    fate_fire(fate_as_ptr(d), *result);
    return fate_none();
}

static void give_lent_result(void *unused)
{
    fate_reactor *reactor = fate_reactor_new_simulated();
    fate_deferred *d = fate_deferred_new(reactor);

    fate_add_callback(fate_succeed(reactor, fate_str("text")), fire_with_result, fate_ptr(d));
}

static fate_value list_of_result(fate_value *result, fate_value *arg)
{
    return fate_list_of(*result);
}

static void put_lent_result_in_list(void *unused)
{
    fate_deferred *d = fate_succeed(fate_reactor_new_simulated(), fate_str("text"));
    fate_add_callback(d, list_of_result, fate_none());
}

static void return_shared_arg_from_maybe(void *unused)
{
    fate_value text = fate_str("text");
    fate_maybe(fate_reactor_new_simulated(), give_arg_untaken, fate_copy(&text));
}

TEST(a_debug_build_finds_shared_values_that_are_returned_untaken)
{
    EXPECT_STOP(pass_shared_result_untaken, NULL, "return_result test_misuse.c:", "fate_take(result)");
    EXPECT_STOP(pass_shared_arg_untaken, NULL, "return_arg test_misuse.c:", "fate_take(arg)");
    EXPECT_STOP(return_shared_arg_from_maybe, NULL, "give_arg_untaken test_misuse.c:", "fate_take(arg)");
}

TEST(a_debug_build_finds_lent_values_that_are_given_away)
{
    EXPECT_STOP(give_lent_result, NULL, "fate_fire", "only lent", "fate_take(&value)", "fate_copy(&value)");
    EXPECT_STOP(put_lent_result_in_list, NULL, "fate_list", "only lent", "fate_take(&value)");
}
#endif

TEST(copies_of_what_is_lent_may_be_returned)
{
    fate_deferred *d = fate_hold(fate_succeed(test_reactor(), fate_str("text")));

    fate_add_callback(d, return_copies, fate_str("arg"));
    EXPECT_TEXT(fate_peek(d), "text");
}

TEST(simple_values_may_be_returned_untaken)
{
    fate_deferred *d = fate_hold(fate_succeed(test_reactor(), fate_int(5)));

    fate_add_callback(d, return_result, fate_none());
    EXPECT_INT(fate_peek(d), 5);
    fate_add_callback(d, return_arg, fate_float(0.5));
    EXPECT_DESCRIBED(fate_peek(d), "0.5");
}

/* ---- A deferred that has gone ---- */

static fate_value ignore(fate_value *result, fate_value *arg)
{
    return fate_none();
}

static void use_fire(fate_deferred *d)
{
    fate_fire(d, fate_none());
}

static void use_abandon(fate_deferred *d)
{
    fate_abandon(d);
}

static void use_forget(fate_deferred *d)
{
    fate_forget(d);
}

static void use_add_callback(fate_deferred *d)
{
    fate_add_callback(d, ignore, fate_none());
}

static void use_add_errback(fate_deferred *d)
{
    fate_add_errback(d, ignore, fate_none());
}

static void use_add_both(fate_deferred *d)
{
    fate_add_both(d, ignore, fate_none());
}

static void use_add_callbacks(fate_deferred *d)
{
    fate_add_callbacks(d, ignore, ignore, fate_none());
}

static void use_add_trap(fate_deferred *d)
{
    fate_add_trap(d, &FATE_ERROR, ignore, fate_none());
}

static void use_add_handlers(fate_deferred *d)
{
    fate_add_handlers(d, .callback = ignore);
}

static void use_hold(fate_deferred *d)
{
    fate_hold(d);
}

static void use_release(fate_deferred *d)
{
    fate_release(d);
}

static void use_held(fate_deferred *d)
{
    fate_drop(fate_held(d));
}

static void use_cancel(fate_deferred *d)
{
    fate_cancel(d);
}

static void use_pause(fate_deferred *d)
{
    fate_pause(d);
}

static void use_unpause(fate_deferred *d)
{
    fate_unpause(d);
}

static void use_state(fate_deferred *d)
{
    fate_state(d);
}

static void use_peek(fate_deferred *d)
{
    fate_peek(d);
}

static void use_follow(fate_deferred *d)
{
    fate_follow(d);
}

static void use_chain(fate_deferred *d)
{
    fate_chain(d, fate_deferred_new(fate_reactor_new_simulated()));
}

static void use_branch(fate_deferred *d)
{
    fate_branch(d);
}

static void use_fire_later(fate_deferred *d)
{
    fate_fire_later(d, 0, fate_none());
}

static void use_add_timeout(fate_deferred *d)
{
    fate_add_timeout(d, 0);
}

static void use_gather(fate_deferred *d)
{
    fate_gather_of(fate_reactor_new_simulated(), d);
}

static void use_settle(fate_deferred *d)
{
    fate_settle_of(fate_reactor_new_simulated(), d);
}

static void use_race(fate_deferred *d)
{
    fate_race_of(fate_reactor_new_simulated(), d);
}

static const struct use {
    const char *named; /* in the message; fate_peek asks fate_state, a gather fate_gather */
    void (*use)(fate_deferred *d);
} uses[] = {
    { "fate_fire", use_fire },
    { "fate_abandon", use_abandon },
    { "fate_forget", use_forget },
    { "fate_add_callback", use_add_callback },
    { "fate_add_errback", use_add_errback },
    { "fate_add_both", use_add_both },
    { "fate_add_callbacks", use_add_callbacks },
    { "fate_add_trap", use_add_trap },
    { "fate_add_handlers", use_add_handlers },
    { "fate_hold", use_hold },
    { "fate_release", use_release },
    { "fate_hold", use_held },
    { "fate_cancel", use_cancel },
    { "fate_pause", use_pause },
    { "fate_unpause", use_unpause },
    { "fate_state", use_state },
    { "fate_state", use_peek },
    { "fate_follow", use_follow },
    { "fate_chain", use_chain },
    { "fate_branch", use_branch },
    { "fate_fire", use_fire_later },
    { "fate_add_timeout", use_add_timeout },
    { "fate_gather", use_gather },
    { "fate_settle", use_settle },
    { "fate_race", use_race },
};

#define N_USES (sizeof uses / sizeof uses[0])

static void use_one_that_has_gone(void *arg)
{
    const struct use *use = arg;
    fate_reactor *reactor = fate_reactor_new_simulated();
    fate_deferred *d = fate_succeed(reactor, fate_none());

    fate_advance(reactor, 0);
    use->use(d);
}

static void use_none(void *arg)
{
    const struct use *use = arg;
    use->use(NULL);
}

static void use_garbage(void *arg)
{
    static uint64_t garbage[64];
    const struct use *use = arg;

    use->use((fate_deferred *)(void *)garbage);
}

TEST(every_use_of_a_deferred_that_has_gone_stops)
{
    for (size_t i = 0; i < N_USES; i++)
        EXPECT_STOP(use_one_that_has_gone, (void *)(uintptr_t)&uses[i], uses[i].named,
                    "the deferred made at test_misuse.c:", "has gone", "rule 2", "fate_hold");
}

TEST(every_use_of_a_null_deferred_stops)
{
    for (size_t i = 0; i < N_USES; i++)
        EXPECT_STOP(use_none, (void *)(uintptr_t)&uses[i], uses[i].named, "NULL deferred");
}

TEST(every_use_of_what_is_no_deferred_stops)
{
    for (size_t i = 0; i < N_USES; i++)
        EXPECT_STOP(use_garbage, (void *)(uintptr_t)&uses[i], uses[i].named, "no deferred");
}

static void chain_to_one_that_has_gone(void *unused)
{
    fate_reactor *reactor = fate_reactor_new_simulated();
    fate_deferred *d = fate_succeed(reactor, fate_none());

    fate_advance(reactor, 0);
    fate_chain(fate_deferred_new(reactor), d);
}

static void fire_twice_after_the_turn(void *unused)
{
    fate_reactor *reactor = fate_reactor_new_simulated();
    fate_deferred *d = fate_deferred_new(reactor);

    fate_fire(d, fate_none());
    fate_advance(reactor, 0);
    fate_fire(d, fate_none());
}

static fate_value follow_ptr(fate_value *result, fate_value *d)
{
    return fate_follow(fate_as_ptr(d));
}

static void add_to_one_that_was_followed(void *unused)
{
    fate_reactor *reactor = fate_reactor_new_simulated();
    fate_deferred *inner = fate_succeed(reactor, fate_none());
    fate_deferred *outer = fate_succeed(reactor, fate_none());

    fate_add_callback(outer, follow_ptr, fate_ptr(inner));
    fate_add_callback(inner, ignore, fate_none());
}

static void use_one_after_many_others(void *unused)
{
    fate_reactor *reactor = fate_reactor_new_simulated();
    fate_deferred *d = fate_succeed(reactor, fate_none());

    fate_advance(reactor, 0);
    for (int i = 0; i < 20; i++) {
        fate_succeed(reactor, fate_none());
        fate_advance(reactor, 0);
    }
    fate_cancel(d);
}

TEST(what_goes_by_each_rule_is_found_to_have_gone)
{
    EXPECT_STOP(chain_to_one_that_has_gone, NULL, "fate_chain", "has gone");
    EXPECT_STOP(fire_twice_after_the_turn, NULL, "test_misuse.c:", "fate_fire", "has gone");
    EXPECT_STOP(add_to_one_that_was_followed, NULL, "fate_add_callback", "has gone", "followed");
    EXPECT_STOP(use_one_after_many_others, NULL, "fate_cancel", "has gone");
}

static void bring_two_late_results(void *unused)
{
    fate_reactor *reactor = fate_reactor_new_simulated();
    fate_deferred *d = fate_add_errback(fate_deferred_new(reactor), ignore, fate_none());

    fate_cancel(d);
    fate_advance(reactor, 0);
    fate_fire(d, fate_none());
    fate_fire(d, fate_none());
}

static void cancel_a_bare_one(void *unused)
{
    fate_reactor *reactor = fate_reactor_new_simulated();
    fate_deferred *d = fate_add_errback(fate_deferred_new(reactor), ignore, fate_none());

    fate_cancel(d);
    fate_advance(reactor, 0);
    fate_cancel(d);
}

TEST(a_bare_block_is_for_one_late_result_only)
{
    EXPECT_STOP(bring_two_late_results, NULL, "fate_fire", "has gone");
    EXPECT_STOP(cancel_a_bare_one, NULL, "fate_cancel", "has gone");
}

static void release_without_hold(void *unused)
{
    fate_release(fate_deferred_new(fate_reactor_new_simulated()));
}

TEST(a_release_without_a_hold_stops)
{
    EXPECT_STOP(release_without_hold, NULL, "fate_release", "test_misuse.c:", "fate_hold", "rule 2");
}

/* ---- Values of another type ---- */

static void read_int_as_lock(void *unused)
{
    fate_value v = fate_int(5);
    fate_as_lock(&v);
}

static void read_lock_as_semaphore(void *unused)
{
    fate_deferred *d = fate_lock_acquire(fate_lock_new(fate_reactor_new_simulated()));
    fate_as_semaphore(fate_peek(d));
}

static void read_none_as_deferred(void *unused)
{
    fate_value v = fate_none();
    fate_as_deferred(&v);
}

static void read_int_as_loop(void *unused)
{
    fate_value v = fate_int(5);
    fate_as_looping_call(&v);
}

struct apple {
    int seeds;
};

struct pear {
    int seeds;
};

static void read_apple_as_pear(void *unused)
{
    fate_value v = fate_box(struct apple, 5);
    fate_unbox(struct pear, &v);
}

TEST(a_value_read_as_another_type_stops)
{
    EXPECT_STOP(read_int_as_lock, NULL, "fate_as_lock", "an int (5)", "lock");
    EXPECT_STOP(read_lock_as_semaphore, NULL, "fate_as_semaphore", "a lock", "semaphore");
    EXPECT_STOP(read_none_as_deferred, NULL, "fate_as_deferred", "none", "deferred");
    EXPECT_STOP(read_int_as_loop, NULL, "fate_as_looping_call", "an int (5)", "looping call");
    EXPECT_STOP(read_apple_as_pear, NULL, "test_misuse.c:", "a box of struct apple", "struct pear",
                "fate_is_box");
}

/* ---- No reactor ---- */

static fate_value nothing(fate_value *arg)
{
    return fate_none();
}

static void do_nothing(fate_value *arg)
{
}

static void make_deferred(void *unused)
{
    fate_deferred_new(NULL);
}

static void make_cancellable(void *unused)
{
    fate_deferred_new_cancellable(NULL, NULL, fate_none());
}

static void call_later(void *unused)
{
    fate_call_later(NULL, 0, do_nothing, fate_none());
}

static void defer_later(void *unused)
{
    fate_defer_later(NULL, 0, nothing, fate_none());
}

static void make_loop(void *unused)
{
    fate_looping_call_new(NULL, nothing, fate_none());
}

static void make_lock(void *unused)
{
    fate_lock_new(NULL);
}

static void make_queue(void *unused)
{
    fate_queue_new(NULL, 1, 1);
}

static void gather_nothing(void *unused)
{
    fate_gather(NULL, 0, NULL);
}

static void run_nothing(void *unused)
{
    fate_run(NULL);
}

static void advance_nothing(void *unused)
{
    fate_advance(NULL, 0);
}

static void turn_nothing(void *unused)
{
    fate_turn(NULL, do_nothing, fate_none());
}

static void log_to_nothing(void *unused)
{
    fate_log(NULL, FATE_LOG_INFO, "text");
}

static const struct needing_reactor {
    const char *named;
    void (*use)(void *unused);
} needing_reactor[] = {
    { "fate_deferred_new", make_deferred },
    { "fate_deferred_new_cancellable", make_cancellable },
    { "fate_call_later", call_later },
    { "fate_defer_later", defer_later },
    { "fate_looping_call_new", make_loop },
    { "fate_lock_new", make_lock },
    { "fate_queue_new", make_queue },
    { "fate_gather", gather_nothing },
    { "fate_run", run_nothing },
    { "fate_advance", advance_nothing },
    { "fate_turn", turn_nothing },
    { "fate_log", log_to_nothing },
};

TEST(every_use_of_a_null_reactor_stops)
{
    for (size_t i = 0; i < sizeof needing_reactor / sizeof needing_reactor[0]; i++)
        EXPECT_STOP(needing_reactor[i].use, NULL, needing_reactor[i].named, "NULL reactor",
                    "check it once, where it is made");
}

/* ---- fate_follow in another place ---- */

static fate_value some_follow(void)
{
    return fate_follow(fate_deferred_new(fate_reactor_new_simulated()));
}

static void fire_with_follow(void *unused)
{
    fate_fire(fate_deferred_new(fate_reactor_new_simulated()), some_follow());
}

static void succeed_with_follow(void *unused)
{
    fate_succeed(fate_reactor_new_simulated(), some_follow());
}

static void list_follow(void *unused)
{
    fate_list_of(some_follow());
}

static void append_follow(void *unused)
{
    fate_value list = fate_list_of(fate_int(1));
    fate_list_append(&list, some_follow());
}

static void key_follow(void *unused)
{
    fate_value dict = fate_dict();
    fate_dict_set(&dict, "k", some_follow());
}

static void add_with_follow(void *unused)
{
    fate_add_callback(fate_deferred_new(fate_reactor_new_simulated()), ignore, some_follow());
}

static void call_later_with_follow(void *unused)
{
    fate_call_later(fate_reactor_new_simulated(), 0, do_nothing, some_follow());
}

static void put_follow(void *unused)
{
    fate_queue_put(fate_queue_new(fate_reactor_new_simulated(), 1, 1), some_follow());
}

static void raise_with_follow(void *unused)
{
    fate_raise_with(&FATE_ERROR, some_follow(), "x");
}

static void fire_later_with_follow(void *unused)
{
    fate_fire_later(fate_deferred_new(fate_reactor_new_simulated()), 0, some_follow());
}

TEST(a_follow_anywhere_but_as_a_return_stops)
{
    EXPECT_STOP(fire_with_follow, NULL, "fate_fire", "fate_follow(d)", "only as the return", "fate_held(d)");
    EXPECT_STOP(succeed_with_follow, NULL, "fate_succeed", "only as the return");
    EXPECT_STOP(list_follow, NULL, "fate_list", "only as the return");
    EXPECT_STOP(append_follow, NULL, "fate_list_append", "only as the return");
    EXPECT_STOP(key_follow, NULL, "fate_dict_set", "only as the return");
    EXPECT_STOP(add_with_follow, NULL, "fate_add_callback", "only as the return");
    EXPECT_STOP(call_later_with_follow, NULL, "fate_call_later", "only as the return");
    EXPECT_STOP(put_follow, NULL, "fate_queue_put", "only as the return");
    EXPECT_STOP(raise_with_follow, NULL, "fate_raise", "only as the return");
    EXPECT_STOP(fire_later_with_follow, NULL, "fate_fire_later", "only as the return");
}

/* ---- The rest ---- */

static void release_free_lock(void *unused)
{
    fate_lock_release(fate_lock_new(fate_reactor_new_simulated()));
}

static void release_full_semaphore(void *unused)
{
    fate_semaphore *semaphore = fate_semaphore_new(fate_reactor_new_simulated(), 2);

    fate_semaphore_acquire(semaphore);
    fate_semaphore_release(semaphore);
    fate_semaphore_release(semaphore);
}

static void make_empty_semaphore(void *unused)
{
    fate_semaphore_new(fate_reactor_new_simulated(), 0);
}

TEST(releasing_what_was_not_acquired_stops)
{
    EXPECT_STOP(release_free_lock, NULL, "free lock", "R125", "fate_lock_run");
    EXPECT_STOP(release_full_semaphore, NULL, "free semaphore", "R131", "fate_semaphore_run");
    EXPECT_STOP(make_empty_semaphore, NULL, "0 tokens", "R131");
}

static void chain_to_branch(void *unused)
{
    fate_deferred *d = fate_deferred_new(fate_reactor_new_simulated());
    fate_chain(d, fate_branch(d));
}

static void fail_with_value(void *unused)
{
    fate_fail(fate_reactor_new_simulated(), fate_int(5));
}

static void start_twice(void *unused)
{
    fate_looping_call *loop = fate_looping_call_new(fate_reactor_new_simulated(), nothing, fate_none());

    fate_looping_call_start(loop, FATE_SECOND, false);
    fate_looping_call_start(loop, FATE_SECOND, false);
}

static void go_back(void *unused)
{
    fate_advance(fate_reactor_new_simulated(), -1);
}

static void add_null_callback(void *unused)
{
    fate_add_callback(fate_deferred_new(fate_reactor_new_simulated()), NULL, fate_none());
}

TEST(other_misuses_stop_with_a_remedy)
{
    EXPECT_STOP(chain_to_branch, NULL, "test_misuse.c:", "fate_chain", "library", "fate_deferred_new");
    EXPECT_STOP(fail_with_value, NULL, "test_misuse.c:", "fate_fail", "no failure", "fate_raise",
                "fate_succeed");
    EXPECT_STOP(start_twice, NULL, "test_misuse.c:", "fate_looping_call_start", "R203");
    EXPECT_STOP(go_back, NULL, "fate_advance", "forward");
    EXPECT_STOP(add_null_callback, NULL, "test_misuse.c:", "fate_add_callback", "NULL");
}

/* ---- Inside an event ---- */

static void advance_inside(fate_value *reactor)
{
    fate_advance(fate_as_ptr(reactor), 0);
}

static void play_inside(fate_value *reactor)
{
    fate_play(fate_as_ptr(reactor), 0);
}

static void run_inside(fate_value *reactor)
{
    fate_run(fate_as_ptr(reactor));
}

static void free_inside(fate_value *reactor)
{
    fate_reactor_free(fate_as_ptr(reactor));
}

static const struct entering {
    const char *named;
    fate_action *enter;
} entering[] = {
    { "fate_advance", advance_inside },
    { "fate_play", play_inside },
    { "fate_run", run_inside },
    { "fate_reactor_free", free_inside },
};

static void enter_in_a_timer(void *arg)
{
    fate_reactor *reactor = fate_reactor_new_simulated();

    fate_call_later(reactor, 0, ((const struct entering *)arg)->enter, fate_ptr(reactor));
    fate_advance(reactor, 0);
}

static void enter_in_a_turn(void *arg)
{
    fate_reactor *reactor = fate_reactor_new_simulated();
    fate_turn(reactor, ((const struct entering *)arg)->enter, fate_ptr(reactor));
}

TEST(entering_the_reactor_inside_an_event_stops)
{
    for (size_t i = 0; i < sizeof entering / sizeof entering[0]; i++) {
        void *arg = (void *)(uintptr_t)&entering[i];
        EXPECT_STOP(enter_in_a_timer, arg, entering[i].named, "inside an event", "fate_call_later");
        EXPECT_STOP(enter_in_a_turn, arg, entering[i].named, "inside an event");
    }
}
