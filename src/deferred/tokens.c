/* Acquire, release, and run, which cannot leak a token (R123-R132). */
#include <errno.h>
#include <stdio.h>

#include <base/alloc.h>
#include <deferred/tokens.h>

/* The reactor's end: nobody is left to release. */
static void destroy(struct fate__owned *owned)
{
    struct fate__tokens *t = (struct fate__tokens *)owned;

    t->is_freed = true;
    fate__line_cancel(&t->line);
    fate__disown(owned);
    fate__free(t);
}

/* Freed by its owner, its memory stays until the last who has a token has released it. */
static void free_if_unused(struct fate__tokens *t)
{
    if (!t->is_freed || t->n_turns || t->n_free < t->limit)
        return;
    fate__disown(&t->owned);
    fate__free(t);
}

static void look(struct fate__owned *owned, fate__see_fn *see, void *arg)
{
    const struct fate__tokens *t = (const struct fate__tokens *)owned;
    char state[96];
    int len = t->limit > 1 ? snprintf(state, sizeof state, "%zu of %zu free", t->n_free, t->limit)
                           : snprintf(state, sizeof state, "%s", t->n_free ? "free" : "held");

    if (t->line.n)
        snprintf(state + len, sizeof state - (size_t)len, ", %zu wait", t->line.n);
    fate__see_owned(owned, see, arg, state, NULL);
}

struct fate__tokens *fate__tokens_new(fate_reactor *reactor, const fate_type *type, const char *noun,
                                      const char *what, size_t limit)
{
    struct fate__tokens *t = fate__own(reactor, sizeof *t, destroy, what);

    if (t->owned.is_no_memory)
        return t;
    t->type = type;
    t->noun = noun;
    t->n_free = t->limit = limit;
    t->owned.look = look;
    fate__line_init(&t->line, noun, t);
    return t;
}

void fate__tokens_free(struct fate__tokens *t)
{
    if (!t || t->owned.is_no_memory || t->is_freed)
        return;
    t->is_freed = true;
    t->n_turns++; /* those who wait may do things with it when they are cancelled */
    fate__line_cancel(&t->line);
    t->n_turns--;
    free_if_unused(t);
}

fate_deferred *fate__tokens_acquire(struct fate__tokens *t, const char *site)
{
    fate_reactor *reactor = fate__reactor(t->owned.turns);

    if (t->owned.is_no_memory)
        return fate__hand_out_no_memory(t->owned.turns);
    if (t->is_freed)
        return fate_succeed_at(reactor, fate__raise(site, &FATE_CANCELLED, "the %s is being freed", t->noun),
                               site);
    if (t->n_free == 0)
        return fate__line_join(&t->line, reactor, site);
    fate_deferred *d = fate__library_deferred(reactor, site);
    if (!fate__is_no_memory_deferred(d) && !(d->flags & FATE__FIRED)) {
        t->n_free--;
        fate__fire(d, fate__object(t->type, t), site);
    }
    return d;
}

/* A token comes back: the oldest in line gets it, and is returned when it is to run now. */
static fate_deferred *give_back(struct fate__tokens *t)
{
    fate_deferred *next = fate__line_next(&t->line);

    if (next)
        return fate__accept(next, fate__object(t->type, t), fate__site_of(next));
    t->n_free++;
    return NULL;
}

int fate__tokens_release(struct fate__tokens *t)
{
    if (t->owned.is_no_memory)
        return -ENOMEM;
    if (t->n_free == t->limit)
        fate__stop(NULL,
                   "a free %s was released (R125, R131). Release once for each acquire that has fired; "
                   "fate_%s_run does it for you, on every path.",
                   t->noun, t->noun);
    fate_deferred *next = give_back(t);
    if (next)
        fate__run(next);
    else
        free_if_unused(t);
    return 0;
}

/* ---- run ---- */

/* One call of run.  Two levels on the deferred of the acquire refer to it, and one on what the function
 * follows. */
