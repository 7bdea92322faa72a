/* Entries of the log for journald, by its native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL): a
 * datagram of fields, or, for one that is too big, a sealed file of them.
 *
 * The socket is opened for each entry: that costs some microseconds, and nothing has to be kept, closed,
 * shared with a child or opened again when journald has been started anew. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/un.h>

#include <base/stop.h>
#include <base/sys.h>
#include <reactor/log.h>

#define SOCKET_PATH   "/run/systemd/journal/socket"
#define KEY_BYTES_MAX 64 /* journald takes no longer ones */

/* ---- Fields ---- */

static void add_length(struct fate__text *text, size_t len)
{
    char little_endian[8];

    for (int i = 0; i < 8; i++)
        little_endian[i] = (char)(len >> (8 * i));
    fate__text_add_n(text, little_endian, sizeof little_endian);
}

static void add_n(struct fate__text *text, const char *key, const char *value, size_t len)
{
    bool is_one_line = !memchr(value, '\n', len);

    fate__text_add(text, key);
    fate__text_add(text, is_one_line ? "=" : "\n");
    if (!is_one_line)
        add_length(text, len);
    fate__text_add_n(text, value, len);
    fate__text_add(text, "\n");
}

static void add(struct fate__text *text, const char *key, const char *value)
{
    add_n(text, key, value, strlen(value));
}

static void add_given(struct fate__text *text, const char *key, fate_value given)
{
    const char *s;

    if (fate_get_str(&given, &s))
        add_n(text, key, s, fate_count(&given));
    else
        text->has_failed = true;
    fate_drop(given);
}

/* Those that we set ourselves, and that fields of the program's must not give a second meaning. */
static bool is_ours(const char *key)
{
    static const char *const ours[] = { "PRIORITY",     "MESSAGE",           "CODE_FILE",    "CODE_LINE",
                                        "FATE_REACTOR", "SYSLOG_IDENTIFIER", "FATE_FAILURE", "ERRNO" };

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strcmp(key, ours[i]) == 0)
            return true;
    return false;
}

/* Capitals, digits and underscores, a capital first: "peer-name" is PEER_NAME, "2nd" is F_2ND. */
static void make_key(const char *from, char to[KEY_BYTES_MAX + 1])
{
    char key[KEY_BYTES_MAX - 1] = ""; /* "F_" may come before it */

    for (size_t i = 0; from[i] && i < sizeof key - 1; i++) {
        bool is_small = from[i] >= 'a' && from[i] <= 'z';
        bool is_allowed = (from[i] >= 'A' && from[i] <= 'Z') || (from[i] >= '0' && from[i] <= '9');
        key[i] = is_small ? (char)(from[i] - 'a' + 'A') : is_allowed ? from[i] : '_';
    }
    bool needs_more = *key < 'A' || *key > 'Z' || is_ours(key);
    snprintf(to, KEY_BYTES_MAX + 1, "%s%s", needs_more ? "F_" : "", key);
}

static void add_field(struct fate__text *text, const char *name, const fate_value *value)
{
    char key[KEY_BYTES_MAX + 1];

    make_key(name, key);
    if (fate_kind_of(value) == FATE_KIND_TEXT)
        add_n(text, key, fate_as_str(value), fate_count(value));
    else
        add_given(text, key, fate_describe(value));
}

/* The site "name path:line", or "path:line". */
static void add_site(struct fate__text *text, const char *site)
{
    const char *colon = strrchr(site, ':');
    const char *blank = strchr(site, ' '), *slash = strchr(site, '/');
    const char *file = blank && (!slash || blank < slash) ? blank + 1 : site;

    if (!colon || colon < file)
        return;
    add_n(text, "CODE_FILE", file, (size_t)(colon - file));
    add(text, "CODE_LINE", colon + 1);
}

