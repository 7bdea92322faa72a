/* The operations on deferreds, and the table of all operations (section 6). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

/* ---- Making ---- */

struct canceller {
    struct world *world;
    const char *name;
    const char *kind;
};

static void call_canceller(fate_deferred *d, fate_value *arg)
{
    const struct canceller *canceller = fate_unbox(struct canceller, arg);
    const char *kind = canceller->kind;
    const char *rest;

    if (canceller->world->is_ending)
        return;
    printf("canceller %s\n", canceller->name);
    if (after_prefix(kind, "cb=", &rest))
        fate_fire(d, parse_value(rest));
    else if (after_prefix(kind, "eb=", &rest))
        fate_fire(d, parse_error(rest));
}

static void bind_fireable(struct world *world, const char *name, fate_deferred *d, bool is_produced)
{
    struct named_deferred *named = bind(world, name, d);

    named->is_fireable = true;
    named->is_produced = is_produced;
}

static void op_new(struct world *world, struct words args)
{
    const char *name = args.of[0];
    const char *kind = args.n > 1 ? args.of[1] : "none";
    fate_deferred *d;

    if (!is_new_deferred(world, name))
        return;
    if (!strcmp(kind, "none"))
        d = fate_deferred_new(world->reactor);
    else
        d = fate_deferred_new_cancellable(world->reactor, call_canceller,
                                          fate_box(struct canceller, world, name, kind));
    bind_fireable(world, name, d, false);
}

static void op_succeed(struct world *world, struct words args)
{
    if (is_new_deferred(world, args.of[0]))
        bind_fireable(world, args.of[0], fate_succeed(world->reactor, parse_value(args.of[1])), true);
}

static void op_fail(struct world *world, struct words args)
{
    if (is_new_deferred(world, args.of[0]))
        bind_fireable(world, args.of[0], fate_fail(world->reactor, parse_error(args.of[1])), true);
}

static void op_maybe(struct world *world, struct words args)
{
    const char *name = args.of[0];

    if (!is_new_deferred(world, name))
        return;
    fate_deferred *d = fate_maybe(world->reactor, call_function,
                                  fate_box(struct handler, world, NULL, NULL, args.of[1], number_of(name)));
    for (unsigned i = 0; i < NAMES_MAX; i++) {
        if (world->deferreds[i].d == d) {
            printf("same d%u\n", i);
            return;
        }
    }
    bind_fireable(world, name, d, true);
}

/* ---- Adding ---- */

static fate_value box_handler(struct world *world, const char *label, const char *action, unsigned rank)
{
    return fate_box(struct handler, world, "call", label, action, rank);
}

static void op_add(struct world *world, struct words args)
{
    struct named_deferred *named = find_deferred(world, args.of[0]);
    const char *label = args.of[1], *on_value = args.of[2], *on_failure = args.of[3];

    if (!named)
        return;
    unsigned rank = number_of(args.of[0]);
    if (!strcmp(on_failure, "-"))
        fate_add_callback(named->d, call_handler, box_handler(world, label, on_value, rank));
    else if (!strcmp(on_value, "-"))
        fate_add_errback(named->d, call_handler, box_handler(world, label, on_failure, rank));
    else
        fate_add_handlers(named->d, .callback = call_handler,
                          .callback_arg = box_handler(world, label, on_value, rank), .errback = call_handler,
                          .errback_arg = box_handler(world, label, on_failure, rank));
}

static void op_both(struct world *world, struct words args)
{
    struct named_deferred *named = find_deferred(world, args.of[0]);

    if (named)
        fate_add_both(named->d, call_handler,
                      box_handler(world, args.of[1], args.of[2], number_of(args.of[0])));
}

static void op_chain(struct world *world, struct words args)
{
    struct named_deferred *source = find_deferred(world, args.of[0]);
    struct named_deferred *target = source ? find_deferred(world, args.of[1]) : NULL;

    if (!target)
        return;
    if (target->is_fireable)
        fate_chain(source->d, target->d);
    else
        printf("! not-fireable %s\n", args.of[1]);
}

static void op_timeout(struct world *world, struct words args)
{
    struct named_deferred *named = find_deferred(world, args.of[0]);

    if (!named)
        return;
    fate_time delay = parse_seconds(args.of[1]);
    if (args.n > 2)
        fate_add_timeout_with(named->d, delay, call_handler,
                              box_handler(world, "timeout", args.of[2], number_of(args.of[0])));
    else
        fate_add_timeout(named->d, delay);
}

/* ---- Firing, pausing, cancelling ---- */

void fire(struct world *world, const char *name, fate_value value)
{
    struct named_deferred *named = find_deferred(world, name);

    if (!named || !named->is_fireable) {
        if (named)
            printf("! not-fireable %s\n", name);
        fate_drop(value);
        return;
    }
    named->is_produced = true;
    if (fate_fire(named->d, value) == -EALREADY)
        printf("! already-called %s\n", name);
}

static void op_callback(struct world *world, struct words args)
{
    fire(world, args.of[0], parse_value(args.of[1]));
}

static void op_errback(struct world *world, struct words args)
{
    fire(world, args.of[0], parse_error(args.of[1]));
}

void pause_named(struct world *world, const char *name)
{
    struct named_deferred *named = find_deferred(world, name);

    if (!named)
        return;
    named->n_pauses++;
    fate_pause(named->d);
}

void unpause_named(struct world *world, const char *name)
{
    struct named_deferred *named = find_deferred(world, name);

    if (!named)
        return;
    if (named->n_pauses == 0) {
        printf("! not-paused %s\n", name);
        return;
    }
    named->n_pauses--;
    fate_unpause(named->d);
}

