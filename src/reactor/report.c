/* The report: all that is alive on a reactor. */
#include <fate/report.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <base/alloc.h>
#include <base/text.h>
#include <deferred/look.h>
#include <reactor/reactor.h>

#define LINES_MAX 10000

/* ---- What all kinds share ---- */

struct seeing {
    fate_reactor *reactor;
    void (*look)(const fate_thing *thing, fate_value *arg);
    fate_value arg;
    size_t n;
};

static bool is_own(const char *site)
{
    static const char own[] = FATE__OWN_SITE("");
    return strncmp(site, own, sizeof own - 1) == 0;
}

static void see(const struct fate__seen *seen, void *arg)
{
    struct seeing *seeing = arg;
    const fate_thing thing = { seen->kind, seen->name, seen->site,     seen->state,
                               seen->age,  seen->id,   seen->waits_for };

    if (is_own(seen->site))
        return;
    seeing->n++;
    seeing->look(&thing, &seeing->arg);
}

static const char *site_or_none(const char *site)
{
    return site ? site : "";
}

/* ---- Delayed calls ---- */

struct calls {
    struct seeing *seeing;
    struct fate__timer_view *views; /* NULL: there is no memory to sort them, or they are only counted */
    size_t n;
};

const char *fate__due_text(fate_timer timer, char to[FATE__DUE_BYTES])
{
    fate_time due = fate_timer_time(timer);
    char span[FATE__SPAN_BYTES];

    if (!fate_timer_active(timer))
        snprintf(to, FATE__DUE_BYTES, "over");
    else if (due == FATE_NEVER)
        snprintf(to, FATE__DUE_BYTES, "never due");
    else if (due <= timer.reactor->now)
        snprintf(to, FATE__DUE_BYTES, "due now");
    else
        snprintf(to, FATE__DUE_BYTES, "due in %s", fate__span_text(due - timer.reactor->now, span));
    return to;
}

static void count_call(const struct fate__timer_view *view, void *arg)
{
    ++((struct calls *)arg)->n;
}

static void collect_call(const struct fate__timer_view *view, void *arg)
{
    struct calls *calls = arg;
    calls->views[calls->n++] = *view;
}

static void show_call(const struct fate__timer_view *view, void *arg)
{
    const struct calls *calls = arg;
    fate_reactor *reactor = calls->seeing->reactor;
    char state[FATE__DUE_BYTES];
    const struct fate__seen seen = {
        .kind = "delayed call",
        .name = "",
        .site = site_or_none(view->site),
        .state = fate__due_text((fate_timer){ reactor, view->id }, state),
        .age = fate__age(&reactor->turns, view->made_ms),
        .id = (const void *)(uintptr_t)view->id,
    };

    see(&seen, calls->seeing);
}

