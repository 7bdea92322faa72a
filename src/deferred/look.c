/* What each deferred waits for, and which of them nobody will ever fire. */
#include <deferred/look.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/alloc.h>
#include <base/text.h>
#include <deferred/members.h>

#define STATE_BYTES 512
#define NAMED_MAX   3    /* deferreds of a chain of waits that are named before its last one */
#define HOPS_MAX    1000 /* a chain that is longer is not followed to its end */

struct node {
    fate_deferred *d;
    fate_deferred *feeder;   /* one whose level fires it */
    uint32_t holds;          /* by those that wait with it */
    bool is_stuck;           /* nothing that could go on has been found to lead to it */
    struct node *next_alive; /* of those from which others are still to be reached */
};

struct view {
    struct fate__turns *turns;
    struct node *nodes; /* in order of address */
    size_t n, room;
    struct node *alive;
};

/* ---- Collecting ---- */

static bool is_alive(const fate_deferred *d)
{
    return !fate__slab_is_poisoned(d) && d->magic == FATE__ALIVE && !fate__is_over(d);
}

static void count(void *block, void *arg)
{
    *(size_t *)arg += is_alive(block);
}

size_t fate__count_deferreds(struct fate__turns *turns)
{
    size_t n = 0;

    fate__slab_each(&turns->deferreds, count, &n);
    return n;
}

static void collect(void *block, void *arg)
{
    struct view *view = arg;

    if (is_alive(block) && view->n < view->room)
        view->nodes[view->n++] = (struct node){ .d = block };
}

static int by_address(const void *a, const void *b)
{
    const fate_deferred *x = ((const struct node *)a)->d, *y = ((const struct node *)b)->d;
    return x < y ? -1 : x > y;
}

static struct node *find(const struct view *view, const fate_deferred *d)
{
    const struct node key = { .d = (fate_deferred *)(uintptr_t)d };
    return d ? bsearch(&key, view->nodes, view->n, sizeof key, by_address) : NULL;
}

/* Serials wrap around: they are compared by how long ago they were given. */
static int by_age(const void *a, const void *b)
{
    const fate_deferred *x = ((const struct node *)a)->d, *y = ((const struct node *)b)->d;
    uint32_t now = fate__turns_of(x)->serial;
    return now - x->serial > now - y->serial ? -1 : now - x->serial < now - y->serial;
}

/* ---- Who waits for whom ---- */

static const struct fate__source *source_of(const fate_deferred *d)
{
    return d->flags & FATE__SOURCE ? d->places[FATE__PLACES - 1].as.source : NULL;
}

static struct fate__waits waits_of(const fate_deferred *d)
{
    const struct fate__source *source = d->flags & FATE__FIRED ? NULL : source_of(d);
    struct fate__waits waits = { .on = NULL };

    if (source && source->waits)
        source->waits(fate__source_data(d), &waits);
    return waits;
}

/* The first of several that is not done. */
static const fate_deferred *first_pending(const struct fate__waits *waits)
{
    for (size_t i = 0; i < waits->n; i++)
        if (waits->of[i] && !fate__is_idle(waits->of[i]))
            return waits->of[i];
    return NULL;
}

/* Only its feeder can fire it: a branch. */
static bool is_fed(const struct node *node)
{
    const unsigned others = FATE__FIRED | FATE__SOURCE | FATE__ABANDONED;
    return node->feeder && (node->d->flags & FATE__LIBRARY) && !(node->d->flags & others);
}

/* The deferred that d waits for; NULL: it waits for none. */
static const fate_deferred *awaited_by(const struct view *view, const fate_deferred *d)
{
    if (d->flags & FATE__WAITING)
        return d->wait.on;
    const struct fate__waits waits = waits_of(d);
    if (waits.n)
        return first_pending(&waits);
    const struct node *node = find(view, d);
    return node && is_fed(node) ? node->feeder : NULL;
}

/* ---- Rings ----
 *
 * What waits for deferreds alone is taken for stuck, unless somebody outside holds it, who may cancel it.
 * From all others it is then found out who waits for them, and who for those: they are not stuck. */

static struct fate__members *members_in(unsigned kind, const struct fate__level *level)
{
    bool is_ear = kind == FATE__NATIVE && level->as.native == &fate__member_level;
    return is_ear ? level->arg.as.p : NULL;
}

static fate_deferred *fed_by(unsigned kind, const struct fate__level *level)
{
    bool feeds = kind == FATE__NATIVE &&
                 (level->as.native == &fate__chain_level || level->as.native == &fate__branch_level);
    return feeds ? level->arg.as.p : NULL;
}

struct visit {
    struct view *view;
    fate_deferred *d; /* whose levels are visited */
};