void cancel_named(struct world *world, const char *name)
{
    struct named_deferred *named = find_deferred(world, name);

    if (named)
        fate_cancel(named->d);
}

void drop_named(struct world *world, const char *name)
{
    struct named_deferred *named = find_deferred(world, name);

    if (named)
        unbind(named);
}

static void op_pause(struct world *world, struct words args)
{
    pause_named(world, args.of[0]);
}

static void op_unpause(struct world *world, struct words args)
{
    unpause_named(world, args.of[0]);
}

static void op_cancel(struct world *world, struct words args)
{
    cancel_named(world, args.of[0]);
}

static void op_drop(struct world *world, struct words args)
{
    drop_named(world, args.of[0]);
}

/* ---- Joining several ---- */

/* The members named, or NULL: one of the names is illegal.  The array lives as long as the world. */
static fate_deferred **find_members(struct world *world, const char *name, size_t n, char *const names[])
{
    fate_deferred **members = keep(world, (n + 1) * sizeof(fate_deferred *));

    if (!is_new_deferred(world, name))
        return NULL;
    for (size_t i = 0; i < n; i++) {
        struct named_deferred *member = find_deferred(world, names[i]);
        if (!member)
            return NULL;
        members[i] = member->d;
    }
    for (size_t i = 0; i < n; i++) {
        if (!may_wait(world, number_of(name), names[i]))
            return NULL;
    }
    return members;
}

static void bind_shaped(struct world *world, const char *name, fate_deferred *d, enum shape shape)
{
    bind(world, name, d)->shape = shape;
    fate_add_both(d, wrap_result, fate_int(shape));
}

static void op_list(struct world *world, struct words args)
{
    const char *name = args.of[0], *flags = args.of[1];
    fate_deferred **members = find_members(world, name, args.n - 2, args.of + 2);

    if (!members)
        return;
    bool fires_on_one = strchr(flags, 'c') != NULL;
    fate_deferred *d = fate_settle_with(
        world->reactor, args.n - 2, members, .fire_on_one_callback = fires_on_one,
        .fire_on_one_errback = strchr(flags, 'e') != NULL, .consume_errors = strchr(flags, 'x') != NULL);
    bind_shaped(world, name, d, fires_on_one ? SETTLED_FIRST : SETTLED);
}

static void op_gather(struct world *world, struct words args)
{
    const char *name = args.of[0];
    fate_deferred **members = find_members(world, name, args.n - 2, args.of + 2);

    if (members)
        bind_shaped(world, name,
                    fate_gather_with(world->reactor, args.n - 2, members,
                                     .consume_errors = strchr(args.of[1], 'x') != NULL),
                    GATHERED);
}

static void op_race(struct world *world, struct words args)
{
    const char *name = args.of[0];
    fate_deferred **members = find_members(world, name, args.n - 1, args.of + 1);

    if (members)
        bind_shaped(world, name, fate_race(world->reactor, args.n - 1, members), RACED);
}

/* ---- Looking ---- */

static void op_show(struct world *world, struct words args)
{
    const char *name = args.of[0];
    struct named_deferred *named = find_deferred(world, name);

    if (!named)
        return;
    const fate_value *result = fate_peek(named->d);
    printf("state %s ", name);
    switch (fate_state(named->d)) {
    case FATE_UNFIRED:
        printf("unfired");
        break;
    case FATE_WAITING:
        printf("waiting");
        break;
    case FATE_DONE:
        printf(fate_is_failure(result) ? "failure " : "value ");
        print_raw_result(world, result, named->shape);
        break;
    }
    printf(named->n_pauses ? " paused\n" : "\n");
}

/* ---- The table ---- */

static const struct {
    const char *name;
    operation *operation;
    size_t n_args_min;
} operations[] = {
    { "new", op_new, 1 },
    { "succeed", op_succeed, 2 },
    { "fail", op_fail, 2 },
    { "maybe", op_maybe, 2 },
    { "add", op_add, 4 },
    { "both", op_both, 3 },
    { "callback", op_callback, 2 },
    { "errback", op_errback, 2 },
    { "pause", op_pause, 1 },
    { "unpause", op_unpause, 1 },
    { "cancel", op_cancel, 1 },
    { "drop", op_drop, 1 },
    { "chain", op_chain, 2 },
    { "timeout", op_timeout, 2 },
    { "list", op_list, 2 },
    { "gather", op_gather, 2 },
    { "race", op_race, 1 },
    { "show", op_show, 1 },
    { "lock", op_lock, 1 },
    { "sem", op_sem, 2 },
    { "queue", op_queue, 3 },
    { "acquire", op_acquire, 2 },
    { "release", op_release, 1 },
    { "run", op_run, 4 },
    { "put", op_put, 2 },
    { "get", op_get, 2 },
    { "later", op_later, 3 },
    { "resetcall", op_resetcall, 2 },
    { "delaycall", op_delaycall, 2 },
    { "cancelcall", op_cancelcall, 1 },
    { "showcall", op_showcall, 1 },
    { "deferlater", op_deferlater, 4 },
    { "loop", op_loop, 6 },
    { "stoploop", op_stoploop, 1 },
    { "resetloop", op_resetloop, 1 },
    { "inline", op_inline, 2 },
};

void operate(struct world *world, struct words words)
{
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if (strcmp(words.of[0], operations[i].name) != 0)
            continue;
        if (words.n - 1 < operations[i].n_args_min)
            give_up("too few words for an operation", words.of[0]);
        operations[i].operation(world, (struct words){ words.n - 1, words.of + 1 });
        return;
    }
    give_up("an unknown operation", words.of[0]);
}