struct turn {
    struct fate__tokens *tokens;
    fate_function *function;
    fate_value arg;
    const char *site;
    bool has_token;
    unsigned n_levels;
};

static void forget(struct turn *turn)
{
    struct fate__tokens *tokens = turn->tokens;

    if (--turn->n_levels)
        return;
    fate_drop(turn->arg);
    fate__free(turn);
    tokens->n_turns--;
    free_if_unused(tokens);
}

/* Gives the token back, unless somebody has released behind our back (R130). */
static fate_deferred *release(fate_deferred *d, struct turn *turn)
{
    if (!turn->has_token)
        return NULL;
    turn->has_token = false;
    if (turn->tokens->n_free < turn->tokens->limit)
        return give_back(turn->tokens);
    fate_drop(fate_take(&d->result));
    d->result = fate__raise(turn->site, &FATE_ASSERTION_ERROR,
                            "the %s was released by someone else while this run had it", turn->tokens->noun);
    return NULL;
}

static fate_deferred *release_run(fate_deferred *d, struct fate__level *level)
{
    struct turn *turn = level->arg.as.p;
    fate_deferred *next = release(d, turn);

    forget(turn);
    return next;
}

static void turn_drop(struct fate__level *level)
{
    forget(level->arg.as.p);
}

static const struct fate__native release_level = { "release", release_run, turn_drop };

/* The release is a level on what the function follows, so that it comes before run's own deferred has the
 * result. When there is no memory for that level, the one on run's own deferred does it. */
static fate_deferred *follow(fate_deferred *d, fate_deferred *inner, struct turn *turn)
{
    struct fate__level level = { .as.native = &release_level, .arg = { NULL, { .p = turn } } };

    if (fate__is_no_memory_deferred(inner)) {
        d->result = fate__no_memory();
        return NULL;
    }
    turn->n_levels++;
    if (!fate__level_push(inner, FATE__NATIVE, &level))
        turn->n_levels--;
    return fate__follow_busy(d, inner, turn->site);
}

static fate_deferred *execute(fate_deferred *d, struct turn *turn)
{
    fate_drop(fate_take(&d->result));
    turn->has_token = true;
    fate_value out = fate__call_function(turn->function, fate_take(&turn->arg), turn->site);
    if (out.type && out.type->kind == FATE_KIND_FOLLOW)
        return follow(d, out.as.p, turn);
    d->result = out;
    return release(d, turn);
}

static fate_deferred *execute_run(fate_deferred *d, struct fate__level *level)
{
    struct turn *turn = level->arg.as.p;
    fate_deferred *next = fate_is_failure(&d->result) ? NULL : execute(d, turn);

    forget(turn);
    return next;
}

static const struct fate__native execute_level = { "run", execute_run, turn_drop };

static struct turn *new_turn(struct fate__tokens *tokens, fate_function *function, fate_value arg,
                             const char *site)
{
    struct turn *turn = fate__alloc(sizeof *turn);
    if (!turn)
        return NULL;
    *turn = (struct turn){ tokens, function, arg, site, false, 2 };
    tokens->n_turns++;
    return turn;
}

fate_deferred *fate__tokens_run(struct fate__tokens *t, fate_function *function, fate_value arg,
                                const char *site)
{
    fate__check_given(&arg, "run", site);
    struct turn *turn =
        t->owned.is_no_memory || fate__is_no_memory(&arg) ? NULL : new_turn(t, function, arg, site);
    if (!turn) {
        fate_drop(arg);
        return fate__hand_out_no_memory(t->owned.turns);
    }
    fate_deferred *d = fate__tokens_acquire(t, site);
    /* Paused, so that both levels are there before the first runs; they fit inside it. */
    if (!fate__is_no_memory_deferred(d))
        d->pauses++;
    bool is_stored = fate__add_native(d, &execute_level, turn, 0);
    is_stored &= fate__add_native(d, &release_level, turn, 0);
    fate__assert(is_stored);
    if (!fate__is_no_memory_deferred(d))
        fate_unpause(d);
    return d;
}
