/* The operations on time: delayed calls, deferLater, loops (section 6, Time). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "world.h"

/* ---- Delayed calls ---- */

struct delayed {
    struct world *world;
    const char *name; /* "-": none */
    struct words words;
};

static void do_delayed(fate_value *arg)
{
    struct delayed delayed = *fate_unbox(struct delayed, arg);
    struct world *world = delayed.world;

    if (world->is_ending)
        return;
    if (strcmp(delayed.name, "-") != 0)
        world->calls[number_of(delayed.name)].was_called = true;
    printf("at ");
    print_seconds(fate_now(world->reactor));
    printf(" %s\n", delayed.name);
    operate(world, delayed.words);
}

fate_timer schedule(struct world *world, const char *name, const char *seconds, struct words words)
{
    return fate_call_later(world->reactor, parse_seconds(seconds), do_delayed,
                           fate_box(struct delayed, world, name, words));
}

void op_later(struct world *world, struct words args)
{
    const char *name = args.of[0];

    if (!is_new_call(world, name))
        return;
    struct words words = { args.n - 2, args.of + 2 };
    world->calls[number_of(name)] = (struct named_call){
        .timer = schedule(world, name, args.of[1], words),
        .is_known = true,
    };
}

/* A call that is still to be made. */
static struct named_call *find_pending_call(struct world *world, const char *name)
{
    struct named_call *call = find_call(world, name);

    if (!call)
        return NULL;
    if (call->was_cancelled)
        printf("! call-cancelled %s\n", name);
    else if (call->was_called)
        printf("! call-called %s\n", name);
    else
        return call;
    return NULL;
}

void op_resetcall(struct world *world, struct words args)
{
    struct named_call *call = find_pending_call(world, args.of[0]);

    if (call)
        fate_timer_reset(call->timer, parse_seconds(args.of[1]));
}

void op_delaycall(struct world *world, struct words args)
{
    struct named_call *call = find_pending_call(world, args.of[0]);

    if (call)
        fate_timer_delay(call->timer, parse_seconds(args.of[1]));
}

void op_cancelcall(struct world *world, struct words args)
{
    struct named_call *call = find_pending_call(world, args.of[0]);

    if (!call)
        return;
    fate_timer_cancel(call->timer);
    call->was_cancelled = true;
}

void op_showcall(struct world *world, struct words args)
{
    struct named_call *call = find_call(world, args.of[0]);

    if (!call)
        return;
    printf("delayed %s ", args.of[0]);
    if (call->was_cancelled || call->was_called) {
        printf(call->was_cancelled ? "cancelled\n" : "called\n");
        return;
    }
    printf("active at=");
    print_seconds(fate_timer_time(call->timer));
    printf("\n");
}

/* ---- Deferreds and loops ---- */

void op_deferlater(struct world *world, struct words args)
{
    const char *name = args.of[0];

    if (!is_new_deferred(world, name))
        return;
    fate_value arg = fate_box(struct handler, world, "run", args.of[2], args.of[3], number_of(name));
    bind(world, name, fate_defer_later(world->reactor, parse_seconds(args.of[1]), call_function, arg));
}

/* args: tN dM INTERVAL now|wait [count] LABEL ACTION */
void op_loop(struct world *world, struct words args)
{
    const char *name = args.of[0], *d_name = args.of[1];

    if (!is_new_loop(world, name) || !is_new_deferred(world, d_name))
        return;
    bool is_counted = args.n == 7;
    const char *label = args.of[args.n - 2], *action = args.of[args.n - 1];
    fate_value arg = fate_box(struct handler, world, "tick", label, action, number_of(d_name));
    fate_looping_call *loop = is_counted ? fate_looping_call_new_counted(world->reactor, call_counted, arg)
                                         : fate_looping_call_new(world->reactor, call_function, arg);
    world->loops[number_of(name)] = loop;
    bind(world, d_name,
         fate_looping_call_start(loop, parse_seconds(args.of[2]), strcmp(args.of[3], "now") == 0));
}

void op_stoploop(struct world *world, struct words args)
{
    fate_looping_call *loop = find_running_loop(world, args.of[0]);

    if (loop)
        fate_looping_call_stop(loop);
}

void op_resetloop(struct world *world, struct words args)
{
    fate_looping_call *loop = find_running_loop(world, args.of[0]);

    if (loop)
        fate_looping_call_reset(loop);
}
