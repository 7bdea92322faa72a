/* Writing: what a turn writes is queued, and leaves together when the turn ends.
 *
 * A queue is a list of pieces: bytes copied into chunks; values, which are not copied; files; and bytes that
 * lie in the buffer that was just read into, which need no copy if they leave before it is used again. */
#include <net/stream.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <base/alloc.h>
#include <base/sys.h>

FATE_CLASS(FATE_WRITE_OVERFLOW, "WriteOverflow", &FATE_CONNECTION_LOST);

#define CHUNK_BYTES   ((size_t)4096)
#define NODE_BYTES    (sizeof(struct fate__out) + 64) /* what frames a value lies in it, not in a chunk */
#define AT_ONCE_BYTES ((size_t)32768) /* that much is offered to the wire before it is copied */
#define PIECES_MAX    64              /* of one system call */
#define FREE_MAX      64              /* chunks and nodes that are kept for the next */
#define FILE_PIECE    ((size_t)1 << 30)
#define AGAIN_AFTER   (50 * FATE_MILLISECOND)
#define N_AGAIN_MAX   100

enum piece_kind { COPIED, LENT, VALUE, IN_FILE };

struct fate__out {
    struct fate__out *next;
    enum piece_kind kind;
    int fd;         /* of a file */
    const char *at; /* what is left of it; of a file its offset and length */
    size_t left;
    union {
        fate_value value;
        int64_t offset;
        const char *room_end; /* of a chunk */
    };
};

/* ---- Pieces ---- */

static struct fate__out *take(struct fate__out **list, unsigned *n, size_t bytes)
{
    struct fate__out *out = *list;

    if (!out)
        return fate__alloc(bytes);
    *list = out->next;
    --*n;
    return out;
}

static void give(struct fate__out **list, unsigned *n, struct fate__out *out)
{
    if (*n >= FREE_MAX) {
        fate__free(out);
        return;
    }
    out->next = *list;
    *list = out;
    ++*n;
}

static bool is_of(const struct fate__out *out, size_t bytes)
{
    return out->room_end == (const char *)out + bytes;
}

static void free_piece(struct fate__net *net, struct fate__out *out)
{
    switch (out->kind) {
    case COPIED:
        if (is_of(out, CHUNK_BYTES))
            give(&net->free_chunks, &net->n_free_chunks, out);
        else if (is_of(out, NODE_BYTES))
            break;
        else
            fate__free(out);
        return;
    case VALUE:
        fate_drop(out->value);
        break;
    case IN_FILE:
        fate__close(out->fd);
        break;
    case LENT:
        break;
    }
    give(&net->free_nodes, &net->n_free_nodes, out);
}

static void free_list(struct fate__out *out)
{
    while (out) {
        struct fate__out *next = out->next;
        fate__free(out);
        out = next;
    }
}

void fate__free_out(struct fate__net *net)
{
    free_list(net->free_nodes);
    free_list(net->free_chunks);
}

static void append(fate_transport *transport, struct fate__out *out)
{
    out->next = NULL;
    if (transport->out)
        transport->out_last->next = out;
    else
        transport->out = out;
    transport->out_last = out;
}

static void drop_first(fate_transport *transport)
{
    struct fate__out *out = transport->out;

    transport->out = out->next;
    free_piece(transport->net, out);
}

void fate__drop_out(fate_transport *transport)
{
    if (transport->net->corked == transport)
        transport->net->corked = NULL;
    while (transport->out)
        drop_first(transport);
    transport->n_out = 0;
}

static struct fate__out *new_node(fate_transport *transport, enum piece_kind kind)
{
    struct fate__net *net = transport->net;
    struct fate__out *out = take(&net->free_nodes, &net->n_free_nodes, NODE_BYTES);

    if (out)
        out->kind = kind;
    return out;
}

