/* The system's calls, as they are. */
#include <base/sys.h>

#include <fcntl.h>
#include <linux/openat2.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Those that not every libc has a function for. */

static int sys_epoll_pwait2(int set, struct epoll_event *events, int n, const struct timespec *timeout,
                            const sigset_t *mask)
{
    return (int)syscall(SYS_epoll_pwait2, set, events, n, timeout, mask, (size_t)_NSIG / 8);
}

static int sys_pidfd_open(pid_t pid, unsigned flags)
{
    return (int)syscall(SYS_pidfd_open, pid, flags);
}

static int sys_pidfd_send_signal(int pidfd, int signo, siginfo_t *info, unsigned flags)
{
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signo, info, flags);
}

/* Those whose prototypes differ. */

static int sys_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}

static int sys_eventfd(unsigned count, int flags)
{
    return eventfd(count, flags);
}

static int sys_set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static int sys_set_close_on_exec(int fd)
{
    int flags = fcntl(fd, F_GETFD);
    return flags < 0 ? -1 : fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
}

static int sys_add_seals(int fd, int seals)
{
    return fcntl(fd, F_ADD_SEALS, seals);
}

static int sys_fstat(int fd, struct stat *ret_stat)
{
    return fstat(fd, ret_stat);
}

static int sys_stat(const char *path, struct stat *ret_stat)
{
    return stat(path, ret_stat);
}

static int sys_lstat(const char *path, struct stat *ret_stat)
{
    return lstat(path, ret_stat);
}

static int sys_openat(int dir, const char *path, int flags)
{
    return openat(dir, path, flags, 0);
}

/* Below the folder, also by way of symbolic links, or not at all. */
static int sys_open_beneath(int dir, const char *path, int flags)
{
    struct open_how how = { .flags = (unsigned)flags, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };

    return (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
}

static int sys_isatty(int fd)
{
    return isatty(fd);
}

/* Positive, or -1. */
static int sys_interface_index(const char *name)
{
    unsigned index = if_nametoindex(name);
    return index ? (int)index : -1;
}

/* A copy that no program started later gets, with a number that is not below lowest. */
static int sys_dup_above(int fd, int lowest)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, lowest);
}

static int sys_clock_gettime(clockid_t clock, struct timespec *ret_now)
{
    return clock_gettime(clock, ret_now);
}

static int sys_epoll_ctl(int set, int op, int fd, struct epoll_event *event)
{
    return epoll_ctl(set, op, fd, event);
}

/* The C library may declare these over a union of all kinds of addresses. */

static int sys_bind(int fd, const struct sockaddr *address, socklen_t len)
{
    return bind(fd, address, len);
}

static int sys_accept4(int fd, struct sockaddr *ret_peer, socklen_t *len, int flags)
{
    return accept4(fd, ret_peer, len, flags);
}

static int sys_connect(int fd, const struct sockaddr *address, socklen_t len)
{
    return connect(fd, address, len);
}

static int sys_getsockname(int fd, struct sockaddr *ret_address, socklen_t *len)
{
    return getsockname(fd, ret_address, len);
}

static int sys_getpeername(int fd, struct sockaddr *ret_address, socklen_t *len)
{
    return getpeername(fd, ret_address, len);
}

const struct fate__sys fate__sys_real = {
    .epoll_create1 = epoll_create1,
    .epoll_ctl = sys_epoll_ctl,
    .epoll_wait = epoll_wait,
    .epoll_pwait2 = sys_epoll_pwait2,
    .ppoll = ppoll,
    .eventfd = sys_eventfd,
    .timerfd_create = timerfd_create,
    .timerfd_settime = timerfd_settime,
    .clock_gettime = sys_clock_gettime,
    .read = read,
    .write = write,
    .open = sys_open,
    .openat = sys_openat,
    .open_beneath = sys_open_beneath,
    .close = close,
    .pipe2 = pipe2,
    .set_nonblocking = sys_set_nonblocking,
    .set_close_on_exec = sys_set_close_on_exec,
    .dup_above = sys_dup_above,
    .socket = socket,
    .bind = sys_bind,
    .listen = listen,
    .accept4 = sys_accept4,
    .connect = sys_connect,
    .shutdown = shutdown,
    .getsockname = sys_getsockname,
    .getpeername = sys_getpeername,
    .getsockopt = getsockopt,
    .setsockopt = setsockopt,
    .recv = recv,
    .recvmsg = recvmsg,
    .send = send,
    .sendmsg = sendmsg,
    .sendfile = sendfile,
    .pread = pread,
    .unlink = unlink,
    .rename = rename,
    .chmod = chmod,
    .fchmod = fchmod,
    .getaddrinfo = getaddrinfo,
    .interface_index = sys_interface_index,
    .memfd_create = memfd_create,
    .add_seals = sys_add_seals,
    .fstat = sys_fstat,
    .stat = sys_stat,
    .lstat = sys_lstat,
    .isatty = sys_isatty,
    .sigaction = sigaction,
    .posix_spawnp = posix_spawnp,
    .pidfd_open = sys_pidfd_open,
    .pidfd_send_signal = sys_pidfd_send_signal,
    .kill = kill,
    .waitid = waitid,
    .thread_create = pthread_create,
    .getrandom = getrandom,
};

const struct fate__sys *fate__sys = &fate__sys_real;

void fate__close(int fd)
{
    if (fd >= 0)
        fate__sys->close(fd);
}
