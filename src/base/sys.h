/* The one door to the system: every call that may fail, wait or give less than was asked for.
 *
 * All of the library calls the kernel through fate__sys, so that tests can make the n-th call fail with any
 * of its errors, cut reads and writes short and delay what answers. */
#ifndef FATE_SRC_BASE_SYS_H
#define FATE_SRC_BASE_SYS_H

#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>

#include <base/shared.h>

/* X(result, name, parameters, arguments).  They are named as the calls that they make, and answer as those
 * do: -1 with errno, but for posix_spawnp and thread_create, which return an errno, and getaddrinfo, which
 * returns one of its own numbers. */
#define FATE__SYS_CALLS(X)                                                                                   \
    X(int, epoll_create1, (int flags), (flags))                                                              \
    X(int, epoll_ctl, (int set, int op, int fd, struct epoll_event *event), (set, op, fd, event))            \
    X(int, epoll_wait, (int set, struct epoll_event *events, int n, int ms), (set, events, n, ms))           \
    X(int, epoll_pwait2,                                                                                     \
      (int set, struct epoll_event *events, int n, const struct timespec *timeout, const sigset_t *mask),    \
      (set, events, n, timeout, mask))                                                                       \
    X(int, ppoll, (struct pollfd * fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask),     \
      (fds, n, timeout, mask))                                                                               \
    X(int, eventfd, (unsigned count, int flags), (count, flags))                                             \
    X(int, timerfd_create, (int clock, int flags), (clock, flags))                                           \
    X(int, timerfd_settime, (int fd, int flags, const struct itimerspec *when, struct itimerspec *ret_old),  \
      (fd, flags, when, ret_old))                                                                            \
    X(int, clock_gettime, (clockid_t clock, struct timespec * ret_now), (clock, ret_now))                    \
    X(ssize_t, read, (int fd, void *to, size_t len), (fd, to, len))                                          \
    X(ssize_t, write, (int fd, const void *from, size_t len), (fd, from, len))                               \
    X(int, open, (const char *path, int flags, mode_t mode), (path, flags, mode))                            \
    X(int, openat, (int dir, const char *path, int flags), (dir, path, flags))                               \
    X(int, open_beneath, (int dir, const char *path, int flags), (dir, path, flags))                         \
    X(int, close, (int fd), (fd))                                                                            \
    X(int, pipe2, (int ret_fds[2], int flags), (ret_fds, flags))                                             \
    X(int, set_nonblocking, (int fd), (fd))                                                                  \
    X(int, set_close_on_exec, (int fd), (fd))                                                                \
    X(int, dup_above, (int fd, int lowest), (fd, lowest))                                                    \
    X(int, socket, (int family, int type, int protocol), (family, type, protocol))                           \
    X(int, bind, (int fd, const struct sockaddr *address, socklen_t len), (fd, address, len))                \
    X(int, listen, (int fd, int backlog), (fd, backlog))                                                     \
    X(int, accept4, (int fd, struct sockaddr *ret_peer, socklen_t *len, int flags),                          \
      (fd, ret_peer, len, flags))                                                                            \
    X(int, connect, (int fd, const struct sockaddr *address, socklen_t len), (fd, address, len))             \
    X(int, shutdown, (int fd, int how), (fd, how))                                                           \
    X(int, getsockname, (int fd, struct sockaddr *ret_address, socklen_t *len), (fd, ret_address, len))      \
    X(int, getpeername, (int fd, struct sockaddr *ret_address, socklen_t *len), (fd, ret_address, len))      \
    X(int, getsockopt, (int fd, int level, int option, void *ret_value, socklen_t *len),                     \
      (fd, level, option, ret_value, len))                                                                   \
    X(int, setsockopt, (int fd, int level, int option, const void *value, socklen_t len),                    \
      (fd, level, option, value, len))                                                                       \
    X(ssize_t, recv, (int fd, void *to, size_t len, int flags), (fd, to, len, flags))                        \
    X(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))                   \
    X(ssize_t, send, (int fd, const void *from, size_t len, int flags), (fd, from, len, flags))              \
    X(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))             \
    X(ssize_t, sendfile, (int to, int from, off_t *offset, size_t len), (to, from, offset, len))             \
    X(ssize_t, pread, (int fd, void *to, size_t len, off_t offset), (fd, to, len, offset))                   \
    X(int, unlink, (const char *path), (path))                                                               \
    X(int, rename, (const char *from, const char *to), (from, to))                                           \
    X(int, chmod, (const char *path, mode_t mode), (path, mode))                                             \
    X(int, fchmod, (int fd, mode_t mode), (fd, mode))                                                        \
    X(int, getaddrinfo,                                                                                      \
      (const char *name, const char *service, const struct addrinfo *wanted, struct addrinfo **ret_found),   \
      (name, service, wanted, ret_found))                                                                    \
    X(int, interface_index, (const char *name), (name))                                                      \
    X(int, memfd_create, (const char *name, unsigned flags), (name, flags))                                  \
    X(int, add_seals, (int fd, int seals), (fd, seals))                                                      \
    X(int, fstat, (int fd, struct stat *ret_stat), (fd, ret_stat))                                           \
    X(int, stat, (const char *path, struct stat *ret_stat), (path, ret_stat))                                \
    X(int, lstat, (const char *path, struct stat *ret_stat), (path, ret_stat))                               \
    X(int, isatty, (int fd), (fd))                                                                           \
    X(int, sigaction, (int signo, const struct sigaction *action, struct sigaction *ret_old),                \
      (signo, action, ret_old))                                                                              \
    X(int, posix_spawnp,                                                                                     \
      (pid_t * ret_pid, const char *program, const posix_spawn_file_actions_t *actions,                      \
       const posix_spawnattr_t *attributes, char *const argv[], char *const environment[]),                  \
      (ret_pid, program, actions, attributes, argv, environment))                                            \
    X(int, pidfd_open, (pid_t pid, unsigned flags), (pid, flags))                                            \
    X(int, pidfd_send_signal, (int pidfd, int signo, siginfo_t *info, unsigned flags),                       \
      (pidfd, signo, info, flags))                                                                           \
    X(int, kill, (pid_t pid, int signo), (pid, signo))                                                       \
    X(int, waitid, (idtype_t kind, id_t id, siginfo_t * ret_info, int options),                              \
      (kind, id, ret_info, options))                                                                         \
    X(int, thread_create,                                                                                    \
      (pthread_t * ret_thread, const pthread_attr_t *attributes, void *(*body)(void *), void *arg),          \
      (ret_thread, attributes, body, arg))                                                                   \
    X(ssize_t, getrandom, (void *to, size_t len, unsigned flags), (to, len, flags))

struct fate__sys {
#define FATE__SYS_MEMBER(result, name, parameters, arguments) result(*name) parameters;
    FATE__SYS_CALLS(FATE__SYS_MEMBER)
#undef FATE__SYS_MEMBER
};

extern const struct fate__sys fate__sys_real;
/* What the library calls; tests put their own in its place, before they make a reactor. */
FATE__SHARED extern const struct fate__sys *fate__sys;

/* Closes fd if it is one.  Never again after an error: the descriptor is gone then, too. */
FATE__SHARED void fate__close(int fd);

#endif