/* With values in the queue the few bytes between two of them would each fill a chunk. */
static size_t bytes_of_chunk(const fate_transport *transport, size_t len)
{
    size_t bytes = sizeof(struct fate__out) + len;
    bool is_between = transport->out && transport->out_last->kind == VALUE;

    return is_between && bytes <= NODE_BYTES ? NODE_BYTES : bytes <= CHUNK_BYTES ? CHUNK_BYTES : bytes;
}

static struct fate__out *new_chunk(fate_transport *transport, size_t len)
{
    struct fate__net *net = transport->net;
    size_t bytes = bytes_of_chunk(transport, len);
    struct fate__out *out = bytes == NODE_BYTES    ? new_node(transport, COPIED)
                            : bytes == CHUNK_BYTES ? take(&net->free_chunks, &net->n_free_chunks, bytes)
                                                   : fate__alloc(bytes);

    if (!out)
        return NULL;
    out->kind = COPIED;
    out->at = (const char *)(out + 1);
    out->left = 0;
    out->room_end = (const char *)out + bytes;
    return out;
}

/* ---- Queueing ---- */

static size_t room_in(const struct fate__out *out)
{
    return out && out->kind == COPIED ? (size_t)(out->room_end - (out->at + out->left)) : 0;
}

static bool copy_bytes(fate_transport *transport, const char *data, size_t len)
{
    struct fate__out *last = transport->out ? transport->out_last : NULL;
    size_t room = room_in(last), n = len < room ? len : room;

    if (n) {
        memcpy((char *)(uintptr_t)last->at + last->left, data, n);
        last->left += n;
    }
    if (n == len)
        return true;
    struct fate__out *out = new_chunk(transport, len - n);
    if (!out) {
        if (n)
            last->left -= n;
        return false;
    }
    memcpy(out + 1, data + n, len - n);
    out->left = len - n;
    append(transport, out);
    return true;
}

static bool lend_bytes(fate_transport *transport, const char *data, size_t len)
{
    struct fate__out *out = new_node(transport, LENT);

    if (!out)
        return false;
    out->at = data;
    out->left = len;
    append(transport, out);
    return true;
}

/* ---- The cork ----
 *
 * Most transports write once or twice in the turn in which they were read, and all of that leaves when it
 * ends: that needs no queue.  One transport at a time has the cork; whatever looks at its queue pulls it
 * first. */

static bool enqueue(fate_transport *transport, const char *data, size_t len)
{
    bool is_copied = data == transport->net->cork;

    if (!(is_copied ? copy_bytes(transport, data, len) : lend_bytes(transport, data, len)))
        return false;
    transport->n_out += len;
    return true;
}

/* What it holds goes into the queue, which is empty; whoever has corked it may have left sending to the end
 * of its reading, which looks at the cork alone.  False: no memory. */
static bool uncork(fate_transport *transport)
{
    struct fate__net *net = transport->net;

    if (net->corked != transport)
        return true;
    net->corked = NULL;
    fate__attend(transport);
    return enqueue(transport, net->cork_at, net->cork_len);
}

static bool add_to_cork(struct fate__net *net, const void *data, size_t len)
{
    if (len > FATE__CORK_BYTES - net->cork_len || net->cork_len > FATE__CORK_BYTES)
        return false;
    if (net->cork_at != net->cork) {
        memcpy(net->cork, net->cork_at, net->cork_len);
        net->cork_at = net->cork;
    }
    memcpy(net->cork + net->cork_len, data, len);
    net->cork_len += len;
    return true;
}

static inline bool is_lent(const struct fate__net *net, const char *data, size_t len)
{
    size_t n = (size_t)(net->lent_end - net->lent), at = (size_t)(data - net->lent);
    return at < n && len <= n - at;
}

static inline void take_cork(fate_transport *transport, const char *at, size_t len)
{
    struct fate__net *net = transport->net;

    net->corked = transport;
    net->cork_at = at;
    net->cork_len = len;
    if (net->reading != transport)
        fate__attend(transport);
}