static void add_message(struct fate__text *text, const fate_log_entry *entry)
{
    struct fate__text message = { 0 };

    fate__text_add(&message, entry->text);
    fate__text_add(&message, "\n");
    fate__text_add_value(&message, fate_traceback(entry->failure));
    if (message.has_failed)
        text->has_failed = true;
    else
        add_n(text, "MESSAGE", message.bytes, message.len);
    fate__text_done(&message);
}

static void add_failure(struct fate__text *text, const fate_log_entry *entry)
{
    int errnum = fate_failure_errno(entry->failure);

    add_message(text, entry);
    add(text, "FATE_FAILURE", fate_class_of(entry->failure)->name);
    if (errnum)
        fate__text_format(text, "ERRNO=%d\n", errnum);
}

/* As syslog counts them. */
static int priority_of(int level)
{
    static const char priorities[] = { 7, 6, 5, 4, 3 };
    return level >= FATE_LOG_DEBUG && level <= FATE_LOG_ERROR ? priorities[level] : 5;
}

static void add_entry(struct fate__text *text, const fate_log_entry *entry)
{
    fate__text_format(text, "PRIORITY=%d\n", priority_of(entry->level));
    add(text, "SYSLOG_IDENTIFIER", program_invocation_short_name);
    if (*entry->reactor)
        add(text, "FATE_REACTOR", entry->reactor);
    add_site(text, entry->site);
    if (entry->failure)
        add_failure(text, entry);
    else
        add(text, "MESSAGE", entry->text);
    for (size_t i = 0; entry->fields && i < fate_count(entry->fields); i++)
        add_field(text, fate_dict_key(entry->fields, i), fate_dict_at(entry->fields, i));
}

/* ---- Sending ---- */

/* 0 or -1 with errno, as each function here.  It waits while journald does not keep up, as writing to any log
 * may. */
static int send_message(int fd, const struct msghdr *message)
{
    ssize_t n;

    do
        n = fate__sys->sendmsg(fd, message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -1 : 0;
}

static int write_whole(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = fate__sys->write(fd, bytes, len);
        if (n < 0 && errno != EINTR)
            return -1;
        bytes += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* journald takes only files that nobody can change any more. */
static int open_sealed(const struct fate__text *text)
{
    int fd = fate__sys->memfd_create("fate-journal", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return -1;
    if (write_whole(fd, text->bytes, text->len) == 0 &&
        fate__sys->add_seals(fd, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0)
        return fd;
    fate__close(fd);
    return -1;
}

static int send_descriptor(int fd, struct msghdr *message, int sent)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;

    memset(&control, 0, sizeof control);
    message->msg_iovlen = 0;
    message->msg_control = &control;
    message->msg_controllen = sizeof control.bytes;
    struct cmsghdr *head = CMSG_FIRSTHDR(message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &sent, sizeof sent);
    return send_message(fd, message);
}

static int send_text(int fd, const struct fate__text *text)
{
    const char *path = getenv("FATE_JOURNAL_SOCKET");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct iovec bytes = { text->bytes, text->len };
    struct msghdr message = {
        .msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &bytes, .msg_iovlen = 1
    };

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path && *path ? path : SOCKET_PATH);
    if (send_message(fd, &message) == 0)
        return 0;
    if (errno != EMSGSIZE && errno != ENOBUFS)
        return -1;
    int sealed = open_sealed(text);
    int why = sealed < 0 ? -1 : send_descriptor(fd, &message, sealed);
    fate__close(sealed);
    return why;
}

static int send_entry(const fate_log_entry *entry)
{
    struct fate__text text = { 0 };
    int fd = fate__sys->socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    add_entry(&text, entry);
    int why = text.has_failed ? -1 : send_text(fd, &text);
    fate__text_done(&text);
    fate__close(fd);
    return why;
}

void fate_log_to_journal(const fate_log_entry *entry, fate_value *arg)
{
    int kept = errno;

    if (send_entry(entry) < 0)
        fate_log_to_text(entry, arg);
    errno = kept;
}
