/* Posts from other threads. */
#include <reactor/post.h>

#include <errno.h>
#include <sched.h>
#include <sys/eventfd.h>

#include <base/alloc.h>
#include <base/sys.h>
#include <value/value.h>

/* ---- Nodes ---- */

/* What a thread has for its next posts, to whatever reactor.  It goes with the thread, and for the thread of
 * a reactor with that.  One word of the static room for a thread's own is always there, and found without a
 * call. */
static _Thread_local __attribute__((tls_model("initial-exec"))) struct fate__post *kept;
static pthread_key_t at_thread_exit;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void free_nodes(struct fate__post *node)
{
    while (node) {
        struct fate__post *next = atomic_load_explicit(&node->next, memory_order_relaxed);
        fate__free(node);
        node = next;
    }
}

static void free_kept(void *node)
{
    free_nodes(kept);
    kept = NULL;
}

static void make_key(void)
{
    (void)pthread_key_create(&at_thread_exit, free_kept);
}

static void keep_at_exit(void)
{
    pthread_once(&once, make_key);
    pthread_setspecific(at_thread_exit, &kept);
}

static void keep(struct fate__post *node)
{
    if (!kept)
        keep_at_exit();
    atomic_store_explicit(&node->next, kept, memory_order_relaxed);
    kept = node;
}

static struct fate__post *refill(struct fate__posts *posts)
{
    struct fate__post *node = atomic_exchange_explicit(&posts->returned, NULL, memory_order_acquire);

    if (!node)
        return fate__alloc(sizeof *node);
    kept = atomic_load_explicit(&node->next, memory_order_relaxed);
    if (kept)
        keep_at_exit();
    return node;
}

static struct fate__post *take_node(struct fate__posts *posts)
{
    struct fate__post *node = kept;

    if (!node)
        return refill(posts);
    kept = atomic_load_explicit(&node->next, memory_order_relaxed);
    fate__post_prefetch(node, 1);
    return node;
}

/* What nobody has fetched comes first, so that nodes go round in the order in which they lie in memory. */
void fate__posts_recycle(struct fate__posts *posts)
{
    if (posts->spent == posts->oldest)
        return;
    struct fate__post *first = atomic_exchange_explicit(&posts->returned, NULL, memory_order_acquire);
    if (first)
        atomic_store_explicit(&posts->last_returned->next, posts->spent, memory_order_relaxed);
    else
        first = posts->spent;
    posts->last_returned = posts->last_spent;
    atomic_store_explicit(&posts->last_returned->next, NULL, memory_order_relaxed);
    atomic_store_explicit(&posts->returned, first, memory_order_release);
    posts->spent = posts->oldest;
}

/* ---- Life ---- */

int fate__posts_init(struct fate__posts *posts)
{
    struct fate__post *empty = fate__zalloc(sizeof *empty);

    if (!empty)
        return -ENOMEM;
    posts->oldest = posts->spent = empty;
    atomic_store(&posts->newest, empty);
    posts->wake_fd = fate__sys->eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return posts->wake_fd < 0 ? -errno : 0;
}

void fate__posts_drop(struct fate__posts *posts)
{
    if (!posts->oldest)
        return;
    while (fate__posts_are_waiting(posts))
        fate_drop(fate__posts_next(posts)->arg);
}

void fate__posts_done(struct fate__posts *posts)
{
    fate__posts_recycle(posts);
    free_nodes(atomic_exchange(&posts->returned, NULL));
    free_kept(NULL);
    fate__free(posts->oldest);
    fate__close(posts->wake_fd);
}

/* ---- Producers ---- */

void fate__posts_wake(struct fate__posts *posts)
{
    if (!atomic_exchange(&posts->asleep, false))
        return;
    const uint64_t one = 1;
    int kept_errno = errno;
    /* A counter that is full is readable already (R240). */
    while (fate__sys->write(posts->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
    errno = kept_errno;
}

static void put_in(struct fate__posts *posts, struct fate__post *post)
{
    atomic_store_explicit(&post->next, NULL, memory_order_relaxed);
    struct fate__post *before = atomic_exchange(&posts->newest, post);
    atomic_store_explicit(&before->next, post, memory_order_release);
    if (atomic_load(&posts->asleep))
        fate__posts_wake(posts);
}

int fate__post(struct fate__posts *posts, fate_action *action, fate_value arg, const char *site)
{
    bool is_closed = atomic_load_explicit(&posts->is_closed, memory_order_acquire);
    struct fate__post *post = is_closed || fate__is_no_memory(&arg) ? NULL : take_node(posts);

    if (fate__unlikely(!post)) {
        fate_drop(arg);
        return is_closed ? -ESHUTDOWN : -ENOMEM;
    }
    post->action = action;
    post->arg = arg;
    post->site = site;
    put_in(posts, post);
    return 0;
}

struct fate__post *fate__post_prepare(struct fate__posts *posts)
{
    return take_node(posts);
}

void fate__post_prepared(struct fate__posts *posts, struct fate__post *post)
{
    put_in(posts, post);
}

void fate__post_give_up(struct fate__post *post)
{
    keep(post);
}

/* ---- The consumer ---- */

/* A producer has put its node in but not tied it to the one before yet: it is between two instructions, or
 * was interrupted there.  Let it run; with yielding alone, a loop of high priority might wait for ever. */
struct fate__post *fate__posts_wait(struct fate__post *post)
{
    const struct timespec moment = { 0, 50000 };
    struct fate__post *next;

    for (unsigned tries = 0; !(next = atomic_load_explicit(&post->next, memory_order_acquire)); tries++)
        if (tries > 100)
            fate__sys->ppoll(NULL, 0, &moment, NULL);
        else if (tries > 10)
            sched_yield();
    return next;
}

void fate__posts_each(const struct fate__posts *posts,
                      void (*visit)(const struct fate__post *post, void *arg), void *arg)
{
    const struct fate__post *post = posts->oldest;

    while ((post = atomic_load_explicit(&((struct fate__post *)(uintptr_t)post)->next, memory_order_acquire)))
        visit(post, arg);
}