/* The buffer that these lie in is about to be used again. */
bool fate__copy_lent(fate_transport *transport)
{
    struct fate__out **at = &transport->out;

    if (!uncork(transport))
        return false;
    for (; *at; at = &(*at)->next) {
        struct fate__out *out = *at;
        if (out->kind != LENT)
            continue;
        struct fate__out *chunk = new_chunk(transport, out->left);
        if (!chunk)
            return false;
        memcpy(chunk + 1, out->at, out->left);
        chunk->left = out->left;
        chunk->next = out->next;
        if (transport->out_last == out)
            transport->out_last = chunk;
        *at = chunk;
        free_piece(transport->net, out);
    }
    return true;
}

/* ---- Sending ---- */

static void took(fate_transport *transport, size_t n)
{
    transport->n_out -= n;
    while (transport->out && (n || transport->out->left == 0)) {
        struct fate__out *out = transport->out;
        size_t part = n < out->left ? n : out->left;
        if (out->kind == IN_FILE)
            return;
        out->at += part;
        out->left -= part;
        n -= part;
        if (out->left)
            return;
        drop_first(transport);
    }
}

/* The pieces up to the first file, and extra behind them if there is none. */
static int gather(const fate_transport *transport, const struct iovec *extra, struct iovec ret_pieces[],
                  size_t *ret_len)
{
    const struct fate__out *out = transport->out;
    int n = 0;

    for (*ret_len = 0; out && out->kind != IN_FILE && n < PIECES_MAX - 1; out = out->next) {
        ret_pieces[n++] = (struct iovec){ (void *)(uintptr_t)out->at, out->left };
        *ret_len += out->left;
    }
    if (extra && !out) {
        ret_pieces[n++] = *extra;
        *ret_len += extra->iov_len;
    }
    return n;
}

static void try_again(fate_value *arg)
{
    fate_transport *transport = fate_as_ptr(arg);

    transport->extra->again.id = 0;
    transport->flags |= FATE__CAN_WRITE;
    fate__attend(transport);
}

static bool waits_already(const fate_transport *transport)
{
    return transport->extra && transport->extra->again.id > 0;
}

/* The system has no buffers: that passes, mostly. */
static bool waits_for_buffers(fate_transport *transport, int error)
{
    struct fate__extra *extra = NULL;

    if (error != ENOBUFS && error != ENOMEM)
        return false;
    extra = fate__extra(transport);
    if (!extra)
        return true;
    if (++extra->n_again > N_AGAIN_MAX)
        return false;
    extra->again = fate_call_later_at(transport->net->reactor, AGAIN_AFTER, try_again, fate_ptr(transport),
                                      FATE__OWN_SITE("a connection waits for buffers"));
    return extra->again.id >= 0;
}

static void has_sent(fate_transport *transport)
{
    fate__is_active(transport);
    if (fate__unlikely(transport->extra))
        transport->extra->n_again = 0;
}

/* What has come before may still be of use, an answer that says why say: it is read first. */
static void break_writing(fate_transport *transport, int error)
{
    const unsigned unreadable = FATE__PAUSED | FATE__UNASKED | FATE__READ_ENDED | FATE__NO_MORE_DATA;
    fate_value why = fate__connection_failure(transport, "writing to", error);
    struct fate__extra *extra = transport->flags & unreadable ? NULL : fate__extra(transport);

    if (!extra) {
        fate__lose(transport, why, false);
        return;
    }
    extra->broken = why;
    transport->flags |= FATE__BROKEN | FATE__CAN_READ;
    fate__drop_out(transport);
    fate__read_next_round(transport);
}

static void could_not(fate_transport *transport, int error)
{
    transport->flags &= ~(unsigned)FATE__CAN_WRITE;
    if (error != EAGAIN && !waits_for_buffers(transport, error))
        break_writing(transport, error);
}

/* A file that ends before its time would leave the peer waiting for the rest. */
static void file_ended(fate_transport *transport, int error)
{
    fate__lose(transport,
               fate__raise(fate__factory_of(transport->protocol)->site, &FATE_CONNECTION_LOST,
                           "sending a file: %s, with %zu bytes still to go",
                           error ? strerror(error) : "it has become shorter", transport->out->left),
               true);
}

