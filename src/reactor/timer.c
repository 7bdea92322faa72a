/* Delayed calls (R181-R187). */
#include <errno.h>

#include <base/alloc.h>
#include <reactor/reactor.h>
#include <reactor/wheel.h>

/* An id is a timer's number below its generation.  A timer is not used again when its generations are used
 * up, so that no handle ever comes to mean another call. */
#define GENERATION_SHIFT 32
#define LAST_GENERATION  (UINT32_MAX - FATE__TIMER_STATE)

void fate__timers_init(struct fate__timers *timers)
{
    for (uint32_t i = 0; i < FATE__WHEEL_HEADS; i++) {
        timers->heads[i] = (struct fate__timer_link){ i, i };
        timers->bounds[i] = FATE_NEVER;
    }
    timers->hand = fate__unit_of(0);
    timers->exact_max = INT64_MIN;
    timers->is_counted = fate__on_block != NULL;
}

static int64_t id_of(uint32_t link, const struct fate__timer *timer)
{
    uint64_t generation = timer->tag / FATE__TIMER_GENERATION;
    return (int64_t)(generation << GENERATION_SHIFT | link);
}

/* ---- Beginning and end ---- */

static inline __attribute__((always_inline)) fate_timer start(fate_reactor *reactor, uint32_t link,
                                                              fate_time due, fate_action *action,
                                                              fate_value arg, const char *site)
{
    struct fate__timers *timers = &reactor->timers;
    struct fate__timer *timer = fate__timer_at(timers, link);

    timer->tag = (timer->tag & ~FATE__TIMER_STATE) + FATE__TIMER_GENERATION;
    timer->made_ms = reactor->turns.now_ms;
    timer->due = due;
    timer->serial = timers->serial++;
    timer->action = action;
    timer->site = site;
    timer->arg.type = arg.type;
    timer->arg.as.i = arg.as.i;
    fate__wheel_insert(timers, link, timer);
    fate__timers_changed(reactor, due);
    return (fate_timer){ reactor, id_of(link, timer) };
}

/* The call is over: its memory can be used again, and knows for the time being how it ended. */
static inline __attribute__((always_inline)) void end(struct fate__timers *timers, uint32_t link,
                                                      struct fate__timer *timer, uint32_t how)
{
    fate__timer_unlink(timers, link);
    timer->tag = (timer->tag & ~FATE__TIMER_STATE) | how;
    if (fate__likely(timer->tag < LAST_GENERATION))
        fate__timer_give(timers, link);
}

static void call(struct fate__timers *timers, uint32_t link)
{
    struct fate__timer *timer = fate__timer_at(timers, link);
    fate_action *action = timer->action;
    fate_value arg = fate__load(&timer->arg);

    timers->site = timer->site;
    end(timers, link, timer, FATE__TIMER_CALLED);
    fate__lend(&arg);
    action(&arg);
    fate_drop(fate_take(&arg));
}

/* ---- In order ---- */

/* What had to wait for the next round goes back into the wheel. */
static void bring_back(struct fate__timers *timers)
{
    struct fate__timer_link *aside = &timers->heads[FATE__WHEEL_ASIDE];

    while (aside->next != FATE__WHEEL_ASIDE) {
        uint32_t link = aside->next;
        struct fate__timer *timer = fate__timer_at(timers, link);
        fate__timer_unlink(timers, link);
        timer->tag &= ~FATE__TIMER_STATE;
        fate__wheel_insert(timers, link, timer);
    }
}

static void set_aside(struct fate__timers *timers, uint32_t link)
{
    fate__timer_unlink(timers, link);
    fate__timer_append(timers, FATE__WHEEL_ASIDE, link);
}

fate_time fate__timers_next(struct fate__timers *timers)
{
    bring_back(timers);
    return fate__wheel_next(timers);
}

void fate__timers_pass(struct fate__timers *timers, fate_time now)
{
    timers->now = now;
    fate__wheel_follow(timers);
}

