/* A command that takes too long is told to end by SIGTERM; this one is deaf to that and is killed.
 *
 * The timeout is a cancel, and what comes of it is there when the child has gone. */
#include <fate/fate.h>
#include <stdio.h>

static fate_value print_trouble(fate_value *why, fate_value *arg)
{
    printf("%s\n", fate_message(why));
    return fate_none();
}

static fate_deferred *start(fate_reactor *reactor, int argc, char **argv)
{
    fate_deferred *d =
        fate_process_output_with(reactor, fate_argv("sh", "-c", "trap '' TERM; while :; do sleep 1; done"),
                                 .kill_after = fate_seconds(0.1));

    fate_add_timeout(d, fate_seconds(0.2));
    return fate_add_trap(d, &FATE_TIMEOUT, print_trouble, fate_none());
}

int main(int argc, char **argv)
{
    return fate_main(start, argc, argv);
}