static void note_level(unsigned kind, const struct fate__level level[], void *arg)
{
    const struct visit *visit = arg;
    const struct fate__members *members = members_in(kind, level);
    struct node *fed = find(visit->view, members ? members->d : fed_by(kind, level));

    if (!fed)
        return;
    fed->holds++;
    if (!members)
        fed->feeder = visit->d;
}

static void note_hold(const struct view *view, const fate_deferred *d)
{
    struct node *node = find(view, d);

    if (node)
        node->holds++;
}

/* Who waits holds what it waits for, a list its members, and a level what it fires. */
static void note_edges(struct view *view)
{
    for (size_t i = 0; i < view->n; i++) {
        struct visit visit = { view, view->nodes[i].d };
        const struct fate__waits waits = waits_of(visit.d);

        fate__levels_each(visit.d, note_level, &visit);
        if (visit.d->flags & FATE__WAITING)
            note_hold(view, visit.d->wait.on);
        for (size_t j = 0; j < waits.n; j++)
            note_hold(view, waits.of[j]);
    }
}

static void is_not_stuck(struct view *view, const fate_deferred *d)
{
    struct node *node = find(view, d);

    if (!node || !node->is_stuck)
        return;
    node->is_stuck = false;
    node->next_alive = view->alive;
    view->alive = node;
}

static void follow_level(unsigned kind, const struct fate__level level[], void *arg)
{
    struct view *view = arg;
    const struct fate__members *members = members_in(kind, level);

    is_not_stuck(view, members ? members->d : fed_by(kind, level));
}

static void follow_waiters(struct view *view, const fate_deferred *d)
{
    const fate_deferred *last = d->flags & FATE__SWEPT ? NULL : d->waiters;

    if (!last)
        return;
    const fate_deferred *waiter = last;
    do {
        waiter = waiter->link;
        is_not_stuck(view, waiter);
    } while (waiter != last);
}

static void find_stuck(struct view *view)
{
    note_edges(view);
    for (size_t i = 0; i < view->n; i++)
        view->nodes[i].is_stuck = true;
    for (size_t i = 0; i < view->n; i++) {
        const struct node *node = &view->nodes[i];
        bool has_hope = node->d->holds > node->holds || !awaited_by(view, node->d);
        if (has_hope)
            is_not_stuck(view, node->d);
    }
    while (view->alive) {
        struct node *node = view->alive;
        view->alive = node->next_alive;
        fate__levels_each(node->d, follow_level, view);
        follow_waiters(view, node->d);
    }
}

/* ---- In words ---- */

struct words {
    char text[STATE_BYTES];
    size_t len;
};

static void add(struct words *words, const char *fmt, ...) FATE_PRINTF(2, 3);

static void add(struct words *words, const char *fmt, ...)
{
    size_t room = sizeof words->text - words->len;
    va_list args;

    va_start(args, fmt);
    int len = vsnprintf(words->text + words->len, room, fmt, args);
    va_end(args);
    words->len += len < 0 ? 0 : (size_t)len < room ? (size_t)len : room - 1;
}

static void add_name(struct words *words, const fate_deferred *d)
{
    char site[128];

    fate__site_short(fate__site_of(d), site, sizeof site);
    add(words, "%s%s%s", d->marks & FATE__COROUTINE ? "coroutine" : "deferred", *site ? " " : "", site);
}

/* What is waited for that is no deferred: "timer due in 1.2 s"; false: nothing is known of that. */
static bool get_text(const fate_deferred *d, struct fate__waits *ret_waits)
{
    const struct fate__turns *turns = fate__turns_of(d);

    *ret_waits = waits_of(d);
    if ((d->flags & (FATE__TIMED | FATE__FIRED)) == FATE__TIMED && turns->describe_later)
        turns->describe_later(d, ret_waits->text, sizeof ret_waits->text);
    return ret_waits->text[0];
}

static void add_end(struct words *words, const fate_deferred *d)
{
    const fate_class *failed = d->flags & FATE__FIRED ? fate_class_of(&d->result) : NULL;

    if (d->flags & (FATE__RUNNING | FATE__STACKED))
        add(words, "runs its levels");
    else if (d->flags & FATE__ABANDONED)
        add(words, "abandoned by its producer");
    else if (!(d->flags & FATE__FIRED))
        add(words, d->marks & FATE__COROUTINE ? "runs" : "unfired");
    else if (d->pauses)
        add(words, "paused%s", d->pauses > 1 ? " more than once" : "");
    else if (failed)
        add(words, "failed with %s", failed->name);
    else
        add(words, "done");
}

/* " ← timer due in 1.2 s", or ", unfired". */
static void add_leaf(struct words *words, const fate_deferred *d)
{
    struct fate__waits waits;

    if (get_text(d, &waits)) {
        add(words, " ← %s", waits.text);
    } else {
        add(words, ", ");
        add_end(words, d);
    }
}

