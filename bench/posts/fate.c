/* Posts on libfate: fate_call_from_thread, which has nodes of its own. */
#include "../common/bench.h"
#include <fate/fate.h>

typedef fate_value *posted;
struct post {
    char unused;
};
enum { NEEDS_POST = 0 };

static fate_reactor *reactor;

static size_t number_of(posted arg)
{
    return (size_t)fate_as_int(arg);
}

static void w_init(void)
{
    reactor = fate_reactor_new();
    if (!reactor)
        die("fate_reactor_new");
}

static void w_post(struct post *post, void (*function)(posted), size_t number)
{
    (void)post;
    errno = -fate_call_from_thread(reactor, function, fate_int((int64_t)number));
    if (errno)
        die("fate_call_from_thread");
}

static void w_run(void)
{
    errno = -fate_run(reactor);
    if (errno)
        die("fate_run");
}

static void w_stop(void)
{
    fate_crash(reactor); /* after fate_stop it could not run again */
}

#include "posts.h"

int main(void)
{
    int status = posts_main();
    fate_reactor_free(reactor);
    return status;
}
