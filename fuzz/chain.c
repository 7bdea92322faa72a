/* Fuzzes chains: the input is a program of operations on a few deferreds, carried out with failing
 * allocations.
 *
 * There is nothing to compare with (tests/scenario/differ.py does that); the sanitizers, and the promises
 * that the library makes to itself, decide.  Rings and whatever else a program can do wrong without being
 * stopped are allowed. */
#include <fate/fate.h>

#include <stdlib.h>

#define N_SLOTS   12
#define STEPS_MAX 400

struct slot {
    fate_deferred *d; /* held */
    bool is_owed;     /* its producer is us, and has not fired */
    unsigned n_pauses;
};

static struct {
    fate_reactor *reactor;
    fate_lock *lock;
    fate_queue *queue;
    const uint8_t *at, *end;
    unsigned n_steps, n_lists, n_until_failure;
    bool is_ending;
    struct slot slots[N_SLOTS];
} f;

static void step(void);

/* ---- Input ---- */

static unsigned next_byte(void)
{
    return f.at < f.end ? *f.at++ : 0;
}

static struct slot *next_slot(void)
{
    return &f.slots[next_byte() % N_SLOTS];
}

static fate_value next_value(void)
{
    unsigned byte = next_byte();

    if (byte % 4 == 0)
        return fate_raise(byte & 4 ? &FATE_KEY_ERROR : &FATE_VALUE_ERROR, "%u", byte);
    if (byte % 4 == 1)
        return fate_format("a text longer than a word: %u", byte);
    return byte % 4 == 2 ? fate_int(byte) : fate_none();
}

/* ---- What is called ---- */

static fate_value outcome(fate_value *input)
{
    unsigned byte = f.is_ending || f.n_steps > STEPS_MAX ? 0 : next_byte();

    if (byte & 1)
        step();
    struct slot *slot = &f.slots[byte / 16 % N_SLOTS];
    switch (byte / 2 % 8) {
    case 0:
    case 1:
        return fate_take(input);
    case 2:
        return fate_copy(input);
    case 3:
        return slot->d ? fate_follow(slot->d) : fate_none();
    case 4:
        return fate_is_failure(input) ? fate_raise_from(&FATE_ERROR, fate_take(input), "again")
                                      : next_value();
    default:
        return next_value();
    }
}

static fate_value called(fate_value *result, fate_value *arg)
{
    return outcome(result);
}

static fate_value function(fate_value *arg)
{
    return outcome(arg);
}

static void canceller(fate_deferred *d, fate_value *arg)
{
    if (next_byte() % 2)
        fate_fire(d, next_value());
}

static fate_value body(fate_coro *co, fate_value *arg)
{
    for (int i = 0; i < 4 && !f.is_ending && f.n_steps <= STEPS_MAX; i++) {
        struct slot *slot = next_slot();
        if (!slot->d)
            break;
        fate_value v = fate_await(co, slot->d);
        if (next_byte() % 2)
            return v;
        fate_drop(v);
        step();
    }
    fate_value out = outcome(arg);
    return fate_kind_of(&out) == FATE_KIND_FOLLOW ? fate_await(co, out.as.p) : out;
}

/* ---- Slots ---- */

static void empty(struct slot *slot)
{
    fate_deferred *d = slot->d;
    bool gives_up = slot->is_owed || slot->n_pauses;

    if (!d)
        return;
    *slot = (struct slot){ 0 };
    if (gives_up)
        fate_abandon(d);
    fate_release(d);
}

static void fill(struct slot *slot, fate_deferred *d, bool is_owed)
{
    fate_hold(d);
    empty(slot);
    *slot = (struct slot){ d, is_owed, 0 };
}

static void fire(struct slot *slot)
{
    fate_value v = next_value();

    if (!slot->d || !slot->is_owed) {
        fate_drop(v);
        return;
    }
    slot->is_owed = false;
    fate_fire(slot->d, v);
}

static void unpause(struct slot *slot)
{
    if (!slot->d || !slot->n_pauses)
        return;
    slot->n_pauses--;
    fate_unpause(slot->d);
}

static void pause_it(struct slot *slot)
{
    if (!slot->d)
        return;
    slot->n_pauses++;
    fate_pause(slot->d);
}

static void chain(struct slot *slot, struct slot *target)
{
    if (!slot->d || !target->d || !target->is_owed)
        return;
    target->is_owed = false;
    fate_chain(slot->d, target->d);
}

static void combine(struct slot *slot)
{
    fate_deferred *members[3];
    size_t n = 0;
    unsigned byte = next_byte();

    /* A cancel visits a list as often as lists have it: lists of lists of lists take for ever, as Twisted's
     * do. */
    if (++f.n_lists > 6)
        return;
    while (n < 3) {
        struct slot *member = next_slot();
        if (member->d)
            members[n++] = member->d;
        else
            break;
    }
    const fate_settle_options options = { sizeof options, byte & 1, byte & 2, byte & 4 };
    fill(slot,
         byte & 8 ? fate_race(f.reactor, n, members)
                  : fate_settle_at(f.reactor, n, members, &options, FATE_HERE),
         false);
}