/* The link of the earliest that is due at now and was scheduled before the mark; the others wait aside. */
static uint32_t find_due(struct fate__timers *timers, fate_time now, uint64_t mark)
{
    fate_time limit = now < FATE_NEVER ? now : FATE_NEVER - 1;
    uint32_t link;

    if (mark != timers->round)
        bring_back(timers);
    timers->round = mark;
    while ((link = fate__wheel_earliest(timers, limit)) && fate__timer_at(timers, link)->serial >= mark)
        set_aside(timers, link);
    return link;
}

bool fate__timers_are_due(struct fate__timers *timers, fate_time now, uint64_t mark)
{
    return find_due(timers, now, mark) != 0;
}

bool fate__timers_call_due(struct fate__timers *timers, fate_time now, uint64_t mark)
{
    uint32_t link = find_due(timers, now, mark);

    if (link)
        call(timers, link);
    return link != 0;
}

void fate__timers_drop(struct fate__timers *timers)
{
    uint32_t link;

    bring_back(timers);
    while ((link = fate__wheel_earliest(timers, FATE_NEVER))) {
        struct fate__timer *timer = fate__timer_at(timers, link);
        fate_value arg = timer->arg;
        end(timers, link, timer, FATE__TIMER_CANCELLED);
        fate_drop(arg);
    }
}

void fate__timers_done(struct fate__timers *timers)
{
    fate__timers_free_memory(timers);
}

static void visit_place(const struct fate__timers *timers, uint32_t place,
                        void (*visit)(const struct fate__timer_view *, void *arg), void *arg)
{
    uint32_t number = place * FATE__PLACE;

    for (uint32_t i = 0; i < FATE__PLACE && number != timers->fresh; i++, number++) {
        const struct fate__timer *timer = fate__timer_at(timers, number);
        if ((timer->tag & FATE__TIMER_STATE) >= FATE__TIMER_CALLED)
            continue;
        const struct fate__timer_view view = { id_of(number, timer), timer->due, timer->site,
                                               timer->made_ms };
        visit(&view, arg);
    }
}

void fate__timers_each(struct fate__timers *timers, void (*visit)(const struct fate__timer_view *, void *arg),
                       void *arg)
{
    for (uint32_t place = 1; place < timers->n_places; place++)
        visit_place(timers, place, visit, arg);
}

static void count(const struct fate__timer_view *view, void *n)
{
    ++*(size_t *)n;
}

size_t fate__timers_count(struct fate__timers *timers)
{
    size_t n = 0;

    fate__timers_each(timers, count, &n);
    return n;
}

/* ---- The public verbs ---- */

/* The timer behind a handle, or why there is none. */
static inline __attribute__((always_inline)) int look_up(fate_timer handle, struct fate__timer **ret_timer)
{
    if (!handle.reactor)
        return -ESTALE;
    const struct fate__timers *timers = &handle.reactor->timers;
    uint32_t number = (uint32_t)handle.id;
    if (number < FATE__PLACE || number >= timers->fresh)
        return -ESTALE;
    struct fate__timer *timer = fate__timer_at(timers, number);
    uint32_t tag = (uint32_t)(handle.id >> GENERATION_SHIFT) * FATE__TIMER_GENERATION;
    *ret_timer = timer;
    uint32_t state = timer->tag - tag;
    if (fate__likely(state < FATE__TIMER_CALLED))
        return 0;
    if (state > FATE__TIMER_STATE)
        return -ESTALE;
    return state == FATE__TIMER_CANCELLED ? -ECANCELED : -EALREADY;
}

static inline uint32_t link_of(fate_timer handle)
{
    return (uint32_t)handle.id;
}

