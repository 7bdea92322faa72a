/* What the C servers and the load generator share: listening, socket options, the limit of descriptors. */
#ifndef BENCH_NET_H
#define BENCH_NET_H
#include "bench.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* So many that a burst of connections never finds the queue full and waits a second to be repeated. */
enum { BACKLOG = 4096 };

static inline struct sockaddr_in loopback(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* A listening socket; flags are those of socket(2). */
static inline int listen_loopback(int port, int flags)
{
    struct sockaddr_in address = loopback(port);
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd < 0)
        die("socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, BACKLOG) < 0)
        die("listen");
    return fd;
}

static inline void nodelay(int fd)
{
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* Raises the limit of this process as far as it may; the number of descriptors that it may have then. */
static inline rlim_t raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        die("getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        die("setrlimit");
    return limit.rlim_cur;
}

/* The port is a server's last argument. */
static inline int port_of(int argc, char **argv)
{
    int port = argc > 1 ? atoi(argv[argc - 1]) : 0;
    if (port < 1 || port > 65535) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        exit(2);
    }
    return port;
}

/* A server prints this one line when it listens; whoever has started it waits for that. */
static inline void ready(void)
{
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    puts("ready");
    fflush(stdout);
}
#endif
