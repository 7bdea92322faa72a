/* A child for tests of processes: does one thing that a shell cannot.
 *
 *     child descriptors       names those that are open, "0 1 2"
 *     child signals           names those that are blocked or ignored, or "none"
 *     child flood BYTES       writes that many to stdout and to stderr while it reads all of stdin, and says
 * in its exit status whether that was as many child deaf              ignores SIGTERM, says "ready", and
 * waits for ever child close FD          closes it, says so on the other one of stdout and stderr, reads
 * stdin to its end child core              ends by SIGABRT, without a core
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static int descriptors(void)
{
    const char *between = "";

    for (int fd = 0; fd < 4096; fd++)
        if (fcntl(fd, F_GETFD) >= 0) {
            printf("%s%d", between, fd);
            between = " ";
        }
    return 0;
}

static int signals(void)
{
    const char *between = "";
    sigset_t blocked;

    sigprocmask(SIG_BLOCK, NULL, &blocked);
    for (int signo = 1; signo < SIGRTMAX; signo++) {
        struct sigaction action;
        if (sigaction(signo, NULL, &action) < 0)
            continue;
        if (sigismember(&blocked, signo) == 1 || action.sa_handler == SIG_IGN) {
            printf("%s%d", between, signo);
            between = " ";
        }
    }
    if (!*between)
        printf("none");
    return 0;
}

struct flow {
    struct pollfd fd;
    long left;
};

/* Moves what goes; a flow that is over is not waited for any more. */
static void move(struct flow *flow, int is_input)
{
    static char bytes[65536];
    size_t len = flow->left < (long)sizeof bytes ? (size_t)flow->left : sizeof bytes;
    ssize_t n;

    if (!flow->fd.revents)
        return;
    if (is_input)
        n = read(flow->fd.fd, bytes, sizeof bytes);
    else
        n = write(flow->fd.fd, bytes, len);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    flow->left -= n > 0 ? n : 0;
    if (n <= 0 || (!is_input && flow->left == 0))
        flow->fd.fd = -1;
}

static int flood(long bytes)
{
    struct flow flows[3];

    for (int fd = 0; fd < 3; fd++) {
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        flows[fd] = (struct flow){ { fd, fd == 0 ? POLLIN : POLLOUT, 0 }, bytes };
    }
    while (flows[0].fd.fd >= 0 || flows[1].fd.fd >= 0 || flows[2].fd.fd >= 0) {
        struct pollfd fds[3] = { flows[0].fd, flows[1].fd, flows[2].fd };
        poll(fds, 3, -1);
        for (int i = 0; i < 3; i++) {
            flows[i].fd.revents = fds[i].revents;
            move(&flows[i], i == 0);
        }
    }
    return flows[0].left == 0 ? 0 : 1;
}

static int deaf(void)
{
    signal(SIGTERM, SIG_IGN);
    if (write(STDOUT_FILENO, "ready", 5) < 0)
        return 1;
    for (;;)
        pause();
}

static int close_one(int fd)
{
    char byte;

    close(fd);
    if (write(fd == STDOUT_FILENO ? STDERR_FILENO : STDOUT_FILENO, "closed", 6) < 0)
        return 1;
    while (fd != STDIN_FILENO && read(STDIN_FILENO, &byte, 1) > 0)
        ;
    if (fd == STDIN_FILENO)
        pause();
    return 0;
}

static int core(void)
{
    const struct rlimit none = { 0, 0 };

    setrlimit(RLIMIT_CORE, &none);
    abort();
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    const char *number = argc > 2 ? argv[2] : "0";

    if (strcmp(what, "descriptors") == 0)
        return descriptors();
    if (strcmp(what, "signals") == 0)
        return signals();
    if (strcmp(what, "flood") == 0)
        return flood(atol(number));
    if (strcmp(what, "deaf") == 0)
        return deaf();
    if (strcmp(what, "close") == 0)
        return close_one(atoi(number));
    if (strcmp(what, "core") == 0)
        return core();
    fprintf(stderr, "child: what is \"%s\"?\n", what);
    return 2;
}
