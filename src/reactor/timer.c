/* Delayed calls (R181-R187). */
#include <errno.h>

#include <base/alloc.h>
#include <reactor/reactor.h>

/* In the heap the deadline lies beside the pointer, so that sifting reads adjacent memory. */
struct fate__deadline {
    fate_time due;
    uint64_t serial; /* equal times run in order of scheduling */
    struct fate__timer *timer;
};

enum state { UNUSED, PENDING, CALLED, CANCELLED };

struct fate__timer {
    int64_t id; /* of the call it has, or had last */
    fate_action *action;
    fate_value arg;
    const char *site;
    struct fate__timer *next_unused;
    uint32_t index, heap_at;
    enum state state;
    uint32_t made_ms;
};

_Static_assert(sizeof(struct fate__timer) % 16 == 0, "slab blocks are multiples of 16");

/* An id is a generation above an index. */
#define INDEX_BITS 26
#define INDEX_MASK (((int64_t)1 << INDEX_BITS) - 1)

void fate__timers_init(struct fate__timers *timers)
{
    fate__slab_init(&timers->slots, sizeof(struct fate__timer), offsetof(struct fate__timer, next_unused),
                    timers);
}

/* ---- The heap: four children each ---- */

static bool is_before(const struct fate__deadline *a, const struct fate__deadline *b)
{
    return a->due < b->due || (a->due == b->due && a->serial < b->serial);
}

static void put(struct fate__timers *timers, size_t at, struct fate__deadline deadline)
{
    timers->heap[at] = deadline;
    deadline.timer->heap_at = (uint32_t)at;
}

static void sift_up(struct fate__timers *timers, size_t at, struct fate__deadline moving)
{
    while (at > 0) {
        size_t parent = (at - 1) / 4;
        if (!is_before(&moving, &timers->heap[parent]))
            break;
        put(timers, at, timers->heap[parent]);
        at = parent;
    }
    put(timers, at, moving);
}

static size_t earliest_child(const struct fate__timers *timers, size_t at)
{
    size_t first = 4 * at + 1;
    size_t best = first;

    for (size_t i = first + 1; i < first + 4 && i < timers->n; i++)
        if (is_before(&timers->heap[i], &timers->heap[best]))
            best = i;
    return best;
}

static void sift_down(struct fate__timers *timers, size_t at, struct fate__deadline moving)
{
    while (4 * at + 1 < timers->n) {
        size_t child = earliest_child(timers, at);
        if (!is_before(&timers->heap[child], &moving))
            break;
        put(timers, at, timers->heap[child]);
        at = child;
    }
    put(timers, at, moving);
}

static void place(struct fate__timers *timers, size_t at, struct fate__deadline moving)
{
    if (at > 0 && is_before(&moving, &timers->heap[(at - 1) / 4]))
        sift_up(timers, at, moving);
    else
        sift_down(timers, at, moving);
}

static void remove_at(struct fate__timers *timers, size_t at)
{
    struct fate__deadline last = timers->heap[--timers->n];

    if (at < timers->n)
        place(timers, at, last);
}

/* ---- Slots ---- */

/* The heap has room for every slot, so that starting a call on a slot that is there cannot fail. */
static bool make_room(struct fate__timers *timers)
{
    if (timers->n_slots < timers->room)
        return true;
    size_t room = timers->room ? 2 * timers->room : 16;
    struct fate__timer **by_index = fate__realloc(timers->by_index, room * sizeof *by_index);
    if (!by_index)
        return false;
    timers->by_index = by_index;
    struct fate__deadline *heap = fate__realloc(timers->heap, room * sizeof *heap);
    if (!heap)
        return false;
    timers->heap = heap;
    timers->room = room;
    return true;
}

static struct fate__timer *new_slot(struct fate__timers *timers)
{
    if (timers->n_slots > (size_t)INDEX_MASK || !make_room(timers))
        return NULL;
    struct fate__timer *timer = fate__slab_take(&timers->slots);
    if (!timer)
        return NULL;
    *timer = (struct fate__timer){ .index = (uint32_t)timers->n_slots };
    timers->by_index[timers->n_slots++] = timer;
    return timer;
}

static struct fate__timer *take_slot(struct fate__timers *timers)
{
    struct fate__timer *timer = timers->unused;

    if (!timer)
        return new_slot(timers);
    timers->unused = timer->next_unused;
    return timer;
}

/* The call is over: its slot can be used again, and knows for the time being how it ended. */
static void end(struct fate__timers *timers, struct fate__timer *timer, enum state how)
{
    remove_at(timers, timer->heap_at);
    timer->state = how;
    timer->next_unused = timers->unused;
    timers->unused = timer;
}

fate_timer fate__timer_start(fate_reactor *reactor, fate_time due, fate_action *action, fate_value arg,
                             const char *site)
{
    struct fate__timers *timers = &reactor->timers;
    struct fate__timer *timer = fate__is_no_memory(&arg) ? NULL : take_slot(timers);

    if (!timer) {
        fate_drop(arg);
        return (fate_timer){ reactor, -ENOMEM };
    }
    int64_t generation = (timer->id >> INDEX_BITS) + 1;
    timer->id = (int64_t)((uint64_t)generation << INDEX_BITS | timer->index);
    timer->state = PENDING;
    timer->action = action;
    timer->arg = arg;
    timer->site = site;
    timer->made_ms = reactor->turns.now_ms;
    const struct fate__deadline deadline = { due, timers->serial++, timer };
    sift_up(timers, timers->n++, deadline);
    return (fate_timer){ reactor, timer->id };
}

