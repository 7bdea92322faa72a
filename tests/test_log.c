/* Tests of src/reactor/log.c: entries, and who is told of them. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <fate/fate.h>

#include "test.h"

static fate_reactor *reactor;
static fate_watch watch, other_watch;
static int n_seen, n_others, n_drops;
static fate_log_entry seen;
static char seen_text[1024], seen_fields[256];
static bool had_failure;

static void see(const fate_log_entry *entry, fate_value *arg)
{
    n_seen++;
    seen = *entry;
    had_failure = entry->failure && fate_is_failure(entry->failure);
    strncpy(seen_text, entry->text, sizeof seen_text - 1);
    test_suspend_failures();
    fate_value fields = entry->fields ? fate_describe(entry->fields) : fate_str("");
    strncpy(seen_fields, fate_as_str(&fields), sizeof seen_fields - 1);
    fate_drop(fields);
    test_resume_failures();
}

static void see_too(const fate_log_entry *entry, fate_value *arg)
{
    n_others++;
}

struct token {
    int number;
};

static void token_dropped(void *token)
{
    n_drops++;
}

static void begin(int level_min)
{
    n_seen = n_others = n_drops = 0;
    memset(seen_text, 0, sizeof seen_text);
    memset(seen_fields, 0, sizeof seen_fields);
    reactor = test_reactor();
    watch = fate_log_observe(reactor, level_min, see, fate_box_with(token_dropped, struct token, 1));
}

/* ---- What an observer is told ---- */

TEST(an_observer_gets_each_entry_with_its_level_its_line_and_the_reactors_name)
{
    begin(FATE_LOG_DEBUG);
    fate_log(reactor, FATE_LOG_NOTICE, "%d bytes from %s", 5, "there");
    EXPECT_EQ(n_seen, 1);
    EXPECT_EQ(seen.size, sizeof seen);
    EXPECT_EQ(seen.level, FATE_LOG_NOTICE);
    EXPECT_STR(seen_text, "5 bytes from there");
    EXPECT_CONTAINS(seen.site, "test_log.c:");
    EXPECT_STR(seen.reactor, "main");
    EXPECT(!had_failure && !seen.fields);
}

TEST(on_simulated_time_an_entry_has_that_time)
{
    begin(FATE_LOG_DEBUG);
    fate_advance(reactor, 3 * FATE_SECOND);
    fate_log(reactor, FATE_LOG_NOTICE, "three");
    EXPECT_EQ(seen.time, 3 * FATE_SECOND);
}

TEST(on_real_time_an_entry_has_the_time_of_the_wall)
{
    fate_reactor *real = fate_reactor_new();

    if (!real)
        return;
    n_seen = 0;
    fate_log_observe(real, FATE_LOG_DEBUG, see, fate_none());
    fate_log(real, FATE_LOG_NOTICE, "now");
    EXPECT(seen.time > INT64_C(1700000000) * FATE_SECOND);
    fate_reactor_free(real);
}

TEST(a_long_line_is_whole)
{
    char line[900];

    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\0';
    begin(FATE_LOG_DEBUG);
    fate_log(reactor, FATE_LOG_NOTICE, "%s", line);
    EXPECT_STR(seen_text, line);
}

TEST(without_memory_a_long_line_is_cut_and_a_short_one_is_whole)
{
    char line[900];

    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\0';
    begin(FATE_LOG_DEBUG);
    test_fail_allocation(1, true);
    fate_log(reactor, FATE_LOG_NOTICE, "%s", "short");
    EXPECT_STR(seen_text, "short");
    fate_log(reactor, FATE_LOG_NOTICE, "%s", line);
    test_fail_allocation(0, false);
    EXPECT(strlen(seen_text) >= 500 && strspn(seen_text, "x") == strlen(seen_text));
}

TEST(an_observer_does_not_get_what_is_below_its_level)
{
    begin(FATE_LOG_WARNING);
    fate_log(reactor, FATE_LOG_NOTICE, "notice");
    EXPECT_EQ(n_seen, 0);
    fate_log(reactor, FATE_LOG_WARNING, "warning");
    fate_log(reactor, FATE_LOG_ERROR, "error");
    EXPECT_EQ(n_seen, 2);
}

