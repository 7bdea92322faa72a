/* /etc/hosts, by name.
 *
 * A look costs opening the file and asking when it was changed; it is read again only then.  Whatever keeps
 * us from reading it is no failure: the system's resolver, which is asked next, reads it itself. */
#include <net/resolve.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <base/alloc.h>
#include <base/hash.h>
#include <base/sys.h>
#include <net/address.h>
#include <reactor/reactor.h>

#define BYTES_MAX (16 << 20)
/* A file that was changed so shortly before may change again and show the same time. */
#define SETTLED (2 * FATE_SECOND)

struct fate__hosts_name {
    uint32_t at;      /* in the text */
    uint32_t address; /* its number */
    uint32_t next;    /* of the same bucket, plus 1; 0: none */
};

/* ---- Names by hash ---- */

static uint32_t *bucket_of(const struct fate__hosts *hosts, const char *name, size_t len)
{
    return &hosts->buckets[fate__hash(name, len) & (hosts->n_buckets - 1)];
}

/* The last goes in first, so that those of one name are found in their order. */
static bool index_names(struct fate__hosts *hosts)
{
    hosts->n_buckets = 16;
    while (hosts->n_buckets < hosts->n_names)
        hosts->n_buckets *= 2;
    hosts->buckets = fate__zalloc(hosts->n_buckets * sizeof *hosts->buckets);
    if (!hosts->buckets)
        return false;
    for (size_t i = hosts->n_names; i-- > 0;) {
        const char *name = hosts->text + hosts->names[i].at;
        uint32_t *bucket = bucket_of(hosts, name, strlen(name));
        hosts->names[i].next = *bucket;
        *bucket = (uint32_t)i + 1;
    }
    return true;
}

/* ---- Lines ---- */

/* The array with room for one more than n; NULL: there is no memory, and it is as it was. */
static void *with_room(void *array, size_t n, size_t *room, size_t bytes)
{
    if (n < *room)
        return array;
    size_t more = *room ? 2 * *room : 32;
    void *grown = fate__realloc(array, more * bytes);
    if (grown)
        *room = more;
    return grown;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\0';
}

/* The next word before end, from *at on; NULL: there is none. */
static char *next_word(char **at, const char *end, size_t *ret_len)
{
    while (*at < end && is_space(**at))
        ++*at;
    char *word = *at;
    while (*at < end && !is_space(**at))
        ++*at;
    *ret_len = (size_t)(*at - word);
    return *ret_len ? word : NULL;
}

/* The word's end is a space, the end of its line or that of the text, and becomes a NUL. */
static bool add_name(struct fate__hosts *hosts, char *word, size_t len)
{
    char key[FATE__NAME_ROOM];

    if (len >= FATE__NAME_ROOM)
        return true;
    struct fate__hosts_name *names =
        with_room(hosts->names, hosts->n_names, &hosts->name_room, sizeof *names);
    if (!names)
        return false;
    hosts->names = names;
    word[len] = '\0';
    memcpy(word, key, fate__name_key(word, key) + 1);
    hosts->names[hosts->n_names++] = (struct fate__hosts_name){ .at = (uint32_t)(word - hosts->text),
                                                                .address = (uint32_t)hosts->n_addresses - 1 };
    return true;
}

/* "127.0.0.1  localhost alias # whatever"; false: there is no memory. */
static bool read_line(struct fate__hosts *hosts, char *line, char *end)
{
    char *comment = memchr(line, '#', (size_t)(end - line)), *word;
    fate_address address;
    size_t len;

    if (comment)
        end = comment;
    word = next_word(&line, end, &len);
    if (!word || fate__address_literal(word, len, &address) < 0)
        return true;
    fate_address *addresses =
        with_room(hosts->addresses, hosts->n_addresses, &hosts->address_room, sizeof address);
    if (!addresses)
        return false;
    hosts->addresses = addresses;
    hosts->addresses[hosts->n_addresses++] = address;
    while ((word = next_word(&line, end, &len)))
        if (!add_name(hosts, word, len))
            return false;
    return true;
}

static bool read_lines(struct fate__hosts *hosts, size_t len)
{
    char *at = hosts->text, *end = at + len;

    while (at < end) {
        char *newline = memchr(at, '\n', (size_t)(end - at));
        char *line_end = newline ? newline : end;
        if (!read_line(hosts, at, line_end))
            return false;
        at = line_end + 1;
    }
    return index_names(hosts);
}

/* ---- The file ---- */

static void forget(struct fate__hosts *hosts)
{
    const char *path = hosts->path;

    fate__free(hosts->text);
    fate__free(hosts->addresses);
    fate__free(hosts->names);
    fate__free(hosts->buckets);
    *hosts = (struct fate__hosts){ .path = path };
}

void fate__hosts_done(struct fate__hosts *hosts)
{
    forget(hosts);
}

static bool is_unchanged(const struct fate__hosts *hosts, const struct stat *now)
{
    return hosts->is_known && hosts->inode == now->st_ino && hosts->device == now->st_dev &&
           hosts->bytes == now->st_size && hosts->changed.tv_sec == now->st_mtim.tv_sec &&
           hosts->changed.tv_nsec == now->st_mtim.tv_nsec;
}

/* How much there was, at most len; negative: it could not be read. */
static ssize_t read_whole(int fd, char *to, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = fate__sys->read(fd, to + done, len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

static bool read_file(struct fate__hosts *hosts, int fd, const struct stat *now)
{
    size_t bytes = (size_t)now->st_size;

    hosts->text = fate__alloc(bytes + 1);
    ssize_t len = hosts->text ? read_whole(fd, hosts->text, bytes) : -1;
    if (len < 0)
        return false;
    hosts->text[len] = '\0';
    return read_lines(hosts, (size_t)len);
}

static void note(struct fate__hosts *hosts, const struct stat *now)
{
    fate_time changed = now->st_mtim.tv_sec * FATE_SECOND + now->st_mtim.tv_nsec;

    hosts->device = now->st_dev;
    hosts->inode = now->st_ino;
    hosts->bytes = now->st_size;
    hosts->changed = now->st_mtim;
    hosts->is_known = fate__wall_time() - changed > SETTLED;
}

static void look_at(struct fate__hosts *hosts, int fd)
{
    struct stat now;
    bool is_fit = fate__sys->fstat(fd, &now) == 0 && S_ISREG(now.st_mode) && now.st_size <= BYTES_MAX;

    if (is_fit && is_unchanged(hosts, &now))
        return;
    forget(hosts);
    if (!is_fit)
        return;
    if (read_file(hosts, fd, &now))
        note(hosts, &now);
    else
        forget(hosts);
}

/* What is no plain file must not keep us waiting when it is opened. */
static void look(struct fate__hosts *hosts)
{
    int fd = fate__sys->open(hosts->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);

    if (fd < 0) {
        forget(hosts);
        return;
    }
    look_at(hosts, fd);
    fate__close(fd);
}

void fate__hosts_find(struct fate__hosts *hosts, const char *name, struct fate__addresses *to)
{
    char key[FATE__NAME_ROOM];
    size_t len = fate__name_key(name, key);

    look(hosts);
    if (!hosts->buckets)
        return;
    for (uint32_t i = *bucket_of(hosts, key, len); i; i = hosts->names[i - 1].next) {
        const struct fate__hosts_name *found = &hosts->names[i - 1];
        if (strcmp(hosts->text + found->at, key) == 0)
            fate__addresses_add(to, &hosts->addresses[found->address]);
    }
}