static void add_chain(struct words *words, const struct view *view, const fate_deferred *d,
                      const fate_deferred *awaited)
{
    const fate_deferred *last = awaited;
    unsigned hops = 0;

    add(words, "waits for ");
    add_name(words, awaited);
    while ((awaited = awaited_by(view, last)) && awaited != d && ++hops < HOPS_MAX) {
        last = awaited;
        if (hops <= NAMED_MAX) {
            add(words, " ← ");
            add_name(words, last);
        }
    }
    if (awaited) {
        add(words, awaited == d ? " ← itself" : " ← …");
        return;
    }
    if (hops > NAMED_MAX) {
        add(words, hops > NAMED_MAX + 1 ? " ← … ← " : " ← ");
        add_name(words, last);
    }
    add_leaf(words, last);
}

/* Returns the id of what it waits for. */
static const void *add_state(struct words *words, const struct view *view, const struct node *node)
{
    const fate_deferred *awaited = awaited_by(view, node->d);
    struct fate__waits waits;

    if (awaited) {
        add_chain(words, view, node->d, awaited);
        if (node->is_stuck)
            add(words, " (abandoned: only waited for by what it waits for)");
        return awaited;
    }
    if (get_text(node->d, &waits)) {
        add(words, "waits for %s", waits.text);
        return waits.on;
    }
    add_end(words, node->d);
    if (fate__is_idle(node->d))
        add(words, ", held");
    return NULL;
}

/* ---- Showing ---- */

static void show(const struct view *view, const struct node *node, fate__see_fn *see, void *arg)
{
    const fate_deferred *d = node->d;
    const struct fate__turns *turns = view->turns;
    bool is_coroutine = d->marks & FATE__COROUTINE;
    struct words words = { .len = 0 };
    const void *waits_for = add_state(&words, view, node);
    const struct fate__seen seen = {
        .kind = is_coroutine ? "coroutine" : "deferred",
        .name = is_coroutine ? turns->coro_name(d) : "",
        .site = fate__site_of(d),
        .state = words.text,
        .age = fate__age(turns, d->age_ms),
        .id = d,
        .waits_for = waits_for,
    };

    see(&seen, arg);
}

static void show_all(const struct view *view, const struct node *by_age, bool are_coroutines,
                     fate__see_fn *see, void *arg)
{
    for (size_t i = 0; i < view->n; i++)
        if (((by_age[i].d->marks & FATE__COROUTINE) != 0) == are_coroutines)
            show(view, &by_age[i], see, arg);
}

static void show_number(size_t n, fate__see_fn *see, void *arg)
{
    char state[80];
    const struct fate__seen seen = { .kind = "deferred", .name = "", .site = "", .state = state };

    snprintf(state, sizeof state, "%zu of them; there is no memory to tell them apart", n);
    see(&seen, arg);
}

void fate__look_at_deferreds(struct fate__turns *turns, fate__see_fn *see, void *arg)
{
    struct view view = { .turns = turns, .room = fate__count_deferreds(turns) };

    if (view.room == 0)
        return;
    /* Twice: those by address are looked up in while those by age are shown. */
    view.nodes = fate__alloc(2 * view.room * sizeof *view.nodes);
    if (!view.nodes) {
        show_number(view.room, see, arg);
        return;
    }
    fate__slab_each(&turns->deferreds, collect, &view);
    qsort(view.nodes, view.n, sizeof *view.nodes, by_address);
    find_stuck(&view);
    struct node *ages = view.nodes + view.room;
    for (size_t i = 0; i < view.n; i++)
        ages[i] = view.nodes[i];
    qsort(ages, view.n, sizeof *ages, by_age);
    show_all(&view, ages, false, see, arg);
    show_all(&view, ages, true, see, arg);
    fate__free(view.nodes);
}

/* ---- What belongs to a reactor ---- */

/* "fate_looping_call_new" makes a looping call. */
static void add_kind(struct words *words, const char *what)
{
    const char *at = strncmp(what, "fate_", 5) == 0 ? what + 5 : what;

    for (; *at && strcmp(at, "_new") != 0; at++)
        add(words, "%c", *at == '_' ? ' ' : *at);
}

void fate__see_owned(struct fate__owned *owned, fate__see_fn *see, void *arg, const char *state,
                     const void *waits_for)
{
    struct words kind = { .len = 0 };

    add_kind(&kind, owned->what);
    const struct fate__seen seen = {
        .kind = kind.text,
        .name = "",
        .site = owned->site ? owned->site : "",
        .state = state,
        .age = fate__age(owned->turns, owned->made_ms),
        .id = owned,
        .waits_for = waits_for,
    };
    see(&seen, arg);
}
