/* A chain of fuses, the handler of each lighting the next one, blows up Parliament.
 *
 * From "Intro to Python Asynchronous Programming and Twisted's Deferreds" by Ben Eills, FuseInChain: "taking
 * Fate to its limits". */
#include <fate/fate.h>
#include <stdio.h>

struct fuse_in_chain {
    fate_reactor *fate;
    struct fuse_in_chain *next; /* NULL: this one is tied directly to the barrel */
    fate_time burning_time;
};

/* Explodes Parliament and shuts down the universe. */
static void explode_parliament(fate_value *fate)
{
    printf("Boom! The Houses of Parliament explode!\n");
    fate_stop(fate_as_ptr(fate));
}

static void ignite(fate_value *arg)
{
    struct fuse_in_chain *link = fate_as_ptr(arg);

    printf("...igniting next fuse in chain...\n");
    fate_fuse *fuse = fate_fuse_new(link->fate, link->burning_time);
    if (link->next)
        fate_fuse_set_handler(fuse, ignite, fate_ptr(link->next));
    else
        fate_fuse_set_handler(fuse, explode_parliament, fate_ptr(link->fate));
}

int main(void)
{
    fate_reactor *fate = fate_reactor_new();
    struct fuse_in_chain chain[8] = { { fate, NULL, 300 * FATE_MILLISECOND } };

    for (int i = 0; i < 7; i++)
        chain[i + 1] = (struct fuse_in_chain){ fate, &chain[i], i * 100 * FATE_MILLISECOND };

    fate_value last = fate_ptr(&chain[7]);
    ignite(&last);
    fate_run(fate);
    fate_reactor_free(fate);
}
