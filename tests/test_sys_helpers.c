/* System calls that fail, give less, and take longer. */
#include "test_sys_helpers.h"

#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include <base/sys.h>

/* What the man pages name and a program may meet. */
static const struct fault {
    const char *call;
    int why;
    bool may_last; /* it may go on failing so, without the loop having to go on trying */
} faults[] = {
    { "epoll_create1", EMFILE, true },
    { "epoll_create1", ENOMEM, false },
    { "eventfd", ENFILE, true },
    { "eventfd", ENOMEM, false },
    { "epoll_ctl", ENOSPC, true },
    { "epoll_ctl", ENOMEM, true },
    { "epoll_wait", EINTR, false },
    { "epoll_pwait2", EINTR, false },
    { "epoll_pwait2", ENOSYS, true },
    { "epoll_wait", ENOMEM, false },
    { "ppoll", EINTR, false },
    { "ppoll", ENOMEM, false },
    { "timerfd_create", EMFILE, true },
    { "clock_gettime", EINVAL, false },
    { "read", EINTR, false },
    { "read", EAGAIN, false },
    { "read", EIO, false },
    { "read", ECONNRESET, false },
    { "write", EINTR, false },
    { "write", EAGAIN, false },
    { "write", EPIPE, true },
    { "write", EIO, false },
    { "open", EMFILE, true },
    { "open", EACCES, false },
    { "openat", EMFILE, true },
    { "openat", EACCES, false },
    { "open_beneath", ENOSYS, true },
    { "open_beneath", EAGAIN, false },
    { "open_beneath", EMFILE, true },
    { "close", EIO, false },
    { "close", EINTR, false },
    { "pipe2", EMFILE, true },
    { "pipe2", ENFILE, false },
    { "set_nonblocking", EBADF, false },
    { "dup_above", EMFILE, true },
    { "socket", EMFILE, true },
    { "socket", EACCES, false },
    { "bind", EADDRINUSE, true },
    { "bind", EACCES, true },
    { "listen", EADDRINUSE, true },
    { "accept4", EMFILE, true },
    { "accept4", ENOBUFS, true },
    { "accept4", ECONNABORTED, false },
    { "accept4", EPERM, true },
    { "accept4", EINTR, false },
    { "accept4", EAGAIN, false },
    { "set_close_on_exec", EBADF, false },
    { "stat", EACCES, true },
    { "lstat", EACCES, true },
    { "unlink", EACCES, true },
    { "rename", EACCES, true },
    { "write", ENOSPC, true },
    { "fstat", EIO, false },
    { "chmod", EPERM, true },
    { "fchmod", EINVAL, true },
    { "recvmsg", EINTR, false },
    { "recvmsg", EAGAIN, false },
    { "recvmsg", ECONNREFUSED, false },
    { "recvmsg", ENOMEM, true },
    { "sendmsg", ENOBUFS, true },
    { "sendmsg", ECONNREFUSED, false },
    { "sendmsg", EMSGSIZE, false },
    { "sendmsg", EINTR, false },
    { "sendmsg", EAGAIN, false },
    { "sendmsg", EPIPE, true },
    { "send", EINTR, false },
    { "send", EAGAIN, false },
    { "send", ENOBUFS, false },
    { "send", ENOMEM, false },
    { "send", EPIPE, true },
    { "send", ECONNRESET, true },
    { "recv", EINTR, false },
    { "recv", EAGAIN, false },
    { "recv", ECONNRESET, true },
    { "recv", ETIMEDOUT, true },
    { "recvmsg", EINTR, false },
    { "recvmsg", EAGAIN, false },
    { "recvmsg", ECONNRESET, true },
    { "sendfile", EINTR, false },
    { "sendfile", EAGAIN, false },
    { "sendfile", EINVAL, true },
    { "sendfile", EPIPE, true },
    { "sendfile", EIO, true },
    { "pread", EINTR, false },
    { "pread", EIO, true },
    { "shutdown", ENOTCONN, true },
    { "bind", EADDRNOTAVAIL, true },
    { "bind", EADDRINUSE, false },
    { "connect", EINTR, false },
    { "connect", EAGAIN, false },
    { "connect", ECONNREFUSED, true },
    { "connect", ENETUNREACH, false },
    { "connect", EADDRNOTAVAIL, true },
    { "getpeername", ENOTCONN, true },
    { "getsockname", ENOBUFS, true },
    { "getsockopt", ENOBUFS, true },
    { "setsockopt", ENOMEM, true },
    { "getaddrinfo", EMFILE, true },
    { "getaddrinfo", ENOMEM, false },
    { "interface_index", ENODEV, false },
    { "memfd_create", EMFILE, true },
    { "sigaction", EINVAL, false },
    { "posix_spawnp", ENOENT, true },
    { "posix_spawnp", EAGAIN, false },
    { "posix_spawnp", ENOMEM, false },
    { "pidfd_open", EMFILE, true },
    { "pidfd_open", ENOMEM, false },
    { "pidfd_send_signal", ESRCH, true },
    { "pidfd_send_signal", EPERM, false },
    { "waitid", EINTR, false },
    { "thread_create", EAGAIN, true },
    { "getrandom", ENOSYS, true },
    { "getrandom", EAGAIN, false },
};

