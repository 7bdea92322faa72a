/* What the tests of cooperators and of tasks share: steps that leave a trail. */
#ifndef FATE_TESTS_TEST_COOPERATE_HELPERS_H
#define FATE_TESTS_TEST_COOPERATE_HELPERS_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fate/fate.h>
#include <reactor/cooperate.h>

#include "test.h"

#define SLICE (10 * FATE_MILLISECOND)

static fate_reactor *reactor;
static fate_cooperator *cooperator;
static fate_deferred *job; /* followed by those who follow */
static fate_task task;     /* of those who do something to it */
static char trail[256];

static inline void say(const char *word)
{
    size_t len = strlen(trail);
    snprintf(trail + len, sizeof trail - len, "%s", word);
}

/* Says its name at each step, and is done with the number of its last one. */
struct worker {
    const char *name;
    int n_steps, n_done;
};

static inline fate_value work(fate_value *arg)
{
    struct worker *worker = fate_as_ptr(arg);

    say(worker->name);
    return ++worker->n_done < worker->n_steps ? fate_more() : fate_int(worker->n_done);
}

static inline fate_value work_for_ever(fate_value *arg)
{
    say(".");
    return fate_more();
}

static inline void begin(void)
{
    trail[0] = '\0';
    reactor = test_reactor();
    cooperator = fate_cooperator_new(reactor);
}

static inline fate_task add(fate_function *step)
{
    task = fate_cooperator_cooperate(cooperator, step, fate_none());
    return task;
}

static inline fate_deferred *when_done(fate_task which)
{
    return fate_hold(fate_task_when_done(which));
}

static inline fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

static inline void expect_failure(fate_deferred *d, const fate_class *class)
{
    EXPECT_FAILURE(fate_peek(d), class);
    fate_add_errback(d, forgive, fate_none());
}

static inline fate_value follow_job(fate_value *arg)
{
    say(".");
    return fate_follow(job);
}

static inline fate_value fail(fate_value *arg)
{
    return fate_raise(&FATE_VALUE_ERROR, "wrong token");
}

struct token {
    int number;
};

static int n_drops;

static inline void token_dropped(void *token)
{
    n_drops++;
}

static inline fate_value token(void)
{
    n_drops = 0;
    return fate_box_with(token_dropped, struct token, 1);
}

#endif
