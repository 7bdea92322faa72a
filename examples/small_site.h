/* A small web site for the examples that fetch pages, so that they need no network: on the simulated one, or
 * on a port of this machine, in the same program. */
#ifndef EXAMPLES_SMALL_SITE_H
#define EXAMPLES_SMALL_SITE_H

#include <fate/fate.h>
#include <fate/http_client.h>
#include <stdio.h>
#include <string.h>

#define SITE "http://127.0.0.1:8087"

struct small_page {
    const char *path, *text;
    fate_time takes; /* that much time */
};

static const struct small_page small_pages[] = {
    { "/", "Twisted Matrix Labs\nBuilding the engine of your Internet\n", 0 },
    { "/google", "a page of google's\n", 300 * FATE_MILLISECOND },
    { "/twitter", "a page of twitter's\n", 500 * FATE_MILLISECOND },
    { "/facebook", "a page of facebook's\n", 400 * FATE_MILLISECOND },
    { "/apple", "a page of apple's\n", 100 * FATE_MILLISECOND },
    { "/oracle", "a page of oracle's\n", 200 * FATE_MILLISECOND },
    { NULL, "There is no such page.\n", 0 },
};

struct visitor {
    fate_protocol base;
    const struct small_page *page;
};

static inline void answer(fate_value *self)
{
    struct visitor *visitor = fate_unbox(struct visitor, self);
    const struct small_page *page = visitor->page;

    fate_send_format(&visitor->base, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s",
                     page->path ? "200 OK" : "404 Not Found", strlen(page->text), page->text);
}

/* The first line of a request says which page, an empty one is its end. */
static inline void heard_line(fate_protocol *p, const char *line, size_t len)
{
    struct visitor *visitor = fate_container_of(p, struct visitor, base);
    char path[100];

    if (sscanf(line, "GET %99s HTTP/1.1", path) == 1)
        for (visitor->page = small_pages; visitor->page->path && strcmp(visitor->page->path, path) != 0;)
            visitor->page++;
    else if (len == 0)
        fate_call_later(p->reactor, visitor->page->takes, answer, fate_self(p));
}

static const fate_protocol_ops small_site = { FATE_PROTOCOL(struct visitor), .framing = &FATE_LINES,
                                              .message_received = heard_line };

static inline void open_small_site(fate_reactor *reactor)
{
    fate_listen(reactor, "tcp:8087:interface=127.0.0.1", &small_site, fate_none());
}

#endif