bool test_sys_fault(size_t i, const char **ret_call, int *ret_why, bool *ret_may_last)
{
    if (i >= sizeof faults / sizeof faults[0])
        return false;
    *ret_call = faults[i].call;
    *ret_why = faults[i].why;
    *ret_may_last = faults[i].may_last;
    return true;
}

/* ---- What is to fail ---- */

static struct {
    const char *call; /* NULL: nothing */
    unsigned long n;
    int why;
    bool is_lasting;
    atomic_ulong count;
    atomic_bool has_failed;
    size_t bytes_max;
    unsigned delay;
    atomic_llong clocks_by;
    atomic_int suspended;
} plan;

#define EVENTFDS_MAX 1024
static atomic_bool is_eventfd[EVENTFDS_MAX];

void test_sys_fail(const char *call, unsigned long n, int why, bool is_lasting)
{
    plan.call = call;
    plan.n = n;
    plan.why = why;
    plan.is_lasting = is_lasting;
    plan.count = 0;
    plan.has_failed = false;
}

unsigned long test_sys_count(void)
{
    return plan.count;
}

bool test_sys_has_failed(void)
{
    return plan.has_failed;
}

void test_sys_suspend(bool is_suspended)
{
    plan.suspended += is_suspended ? 1 : -1;
}

void test_sys_cut(size_t bytes_max)
{
    plan.bytes_max = bytes_max;
}

void test_sys_delay(unsigned microseconds)
{
    plan.delay = microseconds;
}

void test_sys_move_clocks(long long by)
{
    plan.clocks_by += by;
}

static void take_time(void)
{
    const struct timespec time = { 0, (long)plan.delay * 1000 };

    if (plan.delay)
        nanosleep(&time, NULL);
}

/* The errno with which this call fails, 0: it does not. */
static int why_not(const char *call)
{
    take_time();
    if (!plan.call || plan.suspended || strcmp(call, plan.call) != 0)
        return 0;
    unsigned long count = ++plan.count;
    if (!plan.n || (count != plan.n && !(plan.is_lasting && count > plan.n)))
        return 0;
    plan.has_failed = true;
    return plan.why;
}

/* ---- The table ---- */

static int fail_with(const char *call, int why)
{
    bool returns_errno = strcmp(call, "posix_spawnp") == 0 || strcmp(call, "thread_create") == 0;

    errno = why;
    if (strcmp(call, "getaddrinfo") == 0)
        return EAI_SYSTEM;
    return returns_errno ? why : -1;
}

