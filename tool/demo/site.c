/* A small site for ./quickstart: pages of different sizes and speeds, on a free port of the loopback
 * interface.
 *
 * It prints the URL of the site, and one of a port at which nobody listens; then it serves until it is ended.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fate/http_server.h>
#include <fate/reactor.h>

#define INTERVAL (20 * FATE_MILLISECOND) /* between two pieces of a page */
#define TEXT     "Simplify, simplify.\n"

/* ---- Pages ---- */

struct page {
    const char *name;
    int64_t bytes;
    fate_time wait; /* before it begins */
    fate_time time; /* in which it is sent */
};

#define KIB(n) ((int64_t)(n)*1024)
#define MS(n)  ((n)*FATE_MILLISECOND)

static const struct page pages[] = {
    { "film", KIB(9000), MS(100), MS(3600) }, { "report", KIB(400), MS(1300), MS(200) },
    { "photo-1", KIB(1200), 0, MS(1700) },    { "photo-2", KIB(2100), MS(50), MS(2400) },
    { "photo-3", KIB(700), MS(20), MS(800) }, { "news", KIB(40), MS(500), 0 },
    { "poem", sizeof TEXT - 1, 0, 0 },
};

static const struct page *find_page(const char *name)
{
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        if (strcmp(pages[i].name, name) == 0)
            return &pages[i];
    return NULL;
}

/* ---- A body that takes its time ---- */

struct body {
    fate_reactor *reactor;
    int64_t left, piece; /* bytes; and those of a piece */
    fate_time interval;
};

static char bytes[1 << 16];

static fate_value make_piece(fate_value *arg)
{
    struct body *body = fate_unbox(struct body, arg);
    int64_t n = body->left < body->piece ? body->left : body->piece;

    if (!n)
        return fate_none();
    body->left -= n;
    return fate_str_n(bytes, (size_t)n);
}

static fate_deferred *read_piece(fate_value *arg, size_t bytes_max)
{
    struct body *body = fate_unbox(struct body, arg);

    if (body->piece > (int64_t)bytes_max)
        body->piece = (int64_t)bytes_max;
    if (!body->left)
        return fate_succeed(body->reactor, fate_none());
    return fate_defer_later(body->reactor, body->interval, make_piece, fate_copy(arg));
}

static const fate_source_ops body_ops = { .size = sizeof body_ops, .name = "paced", .read = read_piece };

static int64_t piece_bytes(const struct page *page)
{
    int64_t n_pieces = page->time / INTERVAL + 1, piece = page->bytes / n_pieces + 1;

    return piece < (int64_t)sizeof bytes ? piece : (int64_t)sizeof bytes;
}

static fate_value begin(fate_value *arg)
{
    fate_request *request = fate_as_request(arg);
    const struct page *page = find_page(fate_request_param(request, "name"));
    fate_reactor *reactor = fate_request_reactor(request);
    struct body body = { reactor, page->bytes, piece_bytes(page), page->time ? INTERVAL : 0 };

    return fate_source(reactor, &body_ops, fate_box_new("struct body", sizeof body, &body, NULL));
}

static fate_value show_page(fate_request *request, fate_value *arg)
{
    const char *name = fate_request_param(request, "name");
    const struct page *page = find_page(name);

    if (!page)
        return fate_http_raise(404, "there is no page %s", name);
    char length[32];
    snprintf(length, sizeof length, "%lld", (long long)page->bytes);
    fate_set_header(request, "Content-Length", length);
    fate_set_header(request, "Content-Type", "text/plain");
    return fate_follow(
        fate_defer_later(fate_request_reactor(request), page->wait, begin, fate_request_self(request)));
}

static const fate_route routes[] = { { "GET /{name}", show_page }, { 0 } };

/* ---- The site ---- */

/* A port that is taken, so that nobody else gets it, but where nobody listens; 0: there is none. */
static unsigned silent_port(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        return 0;
    return ntohs(address.sin_port);
}

static fate_value say_where(fate_value *listener, fate_value *arg)
{
    char text[FATE_ADDRESS_TEXT_BYTES];

    printf("http://%s\n", fate_address_text(fate_listener_address(fate_as_listener(listener)), text));
    printf("http://127.0.0.1:%u\n", silent_port());
    fflush(stdout);
    return fate_follow(fate_deferred_new(fate_as_ptr(arg)));
}

static fate_deferred *start(fate_reactor *reactor, int argc, char **argv)
{
    fate_website *site = fate_site_new(reactor);

    fate_site_routes(site, routes, fate_none());
    return fate_add_callback(fate_site_listen(site, "tcp:0:interface=127.0.0.1"), say_where,
                             fate_ptr(reactor));
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = TEXT[i % strlen(TEXT)];
    return fate_main(start, argc, argv);
}
