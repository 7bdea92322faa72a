/* Tests of src/reactor/report.c, src/reactor/trace.c and src/deferred/look.c: seeing in. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/sys.h>
#include <fate/fate.h>

#include "test.h"

static fate_reactor *reactor;
static int n_drops;

static void begin(void)
{
    n_drops = 0;
    test_suspend_failures();
    reactor = fate_reactor_new_simulated();
    test_resume_failures();
}

static void end(void)
{
    fate_reactor_free(reactor);
}

/* The report must be that. */
static void expect_report(const char *expected)
{
    char *text = NULL;
    size_t len;
    FILE *file = open_memstream(&text, &len);

    fate_reactor_report(reactor, file);
    fclose(file);
    EXPECT_STR(text, expected);
    free(text);
}

static void nothing(fate_value *arg)
{
}

static fate_value no_value(fate_value *arg)
{
    return fate_none();
}

static fate_value pass(fate_value *result, fate_value *arg)
{
    return fate_take(result);
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

static fate_value follow_it(fate_value *result, fate_value *d)
{
    return fate_follow(fate_as_ptr(d));
}

/* One that waits for another. */
static fate_deferred *waiter_for(fate_deferred *d, const char *site)
{
    fate_deferred *waiter = fate_succeed_at(reactor, fate_none(), site);
    return fate_add_callback(waiter, follow_it, fate_ptr(d));
}

/* ---- Whole reports ---- */

TEST(a_reactor_with_nothing_on_it_has_a_short_report)
{
    begin();
    fate_advance(reactor, 90 * FATE_SECOND);
    expect_report("reactor main, 90.0 s old\n  0 in all\n");
    end();
}

static fate_value wait_for_ever(fate_coro *co, fate_value *d)
{
    return fate_await_at(co, fate_as_ptr(d), "await a.c:41");
}

static void make_deferreds(void)
{
    fate_deferred *unfired = fate_deferred_new_at(reactor, "src/a.c:1");

    waiter_for(unfired, "src/a.c:2");
    fate_advance(reactor, 1500 * FATE_MILLISECOND);
    fate_hold(fate_succeed_at(reactor, fate_int(1), "src/a.c:3"));
    fate_deferred *later = fate_deferred_new_at(reactor, "src/a.c:4");
    fate_fire_later_at(later, 3 * FATE_SECOND, fate_none(), "src/a.c:5");
    fate_defer_later_at(reactor, 4 * FATE_SECOND, NULL, fate_none(), "src/a.c:6");
    fate_go_options named = { sizeof named, 0, "fetcher" };
    fate_go_at(reactor, wait_for_ever, fate_ptr(unfired), &named, "wait_for_ever src/a.c:40");
}

static void make_others(void)
{
    fate_call_later_at(reactor, FATE_NEVER, nothing, fate_none(), "nothing src/b.c:1");
    fate_add_trigger_at(reactor, FATE_AFTER, FATE_SHUTDOWN, no_value, fate_none(), "no_value src/b.c:2");
    fate_looping_call *loop = fate_looping_call_new_at(reactor, no_value, fate_none(), "no_value src/b.c:3");
    fate_looping_call_start_at(loop, 60 * FATE_SECOND, false, "src/b.c:4");
    fate_fuse_new_at(reactor, 7 * FATE_SECOND, "src/b.c:5");
    fate_lock *lock = fate_lock_new_at(reactor, "src/b.c:6");
    fate_lock_acquire_at(lock, "src/b.c:7");
    fate_lock_acquire_at(lock, "src/b.c:8");
    fate_semaphore_new_at(reactor, 5, "src/b.c:9");
    fate_queue_put(fate_queue_new_at(reactor, 3, 3, "src/b.c:10"), fate_int(1));
    fate_call_from_thread_at(reactor, nothing, fate_none(), "nothing src/b.c:11");
}

TEST(the_report_names_one_of_each)
{
    begin();
    make_deferreds();
    make_others();
    expect_report("reactor main, 1.5 s old\n"
                  "  deferred\n"
                  "     1.5 s  a.c:1: unfired\n"
                  "     1.5 s  a.c:2: waits for deferred a.c:1, unfired\n"
                  "      0 ms  a.c:3: done, held\n"
                  "      0 ms  a.c:4: waits for timer due in 3.0 s\n"
                  "      0 ms  a.c:6: waits for timer due in 4.0 s\n"
                  "      0 ms  b.c:4: unfired\n"
                  "      0 ms  b.c:8: waits for the lock\n"
                  "  coroutine\n"
                  "      0 ms  fetcher wait_for_ever a.c:40: waits for deferred a.c:1, unfired\n"
                  "  delayed call\n"
                  "      0 ms  a.c:5: due in 3.0 s\n"
                  "      0 ms  a.c:6: due in 4.0 s\n"
                  "      0 ms  b.c:5: due in 7.0 s\n"
                  "      0 ms  no_value b.c:3: due in 60.0 s\n"
                  "      0 ms  nothing b.c:1: never due\n"
                  "  trigger\n"
                  "      0 ms  no_value b.c:2\n"
                  "  looping call\n"
                  "      0 ms  no_value b.c:3: every 60.0 s, due in 60.0 s\n"
                  "  fuse\n"
                  "      0 ms  b.c:5: due in 7.0 s\n"
                  "  lock\n"
                  "      0 ms  b.c:6: held, 1 wait\n"
                  "  semaphore\n"
                  "      0 ms  b.c:9: 5 of 5 free\n"
                  "  queue\n"
                  "      0 ms  b.c:10: 1 in it\n"
                  "  posted call\n"
                  "      0 ms  nothing b.c:11: waits for the next round\n"
                  "  20 in all\n");
    end();
}

/* ---- States ---- */

/* The things of a report by their sites. */
static struct {
    char site[64], kind[32], state[512];
    fate_time age;
    const void *id, *waits_for;
} things[64];
static size_t n_things;

static void note_thing(const fate_thing *thing, fate_value *arg)
{
    if (n_things == sizeof things / sizeof things[0])
        return;
    snprintf(things[n_things].site, sizeof things[0].site, "%s", thing->site);
    snprintf(things[n_things].kind, sizeof things[0].kind, "%s", thing->kind);
    snprintf(things[n_things].state, sizeof things[0].state, "%s", thing->state);
    things[n_things].age = thing->age;
    things[n_things].id = thing->id;
    things[n_things].waits_for = thing->waits_for;
    n_things++;
}

static void look_again(void)
{
    n_things = 0;
    fate_reactor_each(reactor, note_thing, fate_none());
}

/* Of the last thing that was made there: deferreds come first. */
static const char *state_of(const char *site)
{
    look_again();
    for (size_t i = n_things; i-- > 0;)
        if (strcmp(things[i].site, site) == 0)
            return things[i].state;
    return "(not there)";
}

TEST(what_is_done_and_not_held_is_not_there)
{
    begin();
    fate_succeed_at(reactor, fate_none(), "a.c:1");
    fate_fail_at(reactor, fate_raise(&FATE_VALUE_ERROR, "v"), "a.c:2");
    look_again();
    EXPECT_EQ(n_things, 0);
    end();
}

TEST(states_of_deferreds)
{
    begin();
    fate_on_unhandled(reactor, NULL, fate_none());
    fate_deferred *failed = fate_hold(fate_fail_at(reactor, fate_raise(&FATE_VALUE_ERROR, "v"), "a.c:1"));
    fate_pause(fate_succeed_at(reactor, fate_none(), "a.c:2"));
    fate_deferred *abandoned = fate_hold(fate_deferred_new_at(reactor, "a.c:3"));
    fate_abandon(abandoned);
    EXPECT_STR(state_of("a.c:1"), "failed with ValueError, held");
    EXPECT_STR(state_of("a.c:2"), "paused");
    EXPECT_STR(state_of("a.c:3"), "abandoned by its producer");
    waiter_for(abandoned, "a.c:4");
    EXPECT_STR(state_of("a.c:4"), "waits for deferred a.c:3, abandoned by its producer");
    fate_add_errback(failed, forgive, fate_none());
    fate_release(failed);
    fate_release(abandoned);
    end();
}

static fate_value look_inside(fate_value *result, fate_value *arg)
{
    EXPECT_STR(state_of("a.c:1"), "runs its levels");
    return fate_none();
}

TEST(one_that_runs_its_levels_is_alive)
{
    begin();
    fate_deferred *d = fate_deferred_new_at(reactor, "a.c:1");
    fate_add_callback(d, look_inside, fate_none());
    fate_fire(d, fate_none());
    end();
}

static fate_value look_from_coroutine(fate_coro *co, fate_value *arg)
{
    EXPECT_STR(state_of("look_from_coroutine a.c:9"), "runs");
    return fate_none();
}

TEST(a_coroutine_may_look)
{
    begin();
    fate_go_at(reactor, look_from_coroutine, fate_none(), NULL, "look_from_coroutine a.c:9");
    end();
}

TEST(who_waits_names_what_comes_down_to_the_leaf)
{
    begin();
    fate_deferred *leaf = fate_defer_later_at(reactor, 1200 * FATE_MILLISECOND, NULL, fate_none(), "a.c:1");
    fate_deferred *d = leaf;
    static const char *const sites[] = { "a.c:2", "a.c:3", "a.c:4", "a.c:5", "a.c:6", "a.c:7", "a.c:8" };
    for (size_t i = 0; i < 7; i++)
        d = waiter_for(d, sites[i]);
    EXPECT_STR(state_of("a.c:2"), "waits for deferred a.c:1 ← timer due in 1.2 s");
    EXPECT_STR(state_of("a.c:3"), "waits for deferred a.c:2 ← deferred a.c:1 ← timer due in 1.2 s");
    EXPECT_STR(state_of("a.c:6"), "waits for deferred a.c:5 ← deferred a.c:4 ← deferred a.c:3 ← deferred "
                                  "a.c:2 ← deferred a.c:1 ← timer due in 1.2 s");
    EXPECT_STR(state_of("a.c:8"), "waits for deferred a.c:7 ← deferred a.c:6 ← deferred a.c:5 ← deferred "
                                  "a.c:4 ← … ← deferred a.c:1 ← timer due in 1.2 s");
    end();
}

TEST(waits_for_is_the_id_of_the_other)
{
    begin();
    fate_deferred *d = fate_deferred_new_at(reactor, "a.c:1");
    waiter_for(d, "a.c:2");
    fate_lock *lock = fate_lock_new_at(reactor, "a.c:3");
    fate_lock_acquire_at(lock, "a.c:4");
    fate_lock_acquire_at(lock, "a.c:5");
    look_again();
    if (n_things == 4) {
        EXPECT_PTR(things[1].waits_for, things[0].id);
        EXPECT_PTR(things[2].waits_for, things[3].id);
        EXPECT_STR(things[3].kind, "lock");
    }
    end();
}

TEST(a_list_waits_for_its_first_member_that_is_not_done)
{
    begin();
    fate_deferred *members[] = { fate_succeed_at(reactor, fate_none(), "a.c:1"),
                                 fate_deferred_new_at(reactor, "a.c:2"),
                                 fate_deferred_new_at(reactor, "a.c:3") };
    fate_settle_at(reactor, 3, members, NULL, "a.c:4");
    EXPECT_STR(state_of("a.c:4"), "waits for deferred a.c:2, unfired");
    fate_fire(members[1], fate_none());
    EXPECT_STR(state_of("a.c:4"), "waits for deferred a.c:3, unfired");
    fate_race_at(reactor, 3, members, "a.c:5");
    end();
}

TEST(a_branch_waits_for_what_it_is_a_branch_of)
{
    begin();
    fate_deferred *d = fate_deferred_new_at(reactor, "a.c:1");
    fate_branch_at(d, "a.c:2");
    fate_chain_at(d, fate_deferred_new_at(reactor, "a.c:3"), "a.c:4");
    EXPECT_STR(state_of("a.c:2"), "waits for deferred a.c:1, unfired");
    EXPECT_STR(state_of("a.c:3"), "unfired");
    end();
}

static fate_value follow_leaf(fate_value *leaf)
{
    return fate_follow(fate_as_ptr(leaf));
}

TEST(a_task_waits_for_what_its_step_has_followed)
{
    begin();
    fate_cooperator *cooperator = fate_cooperator_new_at(reactor, NULL, "a.c:1");
    fate_deferred *leaf = fate_deferred_new_at(reactor, "a.c:2");
    fate_cooperator_cooperate_at(cooperator, follow_leaf, fate_ptr(leaf), "follow_leaf a.c:3");
    fate_task paused = fate_cooperator_cooperate_at(cooperator, no_value, fate_none(), "no_value a.c:4");
    fate_task_pause(paused);
    EXPECT_STR(state_of("follow_leaf a.c:3"), "ready");
    fate_advance(reactor, 0);
    EXPECT_STR(state_of("follow_leaf a.c:3"), "waits for deferred a.c:2");
    EXPECT_STR(state_of("no_value a.c:4"), "paused");
    EXPECT_STR(state_of("a.c:1"), "started");
    EXPECT_STR(things[1].state, "waits for the end of the task");
    end();
}

/* ---- Rings ---- */

#define ABANDONED " (abandoned: only waited for by what it waits for)"

static fate_deferred *member, *list;

static fate_value follow_list(fate_value *result, fate_value *arg)
{
    return fate_follow(list);
}

/* A list whose member waits for the list. */
static bool make_ring(void)
{
    member = fate_deferred_new_at(reactor, "a.c:1");
    fate_add_callback(member, follow_list, fate_none());
    list = fate_settle_at(reactor, 1, &member, NULL, "a.c:2");
    fate_fire(member, fate_none());
    return fate_state(member) == FATE_WAITING;
}

TEST(a_ring_that_nobody_holds_is_abandoned_and_who_waits_for_it_too)
{
    begin();
    if (EXPECT(make_ring())) {
        EXPECT_STR(state_of("a.c:1"), "waits for deferred a.c:2 ← itself" ABANDONED);
        EXPECT_STR(state_of("a.c:2"), "waits for deferred a.c:1 ← itself" ABANDONED);
        fate_deferred *unfired = fate_deferred_new_at(reactor, "a.c:3");
        waiter_for(unfired, "a.c:4");
        EXPECT_STR(state_of("a.c:4"), "waits for deferred a.c:3, unfired");
        EXPECT_STR(state_of("a.c:3"), "unfired");
    }
    end();
}

TEST(a_ring_that_somebody_holds_is_not_abandoned)
{
    begin();
    if (EXPECT(make_ring())) {
        fate_hold(list);
        EXPECT_STR(state_of("a.c:1"), "waits for deferred a.c:2 ← itself");
        EXPECT_STR(state_of("a.c:2"), "waits for deferred a.c:1 ← itself");
        fate_release(list);
        EXPECT_STR(state_of("a.c:2"), "waits for deferred a.c:1 ← itself" ABANDONED);
    }
    end();
}

TEST(a_ring_with_a_timeout_is_not_abandoned)
{
    begin();
    if (EXPECT(make_ring())) {
        fate_add_timeout_at(list, FATE_SECOND, "a.c:3");
        EXPECT_STR(state_of("a.c:1"), "waits for deferred a.c:2 ← itself");
    }
    end();
}

static fate_deferred *coroutine;

static fate_value follow_coroutine(fate_value *result, fate_value *arg)
{
    return fate_follow(coroutine);
}

static fate_value await_list(fate_coro *co, fate_value *arg)
{
    return fate_await_at(co, list, "a.c:4");
}

TEST(a_coroutine_in_a_ring_is_abandoned)
{
    begin();
    fate_deferred *unfired = fate_deferred_new_at(reactor, "a.c:1");
    fate_deferred *members[] = { unfired, NULL };
    members[1] = fate_deferred_new_at(reactor, "a.c:2");
    fate_add_callback(members[1], follow_coroutine, fate_none());
    list = fate_settle_at(reactor, 1, members + 1, NULL, "a.c:3");
    coroutine = fate_go_at(reactor, await_list, fate_none(), NULL, "await_list a.c:5");
    bool is_ring = fate_fire(members[1], fate_none()) == 0 && fate_state(members[1]) == FATE_WAITING;
    if (EXPECT(is_ring)) {
        EXPECT_STR(state_of("await_list a.c:5"),
                   "waits for deferred a.c:3 ← deferred a.c:2 ← itself" ABANDONED);
        EXPECT_STR(state_of("a.c:1"), "unfired");
    }
    end();
}

TEST(a_list_with_one_member_in_a_ring_and_one_outside_has_hope)
{
    begin();
    fate_deferred *members[] = { fate_deferred_new_at(reactor, "a.c:1"),
                                 fate_deferred_new_at(reactor, "a.c:2") };
    list = fate_gather_at(reactor, 2, members, NULL, "a.c:3");
    fate_add_callback(members[0], follow_list, fate_none());
    fate_fire(members[0], fate_none());
    EXPECT_STR(state_of("a.c:3"), "waits for deferred a.c:1 ← itself");
    end();
}

/* ---- Looking ---- */

struct token {
    int number;
};

static void token_dropped(void *token)
{
    n_drops++;
}

static void count_thing(const fate_thing *thing, fate_value *arg)
{
    EXPECT_EQ(fate_unbox(struct token, arg)->number, 5);
    n_things++;
}

TEST(each_counts_and_drops_its_arg_once)
{
    begin();
    fate_deferred_new_at(reactor, "a.c:1");
    fate_advance(reactor, 1000 * FATE_SECOND);
    fate_deferred_new_at(reactor, "a.c:2");
    n_things = 0;
    fate_value arg = fate_box_with(token_dropped, struct token, 5);
    if (!LACKS(&arg))
        EXPECT_EQ(fate_reactor_each(reactor, count_thing, arg), 2);
    EXPECT_EQ(n_drops, 1);
    EXPECT_EQ(n_things, 2);
    look_again();
    EXPECT_EQ(things[0].age, 1000 * FATE_SECOND);
    end();
}

TEST(things_are_shown_oldest_first)
{
    begin();
    static const char *const sites[] = { "a.c:1", "a.c:2", "a.c:3" };
    fate_watch watches[3];
    for (size_t i = 0; i < 3; i++) {
        fate_call_later_at(reactor, (fate_time)(10 - i) * FATE_SECOND, nothing, fate_none(), sites[i]);
        watches[i] = fate_add_trigger_at(reactor, FATE_AFTER, FATE_SHUTDOWN, no_value, fate_none(), sites[i]);
        fate_advance(reactor, FATE_MILLISECOND);
    }
    fate_unwatch(watches[0]);
    fate_add_trigger_at(reactor, FATE_AFTER, FATE_SHUTDOWN, no_value, fate_none(), "a.c:4");
    look_again();
    static const char *const expected[] = { "a.c:1", "a.c:2", "a.c:3", "a.c:2", "a.c:3", "a.c:4" };
    for (size_t i = 0; n_things == 6 && i < 6; i++)
        EXPECT_STR(things[i].site, expected[i]);
    EXPECT_EQ(n_things, 6);
    end();
}

TEST(without_memory_deferreds_are_counted_and_others_shown)
{
    begin();
    fate_deferred_new_at(reactor, "a.c:1");
    fate_deferred_new_at(reactor, "a.c:2");
    fate_call_later_at(reactor, FATE_SECOND, nothing, fate_none(), "a.c:3");
    fate_add_trigger_at(reactor, FATE_AFTER, FATE_SHUTDOWN, no_value, fate_none(), "a.c:4");
    test_fail_allocation(1, true);
    expect_report(
        "reactor main, 0 ms old\n  deferred\n      0 ms  2 of them; there is no memory to tell them "
        "apart\n  delayed call\n      0 ms  a.c:3: due in 1.0 s\n  trigger\n      0 ms  a.c:4\n  3 in "
        "all\n");
    test_fail_allocation(0, false);
    end();
}

VOLUME_TEST(a_report_has_at_most_ten_thousand_lines)
{
    char *text, *at;
    size_t len, n_lines = 0;

    begin();
    for (int i = 0; i < 100000; i++)
        fate_deferred_new_at(reactor, "a.c:1");
    FILE *file = open_memstream(&text, &len);
    fate_reactor_report(reactor, file);
    fclose(file);
    for (at = text; (at = strchr(at, '\n')); at++)
        n_lines++;
    EXPECT_EQ(n_lines, 10000);
    EXPECT(strstr(text, "  and 90003 more; 100000 in all\n"));
    free(text);
    end();
}

/* A chain of waits whose leaf comes last, and last of all a ring: neither takes a time that grows with the
 * square. */
VOLUME_TEST(long_chains_of_waits_are_seen_through)
{
    begin();
    fate_deferred *leaf = fate_deferred_new_at(reactor, "a.c:1");
    fate_deferred *d = leaf;
    for (int i = 0; i < 100000; i++)
        d = waiter_for(d, "a.c:2");
    fate_add_callback(d, pass, fate_none());
    make_ring();
    look_again();
    EXPECT_STR(things[63].kind, "deferred");
    EXPECT_EQ(n_things, 64);
    end();
}

/* ---- Counts ---- */

static int64_t count_of(const char *key)
{
    fate_value counts = fate_reactor_counts(reactor);
    const fate_value *n = fate_kind_of(&counts) == FATE_KIND_DICT ? fate_dict_get(&counts, key) : NULL;
    int64_t count = n ? fate_as_int(n) : -1;

    fate_drop(counts);
    return count;
}

TEST(counts_tell_what_has_happened_and_what_is_there)
{
    begin();
    fate_call_later(reactor, FATE_SECOND, nothing, fate_none());
    fate_call_later(reactor, 3 * FATE_SECOND, nothing, fate_none());
    fate_call_from_thread(reactor, nothing, fate_none());
    fate_advance(reactor, 2 * FATE_SECOND);
    fate_deferred_new(reactor);
    fate_add_trigger(reactor, FATE_AFTER, FATE_SHUTDOWN, no_value, fate_none());
    EXPECT_EQ(count_of("turns"), 2);
    EXPECT_EQ(count_of("slow_turns"), 0);
    EXPECT_EQ(count_of("posts"), 1);
    EXPECT_EQ(count_of("timers"), 1);
    EXPECT_EQ(count_of("deferreds"), 1);
    EXPECT_EQ(count_of("watches"), 1);
    EXPECT_EQ(count_of("descriptors"), 0);
    EXPECT_EQ(count_of("busy_ns"), 0);
    EXPECT_EQ(count_of("age_ns"), 2 * FATE_SECOND);
    end();
}

/* ---- A clock that only the test moves ---- */

static struct fate__sys fake;
static const struct fate__sys *sys_before;
static long long clock_ns;

static int fake_clock(clockid_t clock, struct timespec *ret_now)
{
    ret_now->tv_sec = clock_ns / FATE_SECOND;
    ret_now->tv_nsec = clock_ns % FATE_SECOND;
    return 0;
}

/* It goes to sleep for as long as it is told to, without doing so. */
static int fake_pwait(int set, struct epoll_event *events, int n, const struct timespec *timeout,
                      const sigset_t *mask)
{
    clock_ns += timeout ? timeout->tv_sec * FATE_SECOND + timeout->tv_nsec : 0;
    return 0;
}

static int fake_poll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
    return fake_pwait(-1, NULL, 0, timeout, mask);
}

