/* fate_retry: attempts, and pauses between them.
 *
 * It waits for one thing at a time: for what an attempt follows, by its ear, or for the end of a pause. */
#include <fate/retry.h>

#include <errno.h>
#include <stdio.h>

#include <base/alloc.h>
#include <base/options.h>
#include <base/text.h>
#include <deferred/ear.h>
#include <reactor/backoff.h>
#include <reactor/reactor.h>
#include <reactor/stream.h>

struct retry {
    fate_deferred *d;
    fate_reactor *reactor;
    const char *site;
    fate_function *function;
    fate_value arg;
    const fate_class *only;
    size_t attempts_max, n_attempts;
    struct fate__backoff backoff;
    struct fate__ear ear; /* hears what the attempt follows */
    fate_timer pause;     /* until the next attempt; over while one is being made */
    unsigned n_inside;    /* calls that still use it */
    bool has_fired;
};

/* ---- Going ---- */

static void leave(struct retry *retry)
{
    if (--retry->n_inside > 0 || !retry->has_fired || retry->ear.d)
        return;
    fate_drop(retry->arg);
    fate__free(retry);
}

static void fire(struct retry *retry, fate_value result)
{
    retry->has_fired = true;
    fate__fire(retry->d, result, retry->site);
}

/* ---- What is said of it ---- */

#define NUMBER_BYTES 64

/* "attempt 2 of 5" */
static const char *number_text(const struct retry *retry, size_t number, char to[NUMBER_BYTES])
{
    int len = snprintf(to, NUMBER_BYTES, "attempt %zu", number);

    if (retry->attempts_max != FATE_UNLIMITED)
        snprintf(to + len, NUMBER_BYTES - (size_t)len, " of %zu", retry->attempts_max);
    return to;
}

/* The failure itself goes out as it is: how often it has been tried is said here. */
static void log_failure(struct retry *retry, const fate_value *why, const char *outlook)
{
    char text[2 * NUMBER_BYTES], number[NUMBER_BYTES];

    snprintf(text, sizeof text, "%s failed, %s", number_text(retry, retry->n_attempts, number), outlook);
    fate__log_from_turns(&retry->reactor->turns, FATE_LOG_DEBUG, why, retry->site, text);
}

/* ---- Attempts ---- */

static void try_once(struct retry *retry);

static void pause_is_over(fate_value *retry)
{
    try_once(fate_as_ptr(retry));
}

/* How long to the next attempt; -1: there is none. */
static fate_time next_pause(struct retry *retry, const fate_value *why)
{
    bool may_pass = fate_is(why, retry->only) && !fate_is(why, &FATE_CANCELLED);

    if (!may_pass || retry->n_attempts >= retry->attempts_max)
        return -1;
    uint64_t random = retry->backoff.jitter_percent ? fate__random(retry->reactor) : 0;
    return fate__backoff_next(&retry->backoff, random);
}

/* False: there is no memory for a timer, or no time left for another attempt, as the reactor goes. */
static bool begin_pause(struct retry *retry, fate_time delay, fate_value *why)
{
    retry->pause = fate_call_later_at(retry->reactor, delay, pause_is_over, fate_ptr(retry), retry->site);
    if (retry->pause.id == -ENOMEM) {
        fate_drop(fate_take(why));
        *why = fate__no_memory();
    }
    return retry->pause.id >= 0;
}

/* Who hears of it in the log may cancel it. */
static void failed(struct retry *retry, fate_value why)
{
    char outlook[NUMBER_BYTES] = "the last", span[FATE__SPAN_BYTES];
    fate_time delay = next_pause(retry, &why);

    if (delay >= 0)
        snprintf(outlook, sizeof outlook, "the next in %s", fate__span_text(delay, span));
    log_failure(retry, &why, outlook);
    if (retry->has_fired || (delay >= 0 && begin_pause(retry, delay, &why)))
        fate_drop(why);
    else
        fire(retry, why);
}

static void tried(struct retry *retry, fate_value result)
{
    if (retry->has_fired)
        fate_drop(result);
    else if (fate_is_failure(&result))
        failed(retry, result);
    else
        fire(retry, result);
}

static void heard(struct fate__ear *ear, fate_value result)
{
    struct retry *retry = fate_container_of(ear, struct retry, ear);

    retry->n_inside++;
    tried(retry, result);
    leave(retry);
}

/* The function may have had its own attempt cancelled before it returned. */
static void follow(struct retry *retry, fate_deferred *inner)
{
    fate__listen(&retry->ear, inner);
    if (retry->has_fired && retry->ear.d)
        fate_cancel_at(retry->ear.d, retry->site);
}

