/* libfate inside another loop: here a plain one over poll(2), which reads what comes out of a pipe.
 *
 * The other loop waits for the reactor's descriptor beside its own; when that is readable, the reactor has
 * work to do. */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include <fate/fate.h>

#define TICKS 3

/* Called by libfate: what it writes wakes the other loop, which is its own. */
static fate_value tick(fate_value *pipe_end)
{
    static int n_ticks;
    int fd = (int)fate_as_int(pipe_end);

    printf("libfate: tick %d\n", ++n_ticks);
    dprintf(fd, "message %d", n_ticks);
    if (n_ticks == TICKS)
        close(fd);
    return fate_none();
}

int main(void)
{
    int ends[2];
    /* The poller "poll" has no descriptor to wait for. */
    fate_reactor *reactor = fate_reactor_new_with(.poller = "epoll");
    if (!reactor || pipe(ends) < 0)
        return 1;

    fate_looping_call *ticking = fate_looping_call_new(reactor, tick, fate_int(ends[1]));
    fate_looping_call_start(ticking, 20 * FATE_MILLISECOND, true);

    struct pollfd fds[] = { { .fd = ends[0], .events = POLLIN },
                            { .fd = fate_reactor_fd(reactor), .events = POLLIN } };
    for (bool has_more = true; has_more && poll(fds, 2, -1) >= 0;) {
        char message[64];
        ssize_t len = fds[0].revents ? read(ends[0], message, sizeof message) : -1;
        if (len > 0)
            printf("the other loop: %.*s\n", (int)len, message);
        has_more = len != 0;
        if (has_more && fds[1].revents)
            fate_iterate(reactor, 0);
    }
    puts("the other loop: that was all");
    fate_reactor_free(reactor);
    close(ends[0]);
}
