/* Posts on libev: a list guarded by a mutex, and ev_async_send, which merges wake-ups. */
#include "../common/bench.h"
#include <ev.h>

typedef size_t posted;
struct post {
    struct post *next;
    void (*function)(posted);
    size_t number;
};
enum { NEEDS_POST = 1 };

static struct ev_loop *loop;
static ev_async async;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct post *first, **last = &first;

static size_t number_of(posted arg)
{
    return arg;
}

static void run_posts(struct ev_loop *l, ev_async *watcher, int events)
{
    (void)l, (void)watcher, (void)events;
    pthread_mutex_lock(&mutex);
    struct post *post = first;
    first = NULL;
    last = &first;
    pthread_mutex_unlock(&mutex);
    while (post) {
        struct post *next = post->next;
        post->function(post->number);
        post = next;
    }
}

static void w_init(void)
{
    loop = ev_default_loop(EVBACKEND_EPOLL);
    ev_async_init(&async, run_posts);
    ev_async_start(loop, &async);
}

static void w_post(struct post *post, void (*function)(posted), size_t number)
{
    *post = (struct post){ NULL, function, number };
    pthread_mutex_lock(&mutex);
    *last = post;
    last = &post->next;
    pthread_mutex_unlock(&mutex);
    ev_async_send(loop, &async);
}

static void w_run(void)
{
    ev_run(loop, 0);
}

static void w_stop(void)
{
    ev_break(loop, EVBREAK_ALL);
}

#include "posts.h"

int main(void)
{
    return posts_main();
}