/* By way of memory, where the kernel cannot do it by itself. */
static ssize_t send_piece_of_file(fate_transport *transport, struct fate__out *out)
{
    char bytes[16384];
    size_t len = out->left < sizeof bytes ? out->left : sizeof bytes;
    ssize_t n;

    do
        n = fate__sys->pread(out->fd, bytes, len, (off_t)out->offset);
    while (n < 0 && errno == EINTR);
    if (n <= 0) {
        file_ended(transport, n < 0 ? errno : 0);
        return 0;
    }
    const struct iovec piece = { bytes, (size_t)n };
    ssize_t sent = transport->wire->send(transport, &piece, 1);
    if (sent >= 0 && sent < n) /* else all of it would be read again for the next few bytes */
        transport->flags &= ~(unsigned)FATE__CAN_WRITE;
    return sent;
}

static bool flush_file(fate_transport *transport)
{
    struct fate__out *out = transport->out;
    const struct fate__wire_ops *wire = transport->wire;
    size_t len = out->left < FILE_PIECE ? out->left : FILE_PIECE;
    ssize_t n = wire->send_file ? wire->send_file(transport, out->fd, out->offset, len) : -EINVAL;

    if (n == -EINVAL || n == -ENOSYS)
        n = send_piece_of_file(transport, out);
    if (transport->flags & FATE__IS_LOST)
        return false;
    if (n < 0) {
        could_not(transport, (int)-n);
        return false;
    }
    if (n == 0) {
        file_ended(transport, 0);
        return false;
    }
    has_sent(transport);
    out->offset += n;
    out->left -= (size_t)n;
    if (out->left == 0)
        drop_first(transport);
    return true;
}

/* Sends what is queued and extra, of which ret_rest is left.  False: the wire takes no more now. */
static bool flush_bytes(fate_transport *transport, const struct iovec *extra, size_t *ret_rest)
{
    struct iovec pieces[PIECES_MAX];
    size_t len, queued = transport->n_out;
    int n_pieces = gather(transport, extra, pieces, &len);
    ssize_t n = transport->wire->send(transport, pieces, n_pieces);

    if (n < 0) {
        could_not(transport, (int)-n);
        return false;
    }
    has_sent(transport);
    if ((size_t)n < len)
        transport->flags &= ~(unsigned)FATE__CAN_WRITE;
    if ((size_t)n > queued && extra) {
        *ret_rest = extra->iov_len - ((size_t)n - queued);
        n = (ssize_t)queued;
    }
    took(transport, (size_t)n);
    return (transport->flags & FATE__CAN_WRITE) != 0;
}

static void queue_rest(fate_transport *transport, const char *rest, size_t len)
{
    if (!copy_bytes(transport, rest, len)) {
        fate__lose(transport, fate__no_memory(), true);
        return;
    }
    transport->n_out += len;
}

void fate__cork_was_sent(fate_transport *transport, const char *bytes, size_t len, ssize_t n)
{
    size_t sent = n > 0 ? (size_t)n : 0;

    queue_rest(transport, bytes + sent, len - sent);
    if (n >= 0)
        transport->flags &= ~(unsigned)FATE__CAN_WRITE;
    else if (!(transport->flags & FATE__IS_LOST))
        could_not(transport, (int)-n);
}

static void send_cork(fate_transport *transport)
{
    struct fate__net *net = transport->net;
    const struct iovec piece = { (void *)(uintptr_t)net->cork_at, net->cork_len };

    net->corked = NULL;
    ssize_t n = transport->wire->send(transport, &piece, 1);
    if (n > 0)
        has_sent(transport);
    if (n < 0 || (size_t)n < piece.iov_len)
        fate__cork_was_sent(transport, piece.iov_base, piece.iov_len, n);
}

