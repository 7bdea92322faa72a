/* Another floor of an echo server: io_uring with multishot accept, multishot recv and a ring of buffers.
 *
 * What was received is sent back from where it lies, and its buffer returns to the ring when that is done, so
 * that nothing is copied in user space and one io_uring_enter covers a whole batch of messages.
 * BENCH_BUFFERS=N, a power of two, sets how many buffers there are: with too few, receiving ends and has to
 * be armed again; with too many, each message finds cold memory. */
#include "../common/net.h"
#include <liburing.h>

enum kind { ACCEPT, RECEIVE, SEND, KIND_MASK = 7 }; /* in the low bits of a pointer */
enum { BUFFERS_MAX = 4096, BUFFER_BYTES = 16384, GROUP = 1, SUBMISSIONS = 4096, COMPLETIONS = 32768 };

struct connection {
    int fd, n_pending; /* requests that the kernel has: the armed recv, and the send */
    bool is_lost;
    struct piece *first, *last; /* one send at a time, the others wait in order */
};

/* What one buffer holds. */
struct piece {
    struct connection *connection;
    struct piece *next;
    uint32_t sent, len;
};

static struct io_uring ring;
static struct io_uring_buf_ring *buffer_ring;
static char *buffers;
static struct piece pieces[BUFFERS_MAX];
static unsigned n_buffers = 1024;
static int listener;

/* ---- Requests ---- */

static struct io_uring_sqe *next_request(void)
{
    struct io_uring_sqe *request = io_uring_get_sqe(&ring);
    if (!request) {
        io_uring_submit(&ring);
        request = io_uring_get_sqe(&ring);
    }
    return request;
}

static void set_kind(struct io_uring_sqe *request, enum kind kind, void *what)
{
    request->user_data = (uint64_t)(uintptr_t)what | (uint64_t)kind;
}

static void arm_accept(void)
{
    struct io_uring_sqe *request = next_request();
    io_uring_prep_multishot_accept(request, listener, NULL, NULL, SOCK_CLOEXEC);
    set_kind(request, ACCEPT, NULL);
}

static void arm_receive(struct connection *c)
{
    struct io_uring_sqe *request = next_request();
    io_uring_prep_recv_multishot(request, c->fd, NULL, 0, 0);
    request->flags |= IOSQE_BUFFER_SELECT;
    request->buf_group = GROUP;
    set_kind(request, RECEIVE, c);
    c->n_pending++;
}

static char *buffer_of(const struct piece *piece)
{
    return buffers + (size_t)(piece - pieces) * BUFFER_BYTES;
}

static void arm_send(struct piece *piece)
{
    struct io_uring_sqe *request = next_request();
    io_uring_prep_send(request, piece->connection->fd, buffer_of(piece) + piece->sent,
                       piece->len - piece->sent, MSG_NOSIGNAL | MSG_WAITALL);
    set_kind(request, SEND, piece);
    piece->connection->n_pending++;
}

static void give_back(const struct piece *piece)
{
    io_uring_buf_ring_add(buffer_ring, buffer_of(piece), BUFFER_BYTES, (unsigned short)(piece - pieces),
                          io_uring_buf_ring_mask(n_buffers), 0);
    io_uring_buf_ring_advance(buffer_ring, 1);
}

/* ---- Completions ---- */

/* Called again with each completion that comes after, the last of which frees. */
static void lose(struct connection *c)
{
    if (!c->is_lost)
        shutdown(c->fd, SHUT_RDWR);
    c->is_lost = true;
    if (c->n_pending)
        return;
    for (; c->first; c->first = c->first->next)
        give_back(c->first);
    close(c->fd);
    free(c);
}

static void accepted(const struct io_uring_cqe *completion)
{
    if (completion->res >= 0) {
        struct connection *c = calloc(1, sizeof *c);
        if (!c)
            die("calloc");
        c->fd = completion->res;
        nodelay(c->fd);
        arm_receive(c);
    }
    if (!(completion->flags & IORING_CQE_F_MORE))
        arm_accept();
}