TEST(fields_are_a_dict_that_is_given)
{
    begin(FATE_LOG_DEBUG);
    fate_log_fields(reactor, FATE_LOG_INFO, "100% done",
                    fate_dict_of({ "peer", fate_str("::1") }, { "n", fate_int(3) }));
    EXPECT_STR(seen_text, "100% done");
    EXPECT_STR(seen_fields, "{\"peer\": \"::1\", \"n\": 3}");
    EXPECT_CONTAINS(seen.site, "test_log.c:");
}

TEST(fields_may_be_none_and_go_when_nobody_wants_the_entry)
{
    begin(FATE_LOG_WARNING);
    fate_log_fields(reactor, FATE_LOG_ERROR, "bare", fate_none());
    EXPECT_EQ(n_seen, 1);
    EXPECT(!seen.fields);
    fate_unwatch(watch);
    n_drops = 0;
    watch = fate_log_observe(reactor, FATE_LOG_ERROR, see, fate_none());
    fate_log_fields(reactor, FATE_LOG_DEBUG, "unseen",
                    fate_dict_of({ "box", fate_box_with(token_dropped, struct token, 1) }));
    EXPECT_EQ(n_drops, 1);
    EXPECT_EQ(n_seen, 1);
}

TEST(without_memory_an_entry_loses_its_fields_alone)
{
    begin(FATE_LOG_DEBUG);
    test_fail_allocation(1, false);
    fate_value fields = fate_dict_of({ "peer", fate_str("::1") });
    test_fail_allocation(0, false);
    fate_log_fields(reactor, FATE_LOG_INFO, "connected", fields);
    EXPECT_STR(seen_text, "connected");
    EXPECT(!seen.fields);
}

static void log_a_list(void *unused)
{
    fate_log_fields(fate_reactor_new_simulated(), FATE_LOG_INFO, "no", fate_list_of(fate_int(1)));
}

TEST(fields_that_are_no_dict_stop_the_program)
{
    EXPECT_STOP(log_a_list, NULL, "fate_log_fields", "list", "fate_dict_of");
}

static void observe_with_nothing(void *unused)
{
    fate_log_observe(fate_reactor_new_simulated(), FATE_LOG_INFO, NULL, fate_none());
}

TEST(a_null_observer_stops_the_program)
{
    EXPECT_STOP(observe_with_nothing, NULL, "NULL observer", "fate_unwatch");
}

/* ---- Observers come and go ---- */

TEST(several_observe_each_from_its_level)
{
    begin(FATE_LOG_DEBUG);
    fate_watch second = fate_log_observe(reactor, FATE_LOG_ERROR, see_too, fate_none());
    if (second.id < 0)
        return;
    fate_log(reactor, FATE_LOG_INFO, "for one");
    fate_log(reactor, FATE_LOG_ERROR, "for both");
    EXPECT_EQ(n_seen, 2);
    EXPECT_EQ(n_others, 1);
    EXPECT_EQ(fate_unwatch(second), 0);
    EXPECT_EQ(fate_unwatch(second), -ENOENT);
    fate_log(reactor, FATE_LOG_ERROR, "for one");
    EXPECT_EQ(n_others, 1);
}

TEST(the_arg_of_an_observer_goes_when_it_is_stopped)
{
    begin(FATE_LOG_DEBUG);
    if (watch.id < 0)
        return;
    EXPECT_EQ(n_drops, 0);
    fate_unwatch(watch);
    EXPECT_EQ(n_drops, 1);
}

TEST(the_arg_of_an_observer_goes_with_the_reactor)
{
    begin(FATE_LOG_DEBUG);
    fate_reactor_free(reactor);
    EXPECT_EQ(n_drops, 1);
}

static void stop_itself(const fate_log_entry *entry, fate_value *arg)
{
    n_others++;
    EXPECT_EQ(fate_unwatch(other_watch), 0);
    EXPECT_EQ(n_drops, 0);
    EXPECT_EQ(fate_kind_of(arg), FATE_KIND_BOX);
    EXPECT_EQ(fate_unwatch(other_watch), -ENOENT);
}