void fate__flush(fate_transport *transport)
{
    bool goes_on = true;

    if (transport->net->corked == transport)
        send_cork(transport);
    while (goes_on && transport->out && transport->flags & FATE__CAN_WRITE &&
           !(transport->flags & (FATE__IS_LOST | FATE__BROKEN)))
        goes_on =
            transport->out->kind == IN_FILE ? flush_file(transport) : flush_bytes(transport, NULL, NULL);
    if (!(transport->flags & FATE__IS_LOST) && transport->out && !fate__copy_lent(transport))
        fate__lose(transport, fate__no_memory(), true);
}

void fate__transport_can_write(fate_transport *transport)
{
    if (transport->flags & (FATE__CAN_WRITE | FATE__IS_LOST) || waits_already(transport))
        return;
    transport->flags |= FATE__CAN_WRITE;
    if (transport->out)
        fate__attend(transport);
}

/* ---- What the program calls ---- */

static size_t cap(const fate_transport *transport)
{
    return transport->extra ? transport->extra->cap : FATE__CAP;
}

static int overflow(fate_transport *transport)
{
    fate__lose(transport,
               fate__raise(fate__factory_of(transport->protocol)->site, &FATE_WRITE_OVERFLOW,
                           "%zu bytes were queued for a peer that does not read, more than the cap of %zu: "
                           "stop at write_paused, or raise the cap with fate_set_write_marks",
                           transport->n_out, cap(transport)),
               true);
    return -ENOBUFS;
}

/* Much is not kept until the end of the turn, and nobody is told of a queue that the wire would take. */
static int has_queued(fate_transport *transport, size_t len)
{
    transport->n_out += len;
    if (transport->flags & FATE__CAN_WRITE) {
        if (transport->n_out >= FATE__LOW_MARK || transport->n_out > fate__high_mark(transport))
            fate__flush(transport);
        fate__attend(transport);
    }
    if (transport->flags & FATE__IS_LOST)
        return -ENOTCONN;
    if (fate__unlikely(transport->n_out > fate__high_mark(transport))) {
        if (transport->n_out > cap(transport))
            return overflow(transport);
        fate__attend(transport);
        fate__tell_pause(transport);
    }
    return 0;
}

static int lose_for_memory(fate_transport *transport)
{
    fate__lose(transport, fate__no_memory(), true);
    return -ENOMEM;
}

/* Offers much to the wire before it copies what that leaves. */
static int write_much(fate_transport *transport, const char *data, size_t len)
{
    struct iovec extra = { (void *)(uintptr_t)data, len };
    size_t rest = len;

    if (transport->out && transport->out_last->kind == IN_FILE)
        fate__flush(transport);
    if (transport->flags & FATE__CAN_WRITE && !(transport->flags & FATE__IS_LOST))
        flush_bytes(transport, &extra, &rest);
    if (transport->flags & (FATE__IS_LOST | FATE__BROKEN)) /* what was queued is gone, too */
        return -ENOTCONN;
    if (transport->out && !fate__copy_lent(transport))
        return lose_for_memory(transport);
    if (!rest)
        return has_queued(transport, 0);
    if (!copy_bytes(transport, data + (len - rest), rest))
        return lose_for_memory(transport);
    return has_queued(transport, rest);
}

static __attribute__((noinline)) int write_otherwise(fate_transport *transport, const char *data, size_t len)
{
    struct fate__net *net = transport->net;

    if (transport->flags & FATE__NO_WRITING)
        return -ENOTCONN;
    if (len == 0 || (net->corked == transport && add_to_cork(net, data, len)))
        return 0;
    bool may_send = transport->flags & FATE__CAN_WRITE;
    if (!uncork(transport))
        return lose_for_memory(transport);
    bool needs_no_copy = may_send && is_lent(net, data, len);
    if (may_send && !needs_no_copy && len >= AT_ONCE_BYTES)
        return write_much(transport, data, len);
    bool is_kept = needs_no_copy ? lend_bytes(transport, data, len) : copy_bytes(transport, data, len);
    return is_kept ? has_queued(transport, len) : lose_for_memory(transport);
}

