/* Random operations on delayed calls, held against a sorted array (R182-R187, R192, R195-R200). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fate/fate.h>

#include "test.h"

#define HANDLES      1024
#define N_ROUNDS     100
#define N_OPERATIONS 10000
#define NUMBERS      4096

enum end { PENDING, CALLED, CANCELLED };

struct modelled {
    fate_timer timer;
    fate_time due;
    uint64_t order;
    enum end end;
};

static struct modelled model[HANDLES];
static struct modelled *pending[HANDLES]; /* the earliest first */
static int n_pending, n_handles;
static int64_t last_ids[NUMBERS]; /* of the call that each timer had last, by the lower half of ids */
static uint64_t order, random_state;
static fate_reactor *reactor;
static bool is_playing;
static fate_time played_to;
static long n_wrong, n_called;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* From 1 ns to 100 years, all magnitudes alike. */
static fate_time random_time(void)
{
    unsigned shift = 3 + (unsigned)(next_random() % 61);
    return (fate_time)(next_random() >> shift);
}

static fate_time random_delay(void)
{
    switch (next_random() % 16) {
    case 0:
        return 0;
    case 1:
        return -random_time();
    case 2:
        return FATE_NEVER;
    case 3:
    case 4: /* the time of another one */
        return model[next_random() % (uint64_t)n_handles].due / 2 - fate_now(reactor) / 2;
    case 5:
    case 6:
    case 7:
        return (fate_time)(next_random() % 4) * FATE_MILLISECOND;
    default:
        return random_time();
    }
}

static fate_time after(fate_time t, fate_time delay)
{
    fate_time due;
    if (__builtin_add_overflow(t, delay, &due))
        return delay > 0 ? FATE_NEVER : -FATE_NEVER;
    return due;
}

/* ---- The model ---- */

static bool is_before(const struct modelled *a, const struct modelled *b)
{
    return a->due < b->due || (a->due == b->due && a->order < b->order);
}

static void insert(struct modelled *one, fate_time due)
{
    int at = n_pending++;

    one->due = due;
    one->order = order++;
    one->end = PENDING;
    while (at > 0 && is_before(one, pending[at - 1])) {
        pending[at] = pending[at - 1];
        at--;
    }
    pending[at] = one;
}

static void leave(struct modelled *one, enum end how)
{
    int at = 0;

    while (pending[at] != one)
        at++;
    n_pending--;
    memmove(&pending[at], &pending[at + 1], (size_t)(n_pending - at) * sizeof *pending);
    one->end = how;
}

/* What the verbs must return for it. */
static int expected_of(const struct modelled *one)
{
    if (!one->timer.reactor || last_ids[(uint32_t)one->timer.id % NUMBERS] != one->timer.id)
        return -ESTALE;
    if (one->end == PENDING)
        return 0;
    return one->end == CALLED ? -EALREADY : -ECANCELED;
}

/* ---- Both ---- */

static void operate(int depth);

static void called(fate_value *arg)
{
    struct modelled *one = fate_as_ptr(arg);

    n_called++;
    n_wrong += n_pending == 0 || one != pending[0] || one->due > fate_now(reactor) || one->due == FATE_NEVER;
    n_wrong += is_playing && one->due > played_to && one->due != fate_now(reactor);
    played_to = fate_now(reactor);
    if (one->end == PENDING)
        leave(one, CALLED);
    n_wrong += fate_timer_cancel(one->timer) != -EALREADY;
    for (uint64_t i = next_random() % 4; i > 1; i--)
        operate(1);
}

static void schedule(struct modelled *one)
{
    fate_time delay = random_delay();

    one->timer = fate_call_later(reactor, delay, called, fate_ptr(one));
    n_wrong += one->timer.id <= 0;
    last_ids[(uint32_t)one->timer.id % NUMBERS] = one->timer.id;
    insert(one, after(fate_now(reactor), delay));
}

static void cancel(struct modelled *one)
{
    int expected = expected_of(one);

    n_wrong += fate_timer_cancel(one->timer) != expected;
    if (expected == 0)
        leave(one, CANCELLED);
}

static void move(struct modelled *one)
{
    bool is_reset = next_random() % 2;
    fate_time delay = random_delay();
    fate_time due = after(is_reset ? fate_now(reactor) : one->due, delay);
    int expected = expected_of(one);
    int result = is_reset ? fate_timer_reset(one->timer, delay) : fate_timer_delay(one->timer, delay);

    n_wrong += result != expected;
    if (expected)
        return;
    leave(one, CANCELLED);
    insert(one, due);
}

static void look(const struct modelled *one)
{
    bool is_pending = expected_of(one) == 0;
    fate_time next = n_pending ? pending[0]->due : FATE_NEVER;
    fate_time now = fate_now(reactor);

    n_wrong += fate_timer_active(one->timer) != is_pending;
    n_wrong += fate_timer_time(one->timer) != (is_pending ? one->due : FATE_NEVER);
    if (next != FATE_NEVER)
        next = next > now ? next - now : 0;
    n_wrong += fate_next_timeout(reactor) != next;
}

static void pass_time(void)
{
    static const fate_time steps[] = { 0, 1, 5000, FATE_MILLISECOND, FATE_SECOND, 60 * FATE_SECOND };
    bool is_leap = next_random() % 16 == 0;
    fate_time t = is_leap ? random_time() >> 4 : steps[next_random() % (sizeof steps / sizeof *steps)];

    is_playing = next_random() % 4 == 0;
    played_to = fate_now(reactor);
    if (is_playing)
        fate_play(reactor, t);
    else
        fate_advance(reactor, t);
    is_playing = false;
    n_wrong += n_pending && pending[0]->due <= fate_now(reactor) && pending[0]->due != FATE_NEVER;
}

static void operate(int depth)
{
    struct modelled *one = &model[next_random() % (uint64_t)n_handles];
    uint64_t what = next_random() % 16;

    if (what < 6 && one->end != PENDING)
        schedule(one);
    else if (what < 8)
        cancel(one);
    else if (what < 12)
        move(one);
    else if (what < 14)
        look(one);
    else if (depth == 0)
        pass_time();
}

/* Few handles make empty lists, many make long ones. */
static void one_round(uint64_t seed)
{
    static const int sizes[] = { 2, 16, 128, HANDLES };

    memset(model, 0, sizeof model);
    memset(last_ids, 0, sizeof last_ids);
    for (int i = 0; i < HANDLES; i++)
        model[i].end = CANCELLED;
    n_pending = 0;
    order = 0;
    n_wrong = 0;
    random_state = seed;
    n_handles = sizes[next_random() % 4];
    reactor = fate_reactor_new_simulated();
    if (!EXPECT(reactor != NULL))
        return;
    for (int i = 0; i < N_OPERATIONS && n_wrong == 0; i++)
        operate(0);
    if (!EXPECT_EQ(n_wrong, 0))
        fprintf(stderr, "with the seed %#llx\n", (unsigned long long)seed);
    fate_reactor_free(reactor);
}

VOLUME_TEST(a_million_random_operations_agree_with_a_model)
{
    uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

    n_called = 0;
    for (int i = 0; i < N_ROUNDS; i++)
        one_round(seed += UINT64_C(0x9e3779b97f4a7c14));
    EXPECT(n_called > N_ROUNDS * N_OPERATIONS / 100);
}