TEST(an_observer_may_stop_itself_and_still_has_its_arg)
{
    begin(FATE_LOG_DEBUG);
    other_watch =
        fate_log_observe(reactor, FATE_LOG_DEBUG, stop_itself, fate_box_with(token_dropped, struct token, 1));
    if (watch.id < 0 || other_watch.id < 0)
        return;
    fate_log(reactor, FATE_LOG_INFO, "first");
    EXPECT_EQ(n_drops, 1);
    fate_log(reactor, FATE_LOG_INFO, "second");
    EXPECT_EQ(n_others, 1);
    EXPECT_EQ(n_seen, 2);
}

static void stop_next_and_add(const fate_log_entry *entry, fate_value *arg)
{
    fate_unwatch(other_watch);
    other_watch = (fate_watch){ 0 };
    if (n_others++ == 0)
        fate_log_observe(reactor, FATE_LOG_DEBUG, see, fate_none());
}

TEST(an_observer_may_stop_the_next_one_and_add_another_which_gets_the_next_entry)
{
    begin(FATE_LOG_DEBUG);
    fate_unwatch(watch);
    watch = fate_log_observe(reactor, FATE_LOG_DEBUG, stop_next_and_add, fate_none());
    other_watch = fate_log_observe(reactor, FATE_LOG_DEBUG, see, fate_none());
    if (watch.id < 0 || other_watch.id < 0)
        return;
    fate_log(reactor, FATE_LOG_INFO, "first");
    EXPECT_EQ(n_seen, 0);
    fate_log(reactor, FATE_LOG_INFO, "second");
    EXPECT_EQ(n_seen, 1);
}

static void observe_again(void *token)
{
    fate_watch refused = fate_log_observe(reactor, FATE_LOG_DEBUG, see, fate_none());
    n_drops++;
    EXPECT_EQ(refused.id, -ESHUTDOWN);
}

TEST(while_the_reactor_is_freed_nobody_begins_to_observe)
{
    begin(FATE_LOG_DEBUG);
    fate_unwatch(watch);
    n_drops = 0;
    fate_log_observe(reactor, FATE_LOG_DEBUG, see, fate_box_with(observe_again, struct token, 1));
    fate_reactor_free(reactor);
    EXPECT_EQ(n_drops, 1);
}

static void say_goodbye(void *token)
{
    fate_log(reactor, FATE_LOG_INFO, "goodbye");
}

TEST(observers_hear_what_is_logged_while_all_else_goes)
{
    begin(FATE_LOG_DEBUG);
    test_suspend_failures();
    fate_call_later(reactor, FATE_SECOND, fate_shutdown, fate_box_with(say_goodbye, struct token, 1));
    test_resume_failures();
    n_seen = 0;
    fate_reactor_free(reactor);
    EXPECT_EQ(n_seen, 1);
    EXPECT_STR(seen_text, "goodbye");
}

/* ---- What the library says ---- */

TEST(log_failure_logs_the_failure_and_ends_in_none)
{
    begin(FATE_LOG_DEBUG);
    fate_deferred *d = fate_hold(fate_fail(reactor, fate_raise(&FATE_VALUE_ERROR, "v")));
    fate_add_errback(d, fate_log_failure, fate_ptr(reactor));
    EXPECT_NONE(fate_peek(d));
    EXPECT_EQ(n_seen, 1);
    EXPECT_EQ(seen.level, FATE_LOG_ERROR);
    EXPECT(had_failure);
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);
}

TEST(a_second_firing_is_a_warning_at_its_line)
{
    begin(FATE_LOG_DEBUG);
    fate_deferred *d = fate_hold(fate_deferred_new(reactor));
    fate_fire(d, fate_none());
    fate_fire(d, fate_none());
    EXPECT_EQ(n_seen, 1);
    EXPECT_EQ(seen.level, FATE_LOG_WARNING);
    EXPECT_CONTAINS(seen.site, "test_log.c:");
}

/* ---- From other threads ---- */

static void run_thread(void *(*body)(void *), void *arg)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, body, arg) == 0)
        pthread_join(thread, NULL);
}

