/* The Mad Hatter lights a firecracker, and hands it to Ben a second later.  In whose hands does it explode?
 *
 * From "Intro to Python Asynchronous Programming and Twisted's Deferreds" by Ben Eills, the version with a
 * Deferred.  An argument is the seed of the dice that choose how long the fuse burns. */
#include "helpers.h"

struct firecracker {
    fate_reactor *reactor;
    const char *owner;
};

static fate_value explode(fate_value *burnt, fate_value *arg)
{
    struct firecracker *cracker = fate_as_ptr(arg);

    printf("BOOM! Firecracker exploded in the unlucky hands of %s\n", cracker->owner);
    return fate_none();
}

static void light_fuse(fate_value *arg)
{
    static const double burning_times[] = { 0.5, 1.0, 1.5, 2.0 };
    struct firecracker *cracker = fate_as_ptr(arg);
    fate_deferred *d = fate_deferred_new(cracker->reactor);

    fate_add_callback(d, explode, fate_ptr(cracker));
    fate_fire_later(d, fate_seconds(burning_times[roll_dice(4)]), fate_bool(true));
}

static void hand_to_ben(fate_value *arg)
{
    struct firecracker *cracker = fate_as_ptr(arg);
    cracker->owner = "Ben Eills";
}

int main(int argc, char **argv)
{
    fate_reactor *reactor = fate_reactor_new();
    struct firecracker cracker = { reactor, "Mad Hatter" };

    seed_dice(argc, argv);

    /* The Hatter lights the fuse immediately, waits one second and passes it to Ben. */
    fate_call_later(reactor, 0, light_fuse, fate_ptr(&cracker));
    fate_call_later(reactor, 1 * FATE_SECOND, hand_to_ben, fate_ptr(&cracker));

    /* Three seconds are long enough for the firecracker to explode. */
    fate_stop_later(reactor, 3 * FATE_SECOND);
    fate_run(reactor);
    fate_reactor_free(reactor);
}
