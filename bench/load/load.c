/* The load of the servers: many connections in one thread, over bare edge-triggered epoll.
 *
 *   --port=N --connections=N
 *   --echo=BYTES     sends so many bytes and waits for as many
 *   --http=DEPTH     sends DEPTH requests at once over a connection that stays, and waits for the responses
 *   --idle           sends one byte over each connection, then nothing
 *   --seconds=S      how long it measures; 1.  Half a second before that is not counted
 *   --messages=N     sends N messages instead, and measures nothing
 *   --server=PID     reports of that process too
 *
 * Each connection has one batch on its way: the next is sent when all of the last has come back.  So the
 * server is never flooded, and latencies are those of a busy server, not of a queue that grows.  The CPU time
 * that the server's threads use for a message stays meaningful where not the server is the limit but this
 * program. At the end connections are reset, which leaves nothing in TIME_WAIT.
 *
 * Results, beside the total:
 *   rate, p50, p99       messages a second; latencies of a batch
 *   server_cpu           ns of the server's threads for a message
 *   rss_per_connection, rss_base, idle_cpu, idle_wakeups     with --idle */
#include "../common/net.h"
#include "histogram.h"
#include "process.h"
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <sys/epoll.h>

enum { CONNECTIONS_MAX = 25000, ECHO_BYTES_MAX = 1 << 20, DEPTH_MAX = 256, EVENTS_MAX = 256 };
enum { OTHER_DESCRIPTORS = 32 };         /* beside the connections, in this process or the server */
enum { PATIENCE_SECONDS = 10 };          /* nothing for so long means that nothing will come */
enum { SETTLING_MICROSECONDS = 300000 }; /* until a server has nothing more to do for what was before */

struct options {
    enum { NO_MODE, ECHO_MODE, HTTP_MODE, IDLE_MODE } mode;
    int port, n_connections;
    size_t echo_bytes;
    unsigned depth; /* messages in a batch; 1 but for HTTP */
    double seconds;
    uint64_t n_batches; /* 0: as many as there is time for */
    long server;        /* 0: unknown */
};

struct connection {
    int fd;
    size_t sent, received; /* of the batch that is on its way */
    uint64_t began;
};

static struct options options = { .depth = 1, .seconds = 1, .n_connections = 64 };
static struct connection *connections;
static char *request; /* a batch */
static size_t request_len, response_len;

static struct histogram latencies;
static bool is_measuring;
static uint64_t n_begun, n_answered; /* batches */
static uint64_t now;                 /* as of the last answer */

__attribute__((format(printf, 1, 2), noreturn)) static void stop(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    exit(1);
}

/* ---- Limits ---- */

/* Raises the limit of a process, 0 for this one.  A server that has become another user may be out of reach;
 * if it has too few, the load will tell of connections that fail. */
static void allow_descriptors(long pid, const char *whose)
{
    rlim_t needed = (rlim_t)options.n_connections + OTHER_DESCRIPTORS;
    struct rlimit limit;
    if (prlimit((pid_t)pid, RLIMIT_NOFILE, NULL, &limit) < 0) {
        if (errno == EPERM)
            return;
        die("prlimit");
    }
    if (limit.rlim_cur >= needed)
        return;
    if (limit.rlim_max < needed)
        stop("%d connections need %llu descriptors, but %s hard limit is %llu; ulimit -Hn or nofile in "
             "/etc/security/limits.conf raises it",
             options.n_connections, (unsigned long long)needed, whose, (unsigned long long)limit.rlim_max);
    limit.rlim_cur = needed;
    if (prlimit((pid_t)pid, RLIMIT_NOFILE, &limit, NULL) < 0)
        die("prlimit");
}

/* ---- Opening ---- */

static int dial(void)
{
    struct sockaddr_in address = loopback(options.port);
    struct linger reset_on_close = { .l_onoff = 1, .l_linger = 0 };
    struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("socket");
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset_on_close, sizeof reset_on_close);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    nodelay(fd);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        die("connect");
    return fd;
}

static size_t receive_some(int fd, char *buffer, size_t size)
{
    ssize_t n = recv(fd, buffer, size, 0);
    if (n <= 0)
        stop("no answer to the first message of a connection: %s", n ? strerror(errno) : "it was closed");
    return (size_t)n;
}

/* The length of the response that begins there, 0 if not all of its head is there. */
static size_t length_of_response(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "\r\ncontent-length:");
    if (!end)
        return 0;
    if (!length || length > end)
        stop("a response without Content-Length: %s", text);
    return (size_t)(end + 4 - text) + strtoul(length + strlen("\r\ncontent-length:"), NULL, 10);
}