static void *log_three(void *unused)
{
    fate_log(reactor, FATE_LOG_DEBUG, "unwanted");
    fate_log(reactor, FATE_LOG_INFO, "%s", "first");
    fate_log_fields(reactor, FATE_LOG_INFO, "second", fate_dict_of({ "n", fate_int(2) }));
    return NULL;
}

static char order[256];

static void note_order(const fate_log_entry *entry, fate_value *arg)
{
    strncat(order, entry->text, sizeof order - strlen(order) - 2);
    strcat(order, entry->fields ? "+ " : " ");
}

TEST(entries_of_another_thread_are_delivered_in_order_at_the_next_round)
{
    begin(FATE_LOG_INFO);
    memset(order, 0, sizeof order);
    fate_watch noting = fate_log_observe(reactor, FATE_LOG_INFO, note_order, fate_none());
    fate_advance(reactor, 7 * FATE_SECOND);
    n_seen = 0;
    run_thread(log_three, NULL);
    EXPECT_EQ(n_seen, 0);
    fate_advance(reactor, 0);
    if (noting.id < 0 || watch.id < 0)
        return;
    EXPECT_STR(order, "first second+ ");
    EXPECT_STR(seen_fields, "{\"n\": 2}");
    EXPECT_EQ(seen.time, 7 * FATE_SECOND);
}

static fate_value shared;

static void *log_shared_list(void *unused)
{
    fate_log_fields(reactor, FATE_LOG_INFO, "shared", fate_dict_of({ "list", fate_copy(&shared) }));
    return NULL;
}

TEST(fields_that_cannot_cross_arrive_as_texts)
{
    begin(FATE_LOG_DEBUG);
    shared = fate_list_of(fate_int(1), fate_int(2));
    if (watch.id >= 0 && fate_kind_of(&shared) == FATE_KIND_LIST)
        run_thread(log_shared_list, NULL);
    fate_advance(reactor, 0);
    EXPECT_STR(seen_fields, "{\"list\": \"[1, 2]\"}");
    fate_drop(shared);
}

TEST(entries_that_wait_when_the_reactor_is_freed_are_heard)
{
    begin(FATE_LOG_INFO);
    run_thread(log_three, NULL);
    n_seen = 0;
    fate_reactor_free(reactor);
    EXPECT_EQ(n_seen, 2);
}

enum { N_THREADS = 4, N_EACH = 250 };

static void *log_many(void *arg)
{
    for (int i = 0; i < N_EACH; i++)
        fate_log(reactor, FATE_LOG_INFO, "%d %d", *(int *)arg, i);
    return NULL;
}

static int next_of[N_THREADS];

static void check_order(const fate_log_entry *entry, fate_value *arg)
{
    int thread, i;

    if (sscanf(entry->text, "%d %d", &thread, &i) == 2)
        EXPECT_EQ(i, next_of[thread]++);
}

VOLUME_TEST(many_threads_may_log_while_the_reactor_runs)
{
    static int numbers[N_THREADS];
    pthread_t threads[N_THREADS];

    memset(next_of, 0, sizeof next_of);
    begin(FATE_LOG_INFO);
    fate_log_observe(reactor, FATE_LOG_INFO, check_order, fate_none());
    for (int i = 0; i < N_THREADS; i++) {
        numbers[i] = i;
        EXPECT_EQ(pthread_create(&threads[i], NULL, log_many, &numbers[i]), 0);
    }
    for (int i = 0; i < 100; i++)
        fate_advance(reactor, 0);
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    fate_advance(reactor, 0);
    EXPECT_EQ(n_seen, N_THREADS * N_EACH);
}

/* ---- The default observer: standard error ---- */

static void leave_unhandled(void *unused)
{
    fate_reactor *its = fate_reactor_new_simulated();

    fate_fail(its, fate_raise(&FATE_VALUE_ERROR, "wrong token"));
    fate_log(its, FATE_LOG_WARNING, "careful");
    fate_log_fields(its, FATE_LOG_INFO, "more", fate_dict_of({ "n", fate_int(1) }));
    fate_advance(its, 0);
    fate_reactor_free(its);
    fate_deferred_new(NULL); /* stops, so that the harness looks at what was said */
}