static void got_nothing(struct connection *c, const struct io_uring_cqe *completion)
{
    if (completion->flags & IORING_CQE_F_BUFFER)
        give_back(&pieces[completion->flags >> IORING_CQE_BUFFER_SHIFT]);
    if (completion->res == -ENOBUFS && !c->is_lost)
        arm_receive(c);
    else
        lose(c);
}

static void received(struct connection *c, const struct io_uring_cqe *completion)
{
    bool is_armed = completion->flags & IORING_CQE_F_MORE;
    if (!is_armed)
        c->n_pending--;
    if (completion->res <= 0) {
        got_nothing(c, completion);
        return;
    }
    struct piece *piece = &pieces[completion->flags >> IORING_CQE_BUFFER_SHIFT];
    *piece = (struct piece){ .connection = c, .len = (uint32_t)completion->res };
    if (c->first)
        c->last->next = piece;
    else
        c->first = piece;
    if (c->first == piece && !c->is_lost)
        arm_send(piece);
    c->last = piece;
    if (!is_armed && !c->is_lost)
        arm_receive(c);
    if (c->is_lost)
        lose(c);
}

static void sent(struct piece *piece, int result)
{
    struct connection *c = piece->connection;
    c->n_pending--;
    if (result < 0 || c->is_lost) {
        lose(c);
        return;
    }
    piece->sent += (uint32_t)result;
    if (piece->sent < piece->len) {
        arm_send(piece);
        return;
    }
    c->first = piece->next;
    give_back(piece);
    if (c->first)
        arm_send(c->first);
}

static void complete(const struct io_uring_cqe *completion)
{
    void *what = (void *)(uintptr_t)(completion->user_data & ~(uint64_t)KIND_MASK);
    switch (completion->user_data & KIND_MASK) {
    case ACCEPT:
        accepted(completion);
        break;
    case RECEIVE:
        received(what, completion);
        break;
    case SEND:
        sent(what, completion->res);
        break;
    }
}

/* ---- The server ---- */

static void make_ring(void)
{
    struct io_uring_params options = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
        .cq_entries = COMPLETIONS,
    };
    errno = -io_uring_queue_init_params(SUBMISSIONS, &ring, &options);
    if (errno)
        die("io_uring_queue_init_params");
}

static void make_buffers(void)
{
    if (getenv("BENCH_BUFFERS"))
        n_buffers = (unsigned)atoi(getenv("BENCH_BUFFERS"));
    if (!n_buffers || n_buffers > BUFFERS_MAX || (n_buffers & (n_buffers - 1))) {
        fprintf(stderr, "BENCH_BUFFERS is a power of two up to %d\n", BUFFERS_MAX);
        exit(2);
    }
    errno = posix_memalign((void **)&buffer_ring, 4096, n_buffers * sizeof(struct io_uring_buf));
    if (!errno)
        errno = posix_memalign((void **)&buffers, 4096, (size_t)n_buffers * BUFFER_BYTES);
    if (errno)
        die("posix_memalign");
    struct io_uring_buf_reg registration = { .ring_addr = (uintptr_t)buffer_ring,
                                             .ring_entries = n_buffers,
                                             .bgid = GROUP };
    errno = -io_uring_register_buf_ring(&ring, &registration, 0);
    if (errno)
        die("io_uring_register_buf_ring");
    io_uring_buf_ring_init(buffer_ring);
    for (unsigned i = 0; i < n_buffers; i++)
        give_back(&pieces[i]);
}

int main(int argc, char **argv)
{
    make_ring();
    listener = listen_loopback(port_of(argc, argv), 0);
    make_buffers();
    arm_accept();
    ready();
    for (;;) {
        struct io_uring_cqe *completion;
        unsigned head, n = 0;
        int status = io_uring_submit_and_wait(&ring, 1);
        if (status < 0 && status != -EINTR && status != -EBUSY) {
            errno = -status;
            die("io_uring_submit_and_wait");
        }
        io_uring_for_each_cqe(&ring, head, completion)
        {
            complete(completion);
            n++;
        }
        io_uring_cq_advance(&ring, n);
    }
}
