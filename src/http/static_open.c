/* Opening below a folder, and nowhere else.
 *
 * Linux does it in one call, openat2, and follows symbolic links as far as they stay inside.  Without that
 * call each folder on the way is opened by itself, and no link is followed. */
#include <http/static.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include <base/sys.h>

#define TRIES_MAX 8 /* of a path of which something is being renamed meanwhile */

bool fate__static_may_show(const char *path)
{
    for (const char *s = path; s; s = strchr(s, '/')) {
        s += *s == '/';
        if (*s == '.')
            return false;
    }
    return true;
}

static int open_step_by_step(int root, const char *path, int flags)
{
    char name[NAME_MAX + 1];
    int at = root, why = 0;

    for (const char *slash; (slash = strchr(path, '/')) && why == 0; path = slash + 1) {
        size_t len = (size_t)(slash - path);
        if (len > NAME_MAX)
            why = -ENAMETOOLONG;
        if (len == 0 || why < 0)
            continue;
        memcpy(name, path, len);
        name[len] = '\0';
        int below = fate__sys->openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        why = below < 0 ? -errno : 0;
        if (at != root)
            fate__close(at);
        at = below;
    }
    if (why == 0) {
        int fd = fate__sys->openat(at, *path ? path : ".", flags | O_NOFOLLOW);
        why = fd < 0 ? -errno : fd;
    }
    if (at != root)
        fate__close(at);
    return why;
}

static int open_beneath(struct fate__static *files, const char *path, int flags)
{
    int fd = -1;

    for (int i = 0; i < TRIES_MAX && files->has_beneath; i++) {
        fd = fate__sys->open_beneath(files->root, *path ? path : ".", flags);
        if (fd >= 0)
            return fd;
        if (errno == ENOSYS || errno == EPERM)
            files->has_beneath = false;
        else if (errno != EAGAIN && errno != EINTR)
            return -errno;
    }
    return files->has_beneath ? -EAGAIN : open_step_by_step(files->root, path, flags);
}

/* What is neither a file nor a folder is not there: a device may do anything when it is opened, so that is
 * done without waiting for it. */
int fate__static_open(struct fate__static *files, const char *path, struct stat *ret_about)
{
    int fd = open_beneath(files, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0)
        return fd == -EXDEV || fd == -ELOOP || fd == -ENOTDIR || fd == -ENAMETOOLONG || fd == -ENXIO ? -ENOENT
                                                                                                     : fd;
    if (fate__sys->fstat(fd, ret_about) < 0) {
        int why = -errno;
        fate__close(fd);
        return why;
    }
    if (S_ISREG(ret_about->st_mode) || S_ISDIR(ret_about->st_mode))
        return fd;
    fate__close(fd);
    return -ENOENT;
}
