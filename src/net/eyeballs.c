/* Happy eyeballs: see eyeballs.h. */
#include <net/eyeballs.h>

#include <base/stop.h>

static uint64_t bit(unsigned i)
{
    return (uint64_t)1 << i;
}

static bool is_pending(const struct fate__eyeballs *eyeballs, unsigned i)
{
    return eyeballs->pending & bit(i);
}

/* ---- What has happened ---- */

void fate__eyeballs_arrived(struct fate__eyeballs *eyeballs, size_t n, bool is_last)
{
    size_t room = FATE__TRIES_MAX - eyeballs->n;

    fate__assert(!eyeballs->knows_all);
    eyeballs->n += (unsigned)(n < room ? n : room);
    eyeballs->knows_all = is_last;
}

void fate__eyeballs_failed(struct fate__eyeballs *eyeballs, unsigned i)
{
    fate__assert(i < eyeballs->next);
    fate__assert(is_pending(eyeballs, i));
    eyeballs->pending &= ~bit(i);
}

void fate__eyeballs_connected(struct fate__eyeballs *eyeballs, unsigned i)
{
    fate__eyeballs_failed(eyeballs, i);
    fate__assert(!eyeballs->has_ended);
    eyeballs->has_ended = eyeballs->has_won = true;
    eyeballs->winner = i;
}

void fate__eyeballs_due(struct fate__eyeballs *eyeballs)
{
    fate__assert(eyeballs->has_timer);
    eyeballs->has_timer = false;
    eyeballs->is_due = true;
}

void fate__eyeballs_cancel(struct fate__eyeballs *eyeballs)
{
    eyeballs->has_ended = eyeballs->has_told = true;
}

/* ---- What is to be done ---- */

static struct fate__step begin_next(struct fate__eyeballs *eyeballs)
{
    unsigned i = eyeballs->next++;

    eyeballs->pending |= bit(i);
    eyeballs->is_due = false;
    eyeballs->is_timer_stale = true;
    return (struct fate__step){ FATE__STEP_TRY, i };
}

static struct fate__step set_timer(struct fate__eyeballs *eyeballs)
{
    eyeballs->has_timer = true;
    eyeballs->is_timer_stale = false;
    return (struct fate__step){ FATE__STEP_SET_TIMER, 0 };
}

static struct fate__step stop_timer(struct fate__eyeballs *eyeballs)
{
    eyeballs->has_timer = false;
    return (struct fate__step){ FATE__STEP_STOP_TIMER, 0 };
}

static struct fate__step give_up_first(struct fate__eyeballs *eyeballs)
{
    unsigned i = (unsigned)__builtin_ctzll(eyeballs->pending);

    eyeballs->pending &= ~bit(i);
    return (struct fate__step){ FATE__STEP_GIVE_UP, i };
}

/* The end is told last, when nothing is left that could still happen. */
static struct fate__step end(struct fate__eyeballs *eyeballs)
{
    if (eyeballs->has_timer)
        return stop_timer(eyeballs);
    if (eyeballs->pending)
        return give_up_first(eyeballs);
    if (eyeballs->has_told)
        return (struct fate__step){ FATE__STEP_NONE, 0 };
    eyeballs->has_told = true;
    return (struct fate__step){ eyeballs->has_won ? FATE__STEP_WON : FATE__STEP_LOST, eyeballs->winner };
}

/* Is there no attempt that deserves more time before the next begins? */
static bool is_time_for_next(const struct fate__eyeballs *eyeballs)
{
    return eyeballs->next == 0 || eyeballs->is_due || !is_pending(eyeballs, eyeballs->next - 1);
}

struct fate__step fate__eyeballs_next(struct fate__eyeballs *eyeballs)
{
    bool has_next = eyeballs->next < eyeballs->n;

    if (eyeballs->has_ended)
        return end(eyeballs);
    if (has_next && is_time_for_next(eyeballs))
        return begin_next(eyeballs);
    if (has_next && (!eyeballs->has_timer || eyeballs->is_timer_stale))
        return set_timer(eyeballs);
    if (!has_next && eyeballs->has_timer)
        return stop_timer(eyeballs);
    if (has_next || eyeballs->pending || !eyeballs->knows_all)
        return (struct fate__step){ FATE__STEP_NONE, 0 };
    eyeballs->has_ended = true;
    return end(eyeballs);
}

/* ---- The order ---- */

/* The first at or behind from whose family is that, or is not; n: there is none. */
static size_t find(const uint16_t families[], size_t n, size_t from, uint16_t family, bool is_of_it)
{
    while (from < n && (families[from] == family) != is_of_it)
        from++;
    return from;
}

void fate__alternate(const uint16_t families[], size_t n, size_t ret_order[])
{
    size_t of_first = 0, of_other = n ? find(families, n, 0, families[0], false) : 0;

    for (size_t k = 0; k < n;) {
        if (of_first < n) {
            ret_order[k++] = of_first;
            of_first = find(families, n, of_first + 1, families[0], true);
        }
        if (of_other < n) {
            ret_order[k++] = of_other;
            of_other = find(families, n, of_other + 1, families[0], false);
        }
    }
}
