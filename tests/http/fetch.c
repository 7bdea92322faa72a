/* Fetches what a peer's web server has, and prints it.
 *
 *     http_fetch URL [echo]
 *
 * Below URL are /hello, six bytes; /big, 300,000 bytes; nothing at /nope; with echo also /echo, which sends
 * back what it gets, /packed, /hello with gzip, and /away, which leads to /hello. */
#include <fate/fate.h>
#include <fate/http_client.h>

#include <stdio.h>
#include <string.h>

enum { AT_ONCE = 20 };

static const char *base;

static const char *at(const char *path)
{
    static char url[200];

    snprintf(url, sizeof url, "%s%s", base, path);
    return url;
}

static void print_and_drop(const char *what, fate_value v)
{
    uint32_t sum = 0;

    if (fate_is_failure(&v)) {
        printf("%s: %s%s\n", what, fate_class_of(&v)->name, strstr(fate_message(&v), ": "));
    } else {
        const char *text = fate_as_str(&v);
        for (size_t i = 0; i < fate_count(&v); i++)
            sum = sum * 31 + (unsigned char)text[i];
        printf("%s: %zu bytes, %08x\n", what, fate_count(&v), (unsigned)sum);
    }
    fate_drop(v);
}

static fate_value read_body(fate_value *response, fate_value *arg)
{
    return fate_follow(fate_read_all(fate_response_body(fate_as_response(response)), 1 << 20));
}

static void fetch_many(fate_coro *co, fate_agent *agent)
{
    fate_reactor *reactor = fate_coro_reactor(co);
    fate_deferred *all[AT_ONCE];

    for (int i = 0; i < AT_ONCE; i++)
        all[i] = fate_get_page_with(reactor, at("/hello"), .agent = agent);
    fate_value pages = fate_await(co, fate_gather(reactor, AT_ONCE, all));
    if (fate_is_failure(&pages))
        print_and_drop("many", fate_copy(&pages));
    else
        printf("%zu pages over at most 6 connections: %s\n", fate_count(&pages),
               fate_agent_connections(agent) <= 6 ? "yes" : "no");
    fate_drop(pages);
}

/* Three pieces, "piece 3;" and so on. */
struct pieces {
    fate_reactor *reactor;
    int n;
};

static fate_deferred *read_piece(fate_value *arg, size_t bytes_max)
{
    struct pieces *pieces = fate_unbox(struct pieces, arg);

    return fate_succeed(pieces->reactor, pieces->n ? fate_format("piece %d;", pieces->n--) : fate_none());
}

static const fate_source_ops piece_ops = { .size = sizeof piece_ops, .name = "pieces", .read = read_piece };

static void fetch_more(fate_coro *co, fate_agent *agent)
{
    fate_reactor *reactor = fate_coro_reactor(co);

    print_and_drop("a text", fate_await(co, fate_get_page_with(reactor, at("/echo"), .agent = agent,
                                                               .body = fate_str("what is said"))));
    fate_value source = fate_source(reactor, &piece_ops, fate_box(struct pieces, reactor, 3));
    print_and_drop("a source",
                   fate_await(co, fate_get_page_with(reactor, at("/echo"), .agent = agent, .body = source)));
    print_and_drop("packed", fate_await(co, fate_get_page_with(reactor, at("/packed"), .agent = agent)));
    print_and_drop("away", fate_await(co, fate_get_page_with(reactor, at("/away"), .agent = agent)));
}

static fate_value fetch_all(fate_coro *co, fate_value *arg)
{
    fate_reactor *reactor = fate_coro_reactor(co);
    fate_agent *agent = fate_agent_new(reactor);

    fetch_many(co, agent);
    print_and_drop("hello", fate_await(co, fate_get_page_with(reactor, at("/hello"), .agent = agent)));
    print_and_drop("big", fate_await(co, fate_get_page_with(reactor, at("/big"), .agent = agent)));
    fate_deferred *streamed = fate_fetch_with(reactor, at("/big"), .agent = agent);
    fate_add_callback(streamed, read_body, fate_none());
    print_and_drop("streamed", fate_await(co, streamed));
    print_and_drop("nope", fate_await(co, fate_get_page_with(reactor, at("/nope"), .agent = agent)));
    if (fate_as_bool(arg))
        fetch_more(co, agent);
    return fate_none();
}

static fate_deferred *start(fate_reactor *reactor, int argc, char **argv)
{
    base = argv[1];
    return fate_go(reactor, fetch_all, fate_bool(argc > 2));
}

int main(int argc, char **argv)
{
    return fate_main(start, argc, argv);
}