/* ---- Operations ---- */

static void add(fate_deferred *d)
{
    switch (next_byte() % 5) {
    case 0:
        fate_add_callback(d, called, next_value());
        return;
    case 1:
        fate_add_errback(d, called, fate_none());
        return;
    case 2:
        fate_add_callbacks(d, called, called, fate_none());
        return;
    case 3:
        fate_add_trap(d, &FATE_VALUE_ERROR, called, fate_none());
        return;
    default:
        fate_add_both(d, called, next_value());
    }
}

static void make(struct slot *slot, unsigned how)
{
    switch (how % 8) {
    case 0:
        fill(slot, fate_deferred_new_cancellable(f.reactor, canceller, next_value()), true);
        return;
    case 1:
        fill(slot, fate_lock_acquire(f.lock), false);
        return;
    case 2:
        fill(slot, fate_lock_run(f.lock, function, fate_none()), false);
        return;
    case 3:
        fill(slot, fate_queue_get(f.queue), false);
        return;
    case 4:
        fill(slot, fate_go(f.reactor, body, next_value()), false);
        return;
    case 5:
        fill(slot, fate_defer_later(f.reactor, next_byte() * FATE_SECOND, function, fate_none()), false);
        return;
    case 6:
        fill(slot, fate_succeed(f.reactor, next_value()), false);
        return;
    default:
        fill(slot, fate_deferred_new(f.reactor), true);
    }
}

static void use(struct slot *slot, unsigned how)
{
    switch (how % 10) {
    case 0:
    case 1:
    case 2:
        add(slot->d);
        return;
    case 3:
        fate_cancel(slot->d);
        return;
    case 4:
        pause_it(slot);
        return;
    case 5:
        unpause(slot);
        return;
    case 6:
        chain(slot, next_slot());
        return;
    case 7:
        fill(next_slot(), fate_branch(slot->d), false);
        return;
    case 8:
        fate_add_timeout(slot->d, next_byte() * FATE_SECOND);
        return;
    default:
        fire(slot);
    }
}

static void step(void)
{
    unsigned byte = next_byte();
    struct slot *slot = next_slot();

    if (f.is_ending || ++f.n_steps > STEPS_MAX)
        return;
    if (byte < 60)
        make(slot, byte);
    else if (byte < 70)
        combine(slot);
    else if (byte < 80)
        empty(slot);
    else if (byte < 85)
        fate_queue_put(f.queue, next_value());
    else if (byte < 90 && fate_lock_is_held(f.lock))
        fate_lock_release(f.lock);
    else if (slot->d)
        use(slot, byte);
}

static void do_step(fate_value *arg)
{
    step();
}

/* ---- Memory that runs out ---- */

static bool may_obtain(void)
{
    return f.n_until_failure == 0 || --f.n_until_failure != 0;
}

static void *obtain(size_t bytes, void *user)
{
    return may_obtain() ? malloc(bytes) : NULL;
}

static void *resize(void *block, size_t bytes, void *user)
{
    return may_obtain() ? realloc(block, bytes) : NULL;
}

static void release(void *block, void *user)
{
    free(block);
}

static void say_nothing(const fate_unhandled *what, fate_value *arg)
{
}

static void log_nothing(const fate_log_entry *entry, fate_value *arg)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const fate_allocator allocator = { obtain, resize, release, NULL };

    fate_set_allocator(&allocator);
    f.n_until_failure = 0;
    f.reactor = fate_reactor_new_simulated();
    f.lock = fate_lock_new(f.reactor);
    f.queue = fate_queue_new(f.reactor, 3, 3);
    f.at = data;
    f.end = data + size;
    f.n_steps = f.n_lists = 0;
    f.is_ending = false;
    fate_on_unhandled(f.reactor, say_nothing, fate_none());
    fate_log_observe(f.reactor, FATE_LOG_ERROR, log_nothing, fate_none());
    f.n_until_failure = next_byte();
    while (f.at < f.end && f.n_steps <= STEPS_MAX) {
        if (*f.at == 255)
            fate_advance(f.reactor, next_byte() * FATE_SECOND);
        else
            fate_turn(f.reactor, do_step, fate_none());
    }
    f.n_until_failure = 0;
    f.is_ending = true;
    fate_turn(f.reactor, do_step, fate_none());
    for (size_t i = 0; i < N_SLOTS; i++)
        empty(&f.slots[i]);
    fate_reactor_free(f.reactor);
    return 0;
}