static bool begin_on_fake_clock(void)
{
    sys_before = fate__sys;
    fake = *sys_before;
    fake.clock_gettime = fake_clock;
    fake.epoll_pwait2 = fake_pwait;
    fake.ppoll = fake_poll;
    clock_ns = 1000 * FATE_SECOND;
    fate__sys = &fake;
    reactor = test_real_reactor(NULL);
    return reactor != NULL;
}

static void end_fake_clock(void)
{
    if (reactor)
        fate_reactor_free(reactor);
    fate__sys = sys_before;
}

static void work_for(fate_value *ns)
{
    clock_ns += fate_as_int(ns);
}

static void run_for(fate_time t)
{
    fate_timer stop = fate_call_later_at(reactor, t, fate_shutdown, fate_ptr(reactor), "stop a.c:9");
    if (stop.id >= 0)
        fate_run(reactor);
}

static char logged[512];

static void note_log(const fate_log_entry *entry, fate_value *arg)
{
    snprintf(logged, sizeof logged, "%s: %s", entry->site, entry->text);
}

TEST(who_blocks_the_loop_is_named_with_the_line_and_counted)
{
    logged[0] = '\0';
    if (begin_on_fake_clock()) {
        fate_log_observe(reactor, FATE_LOG_WARNING, note_log, fate_none());
        fate_call_later_at(reactor, 0, work_for, fate_int(99 * FATE_MILLISECOND), "work_for a.c:1");
        fate_call_later_at(reactor, 0, work_for, fate_int(100 * FATE_MILLISECOND), "work_for a.c:2");
        fate_call_later_at(reactor, 0, work_for, fate_int(99 * FATE_MILLISECOND), "work_for a.c:3");
        run_for(FATE_SECOND);
        EXPECT_STR(logged,
                   "work_for a.c:2: blocked the loop for 100 ms. Nothing else could happen meanwhile: "
                   "give long work to a thread (fate_defer_to_thread) or do it in steps "
                   "(fate_cooperate).");
        EXPECT_EQ(count_of("slow_turns"), 1);
    }
    end_fake_clock();
}

