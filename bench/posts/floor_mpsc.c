/* The floor of posts: Vyukov's intrusive queue of many producers and one consumer.  A post is one exchange;
 * the loop follows the links and does not touch the line that the posters write.  The eventfd is written only
 * when the loop says that it sleeps, and is edge-triggered, so that it is never read. */
#include "../common/bench.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

typedef size_t posted;
struct post {
    _Atomic(struct post *) next;
    void (*function)(posted);
    size_t number;
};
enum { NEEDS_POST = 1, POSTS_PER_TURN_MAX = 4096 };

static struct post stub;
static _Alignas(64) _Atomic(struct post *) tail = &stub; /* the posters' */
static _Alignas(64) _Atomic bool is_asleep;
static _Alignas(64) struct post *head = &stub; /* the loop's */
static bool is_stopped;
static int wake_fd, epoll_fd;

static size_t number_of(posted arg)
{
    return arg;
}

static void push(struct post *post)
{
    atomic_store_explicit(&post->next, NULL, memory_order_relaxed);
    struct post *before = atomic_exchange(&tail, post);
    atomic_store_explicit(&before->next, post, memory_order_release);
}

/* The next after post, if its poster has linked it already. */
static struct post *next_of(struct post *post)
{
    return atomic_load_explicit(&post->next, memory_order_acquire);
}

static struct post *pop(void)
{
    struct post *post = head, *next = next_of(post);
    if (post == &stub) {
        if (!next)
            return NULL;
        head = post = next;
        next = next_of(post);
    }
    if (!next) {
        if (post != atomic_load(&tail))
            return NULL; /* a poster is between its two stores */
        push(&stub);
        next = next_of(post);
    }
    if (!next)
        return NULL;
    head = next;
    return post;
}

static void w_init(void)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLET };
    wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, wake_fd, &event);
}

static void w_post(struct post *post, void (*function)(posted), size_t number)
{
    post->function = function;
    post->number = number;
    push(post);
    if (atomic_load(&is_asleep) && atomic_exchange(&is_asleep, false)) {
        uint64_t one = 1;
        if (write(wake_fd, &one, sizeof one) < 0)
            die("write");
    }
}

static bool run_posts(void)
{
    struct post *post;
    int n = 0;
    while (n < POSTS_PER_TURN_MAX && (post = pop())) {
        post->function(post->number);
        n++;
    }
    return n > 0;
}

static void wait_for_posts(void)
{
    struct epoll_event event;
    atomic_store(&is_asleep, true);
    if (atomic_load(&tail) == head)
        epoll_wait(epoll_fd, &event, 1, -1);
    atomic_store(&is_asleep, false);
}

static void w_run(void)
{
    struct epoll_event event;
    is_stopped = false;
    while (!is_stopped) {
        /* After work it looks at the descriptors without waiting, as a loop must anyway.  To take posts again
         * at once would take them one by one, each with a cache miss. */
        if (run_posts())
            epoll_wait(epoll_fd, &event, 1, 0);
        else
            wait_for_posts();
    }
}

static void w_stop(void)
{
    is_stopped = true;
}

#include "posts.h"

int main(void)
{
    return posts_main();
}
