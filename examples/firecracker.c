/* The Mad Hatter lights a firecracker and hands it to Ben at once.  Two seconds after the explosion the
 * universe ends.
 *
 * From "Intro to Python Asynchronous Programming and Twisted's Deferreds" by Ben Eills, the version with Fate
 * and a Fuse.  An argument is the seed of the dice that choose how long the fuse burns. */
#include "helpers.h"

struct firecracker {
    fate_reactor *fate;
    const char *owner;
};

static void hand_to(struct firecracker *cracker, const char *new_owner)
{
    cracker->owner = new_owner;
}

static void explode(fate_value *arg)
{
    struct firecracker *cracker = fate_as_ptr(arg);

    printf("BOOM! Firecracker exploded in the unlucky hands of %s\n", cracker->owner);
    fate_fuse *fuse = fate_fuse_new(cracker->fate, 2 * FATE_SECOND);
    fate_fuse_set_handler(fuse, fate_shutdown, fate_ptr(cracker->fate));
}

static void light_fuse(struct firecracker *cracker)
{
    static const double burning_times[] = { 0.5, 1.0, 1.5, 2.0 };
    fate_fuse *fuse = fate_fuse_new(cracker->fate, fate_seconds(burning_times[roll_dice(4)]));
    fate_fuse_set_handler(fuse, explode, fate_ptr(cracker));
}

int main(int argc, char **argv)
{
    fate_reactor *fate = fate_reactor_new(); /* the universe comes into existence */
    struct firecracker cracker = { fate, "Mad Hatter" };

    seed_dice(argc, argv);
    light_fuse(&cracker);
    hand_to(&cracker, "Ben Eills");
    fate_run(fate); /* it begins to pay attention to the duration of time */
    fate_reactor_free(fate);
}
