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
 * a reactor with that. */
static _Thread_local struct fate__post *kept;
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

static struct fate__post *refill(struct fate__posts *posts)
{
    struct fate__post *node = atomic_exchange_explicit(&posts->returned, NULL, memory_order_acquire);

    if (!node)
        return fate__alloc(sizeof *node);
    kept = atomic_load_explicit(&node->next, memory_order_relaxed);
    if (kept) {
        pthread_once(&once, make_key);
        pthread_setspecific(at_thread_exit, &kept);
    }
    return node;
}

static struct fate__post *take_node(struct fate__posts *posts)
{
    struct fate__post *node = kept;

    if (!node)
        return refill(posts);
    kept = atomic_load_explicit(&node->next, memory_order_relaxed);
    return node;
}

void fate__posts_recycle(struct fate__posts *posts)
{
    if (!posts->spent)
        return;
    struct fate__post *first = atomic_load_explicit(&posts->returned, memory_order_relaxed);
    do
        atomic_store_explicit(&posts->spent_last->next, first, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&posts->returned, &first, posts->spent,
                                                  memory_order_release, memory_order_relaxed));
    posts->spent = posts->spent_last = NULL;
}

/* ---- Life ---- */

int fate__posts_init(struct fate__posts *posts)
{
    struct fate__post *empty = fate__zalloc(sizeof *empty);

    if (!empty)
        return -ENOMEM;
    posts->oldest = empty;
    atomic_store(&posts->newest, empty);
    posts->wake_fd = fate__sys->eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return posts->wake_fd < 0 ? -errno : 0;
}

void fate__posts_drop(struct fate__posts *posts)
{
    struct fate__post post;

    if (!posts->oldest)
        return;
    while (fate__posts_take(posts, fate__posts_mark(posts), &post))
        fate_drop(post.arg);
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
    atomic_store_explicit(&post->next, NULL, memory_order_relaxed);
    struct fate__post *before = atomic_exchange(&posts->newest, post);
    atomic_store_explicit(&before->next, post, memory_order_release);
    if (atomic_load(&posts->asleep))
        fate__posts_wake(posts);
    return 0;
}

/* ---- The consumer ---- */

/* A producer has put its node in but not tied it to the one before yet: it is between two instructions, or
 * was interrupted there.  Let it run; with yielding alone, a loop of high priority might wait for ever. */
static struct fate__post *wait_for_next(struct fate__post *post)
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

bool fate__posts_take(struct fate__posts *posts, const struct fate__post *mark, struct fate__post *ret_post)
{
    struct fate__post *spent = posts->oldest;

    if (spent == mark)
        return false;
    struct fate__post *next = atomic_load_explicit(&spent->next, memory_order_acquire);
    if (fate__unlikely(!next))
        next = wait_for_next(spent);
    ret_post->action = next->action;
    ret_post->arg = next->arg;
    ret_post->site = next->site;
    posts->oldest = next;
    posts->n_called++;
    atomic_store_explicit(&spent->next, posts->spent, memory_order_relaxed);
    if (!posts->spent)
        posts->spent_last = spent;
    posts->spent = spent;
    return true;
}