TEST(without_an_observer_reports_and_entries_go_to_standard_error)
{
    EXPECT_STOP(leave_unhandled, NULL, "1970-01-01T00:00:00.000Z warning: test_log.c:", ": careful\n",
                ": more n=1\n", "error: Unhandled failure in deferred test_log.c:",
                "\n  ValueError: wrong token\n    raised leave_unhandled test_log.c:");
}

static void log_at_levels(void *level)
{
    setenv("FATE_LOG_LEVEL", level, 1);
    fate_reactor *its = fate_reactor_new_simulated();

    fate_log(its, FATE_LOG_DEBUG, "%s", "1");
    fate_log(its, FATE_LOG_INFO, "%s", "2");
    fate_log(its, FATE_LOG_ERROR, "%s", "3");
    fate_deferred_new(NULL);
}

TEST(the_environment_says_what_the_default_observer_takes)
{
    EXPECT_STOP(log_at_levels, "debug", ": 1\n", ": 2\n", ": 3\n");
    EXPECT_STOP(log_at_levels, "nonsense", "info: test_log.c:");
    EXPECT_STOP(log_at_levels, "error", "1970-01-01T00:00:00.000Z error: test_log.c:");
}

static void log_nothing_wanted(void *level)
{
    setenv("FATE_LOG_LEVEL", level, 1);
    fate_reactor *its = fate_reactor_new_simulated();

    if (freopen("/dev/null", "w", stdout))
        fate_log_observe(its, FATE_LOG_ERROR, see_too, fate_none());
    fate_log(its, FATE_LOG_WARNING, "%s", "the default observer is silent");
    n_others = 0;
    fate_log(its, FATE_LOG_ERROR, "%s", "the default observer is silent");
    if (n_others == 1)
        fate_deferred_new(NULL);
}

/* What is said begins with the stop: nothing came before it. */
TEST(while_there_is_an_observer_the_default_one_is_silent)
{
    EXPECT_STOP(log_nothing_wanted, "debug", "NULL reactor");
    EXPECT_STOP(log_at_levels, "off", "NULL reactor");
}

static void log_again(const fate_log_entry *entry, fate_value *arg)
{
    n_others++;
    fate_log(reactor, FATE_LOG_INFO, "%s", "from inside");
    fate_log(reactor, FATE_LOG_DEBUG, "%s", "below");
}

static void let_observer_log(void *unused)
{
    reactor = fate_reactor_new_simulated();
    fate_log_observe(reactor, FATE_LOG_ERROR, log_again, fate_none());
    fate_log(reactor, FATE_LOG_ERROR, "%s", "once");
    if (n_others == 1)
        fate_deferred_new(NULL);
}

TEST(what_an_observer_logs_goes_to_the_default_one)
{
    n_others = 0;
    EXPECT_STOP(let_observer_log, NULL, "info: test_log.c:", ": from inside\n", "NULL reactor");
}

static void *log_late(void *unused)
{
    fate_log(reactor, FATE_LOG_INFO, "%s", "too late");
    return NULL;
}

static void log_after_the_end(void *unused)
{
    reactor = fate_reactor_new_simulated();
    fate_log_observe(reactor, FATE_LOG_INFO, see, fate_none());
    fate_stop_later(reactor, 0);
    fate_run(reactor);
    run_thread(log_late, NULL);
    if (n_seen == 0)
        fate_deferred_new(NULL);
}

TEST(once_the_reactor_has_ended_entries_of_other_threads_go_to_standard_error)
{
    n_seen = 0;
    EXPECT_STOP(log_after_the_end, NULL, "info: test_log.c:", ": too late\n");
}

static void log_without_reactor(void *unused)
{
    fate_value why = fate_raise(&FATE_VALUE_ERROR, "wrong token"), none = fate_none();

    fate_drop(fate_log_failure(&why, &none));
    fate_deferred_new(NULL);
}

TEST(log_failure_without_a_reactor_writes_to_standard_error)
{
    EXPECT_STOP(log_without_reactor, NULL, "error: Failure\n  ValueError: wrong token\n");
}