#define FAULTY(result, name, parameters, arguments)                                                          \
    static result faulty_##name parameters                                                                   \
    {                                                                                                        \
        int why = why_not(#name);                                                                            \
        return why ? fail_with(#name, why) : fate__sys_real.name arguments;                                  \
    }
FATE__SYS_CALLS(FAULTY)

static struct fate__sys table = {
#define FAULTY_MEMBER(result, name, parameters, arguments) .name = faulty_##name,
    FATE__SYS_CALLS(FAULTY_MEMBER)
};

/* ---- Those that need more than that ---- */

static bool is_event(int fd)
{
    return fd >= 0 && fd < EVENTFDS_MAX && is_eventfd[fd];
}

/* Reading and writing an eventfd can only be interrupted. */
static bool may_fail(int fd)
{
    return !is_event(fd) || plan.why == EINTR;
}

static size_t cut(int fd, size_t len)
{
    return plan.bytes_max && len > plan.bytes_max && !is_event(fd) ? plan.bytes_max : len;
}

static ssize_t cut_read(int fd, void *to, size_t len)
{
    return may_fail(fd) ? faulty_read(fd, to, cut(fd, len)) : fate__sys_real.read(fd, to, len);
}

/* ---- Sockets that are watched for edges ----
 *
 * A call that gives less because we say so has not found the end of what is there: the kernel tells of no
 * edge then.  So it is asked anew, as if more had come.  A number that one thread closes may be another's
 * next one, and that there is an order in this is known to the kernel alone. */

static struct {
    atomic_int set;
    atomic_ullong data;
    atomic_uint events; /* 0: not watched; written last */
} watched[EVENTFDS_MAX];

static void watch(int set, int fd, const struct epoll_event *event)
{
    watched[fd].set = set;
    watched[fd].data = event->data.u64;
    watched[fd].events = event->events;
}

static void retrigger(int fd)
{
    struct epoll_event event = { 0 };

    if (fd >= 0 && fd < EVENTFDS_MAX)
        event.events = watched[fd].events;
    if (!event.events)
        return;
    event.data.u64 = watched[fd].data;
    fate__sys_real.epoll_ctl(watched[fd].set, EPOLL_CTL_MOD, fd, &event);
}

static ssize_t after(int fd, ssize_t n, size_t len)
{
    int why = errno;

    if (n < 0 ? why == EAGAIN : (size_t)n < len)
        retrigger(fd);
    errno = why;
    return n;
}

static ssize_t cut_recv(int fd, void *to, size_t len, int flags)
{
    return after(fd, faulty_recv(fd, to, cut(fd, len), flags), len);
}

/* Of datagrams, which have an address, all or nothing. */
static ssize_t cut_recvmsg(int fd, struct msghdr *message, int flags)
{
    struct iovec *piece = message->msg_iov;
    size_t len = message->msg_name ? 0 : piece->iov_len;

    if (len)
        piece->iov_len = cut(fd, len);
    return after(fd, faulty_recvmsg(fd, message, flags), len);
}

static ssize_t cut_send(int fd, const void *from, size_t len, int flags)
{
    return after(fd, faulty_send(fd, from, cut(fd, len), flags), len);
}

static ssize_t cut_sendfile(int to, int from, off_t *offset, size_t len)
{
    return after(to, faulty_sendfile(to, from, offset, cut(to, len)), len);
}

/* As much of the first piece as goes. */
static ssize_t cut_sendmsg(int fd, const struct msghdr *message, int flags)
{
    bool is_cut = plan.bytes_max && message->msg_iovlen > 1 && !message->msg_name;

    if (is_cut)
        return cut_send(fd, message->msg_iov[0].iov_base, message->msg_iov[0].iov_len, flags);
    return after(fd, faulty_sendmsg(fd, message, flags), 0);
}

static ssize_t cut_write(int fd, const void *from, size_t len)
{
    return may_fail(fd) ? faulty_write(fd, from, cut(fd, len)) : fate__sys_real.write(fd, from, len);
}

static int noted_eventfd(unsigned count, int flags)
{
    int fd = faulty_eventfd(count, flags);

    if (fd >= 0 && fd < EVENTFDS_MAX)
        is_eventfd[fd] = true;
    return fd;
}

/* The descriptor is gone although close says otherwise. */
static int noted_close(int fd)
{
    int why = why_not("close");

    if (fd >= 0 && fd < EVENTFDS_MAX) {
        is_eventfd[fd] = false;
        watched[fd].events = 0;
    }
    fate__sys_real.close(fd);
    return why ? fail_with("close", why) : 0;
}

/* Nothing can go wrong with taking out. */
static int adding_epoll_ctl(int set, int op, int fd, struct epoll_event *event)
{
    if (op == EPOLL_CTL_DEL)
        return fate__sys_real.epoll_ctl(set, op, fd, event);
    int failed = faulty_epoll_ctl(set, op, fd, event);
    bool is_edge = failed == 0 && event->events & (uint32_t)EPOLLET && fd < EVENTFDS_MAX;
    if (is_edge)
        watch(set, fd, event);
    return failed;
}

/* A handler that could be put there can be taken away. */
static int new_sigaction(int signo, const struct sigaction *action, struct sigaction *ret_old)
{
    return action && ret_old ? faulty_sigaction(signo, action, ret_old)
                             : fate__sys_real.sigaction(signo, action, ret_old);
}

static int moved_clock(clockid_t clock, struct timespec *ret_now)
{
    int failed = faulty_clock_gettime(clock, ret_now);

    if (failed)
        return failed;
    long long ns = ret_now->tv_sec * 1000000000LL + ret_now->tv_nsec + plan.clocks_by;
    ret_now->tv_sec = ns / 1000000000LL;
    ret_now->tv_nsec = ns % 1000000000LL;
    return 0;
}

void test_sys_install(void)
{
    table.read = cut_read;
    table.write = cut_write;
    table.recv = cut_recv;
    table.recvmsg = cut_recvmsg;
    table.send = cut_send;
    table.sendmsg = cut_sendmsg;
    table.sendfile = cut_sendfile;
    table.eventfd = noted_eventfd;
    table.close = noted_close;
    table.epoll_ctl = adding_epoll_ctl;
    table.sigaction = new_sigaction;
    table.clock_gettime = moved_clock;
    fate__sys = &table;
}