int fate_write(fate_transport *transport, const void *data, size_t len)
{
    const unsigned others = FATE__CAN_WRITE | FATE__OWN_MARKS | FATE__NO_WRITING;

    fate__check_transport(transport, "fate_write");
    struct fate__net *net = transport->net;
    bool is_first = ((uintptr_t)net->corked | (uintptr_t)transport->out) == 0;
    bool is_plain = (transport->flags & others) == FATE__CAN_WRITE && is_first;
    bool is_small = len - 1 < FATE__CORK_BYTES;
    if (fate__likely(is_plain && is_lent(net, data, len) && len)) {
        take_cork(transport, data, len);
        return 0;
    }
    if (fate__unlikely(!is_plain || !is_small || !net->cork))
        return write_otherwise(transport, data, len);
    memcpy(net->cork, data, len);
    take_cork(transport, net->cork, len);
    return 0;
}

int fate_write_value(fate_transport *transport, fate_value bytes)
{
    const void *data;
    size_t len;

    fate__check_transport(transport, "fate_write_value");
    fate__check_given(&bytes, "fate_write_value", NULL);
    int why = transport->flags & FATE__NO_WRITING    ? -ENOTCONN
              : fate__is_no_memory(&bytes)           ? lose_for_memory(transport)
              : !fate_get_bytes(&bytes, &data, &len) ? -EINVAL
              : !uncork(transport)                   ? lose_for_memory(transport)
                                                     : 0;
    struct fate__out *out = why == 0 && len ? new_node(transport, VALUE) : NULL;
    if (!out) {
        fate_drop(bytes);
        return why < 0 || len == 0 ? why : lose_for_memory(transport);
    }
    out->at = data;
    out->left = len;
    out->value = bytes;
    append(transport, out);
    return has_queued(transport, len);
}

static int length_of_file(int fd, int64_t offset, int64_t *len)
{
    struct stat about;

    if (fate__sys->fstat(fd, &about) < 0)
        return -errno;
    if (!S_ISREG(about.st_mode) || offset < 0 || *len < -1 || offset > about.st_size)
        return -EINVAL;
    if (*len == -1)
        *len = about.st_size - offset;
    return 0;
}

int fate_write_file(fate_transport *transport, int fd, int64_t offset, int64_t len)
{
    fate__check_transport(transport, "fate_write_file");
    int why = transport->flags & FATE__NO_WRITING ? -ENOTCONN : length_of_file(fd, offset, &len);
    if (why == 0 && !uncork(transport))
        why = lose_for_memory(transport);
    struct fate__out *out = why == 0 && len ? new_node(transport, IN_FILE) : NULL;

    if (!out) {
        fate__close(fd);
        return why < 0 || len == 0 ? why : lose_for_memory(transport);
    }
    out->fd = fd;
    out->offset = offset;
    out->left = (size_t)len;
    append(transport, out);
    return has_queued(transport, 0);
}

int fate_set_write_marks(fate_transport *transport, size_t low, size_t high, size_t cap_bytes)
{
    fate__check_transport(transport, "fate_set_write_marks");
    if (low > high || high > cap_bytes)
        fate__stop(
            NULL,
            "fate_set_write_marks was given the marks %zu, %zu and %zu. They must rise: low, high, cap.", low,
            high, cap_bytes);
    if (transport->flags & FATE__IS_LOST)
        return -ENOTCONN;
    struct fate__extra *extra = fate__extra(transport);
    if (!extra)
        return -ENOMEM;
    if (!uncork(transport))
        return lose_for_memory(transport);
    extra->low = low;
    extra->high = high;
    extra->cap = cap_bytes;
    transport->flags |= FATE__OWN_MARKS;
    fate__attend(transport);
    return 0;
}

size_t fate_write_queued(const fate_transport *transport)
{
    fate__check_transport(transport, "fate_write_queued");
    const struct fate__net *net = transport->net;
    return transport->n_out + (net->corked == transport ? net->cork_len : 0);
}
