/* Posts on libuv: a list guarded by a mutex, and uv_async_send, which merges wake-ups. */
#include "../common/bench.h"
#include <uv.h>

typedef size_t posted;
struct post {
    struct post *next;
    void (*function)(posted);
    size_t number;
};
enum { NEEDS_POST = 1 };

static uv_loop_t *loop;
static uv_async_t async;
static uv_mutex_t mutex;
static struct post *first, **last = &first;

static size_t number_of(posted arg)
{
    return arg;
}

static void run_posts(uv_async_t *handle)
{
    (void)handle;
    uv_mutex_lock(&mutex);
    struct post *post = first;
    first = NULL;
    last = &first;
    uv_mutex_unlock(&mutex);
    while (post) {
        struct post *next = post->next;
        post->function(post->number);
        post = next;
    }
}

static void w_init(void)
{
    loop = uv_default_loop();
    uv_mutex_init(&mutex);
    uv_async_init(loop, &async, run_posts);
}

static void w_post(struct post *post, void (*function)(posted), size_t number)
{
    *post = (struct post){ NULL, function, number };
    uv_mutex_lock(&mutex);
    *last = post;
    last = &post->next;
    uv_mutex_unlock(&mutex);
    uv_async_send(&async);
}

static void w_run(void)
{
    uv_run(loop, UV_RUN_DEFAULT);
}

static void w_stop(void)
{
    uv_stop(loop);
}

#include "posts.h"

int main(void)
{
    return posts_main();
}
