/* Tests of src/reactor/log.c. */
#include <string.h>

#include <fate/fate.h>

#include "test.h"

static fate_reactor *reactor;
static int n_seen, n_drops;
static fate_log_entry seen;
static char seen_text[256];
static bool had_failure;

static void see(const fate_log_entry *entry, fate_value *arg)
{
    n_seen++;
    seen = *entry;
    had_failure = entry->failure && fate_is_failure(entry->failure);
    strncpy(seen_text, entry->text, sizeof seen_text - 1);
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
    n_seen = n_drops = 0;
    memset(seen_text, 0, sizeof seen_text);
    reactor = test_reactor();
    fate_log_observe(reactor, level_min, see, fate_box_with(token_dropped, struct token, 1));
}

TEST(an_observer_gets_each_entry_with_its_level)
{
    begin(FATE_LOG_DEBUG);
    fate_log(reactor, FATE_LOG_NOTICE, "%d bytes from %s", 5, "there");
    EXPECT_EQ(n_seen, 1);
    EXPECT_EQ(seen.level, FATE_LOG_NOTICE);
    EXPECT_STR(seen_text, "5 bytes from there");
    EXPECT(!had_failure);
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

TEST(the_arg_of_an_observer_goes_when_it_is_replaced)
{
    begin(FATE_LOG_DEBUG);
    EXPECT_EQ(n_drops, 0);
    fate_log_observe(reactor, FATE_LOG_DEBUG, NULL, fate_none());
    EXPECT_EQ(n_drops, 1);
}

TEST(the_arg_of_an_observer_goes_with_the_reactor)
{
    begin(FATE_LOG_DEBUG);
    fate_reactor_free(reactor);
    EXPECT_EQ(n_drops, 1);
}

static void replace_itself(const fate_log_entry *entry, fate_value *arg)
{
    fate_log_observe(reactor, FATE_LOG_DEBUG, see, fate_none());
    EXPECT_EQ(n_drops, 0);
    EXPECT_EQ(fate_kind_of(arg), FATE_KIND_BOX);
}

TEST(an_observer_may_replace_itself_and_still_has_its_arg)
{
    begin(FATE_LOG_DEBUG);
    fate_log_observe(reactor, FATE_LOG_DEBUG, replace_itself, fate_box_with(token_dropped, struct token, 1));
    n_drops = 0;
    fate_log(reactor, FATE_LOG_INFO, "first");
    fate_log(reactor, FATE_LOG_INFO, "second");
    EXPECT_EQ(n_drops, 1);
    EXPECT_EQ(n_seen, 1);
}

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

/* ---- The default observer: standard error ---- */

static void leave_unhandled(void *unused)
{
    fate_reactor *its = fate_reactor_new_simulated();

    fate_fail(its, fate_raise(&FATE_VALUE_ERROR, "wrong token"));
    fate_log(its, FATE_LOG_WARNING, "careful");
    fate_advance(its, 0);
    fate_reactor_free(its);
    fate_deferred_new(NULL); /* stops, so that the harness looks at what was said */
}

TEST(without_an_observer_reports_and_entries_go_to_standard_error)
{
    EXPECT_STOP(leave_unhandled, NULL, "warning: careful\n", "Unhandled failure in deferred test_log.c:",
                "\n  ValueError: wrong token\n    raised leave_unhandled test_log.c:");
}

static void log_without_reactor(void *unused)
{
    fate_value why = fate_raise(&FATE_VALUE_ERROR, "wrong token"), none = fate_none();

    fate_drop(fate_log_failure(&why, &none));
    fate_deferred_new(NULL);
}

TEST(log_failure_without_a_reactor_writes_to_standard_error)
{
    EXPECT_STOP(log_without_reactor, NULL, "Failure\n  ValueError: wrong token\n");
}