/* Sends one request; how long its response is.  All others are taken to have the same length. */
static size_t ask_once(int fd, const char *text)
{
    static char buffer[65536];
    size_t received = 0, length = 0;
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text))
        die("the first request");
    while (!length || received < length) {
        if (received + 1 == sizeof buffer)
            stop("a response is longer than %zu bytes", sizeof buffer);
        received += receive_some(fd, buffer + received, sizeof buffer - 1 - received);
        buffer[received] = '\0';
        length = length_of_response(buffer);
    }
    return length;
}

static const char get[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

/* One small message there and back, so that the server has this connection, and its queue has room for more.
 */
static void greet(int fd)
{
    char byte = 'x';
    if (options.mode == HTTP_MODE) {
        response_len = options.depth * ask_once(fd, get);
        return;
    }
    if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
        die("the first byte");
    receive_some(fd, &byte, 1);
}

static void open_connections(int first, int end)
{
    for (int i = first; i < end; i++) {
        connections[i].fd = dial();
        greet(connections[i].fd);
    }
}

static void make_request(void)
{
    size_t len = options.mode == HTTP_MODE ? sizeof get - 1 : options.echo_bytes;
    request_len = options.depth * len;
    request = xmalloc(request_len);
    memset(request, 'x', request_len);
    if (options.mode == HTTP_MODE)
        for (unsigned i = 0; i < options.depth; i++)
            memcpy(request + i * len, get, len);
    else
        response_len = request_len;
}

/* ---- Sending and receiving ---- */

/* 0, also if there is no room for now; -errno if the connection is lost. */
static int send_more(struct connection *c)
{
    while (c->sent < request_len) {
        ssize_t n = send(c->fd, request + c->sent, request_len - c->sent, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN ? 0 : -errno;
        c->sent += (size_t)n;
    }
    return 0;
}

static int begin(struct connection *c)
{
    if (options.n_batches && n_begun == options.n_batches)
        return 0;
    n_begun++;
    c->sent = c->received = 0;
    c->began = now;
    return send_more(c);
}

static int answered(struct connection *c)
{
    now = now_ns();
    n_answered++;
    if (is_measuring)
        count(&latencies, now - c->began);
    return begin(c);
}

/* A batch whose end has been read leaves the socket empty, and the next arrival is a new event. */
static int receive_more(struct connection *c)
{
    static char buffer[1 << 18];
    for (;;) {
        ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);
        if (n == 0)
            return -ECONNRESET;
        if (n < 0)
            return errno == EAGAIN ? 0 : -errno;
        c->received += (size_t)n;
        if (c->received > response_len)
            stop("%zu bytes came back, not %zu", c->received, response_len);
        if (c->received == response_len)
            return answered(c);
    }
}

static void serve(struct connection *c, uint32_t events)
{
    int status = (events & EPOLLOUT) && c->sent < request_len ? send_more(c) : 0;
    if (status == 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        status = receive_more(c);
    if (status < 0)
        stop("a connection was lost: %s", strerror(-status));
}

static void serve_some(int epoll_fd)
{
    struct epoll_event events[EVENTS_MAX];
    int n = epoll_wait(epoll_fd, events, EVENTS_MAX, PATIENCE_SECONDS * 1000);
    if (n < 0 && errno != EINTR)
        die("epoll_wait");
    if (n == 0)
        stop("no answer for %d seconds", PATIENCE_SECONDS);
    for (int i = 0; i < n; i++)
        serve(events[i].data.ptr, events[i].events);
}

static int watch_connections(void)
{
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0)
        die("epoll_create1");
    for (int i = 0; i < options.n_connections; i++) {
        struct connection *c = &connections[i];
        struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c };
        c->sent = request_len;
        if (fcntl(c->fd, F_SETFL, O_NONBLOCK) < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event) < 0)
            die("epoll_ctl");
    }
    return epoll_fd;
}

static void begin_all(void)
{
    now = now_ns();
    for (int i = 0; i < options.n_connections; i++) {
        int status = begin(&connections[i]);
        if (status < 0)
            stop("a connection was lost: %s", strerror(-status));
    }
}

/* ---- Measuring ---- */

static void serve_for(int epoll_fd, double seconds)
{
    uint64_t end = now_ns() + (uint64_t)(seconds * 1e9);
    while (now < end)
        serve_some(epoll_fd);
}