TEST(busy_is_the_time_in_which_the_loop_does_not_sleep)
{
    if (begin_on_fake_clock()) {
        fate_call_later(reactor, FATE_SECOND, work_for, fate_int(7 * FATE_MILLISECOND));
        fate_call_later(reactor, 2 * FATE_SECOND, work_for, fate_int(5 * FATE_MILLISECOND));
        run_for(10 * FATE_SECOND);
        EXPECT_EQ(count_of("busy_ns"), 12 * FATE_MILLISECOND);
    }
    end_fake_clock();
}

/* ---- Tracers ---- */

static char trail[512];
static fate_watch tracing, other_tracing;

static void note_turn(const char *site, fate_time took, fate_value *arg)
{
    size_t len = strlen(trail);
    snprintf(trail + len, sizeof trail - len, "%s %lld; ", site, (long long)took);
}

TEST(a_tracer_is_told_of_each_turn_and_how_long_it_took)
{
    trail[0] = '\0';
    if (begin_on_fake_clock()) {
        tracing =
            fate_reactor_trace_at(reactor, note_turn, fate_box_with(token_dropped, struct token, 1), "");
        fate_call_later_at(reactor, 0, work_for, fate_int(5), "work_for a.c:1");
        fate_call_later_at(reactor, 1, work_for, fate_int(7), "work_for a.c:2");
        run_for(FATE_SECOND);
        EXPECT_STR(trail, "work_for a.c:1 5; work_for a.c:2 7; stop a.c:9 0; ");
        n_drops = 0;
        EXPECT_EQ(fate_unwatch(tracing), 0);
        EXPECT_EQ(n_drops, 1);
    }
    end_fake_clock();
}

