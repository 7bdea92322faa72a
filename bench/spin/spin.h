/* Round trips over one connection, common to the C peers.  A thread on the second CPU writes a byte into a
 * TCP connection and sleeps in read until it comes back; the loop on the first CPU watches the other end and
 * answers. (Over a UNIX socket pair an answer may be there before the client sleeps, so that its times fall
 * into two heaps.) A peer defines: HAS_SPIN                                0, or 1 if its loop can look for
 * work for a while before it sleeps void s_init(int fd, uint64_t spin_ns)   a loop that calls answer(fd)
 * whenever fd is readable void s_run(void)                        runs it in the calling thread, until s_stop
 *   void s_stop(void)                       called in the loop's thread
 *   void s_done(void)                       frees the loop
 *
 *   p50, p99               of the round trips, while the loop sleeps at once
 *   p50_spinning, p99_...  while it looks for work for SPIN_NS before it sleeps
 *   ratio                  p50_spinning / p50 */
#ifndef SPIN_H
#define SPIN_H
#include "../common/bench.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

enum { WARM_UP_TRIPS = 1000, TRIPS = 20000, SPIN_NS = 50000 };
static uint32_t took_ns[TRIPS];

static void s_stop(void);

/* The loop's end is readable: a byte to be sent back, or the end. */
static void answer(int fd)
{
    char byte;
    ssize_t n = read(fd, &byte, 1);
    if (n == 0)
        s_stop();
    else if (n == 1 && write(fd, &byte, 1) != 1)
        die("write");
    else if (n < 0 && errno != EAGAIN)
        die("read");
}

/* ---- The client ---- */

static uint32_t one_trip(int fd)
{
    char byte = 'x';
    uint64_t t0 = now_ns();
    if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
        die("a round trip");
    return (uint32_t)(now_ns() - t0);
}

static void *run_client(void *arg)
{
    const int *fd = (const int *)arg;
    pin(1);
    for (int i = 0; i < WARM_UP_TRIPS; i++)
        (void)one_trip(*fd);
    for (int i = 0; i < TRIPS; i++)
        took_ns[i] = one_trip(*fd);
    shutdown(*fd, SHUT_WR);
    return NULL;
}

static int compare_times(const void *a, const void *b)
{
    const uint32_t *x = (const uint32_t *)a, *y = (const uint32_t *)b;
    return (*x > *y) - (*x < *y);
}

/* ---- Measuring ---- */

static void connect_ends(int ends[2])
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 1) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) < 0)
        die("listen");
    ends[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (ends[1] < 0 || connect(ends[1], (struct sockaddr *)&address, size) < 0)
        die("connect");
    ends[0] = accept(listener, NULL, NULL);
    if (ends[0] < 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
        die("accept");
    for (int i = 0; i < 2; i++)
        setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    close(listener);
}

/* Fills took_ns, in ascending order. */
static void measure_trips(uint64_t spin_ns)
{
    pthread_t client;
    int ends[2];

    connect_ends(ends);
    s_init(ends[0], spin_ns);
    pthread_create(&client, NULL, run_client, &ends[1]);
    s_run();
    pthread_join(client, NULL);
    s_done();
    close(ends[0]);
    close(ends[1]);
    qsort(took_ns, TRIPS, sizeof took_ns[0], compare_times);
}

static double microseconds(uint32_t ns)
{
    return ns / 1e3;
}

static int spin_main(void)
{
    pin(0);
    measure_trips(0);
    double sleeping = microseconds(took_ns[TRIPS / 2]);
    report("p50", sleeping, "µs");
    report("p99", microseconds(took_ns[TRIPS / 100 * 99]), "µs");
    if (!HAS_SPIN)
        return 0;
    measure_trips(SPIN_NS);
    double spinning = microseconds(took_ns[TRIPS / 2]);
    report("p50_spinning", spinning, "µs");
    report("p99_spinning", microseconds(took_ns[TRIPS / 100 * 99]), "µs");
    report("ratio", spinning / sleeping, "spinning / sleeping");
    return 0;
}
#endif