static void try_once(struct retry *retry)
{
    retry->n_inside++;
    retry->n_attempts++;
    fate_value out = fate__call_function(retry->function, fate_copy(&retry->arg), retry->site);
    if (out.type && out.type->kind == FATE_KIND_FOLLOW)
        follow(retry, out.as.p);
    else
        tried(retry, out);
    leave(retry);
}

/* ---- Cancelling ---- */

/* What is dropped on the way may cancel it once more. */
static bool cancel(fate_deferred *d, void *data, const char *site)
{
    struct retry *retry = data;

    if (retry->has_fired)
        return true;
    retry->has_fired = true;
    retry->n_inside++;
    fate_timer_cancel(retry->pause);
    if (retry->ear.d)
        fate_cancel_at(retry->ear.d, site);
    leave(retry);
    return true;
}

static void say_what(const void *data, struct fate__waits *ret)
{
    const struct retry *retry = data;
    bool is_pause = fate_timer_active(retry->pause);
    char number[NUMBER_BYTES], due[FATE__DUE_BYTES];

    number_text(retry, retry->n_attempts + is_pause, number);
    snprintf(ret->text, sizeof ret->text, "%.40s%s%s", number, is_pause ? ", " : "",
             is_pause ? fate__due_text(retry->pause, due) : "");
    ret->on = retry->ear.d;
}

static const struct fate__source retrying = { .cancel = cancel, .waits = say_what };

/* ---- Beginning ---- */

static void check_options(const fate_retry_options *options, const char *site)
{
    if (options->first < 0 || options->delay_max < 0)
        fate__stop(site,
                   "fate_retry was given a negative pause. 0 is the default; FATE_MICROSECOND is next to "
                   "none.");
    if (options->jitter_percent > 100)
        fate__stop(
            site,
            "fate_retry was given a jitter of %u %%: a pause cannot become shorter by more than all of "
            "it.",
            options->jitter_percent);
}

static fate_retry_options taken(const fate_retry_options *given, const char *site)
{
    fate_retry_options options = { 0 };

    fate__take_options(&options, sizeof options, given, "fate_retry_with", site);
    check_options(&options, site);
    if (!options.attempts_max)
        options.attempts_max = 5;
    if (!options.first)
        options.first = FATE_SECOND;
    if (!options.delay_max)
        options.delay_max = options.first > 60 * FATE_SECOND ? options.first : 60 * FATE_SECOND;
    if (!options.only)
        options.only = &FATE_ERROR;
    return options;
}

static struct retry *new_retry(fate_reactor *reactor, const fate_retry_options *options, const char *site)
{
    struct retry *retry = fate__zalloc(sizeof *retry);

    if (!retry)
        return NULL;
    retry->reactor = reactor;
    retry->site = site;
    retry->attempts_max = options->attempts_max;
    retry->only = options->only;
    retry->backoff = (struct fate__backoff){ .first = options->first,
                                             .delay_max = options->delay_max,
                                             .jitter_percent = options->jitter_percent };
    retry->ear.hear = heard;
    return retry;
}

static void begin(void *retry)
{
    try_once(retry);
}

fate_deferred *fate_retry_at(fate_reactor *reactor, fate_function *function, fate_value arg,
                             const fate_retry_options *options, const char *site)
{
    fate__check_reactor(reactor, "fate_retry", site);
    fate__check_given(&arg, "fate_retry", site);
    if (!function)
        fate__stop(site, "fate_retry was given a NULL function.");
    const fate_retry_options ours = taken(options, site);
    struct retry *retry = fate__is_no_memory(&arg) ? NULL : new_retry(reactor, &ours, site);
    fate_deferred *d = retry ? fate__sourced(reactor, &retrying, retry, site) : NULL;
    if (!d || !(d->flags & FATE__SOURCE)) {
        fate__free(retry);
        fate_drop(arg);
        return d ? d : fate__hand_out_no_memory(&reactor->turns);
    }
    retry->d = d;
    retry->function = function;
    retry->arg = arg;
    if (!fate__went_outside(reactor, begin, retry))
        try_once(retry);
    return d;
}

fate_deferred *(fate_retry)(fate_reactor *reactor, fate_function *function, fate_value arg)
{
    return fate_retry_at(reactor, function, arg, NULL, "fate_retry");
}

fate_deferred *(fate_retry_with)(fate_reactor *reactor, fate_function *function, fate_value arg,
                                 const fate_retry_options *options)
{
    return fate_retry_at(reactor, function, arg, options, "fate_retry_with");
}
