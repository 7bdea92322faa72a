/* Flows in which the n-th allocation fails, for every n: each result is the full value or want of memory, and
 * every deferred ends exactly once. */
#include <stdlib.h>

#include <base/alloc.h>
#include <fate/fate.h>

#include "test.h"

static fate_reactor *reactor;

/* ---- An allocator that fails: blocks of slabs count, too ---- */

static struct {
    unsigned long count, fail_at; /* 0: nothing fails */
    bool is_lasting, has_failed;
    int suspended;
    long blocks;
} memory;

static bool may_allocate(void)
{
    if (!memory.fail_at || memory.suspended)
        return true;
    unsigned long count = ++memory.count;
    if (count != memory.fail_at && !(memory.is_lasting && count > memory.fail_at))
        return true;
    memory.has_failed = true;
    return false;
}

static void *obtain(size_t bytes, void *user)
{
    void *block = may_allocate() ? malloc(bytes) : NULL;
    memory.blocks += block != NULL;
    return block;
}

static void *resize(void *block, size_t bytes, void *user)
{
    void *resized = may_allocate() ? realloc(block, bytes) : NULL;
    memory.blocks += resized && !block;
    return resized;
}

static void release(void *block, void *user)
{
    memory.blocks -= block != NULL;
    free(block);
}

/* The harness' own allocator does not count what slabs give; nothing of it is alive between tests.  Under
 * --oom it stays, and the flows run once each. */
static void use_own_memory(void)
{
    static const fate_allocator own = { obtain, resize, release, NULL };

    if (test_is_oom())
        return;
    fate_set_allocator(&own);
    fate__on_block = may_allocate;
}

static void set_failing(unsigned long n, bool is_lasting)
{
    memory.fail_at = n;
    memory.count = 0;
    memory.is_lasting = is_lasting;
    memory.has_failed = false;
}

/* ---- The ends of a flow ---- */

#define ENDS_MAX 16

/* How often each of the flow's deferreds has ended, and in what: the value expected, want of memory, or else.
 */
static struct {
    fate_deferred *d; /* held */
    int n, lacking, wrong;
} ends[ENDS_MAX];
static size_t n_watched;
static const char *wanted[ENDS_MAX];

/* Compared without memory: what a failing allocation would say of the value is not to disturb. */
static bool is_wanted(const fate_value *v, const char *expected)
{
    memory.suspended++;
    test_suspend_failures();
    fate_value text = fate_describe(v);
    bool is_equal = false;
    const char *s;
    if (fate_get_str(&text, &s))
        is_equal = EXPECT_STR(s, expected);
    fate_drop(text);
    test_resume_failures();
    memory.suspended--;
    return is_equal;
}

static bool lacks_memory(const fate_value *v)
{
    while (v && fate_is_failure(v) && !fate_is(v, &FATE_NO_MEMORY))
        v = fate_cause(v);
    return v && fate_is_failure(v);
}

/* Results that settle keeps may lack it one by one. */
static bool has_lacking_item(const fate_value *v)
{
    if (fate_kind_of(v) != FATE_KIND_LIST)
        return false;
    for (size_t i = 0; i < fate_count(v); i++)
        if (lacks_memory(fate_at(v, i)))
            return true;
    return false;
}

/* The level that notes the end may be what there was no memory for: then the failure lies in the deferred, to
 * be reported when it goes. */
static void note_lost_level(size_t i)
{
    const fate_value *left = fate_peek(ends[i].d);

    if (ends[i].n == 0 && left && lacks_memory(left)) {
        ends[i].n++;
        ends[i].lacking++;
    }
}

static fate_value ended(fate_value *result, fate_value *arg)
{
    int64_t i = fate_as_int(arg);

    ends[i].n++;
    if (lacks_memory(result) || has_lacking_item(result))
        ends[i].lacking++;
    else if (!is_wanted(result, wanted[i]))
        ends[i].wrong++;
    return fate_none();
}

/* d is to end in what is described so, once. */
static void watch(fate_deferred *d, const char *expected)
{
    size_t i = n_watched++;

    wanted[i] = expected;
    ends[i].d = fate_hold(d);
    fate_add_both(d, ended, fate_int((int64_t)i));
}

static void ignore_report(const fate_unhandled *what, fate_value *arg)
{
}

static void ignore_log(const fate_log_entry *entry, fate_value *arg)
{
}

static void begin(void)
{
    for (size_t i = 0; i < ENDS_MAX; i++)
        ends[i].n = ends[i].lacking = ends[i].wrong = 0;
    n_watched = 0;
    memory.suspended++;
    test_suspend_failures();
    reactor = fate_reactor_new_simulated();
    fate_on_unhandled(reactor, ignore_report, fate_none());
    fate_log_observe(reactor, FATE_LOG_DEBUG, ignore_log, fate_none());
    test_resume_failures();
    memory.suspended--;
}

