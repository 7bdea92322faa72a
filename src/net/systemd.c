/* Sockets that this process was started with: fd:N, and those that systemd passes on (sd_listen_fds(3)).
 *
 * Each listener on one of systemd's has a descriptor of its own, so that the same socket may be listened on
 * again after a stop, or by several workers.  One named by its number is given, and goes with the listener,
 * but where several workers have it. */
#include <net/listener.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <base/process.h>
#include <base/sys.h>
#include <reactor/reactor.h>

#define FIRST_FD  3
#define COUNT_MAX 4096
#define WHY_BYTES 256

/* ---- What was passed ---- */

/* -1: it is no number. */
static int to_number(const char *text)
{
    int n = 0;

    if (!text || !*text)
        return -1;
    for (const char *at = text; *at; at++) {
        if (*at < '0' || *at > '9' || n > INT32_MAX / 10 - 1)
            return -1;
        n = 10 * n + (*at - '0');
    }
    return n;
}

/* How many sockets are ours; 0: ret_why says why. */
static int count_passed(const struct fate__passed *passed, int own_pid, char ret_why[WHY_BYTES])
{
    int n = to_number(passed->count);

    if (!passed->pid || !passed->count) {
        snprintf(ret_why, WHY_BYTES,
                 "no sockets were passed to this process ($LISTEN_PID and $LISTEN_FDS are not set): start it "
                 "by a socket unit of systemd, or to try it by systemd-socket-activate -l 8080 PROGRAM");
        return 0;
    }
    if (to_number(passed->pid) != own_pid) {
        snprintf(
            ret_why, WHY_BYTES,
            "the sockets were passed to another process ($LISTEN_PID is %.20s, this is %d): a shell or a "
            "wrapper before the program must exec it",
            passed->pid, own_pid);
        return 0;
    }
    if (n > 0 && n <= COUNT_MAX)
        return n;
    snprintf(ret_why, WHY_BYTES, "$LISTEN_FDS is \"%.20s\", not the number of sockets passed", passed->count);
    return 0;
}

static bool is_name(const char *at, size_t len, const char *name)
{
    return strlen(name) == len && memcmp(at, name, len) == 0;
}

/* The index of the first of that name, and how many have it; -1. */
static int find_name(const char *names, int n_passed, const char *name, int *ret_n)
{
    int found = -1;

    *ret_n = 0;
    for (int i = 0; names && i < n_passed; i++) {
        size_t len = strcspn(names, ":");
        if (is_name(names, len, name)) {
            found = found < 0 ? i : found;
            ++*ret_n;
        }
        names = names[len] ? names + len + 1 : NULL;
    }
    return found;
}

static int find_by_name(const struct fate__passed *passed, int n_passed, const char *name,
                        char ret_why[WHY_BYTES])
{
    int n;
    int index = find_name(passed->names, n_passed, name, &n);

    if (n == 1)
        return FIRST_FD + index;
    if (n > 1)
        snprintf(ret_why, WHY_BYTES,
                 "%d of the sockets passed have that name: listen on each by its number, the first is "
                 "systemd:%d",
                 n, index);
    else if (!passed->names)
        snprintf(ret_why, WHY_BYTES, "the sockets were passed without names: the first is systemd:0");
    else
        snprintf(ret_why, WHY_BYTES,
                 "none of the sockets passed has that name (FileDescriptorName= of the socket unit); the "
                 "names are %.100s",
                 passed->names);
    return -1;
}

int fate__passed_find(const struct fate__passed *passed, int own_pid, const char *name, int index,
                      char ret_why[WHY_BYTES])
{
    int n = count_passed(passed, own_pid, ret_why);

    if (n == 0)
        return -1;
    if (name)
        return find_by_name(passed, n, name, ret_why);
    if (index >= 0 && index < n)
        return FIRST_FD + index;
    snprintf(ret_why, WHY_BYTES, "%d sockets were passed, counted from systemd:0", n);
    return -1;
}

/* ---- Is it one that listens? ---- */

static int get(int fd, int option)
{
    int value = -1;
    socklen_t len = sizeof value;

    return fate__sys->getsockopt(fd, SOL_SOCKET, option, &value, &len) < 0 ? -errno : value;
}

/* None, or why it cannot be listened on. */
static fate_value check_socket(const struct fate__listen *wanted, int fd)
{
    struct stat about;

    if (fate__sys->fstat(fd, &about) < 0)
        return fate__listen_failure(wanted, errno, errno == EBADF ? "there is no such descriptor" : NULL);
    if (!S_ISSOCK(about.st_mode))
        return fate__listen_refusal(wanted, "descriptor %d is no socket", fd);
    int type = get(fd, SO_TYPE);
    int listens = type == SOCK_STREAM ? get(fd, SO_ACCEPTCONN) : 0;
    if (type < 0 || listens < 0)
        return fate__listen_failure(wanted, type < 0 ? type : listens, NULL);
    if (type != SOCK_STREAM)
        return fate__listen_refusal(wanted, "descriptor %d is a socket, but not of a stream (TCP or UNIX)",
                                    fd);
    if (!listens)
        return fate__listen_refusal(wanted,
                                    "descriptor %d is a connection, not a socket that listens: in a socket "
                                    "unit of systemd say Accept=no",
                                    fd);
    if (fate__is_in_use(wanted->reactor, fd))
        return fate__listen_refusal(wanted,
                                    "descriptor %d was given before, and is in use: give a copy (dup)", fd);
    return fate_none();
}

/* ---- Taking it ---- */

/* Whoever has passed it on may not have made it as we do.  UNIX sockets have no TCP_NODELAY. */
static int prepare(int fd)
{
    int on = 1;

    (void)fate__sys->setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (fate__sys->set_nonblocking(fd) < 0 || fate__sys->set_close_on_exec(fd) < 0)
        return -errno;
    return 0;
}

/* The descriptor to listen on, or -errno. */
static int take(const struct fate__listen *wanted, int fd)
{
    int why = prepare(fd);

    bool is_given = wanted->endpoint.kind == FATE__ENDPOINT_FD && !wanted->reactor->worker;
    if (why < 0 || is_given)
        return why < 0 ? why : fd;
    int copy = fate__sys->dup_above(fd, FIRST_FD);
    return copy < 0 ? -errno : copy;
}

static int find(const struct fate__endpoint *endpoint, char ret_why[WHY_BYTES])
{
    const struct fate__passed passed = { getenv("LISTEN_PID"), getenv("LISTEN_FDS"),
                                         getenv("LISTEN_FDNAMES") };

    if (endpoint->kind == FATE__ENDPOINT_FD)
        return endpoint->number;
    return fate__passed_find(&passed, fate__pid(), endpoint->number < 0 ? endpoint->name : NULL,
                             endpoint->number, ret_why);
}

fate_value fate__listen_inherited(const struct fate__listen *wanted, struct fate__listening *ret_socket)
{
    char words[WHY_BYTES];
    int fd = find(&wanted->endpoint, words);

    if (fd < 0)
        return fate__listen_refusal(wanted, "%s", words);
    fate_value why = check_socket(wanted, fd);
    if (fate_is_failure(&why))
        return why;
    int taken = take(wanted, fd);
    if (taken < 0)
        return fate__listen_failure(wanted, taken, NULL);
    *ret_socket = (struct fate__listening){ .fd = taken };
    return fate_none();
}
