/* UNIX sockets that listen, and their files.
 *
 * A socket's file outlives a program that is killed.  Whether somebody still has it only connecting tells,
 * and a socket of datagrams, which never becomes a connection, is told too: so nobody hears of it, and who
 * has bound his but does not listen as yet is not taken for dead.  A file that is refused is taken away.  At
 * the end the file goes with the socket, but not one that another program has put in its place meanwhile. */
#include <net/listener.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <base/sys.h>
#include <net/address.h>

#define NAME_BYTES_MAX (sizeof((struct sockaddr_un){ 0 }.sun_path))

_Static_assert(FATE__UNIX_NAME_ROOM == NAME_BYTES_MAX + 1, "a name has room, and its NUL");

int fate__unix_place(const char *name, struct fate__unix_place *ret)
{
    size_t len = strlen(name);

    if (len > NAME_BYTES_MAX)
        return -ENAMETOOLONG;
    memcpy(ret->name, name, len + 1);
    ret->is_abstract = name[0] == '@';
    if (ret->is_abstract)
        ret->name[0] = '\0';
    const fate_address address = { .family = AF_UNIX, .as.local = { ret->name, len } };
    int n = fate__address_to(&address, &ret->address);
    ret->len = n > 0 ? (socklen_t)n : 0;
    return n > 0 ? 0 : n < 0 ? n : -EINVAL;
}

/* ---- Files that nobody listens at ---- */

static int try_to_connect(int fd, const struct fate__unix_place *place)
{
    int n;

    do
        n = fate__sys->connect(fd, (const struct sockaddr *)&place->address, place->len);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

/* 0: nobody has; -EADDRINUSE: somebody has, or may. */
static int check_that_nobody_has(const struct fate__unix_place *place)
{
    int fd = fate__sys->socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    int why = try_to_connect(fd, place);
    fate__close(fd);
    return why == -ECONNREFUSED || why == -ENOENT ? 0 : -EADDRINUSE;
}

/* Another's may have got the number of the inode. */
static bool is_same_file(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino &&
           one->st_ctim.tv_sec == other->st_ctim.tv_sec && one->st_ctim.tv_nsec == other->st_ctim.tv_nsec;
}

/* -EEXIST: it is no socket, and so not ours to take away.  Another program that finds it stale at the same
 * time may have put its own in its place, which must stay. */
static int remove_stale_file(const struct fate__unix_place *place)
{
    struct stat about, later;

    if (fate__sys->lstat(place->name, &about) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(about.st_mode))
        return -EEXIST;
    int why = check_that_nobody_has(place);
    if (why < 0)
        return why;
    if (fate__sys->lstat(place->name, &later) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!is_same_file(&about, &later))
        return -EADDRINUSE;
    return fate__sys->unlink(place->name) < 0 && errno != ENOENT ? -errno : 0;
}

/* ---- Listening ---- */

static int bind_once(int fd, const struct fate__unix_place *place)
{
    return fate__sys->bind(fd, (const struct sockaddr *)&place->address, place->len) < 0 ? -errno : 0;
}

static int bind_at(int fd, const struct fate__unix_place *place)
{
    int why = bind_once(fd, place);

    if (why != -EADDRINUSE || place->is_abstract)
        return why;
    why = remove_stale_file(place);
    return why < 0 ? why : bind_once(fd, place);
}

static int note_file(const struct fate__unix_place *place, struct fate__listening *socket)
{
    struct stat about;

    if (place->is_abstract)
        return 0;
    if (fate__sys->lstat(place->name, &about) < 0)
        return -errno;
    socket->has_file = true;
    socket->device = about.st_dev;
    socket->inode = about.st_ino;
    return 0;
}

int fate__unix_bind(const struct fate__unix_place *place, int mode, struct fate__listening *socket)
{
    int why = bind_at(socket->fd, place);

    if (why < 0)
        return why;
    why = note_file(place, socket);
    if (why < 0)
        return why;
    return mode >= 0 && !place->is_abstract && fate__sys->chmod(place->name, (mode_t)mode) < 0 ? -errno : 0;
}

/* Until it listens everybody is refused: so nobody gets in before the file has its mode. */
static int bind_and_listen(const struct fate__listen *wanted, const struct fate__unix_place *place,
                           struct fate__listening *socket)
{
    int why = fate__unix_bind(place, wanted->endpoint.mode, socket);

    if (why < 0)
        return why;
    return fate__sys->listen(socket->fd, fate__listen_backlog(wanted)) < 0 ? -errno : 0;
}

static int open_socket(const struct fate__listen *wanted, struct fate__listening *socket)
{
    struct fate__unix_place place;
    int why = fate__unix_place(wanted->endpoint.name, &place);

    if (why < 0)
        return why;
    socket->fd = fate__sys->socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket->fd < 0)
        return -errno;
    why = bind_and_listen(wanted, &place, socket);
    if (why == 0)
        return 0;
    if (socket->has_file)
        fate__listen_unix_done(place.name, socket);
    fate__close(socket->fd);
    return why;
}

/* Before the socket is closed: until then no other file gets the number of its inode. */
void fate__listen_unix_done(const char *path, const struct fate__listening *socket)
{
    struct stat about;

    if (fate__sys->lstat(path, &about) == 0 && about.st_dev == socket->device &&
        about.st_ino == socket->inode)
        (void)fate__sys->unlink(path);
}

static const char *remedy_for(int why)
{
    switch (why) {
    case EADDRINUSE:
        return "somebody listens there: stop that program, or choose another path";
    case EEXIST:
        return "what is there is no socket: remove it, or choose another path";
    case EACCES:
    case EPERM:
        return "the folder must be writable for this user";
    case ENOENT:
    case ENOTDIR:
        return "the folder must be there first (RuntimeDirectory= of a systemd unit makes one in /run)";
    case ENAMETOOLONG:
        return "a path has at most 107 bytes";
    case EMFILE:
        return "the process may have no more descriptors: raise RLIMIT_NOFILE (ulimit -n, or LimitNOFILE= of "
               "a systemd unit)";
    default:
        return NULL;
    }
}

fate_value fate__listen_unix(const struct fate__listen *wanted, struct fate__listening *ret_socket)
{
    struct fate__listening socket = { .fd = -1 };
    int why = open_socket(wanted, &socket);

    if (why < 0)
        return fate__listen_failure(wanted, why, remedy_for(-why));
    *ret_socket = socket;
    return fate_none();
}