/* All that were watched have ended as they should, where the n-th allocation failed. */
static bool expect_ends(unsigned long n, bool has_failed)
{
    bool holds = true;

    for (size_t i = 0; i < n_watched; i++) {
        note_lost_level(i);
        holds &= EXPECT_EQ(ends[i].n, 1);
        holds &= EXPECT_EQ(ends[i].wrong, 0);
        holds &= EXPECT(has_failed || !ends[i].lacking);
        if (!holds)
            return EXPECT_EQ(n, -1) || EXPECT_EQ(i, -1); /* says which */
    }
    return holds;
}

/* Runs the flow with all memory, and then with the n-th allocation failing until none has failed. */
static void fail_each_in(void (*flow)(void), bool is_lasting)
{
    use_own_memory();
    for (unsigned long n = 0;; n++) {
        long blocks = memory.blocks;
        begin();
        set_failing(test_is_oom() ? 0 : n, is_lasting);
        flow();
        memory.fail_at = 0;
        bool has_failed = memory.has_failed;
        bool holds = expect_ends(n, has_failed);
        fate_reactor_free(reactor);
        holds &= EXPECT_EQ(memory.blocks, blocks);
        if (!holds || (n && !has_failed) || test_is_oom())
            return;
    }
}

static void fail_each(void (*flow)(void))
{
    fail_each_in(flow, false);
    fail_each_in(flow, true);
}

static fate_deferred *held(void)
{
    return fate_hold(fate_deferred_new(reactor));
}

static fate_value pass(fate_value *result, fate_value *arg)
{
    return fate_take(result);
}

/* A held one that has no room inside for another level. */
static fate_deferred *crowded(void)
{
    fate_deferred *d = held();

    for (int i = 0; i < 3; i++)
        fate_add_both(d, pass, fate_none());
    return d;
}

static fate_value follow(fate_value *result, fate_value *d)
{
    return fate_follow(fate_as_ptr(d));
}

/* ---- The flows ---- */

struct number {
    int64_t n;
};

static fate_value add_number(fate_value *result, fate_value *arg)
{
    return fate_int(fate_as_int(result) + fate_unbox(struct number, arg)->n);
}

static void twelve_levels(void)
{
    fate_deferred *d = held();

    for (int i = 1; i <= 12; i++)
        fate_add_callback(d, add_number, fate_box(struct number, i));
    watch(d, "78");
    fate_fire(d, fate_int(0));
}

TEST(a_chain_of_twelve_levels)
{
    fail_each(twelve_levels);
}

static void twenty_pairs(void)
{
    fate_deferred *d = held();

    for (int i = 1; i <= 20; i++)
        fate_add_handlers(d, .callback = add_number, .callback_arg = fate_box(struct number, 1));
    watch(d, "20");
    fate_fire(d, fate_int(0));
}

TEST(a_chain_of_twenty_pairs)
{
    fail_each(twenty_pairs);
}

static void settled(void)
{
    fate_deferred *members[4];

    for (int i = 0; i < 4; i++)
        members[i] = crowded();
    watch(fate_settle(reactor, 4, members), "[0, 10, 20, 30]");
    for (int i = 0; i < 4; i++)
        watch(members[i], i == 0 ? "0" : i == 1 ? "10" : i == 2 ? "20" : "30");
    for (int i = 0; i < 4; i++)
        fate_fire(members[i], fate_int(10 * i));
}

static void gathered(void)
{
    fate_deferred *members[4];

    for (int i = 0; i < 4; i++)
        members[i] = crowded();
    watch(fate_gather_with(reactor, 4, members, .consume_errors = true), "[0, 10, 20, 30]");
    for (int i = 0; i < 4; i++)
        fate_fire(members[i], fate_int(10 * i));
}

TEST(a_gather_of_four)
{
    fail_each(gathered);
}

static fate_value winning_value(fate_value *result, fate_value *arg)
{
    return fate_take_at(result, 1);
}

static void raced(void)
{
    fate_deferred *members[3];

    for (int i = 0; i < 3; i++)
        members[i] = crowded();
    watch(fate_add_callback(fate_race(reactor, 3, members), winning_value, fate_none()), "5");
    for (int i = 0; i < 3; i++)
        fate_fire(members[i], fate_int(5));
}

TEST(settling_four)
{
    fail_each(settled);
}

TEST(a_race_of_three)
{
    fail_each(raced);
}

static void branched(void)
{
    fate_deferred *d = crowded();

    for (int i = 0; i < 5; i++)
        watch(fate_branch(d), "5");
    watch(d, "5");
    fate_fire(d, fate_int(5));
}