/* Oldest first; of those made in one millisecond, that which is due first. */
static int by_making(const void *a, const void *b)
{
    const struct fate__timer_view *x = a, *y = b;
    int32_t made = (int32_t)(x->made_ms - y->made_ms);

    if (made != 0)
        return made;
    if (x->due != y->due)
        return x->due < y->due ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static void see_calls(struct seeing *seeing)
{
    struct fate__timers *timers = &seeing->reactor->timers;
    struct calls calls = { .seeing = seeing };

    fate__timers_each(timers, count_call, &calls);
    if (calls.n == 0)
        return;
    calls.views = fate__alloc(calls.n * sizeof *calls.views);
    if (!calls.views) {
        fate__timers_each(timers, show_call, &calls);
        return;
    }
    calls.n = 0;
    fate__timers_each(timers, collect_call, &calls);
    qsort(calls.views, calls.n, sizeof *calls.views, by_making);
    for (size_t i = 0; i < calls.n; i++)
        show_call(&calls.views[i], &calls);
    fate__free(calls.views);
}

/* ---- What fate_unwatch stops ---- */

struct watches {
    struct seeing *seeing;
    const struct fate__watched **all; /* as for delayed calls */
    size_t n;
};

static void count_watch(const struct fate__watched *watched, void *arg)
{
    ++((struct watches *)arg)->n;
}

static void collect_watch(const struct fate__watched *watched, void *arg)
{
    struct watches *watches = arg;
    watches->all[watches->n++] = watched;
}

static void show_watch(const struct fate__watched *watched, void *arg)
{
    struct seeing *seeing = ((const struct watches *)arg)->seeing;
    char what[64] = "", state[80] = "";
    const struct fate__seen seen = {
        .kind = watched->kind->name,
        .name = "",
        .site = site_or_none(watched->site),
        .state = state,
        .age = (seeing->reactor->now - watched->born) / FATE_MILLISECOND * FATE_MILLISECOND,
        .id = watched,
    };

    if (watched->kind->describe)
        watched->kind->describe(watched, what, sizeof what);
    if (*what)
        snprintf(state, sizeof state, "waits for %s", what);
    see(&seen, seeing);
}

static int by_kind_and_birth(const void *a, const void *b)
{
    const struct fate__watched *x = *(const struct fate__watched *const *)a;
    const struct fate__watched *y = *(const struct fate__watched *const *)b;
    int kind = strcmp(x->kind->name, y->kind->name);

    if (kind != 0)
        return kind;
    if (x->born != y->born)
        return x->born < y->born ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static void see_watches(struct seeing *seeing)
{
    const struct fate__watches *table = &seeing->reactor->watches;
    struct watches watches = { .seeing = seeing };

    fate__watches_each(table, count_watch, &watches);
    if (watches.n == 0)
        return;
    watches.all = fate__alloc(watches.n * sizeof *watches.all);
    if (!watches.all) {
        fate__watches_each(table, show_watch, &watches);
        return;
    }
    watches.n = 0;
    fate__watches_each(table, collect_watch, &watches);
    qsort(watches.all, watches.n, sizeof *watches.all, by_kind_and_birth);
    for (size_t i = 0; i < watches.n; i++)
        show_watch(watches.all[i], &watches);
    fate__free(watches.all);
}

/* ---- What was made on the reactor ---- */

#define KINDS_MAX 64

static struct fate__owned *owned_at(struct fate__link *link)
{
    return fate_container_of(link, struct fate__owned, link);
}

static void see_one(struct seeing *seeing, struct fate__owned *owned)
{
    if (owned->look)
        owned->look(owned, see, seeing);
    else
        fate__see_owned(owned, see, seeing, "", NULL);
}

static bool is_among(const char *what, const char *const *kinds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(kinds[i], what) == 0)
            return true;
    return false;
}

/* All of a kind where its first stands. */
static void see_owned(struct seeing *seeing)
{
    struct fate__link *list = &seeing->reactor->turns.owned;
    const char *kinds[KINDS_MAX];
    size_t n_kinds = 0;

    for (struct fate__link *at = list->next; at != list && n_kinds < KINDS_MAX; at = at->next) {
        const char *what = owned_at(at)->what;
        if (is_among(what, kinds, n_kinds))
            continue;
        kinds[n_kinds++] = what;
        for (struct fate__link *other = at; other != list; other = other->next)
            if (strcmp(owned_at(other)->what, what) == 0)
                see_one(seeing, owned_at(other));
    }
}

/* ---- Posted calls ---- */

static void see_post(const struct fate__post *post, void *arg)
{
    const struct fate__seen seen = {
        .kind = "posted call",
        .name = "",
        .site = site_or_none(post->site),
        .state = "waits for the next round",
        .id = post,
    };

    see(&seen, arg);
}

/* ---- All of them ---- */

static void see_all(void *arg)
{
    struct seeing *seeing = arg;
    fate_reactor *reactor = seeing->reactor;

    fate__now(reactor);
    fate__look_at_deferreds(&reactor->turns, see, seeing);
    see_calls(seeing);
    see_watches(seeing);
    see_owned(seeing);
    fate__posts_each(&reactor->posts, see_post, seeing);
}

size_t fate_reactor_each(fate_reactor *reactor, void (*look)(const fate_thing *thing, fate_value *arg),
                         fate_value arg)
{
    struct seeing seeing = { .reactor = reactor, .look = look, .arg = arg };

    fate__check_reactor(reactor, "fate_reactor_each", NULL);
    fate__check_given(&arg, "fate_reactor_each", NULL);
    if (!look)
        fate__stop(NULL, "fate_reactor_each was given a NULL look.");
    fate__lend(&seeing.arg);
    if (reactor->turns.outside)
        reactor->turns.outside(&reactor->turns, see_all, &seeing);
    else
        see_all(&seeing);
    fate_drop(fate_take(&seeing.arg));
    return seeing.n;
}

/* ---- Printing ---- */

struct printing {
    FILE *file;
    char kind[64]; /* of the line before */
    size_t n_lines, n_left_out;
};

static void print(const fate_thing *thing, fate_value *arg)
{
    struct printing *printing = fate_as_ptr(arg);
    char site[160], age[FATE__SPAN_BYTES];

    bool is_new_kind = strcmp(printing->kind, thing->kind) != 0;
    if (printing->n_lines + is_new_kind + 1 >= LINES_MAX) { /* the last line says what was left out */
        printing->n_left_out++;
        return;
    }
    if (is_new_kind) {
        snprintf(printing->kind, sizeof printing->kind, "%s", thing->kind);
        fprintf(printing->file, "  %s\n", thing->kind);
        printing->n_lines++;
    }
    fate__site_short(thing->site, site, sizeof site);
    fprintf(printing->file, "%10s  %s%s%s%s%s\n", fate__span_text(thing->age, age), thing->name,
            *thing->name && *site ? " " : "", site, (*site || *thing->name) && *thing->state ? ": " : "",
            thing->state);
    printing->n_lines++;
}

void fate_reactor_report(fate_reactor *reactor, FILE *file)
{
    struct printing printing = { .file = file, .n_lines = 1 };
    char age[FATE__SPAN_BYTES];

    fate__check_reactor(reactor, "fate_reactor_report", NULL);
    if (!file)
        fate__stop(NULL, "fate_reactor_report was given a NULL file. stderr is one that is always there.");
    fprintf(file, "reactor %s, %s old\n", reactor->options.name,
            fate__span_text(fate__now(reactor) - reactor->began, age));
    size_t n = fate_reactor_each(reactor, print, fate_ptr(&printing));
    if (printing.n_left_out)
        fprintf(file, "  and %zu more; ", printing.n_left_out);
    fprintf(file, "%s%zu in all\n", printing.n_left_out ? "" : "  ", n);
    fflush(file);
}

/* ---- When it is printed ---- */

static void report_now(fate_value *reactor)
{
    fate_reactor_report(fate_as_ptr(reactor), stderr);
}

int fate__report_on_usr1(fate_reactor *reactor)
{
    fate_watch watch =
        fate_on_signal_at(reactor, SIGUSR1, report_now, fate_ptr(reactor), FATE__OWN_SITE("report_on_usr1"));
    return watch.id < 0 ? (int)watch.id : 0;
}

struct left {
    const fate_reactor *reactor;
    size_t n;
};

/* Observers are to stay to the end, and so are the reactor's own pool and cooperator. */
static void count_left(const fate_thing *thing, fate_value *arg)
{
    struct left *left = fate_as_ptr(arg);
    bool is_own_pool = thing->id == left->reactor->threads.own;
    bool is_own_cooperator = thing->id == left->reactor->cooperator;
    bool is_observer = strcmp(thing->kind, fate__observer_kind.name) == 0;

    if (!is_own_pool && !is_own_cooperator && !is_observer)
        left->n++;
}

void fate__report_left(fate_reactor *reactor)
{
    const char *debug = getenv("FATE_DEBUG");
    struct left left = { .reactor = reactor };

    if (!debug || strcmp(debug, "1") != 0)
        return;
    fate__turn_enter(&reactor->turns); /* what is done goes */
    fate__turn_leave(&reactor->turns);
    fate_reactor_each(reactor, count_left, fate_ptr(&left));
    if (left.n == 0)
        return;
    fprintf(stderr, "fate_reactor_free: this is left.\n");
    fate_reactor_report(reactor, stderr);
}