static void stop_tracing(const char *site, fate_time took, fate_value *arg)
{
    note_turn(site, took, arg);
    fate_unwatch(tracing);
    fate_unwatch(other_tracing);
    fate_deferred *d = fate_deferred_new(reactor);
    fate_fire(d, fate_none());
}

TEST(a_tracer_may_stop_itself_and_others)
{
    begin();
    trail[0] = '\0';
    tracing = fate_reactor_trace(reactor, stop_tracing, fate_box_with(token_dropped, struct token, 1));
    other_tracing = fate_reactor_trace(reactor, note_turn, fate_none());
    fate_call_later_at(reactor, 0, nothing, fate_none(), "first");
    fate_call_later_at(reactor, 0, nothing, fate_none(), "second");
    fate_advance(reactor, 0);
    EXPECT(strncmp(trail, "first ", 6) == 0 && !strstr(trail, "second"));
    EXPECT_EQ(n_drops, 1);
    EXPECT_EQ(fate_unwatch(tracing), -ENOENT);
    end();
}

static void begin_tracing(fate_value *arg)
{
    tracing = fate_reactor_trace(reactor, note_turn, fate_none());
}

TEST(a_tracer_is_not_told_of_the_turn_in_which_it_came)
{
    begin();
    trail[0] = '\0';
    fate_call_later_at(reactor, 0, begin_tracing, fate_none(), "first");
    fate_call_later_at(reactor, 0, nothing, fate_none(), "second");
    fate_advance(reactor, 0);
    EXPECT(!strstr(trail, "first") && strstr(trail, "second"));
    end();
}