static void measure_exchange(void)
{
    int epoll_fd = watch_connections();
    begin_all();
    serve_for(epoll_fd, options.seconds < 1 ? options.seconds / 2 : 0.5);

    is_measuring = true;
    uint64_t began = now_ns(), n_before = n_answered;
    struct usage before = usage_of(options.server);
    serve_for(epoll_fd, options.seconds);
    struct usage after = usage_of(options.server);
    double ns = (double)(now_ns() - began), messages = (double)(n_answered - n_before) * options.depth;

    report("rate", messages / ns * 1e9, "msg/s");
    report("p50", quantile(&latencies, 0.50) / 1e3, "µs");
    report("p99", quantile(&latencies, 0.99) / 1e3, "µs");
    if (options.server)
        report("server_cpu", (after.cpu_ns - before.cpu_ns) / messages, "ns");
}

static void exchange_all(void)
{
    int epoll_fd = watch_connections();
    begin_all();
    while (n_answered < options.n_batches)
        serve_some(epoll_fd);
}

/* The first connection is there before memory is measured, so that what all share is not counted. */
static void measure_idle(void)
{
    usleep(SETTLING_MICROSECONDS);
    double base = resident_bytes(options.server);
    open_connections(1, options.n_connections);
    usleep(SETTLING_MICROSECONDS);

    struct usage before = usage_of(options.server);
    uint64_t began = now_ns();
    usleep((useconds_t)(options.seconds * 1e6));
    struct usage after = usage_of(options.server);
    double ns = (double)(now_ns() - began), resident = resident_bytes(options.server);
    int n_more = options.n_connections > 1 ? options.n_connections - 1 : 1;

    report("rss_per_connection", (resident - base) / n_more, "B");
    report("rss_base", base / (1 << 20), "MiB");
    report("idle_cpu", (after.cpu_ns - before.cpu_ns) / ns * 1e6, "ppm of a CPU");
    report("idle_wakeups", (after.wakeups - before.wakeups) / ns * 1e9, "a second");
}

/* ---- The command line ---- */

static void set_option(int option, const char *value)
{
    switch (option) {
    case 'p':
        options.port = atoi(value);
        break;
    case 'c':
        options.n_connections = atoi(value);
        break;
    case 'e':
        options.mode = ECHO_MODE;
        options.echo_bytes = strtoul(value, NULL, 10);
        break;
    case 'h':
        options.mode = HTTP_MODE;
        options.depth = (unsigned)strtoul(value, NULL, 10);
        break;
    case 'i':
        options.mode = IDLE_MODE;
        break;
    case 's':
        options.seconds = atof(value);
        break;
    case 'm':
        options.n_batches = strtoull(value, NULL, 10);
        break;
    case 'S':
        options.server = atol(value);
        break;
    default:
        exit(2);
    }
}

static void parse(int argc, char **argv)
{
    static const struct option known[] = {
        { "port", required_argument, NULL, 'p' },
        { "connections", required_argument, NULL, 'c' },
        { "echo", required_argument, NULL, 'e' },
        { "http", required_argument, NULL, 'h' },
        { "idle", no_argument, NULL, 'i' },
        { "seconds", required_argument, NULL, 's' },
        { "messages", required_argument, NULL, 'm' },
        { "server", required_argument, NULL, 'S' },
        { NULL, 0, NULL, 0 },
    };
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;)
        set_option(option, optarg);
    if (optind < argc || !options.mode)
        stop("one of --echo, --http and --idle, and no other words than options");
    if (options.port < 1 || options.port > 65535)
        stop("--port is from 1 to 65535");
    if (options.n_connections < 1 || options.n_connections > CONNECTIONS_MAX)
        stop("--connections is from 1 to %d", CONNECTIONS_MAX);
    if (options.mode == ECHO_MODE && (options.echo_bytes < 1 || options.echo_bytes > ECHO_BYTES_MAX))
        stop("--echo is from 1 to %d", ECHO_BYTES_MAX);
    if (options.depth < 1 || options.depth > DEPTH_MAX)
        stop("--http is from 1 to %d", DEPTH_MAX);
    if (!(options.seconds > 0 && options.seconds <= 600))
        stop("--seconds is above 0 and up to 600");
    if (options.mode == IDLE_MODE && !options.server)
        stop("--idle needs --server");
    if (options.n_batches % options.depth)
        stop("--messages is a multiple of the depth");
    options.n_batches /= options.depth;
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    allow_descriptors(0, "this program's");
    if (options.server)
        allow_descriptors(options.server, "the server's");
    connections = xmalloc((size_t)options.n_connections * sizeof *connections);
    make_request();
    open_connections(0, options.mode == IDLE_MODE ? 1 : options.n_connections);
    if (options.mode == IDLE_MODE)
        measure_idle();
    else if (options.n_batches)
        exchange_all();
    else
        measure_exchange();
    return 0;
}
