/* Posts on libevent: with its locks for threads, event_active of the caller's own event. */
#include "../common/bench.h"
#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/thread.h>
#include <stdbool.h>

typedef size_t posted;
struct post {
    struct event event;
    bool is_made;
    void (*function)(posted);
    size_t number;
};
enum { NEEDS_POST = 1 };

static struct event_base *base;

static size_t number_of(posted arg)
{
    return arg;
}

static void run_post(evutil_socket_t fd, short events, void *arg)
{
    struct post *post = arg;
    (void)fd, (void)events;
    post->function(post->number);
}

static void w_init(void)
{
    evthread_use_pthreads();
    base = event_base_new();
}

static void w_post(struct post *post, void (*function)(posted), size_t number)
{
    if (!post->is_made) {
        event_assign(&post->event, base, -1, 0, run_post, post);
        post->is_made = true;
    }
    post->function = function;
    post->number = number;
    event_active(&post->event, 0, 0);
}

static void w_run(void)
{
    event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY);
}

static void w_stop(void)
{
    event_base_loopbreak(base);
}

#include "posts.h"

int main(void)
{
    return posts_main();
}
