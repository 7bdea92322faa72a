/* The system's calls, as they are. */
#include <base/sys.h>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
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

static int sys_add_seals(int fd, int seals)
{
    return fcntl(fd, F_ADD_SEALS, seals);
}

static int sys_fstat(int fd, struct stat *ret_stat)
{
    return fstat(fd, ret_stat);
}

static int sys_isatty(int fd)
{
    return isatty(fd);
}

static int sys_clock_gettime(clockid_t clock, struct timespec *ret_now)
{
    return clock_gettime(clock, ret_now);
}

static int sys_epoll_ctl(int set, int op, int fd, struct epoll_event *event)
{
    return epoll_ctl(set, op, fd, event);
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
    .close = close,
    .pipe2 = pipe2,
    .set_nonblocking = sys_set_nonblocking,
    .socket = socket,
    .sendmsg = sendmsg,
    .memfd_create = memfd_create,
    .add_seals = sys_add_seals,
    .fstat = sys_fstat,
    .isatty = sys_isatty,
    .sigaction = sigaction,
    .posix_spawn = posix_spawn,
    .pidfd_open = sys_pidfd_open,
    .pidfd_send_signal = sys_pidfd_send_signal,
    .waitid = waitid,
    .thread_create = pthread_create,
};

const struct fate__sys *fate__sys = &fate__sys_real;

void fate__close(int fd)
{
    if (fd >= 0)
        fate__sys->close(fd);
}