TEST(five_branches)
{
    fail_each(branched);
}

static void chained(void)
{
    fate_deferred *first = held(), *d = first;

    for (int i = 0; i < 5; i++) {
        fate_deferred *next = held();
        for (int j = 0; j < 4; j++)
            fate_add_callback(d, add_number, fate_box(struct number, 1));
        fate_chain(d, next);
        d = next;
    }
    watch(d, "20");
    fate_fire(first, fate_int(0));
}

TEST(five_that_are_chained)
{
    fail_each(chained);
}

static void followed(void)
{
    fate_deferred *first = crowded(), *d = first;

    for (int i = 0; i < 5; i++) {
        fate_deferred *outer = held();
        fate_add_callback(outer, follow, fate_ptr(d));
        fate_add_callback(outer, add_number, fate_box(struct number, 1));
        fate_fire(outer, fate_none());
        d = outer;
    }
    watch(d, "5");
    fate_fire(first, fate_int(0));
}

TEST(five_that_follow_one_another)
{
    fail_each(followed);
}

static fate_value seven(fate_value *arg)
{
    return fate_int(7);
}

static fate_value follow_job(fate_value *job)
{
    return fate_follow(fate_as_ptr(job));
}

static void locked(void)
{
    fate_lock *lock = fate_lock_new(reactor);
    fate_deferred *job = crowded();

    watch(fate_lock_run(lock, follow_job, fate_ptr(job)), "1");
    for (int i = 0; i < 4; i++)
        watch(fate_lock_run(lock, seven, fate_box(struct number, i)), "7");
    fate_fire(job, fate_int(1));
    EXPECT(!fate_lock_is_held(lock));
    EXPECT_EQ(fate_lock_waiting(lock), 0);
}

TEST(a_lock_with_five_callers)
{
    fail_each(locked);
}

static void queued(void)
{
    fate_queue *queue = fate_queue_new(reactor, FATE_UNLIMITED, FATE_UNLIMITED);
    fate_deferred *got[3];

    for (int i = 0; i < 3; i++)
        got[i] = fate_hold(fate_queue_get(queue));
    for (int i = 0; i < 12; i++)
        fate_queue_put(queue, fate_int(1));
    for (int i = 0; i < 3; i++)
        watch(got[i], "1");
    for (int i = 0; i < 9 && fate_queue_size(queue); i++)
        watch(fate_queue_get(queue), "1");
}

TEST(a_queue_with_gets_and_puts)
{
    fail_each(queued);
}

static void timed_out(void)
{
    fate_deferred *d = crowded(), *e = crowded();

    fate_add_timeout(d, FATE_SECOND);
    watch(d, "<TimeoutError: timed out after 1 s>");
    fate_add_timeout(fate_add_timeout(e, FATE_SECOND), 2 * FATE_SECOND);
    watch(e, "5");
    fate_fire(e, fate_int(5));
    fate_advance(reactor, 3 * FATE_SECOND);
    fate_fire(d, fate_int(1)); /* too late, or else the timeout could not be made */
}

TEST(timeouts)
{
    fail_each(timed_out);
}

static void fired_later(void)
{
    for (int i = 0; i < 4; i++) {
        fate_deferred *d = held();
        watch(d, "\"text\"");
        fate_fire_later(d, FATE_SECOND, fate_str("text"));
    }
    fate_advance(reactor, FATE_SECOND);
}

TEST(firings_later)
{
    fail_each(fired_later);
}

static void deferred_later(void)
{
    fate_deferred *job = held();

    watch(fate_defer_later(reactor, FATE_SECOND, seven, fate_box(struct number, 1)), "7");
    watch(fate_defer_later(reactor, FATE_SECOND, follow_job, fate_ptr(job)), "3");
    fate_advance(reactor, FATE_SECOND);
    fate_fire(job, fate_int(3));
}

TEST(calls_deferred_to_later)
{
    fail_each(deferred_later);
}

static int n_runs;
static fate_looping_call *loop;

static fate_value run_twice(fate_value *arg)
{
    fate_deferred *d;

    if (++n_runs == 2)
        fate_looping_call_stop(loop);
    d = crowded();
    fate_fire_later(d, FATE_SECOND, fate_none());
    return fate_follow(d);
}

static void looped(void)
{
    n_runs = 0;
    loop = fate_looping_call_new(reactor, run_twice, fate_box(struct number, 1));
    watch(fate_looping_call_start(loop, 2 * FATE_SECOND, true), "<looping call>");
    fate_play(reactor, 10 * FATE_SECOND);
    EXPECT(!fate_looping_call_running(loop));
}

TEST(a_looping_call)
{
    fail_each(looped);
}
