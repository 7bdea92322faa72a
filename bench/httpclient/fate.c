/* HTTP client on libfate: 64 fetches of the same page at once, each followed by the next, over connections
 * that are kept.  fate URL COUNT */
#include "../common/bench.h"
#include <fate/fate.h>
#include <fate/http_client.h>

enum { AT_ONCE = 64 };

static const char *url;
static fate_agent *agent;
static long n_left, n_done, n_wanted;
static uint64_t n_bytes;

static void fetch_next(fate_reactor *reactor);

static fate_value got_page(fate_value *page, fate_value *reactor)
{
    n_bytes += fate_count(page);
    if (++n_done == n_wanted)
        fate_stop(fate_as_ptr(reactor));
    fetch_next(fate_as_ptr(reactor));
    return fate_none();
}

static fate_value fail(fate_value *why, fate_value *reactor)
{
    fprintf(stderr, "%s\n", fate_message(why));
    exit(1);
}

static void fetch_next(fate_reactor *reactor)
{
    if (n_left-- > 0)
        fate_add_callbacks(fate_get_page_with(reactor, url, .agent = agent), got_page, fail,
                           fate_ptr(reactor));
}

int main(int argc, char **argv)
{
    fate_reactor *reactor = fate_reactor_new();

    url = argv[argc - 2];
    n_left = n_wanted = atol(argv[argc - 1]);
    agent = fate_agent_new_with(reactor, .per_host_max = AT_ONCE);
    uint64_t began = now_ns();
    for (int i = 0; i < AT_ONCE; i++)
        fetch_next(reactor);
    fate_run(reactor);
    report("rate", (double)n_done / (double)(now_ns() - began) * 1e9, "req/s");
    fate_reactor_free(reactor);
    return n_bytes == 13ull * (uint64_t)n_wanted ? 0 : 1;
}