static void trace_with_nothing(void *unused)
{
    fate_reactor_trace(fate_reactor_new_simulated(), NULL, fate_none());
}

TEST(a_null_tracer_stops_the_program)
{
    EXPECT_STOP(trace_with_nothing, NULL, "fate_reactor_trace", "NULL function");
}

/* ---- When the library prints it ---- */

static void stop_the_program(fate_value *arg)
{
    fate_deferred_new(NULL);
}

static void signal_it(void *unused)
{
    reactor = fate_reactor_new_with(.report_on_usr1 = true, .name = "second");
    fate_deferred_new_at(reactor, "a.c:1");
    raise(SIGUSR1);
    fate_call_later_at(reactor, 0, stop_the_program, fate_none(), "a.c:2");
    fate_run(reactor);
}

TEST(with_report_on_usr1_the_signal_prints_the_report)
{
    EXPECT_STOP(signal_it, NULL, "reactor second, ", " old\n  deferred\n",
                "  a.c:1: unfired\n  delayed call\n", "  a.c:2: due now\n  2 in all\n");
}

TEST(a_reactor_with_report_on_usr1_goes_without_a_trace)
{
    fate_reactor *its = fate_reactor_new_with(.report_on_usr1 = true);
    if (its)
        fate_reactor_free(its);
}

static void leave_something(void *what)
{
    setenv("FATE_DEBUG", "1", 1);
    reactor = fate_reactor_new_simulated();
    fate_log_observe(reactor, FATE_LOG_INFO, note_log, fate_none());
    fate_succeed_at(reactor, fate_none(), "a.c:2");
    if (what)
        fate_deferred_new_at(reactor, "a.c:1");
    fate_reactor_free(reactor);
    fprintf(stderr, "END");
    fate_deferred_new(NULL);
}

TEST(with_fate_debug_what_is_left_is_printed_when_the_reactor_is_freed)
{
    EXPECT_STOP(leave_something, "something",
                "fate_reactor_free: this is left.\nreactor main, 0 ms old\n  deferred\n      0 ms  a.c:1: "
                "unfired\n  observer\n",
                "  2 in all\nEND");
    EXPECT_STOP(leave_something, NULL, "END");
}
