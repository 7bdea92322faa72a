/* Tests of what the programmer does wrong: each stop names the rule, the places and the remedy.  What honest parties
 * bring about by racing is refused and logged (DESIGN, 9). */
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