fate_time fate__timers_next(const struct fate__timers *timers)
{
    return timers->n ? timers->heap[0].due : FATE_NEVER;
}

uint64_t fate__timers_mark(const struct fate__timers *timers)
{
    return timers->serial;
}

bool fate__timers_are_due(struct fate__timers *timers, fate_time now, uint64_t mark)
{
    return timers->n && timers->heap[0].due <= now && timers->heap[0].serial < mark;
}

void fate__timers_call_next(struct fate__timers *timers)
{
    struct fate__timer *timer = timers->heap[0].timer;
    fate_action *action = timer->action;
    fate_value arg = timer->arg;

    timers->site = timer->site;
    end(timers, timer, CALLED);
    fate__lend(&arg);
    action(&arg);
    fate_drop(fate_take(&arg));
}

void fate__timers_drop(struct fate__timers *timers)
{
    while (timers->n) {
        struct fate__timer *timer = timers->heap[0].timer;
        fate_value arg = timer->arg;
        end(timers, timer, CANCELLED);
        fate_drop(arg);
    }
}

void fate__timers_done(struct fate__timers *timers)
{
    fate__slab_done(&timers->slots);
    fate__free(timers->by_index);
    fate__free(timers->heap);
}

/* ---- The public verbs ---- */

/* The timer behind a handle, or why there is none. */
static int look_up(fate_timer handle, struct fate__timer **ret_timer)
{
    if (!handle.reactor || handle.id <= 0)
        return -ESTALE;
    struct fate__timers *timers = &handle.reactor->timers;
    size_t index = (size_t)(handle.id & INDEX_MASK);
    if (index >= timers->n_slots || timers->by_index[index]->id != handle.id)
        return -ESTALE;
    struct fate__timer *timer = timers->by_index[index];
    *ret_timer = timer;
    if (timer->state == PENDING)
        return 0;
    return timer->state == CANCELLED ? -ECANCELED : -EALREADY;
}

fate_timer fate_call_later_at(fate_reactor *reactor, fate_time delay, fate_action *action, fate_value arg,
                              const char *site)
{
    fate__check_reactor(reactor, "fate_call_later", site);
    fate__check_given(&arg, "fate_call_later", site);
    if (!action)
        fate__stop(site, "fate_call_later was given a NULL action.");
    if (reactor->turns.is_ending) {
        fate_drop(arg);
        return (fate_timer){ reactor, -ESHUTDOWN };
    }
    fate_time due = fate__time_after(fate__now(reactor), delay);
    fate_timer timer = fate__timer_start(reactor, due, action, arg, site);
    fate__timers_changed(reactor, due);
    return timer;
}

fate_timer(fate_call_later)(fate_reactor *reactor, fate_time delay, fate_action *action, fate_value arg)
{
    return fate_call_later_at(reactor, delay, action, arg, "fate_call_later");
}

int fate_timer_cancel(fate_timer handle)
{
    struct fate__timer *timer;
    int why = look_up(handle, &timer);

    if (why)
        return why;
    fate_value arg = timer->arg;
    end(&handle.reactor->timers, timer, CANCELLED);
    fate_drop(arg);
    return 0;
}

static void move(struct fate__timers *timers, struct fate__timer *timer, fate_time due)
{
    const struct fate__deadline deadline = { due, timers->serial++, timer };
    place(timers, timer->heap_at, deadline);
}

static void move_to(fate_timer handle, struct fate__timer *timer, fate_time due)
{
    move(&handle.reactor->timers, timer, due);
    fate__timers_changed(handle.reactor, due);
}

int fate_timer_reset(fate_timer handle, fate_time from_now)
{
    struct fate__timer *timer;
    int why = look_up(handle, &timer);

    if (why == 0)
        move_to(handle, timer, fate__time_after(fate__now(handle.reactor), from_now));
    return why;
}

int fate_timer_delay(fate_timer handle, fate_time by)
{
    struct fate__timer *timer;
    int why = look_up(handle, &timer);

    if (why == 0)
        move_to(handle, timer, fate__time_after(handle.reactor->timers.heap[timer->heap_at].due, by));
    return why;
}

bool fate_timer_active(fate_timer handle)
{
    struct fate__timer *timer;
    return look_up(handle, &timer) == 0;
}

fate_time fate_timer_time(fate_timer handle)
{
    struct fate__timer *timer;
    if (look_up(handle, &timer))
        return FATE_NEVER;
    return handle.reactor->timers.heap[timer->heap_at].due;
}

/* ---- For the report ---- */

void fate__timers_each(struct fate__timers *timers, void (*visit)(const struct fate__timer_view *, void *),
                       void *arg)
{
    for (size_t i = 0; i < timers->n; i++) {
        const struct fate__timer *timer = timers->heap[i].timer;
        const struct fate__timer_view view = { timer->id, timers->heap[i].due, timer->site, timer->made_ms };
        visit(&view, arg);
    }
}
