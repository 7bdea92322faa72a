/* Runs a command, prints what it says, and waits for that no longer than five seconds.
 *
 *     process_output git log --oneline -5
 *
 * A command that takes longer gets SIGTERM, and two seconds later SIGKILL.  That it timed out, or how it has
 * failed, is said on standard error, and the exit status is 1. */
#include <fate/fate.h>

static fate_deferred *start(fate_reactor *reactor, int argc, char **argv)
{
    const char *const *command = argc > 1 ? (const char *const *)argv + 1 : fate_argv("uname", "-s");
    fate_deferred *d = fate_process_output(reactor, command);

    fate_add_timeout(d, 5 * FATE_SECOND);
    return fate_add_callback(d, fate_print, fate_none());
}

int main(int argc, char **argv)
{
    return fate_main(start, argc, argv);
}
