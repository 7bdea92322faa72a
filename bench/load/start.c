/* How long a server takes from exec until it listens.
 *
 *   start RUNS COMMAND...
 *
 * COMMAND is started RUNS times with a free port as one more argument, and ended when it has printed a line.
 * The clock is read by the child just before exec, so that what fork costs is left out; the line's way to
 * this process, some 50 µs, is not.
 *
 *   start    median, ms */
#include "../common/net.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { RUNS_MAX = 1000 };

static int free_port(void)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    int fd = listen_loopback(0, 0);
    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        die("getsockname");
    close(fd);
    return ntohs(address.sin_port);
}

/* In the child; began is memory that the parent sees too. */
static void become(char **command, int output, uint64_t *began)
{
    if (dup2(output, STDOUT_FILENO) < 0)
        _exit(126);
    *began = now_ns();
    execvp(command[0], command);
    _exit(127);
}

static double start_once(char **command, uint64_t *began)
{
    char byte;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        die("pipe");
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0)
        become(command, ends[1], began);
    close(ends[1]);
    ssize_t n = read(ends[0], &byte, 1);
    uint64_t ended = now_ns();
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ends[0]);
    if (n != 1) {
        fprintf(stderr, "start: %s ended before it printed a line\n", command[0]);
        exit(1);
    }
    return (double)(ended - *began) / 1e6;
}

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

int main(int argc, char **argv)
{
    static double took_ms[RUNS_MAX];
    char port[8], **command = xmalloc((size_t)argc * sizeof *command);
    int n_runs = argc > 2 ? atoi(argv[1]) : 0;
    uint64_t *began = mmap(NULL, sizeof *began, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (began == MAP_FAILED)
        die("mmap");
    if (n_runs < 1 || n_runs > RUNS_MAX) {
        fprintf(stderr, "usage: start RUNS COMMAND..., RUNS from 1 to %d\n", RUNS_MAX);
        return 2;
    }
    memcpy(command, argv + 2, (size_t)(argc - 2) * sizeof *command);
    command[argc - 2] = port;
    command[argc - 1] = NULL;
    for (int i = 0; i < n_runs; i++) {
        snprintf(port, sizeof port, "%d", free_port());
        took_ms[i] = start_once(command, began);
    }
    qsort(took_ms, (size_t)n_runs, sizeof *took_ms, compare);
    report("start", took_ms[n_runs / 2], "ms");
    free(command);
    return 0;
}