/* With all that is rare. */
static __attribute__((noinline)) fate_timer call_later(fate_reactor *reactor, fate_time delay,
                                                       fate_action *action, fate_value arg, const char *site)
{
    fate__check_given(&arg, "fate_call_later", site);
    if (!action)
        fate__stop(site, "fate_call_later was given a NULL action.");
    int why = reactor->turns.is_ending ? -ESHUTDOWN : -ENOMEM;
    uint32_t link = 0;
    if (why != -ESHUTDOWN && !fate__is_no_memory(&arg))
        link = fate__timer_take(&reactor->timers);
    if (why != -ESHUTDOWN && !fate__is_no_memory(&arg) && !link)
        link = fate__timer_take_fresh(&reactor->timers);
    if (!link) {
        fate_drop(arg);
        return (fate_timer){ reactor, why };
    }
    return start(reactor, link, fate__time_after(fate__now(reactor), delay), action, arg, site);
}

fate_timer fate_call_later_at(fate_reactor *reactor, fate_time delay, fate_action *action, fate_value arg,
                              const char *site)
{
    bool is_simple = !arg.type || arg.type->is_simple;

    fate__check_reactor(reactor, "fate_call_later", site);
    if (fate__likely(is_simple && action && !reactor->turns.is_ending)) {
        uint32_t link = fate__timer_take(&reactor->timers);
        if (fate__likely(link))
            return start(reactor, link, fate__time_after(fate__now(reactor), delay), action, arg, site);
    }
    return call_later(reactor, delay, action, arg, site);
}

fate_timer(fate_call_later)(fate_reactor *reactor, fate_time delay, fate_action *action, fate_value arg)
{
    return fate_call_later_at(reactor, delay, action, arg, "fate_call_later");
}

static __attribute__((noinline)) int drop_cancelled(fate_value arg)
{
    fate_drop(arg);
    return 0;
}

int fate_timer_cancel(fate_timer handle)
{
    struct fate__timer *timer;
    int why = look_up(handle, &timer);

    if (why)
        return why;
    struct fate__timers *timers = &handle.reactor->timers;
    fate_value arg = fate__load(&timer->arg);
    fate__wheel_forget_exact(timers, timer->due);
    end(timers, link_of(handle), timer, FATE__TIMER_CANCELLED);
    return arg.type && !arg.type->is_simple ? drop_cancelled(arg) : 0;
}

static __attribute__((noinline)) void take_to(fate_timer handle, struct fate__timer *timer, fate_time due)
{
    struct fate__timers *timers = &handle.reactor->timers;

    fate__timer_unlink(timers, link_of(handle));
    timer->tag &= ~FATE__TIMER_STATE;
    timer->due = due;
    fate__wheel_insert(timers, link_of(handle), timer);
}

/* To a later time, one that lies in the wheel only takes note of it (R186). */
static inline __attribute__((always_inline)) int move(fate_timer handle, struct fate__timer *timer,
                                                      fate_time due)
{
    struct fate__timers *timers = &handle.reactor->timers;

    fate__wheel_forget_exact(timers, timer->due);
    timer->serial = timers->serial++;
    if (fate__likely(due >= timer->due && (timer->tag & FATE__TIMER_STATE) == FATE__TIMER_IN_WHEEL))
        timer->due = due;
    else
        take_to(handle, timer, due);
    fate__timers_changed(handle.reactor, due);
    return 0;
}

int fate_timer_reset(fate_timer handle, fate_time from_now)
{
    struct fate__timer *timer;
    int why = look_up(handle, &timer);

    return why ? why : move(handle, timer, fate__time_after(fate__now(handle.reactor), from_now));
}

int fate_timer_delay(fate_timer handle, fate_time by)
{
    struct fate__timer *timer;
    int why = look_up(handle, &timer);

    return why ? why : move(handle, timer, fate__time_after(timer->due, by));
}

bool fate_timer_active(fate_timer handle)
{
    struct fate__timer *timer;
    return look_up(handle, &timer) == 0;
}

fate_time fate_timer_time(fate_timer handle)
{
    struct fate__timer *timer;
    return look_up(handle, &timer) ? FATE_NEVER : timer->due;
}
