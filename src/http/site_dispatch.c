/* Which page a request is for, and calling it. */
#include <http/server.h>

#include <string.h>

#include <base/stop.h>
#include <http/list.h>
#include <http/routes_tree.h>

/* ---- Calling ---- */

/* What a page follows, on its way into the chain that waits for it. */
static fate_value hand_on(fate_value *result, fate_value *arg)
{
    fate_request *request = fate_as_ptr(arg);

    return fate_take(&request->followed);
}

static fate_value hand_on_alone(fate_value *arg)
{
    return hand_on(NULL, arg);
}

/* The page is done, or was given up. */
static fate_value page_done(fate_value *result, fate_value *arg)
{
    fate_request *request = fate_as_ptr(arg);
    fate_deferred *d = request->page;
    fate_value v = fate_take(result);

    request->page = NULL;
    if (d && request->connection)
        fate__http_answer(request, v);
    else
        fate_drop(v);
    if (d)
        fate_release(d);
    fate__http_unref(request);
    return fate_none();
}

/* A deferred of its own follows the page's, since that needs no memory, and a level of that one might. */
static void follow(fate_request *request, fate_value followed)
{
    fate_reactor *reactor = request->site->reactor;
    fate_time timeout = request->site->options.page_timeout;

    request->followed = followed;
    fate__http_ref(request);
    if (timeout != FATE_NEVER)
        request->page_deadline = fate_now(reactor) + timeout;
    request->page = fate_hold(fate_succeed(reactor, fate_none()));
    fate_add_callback(request->page, hand_on, fate_ptr(request));
    if (request->followed.type) /* there was no memory for that deferred */
        fate_cancel(fate_maybe(reactor, hand_on_alone, fate_ptr(request)));
    fate_add_both(request->page, page_done, fate_ptr(request));
}

/* The page may take its arg: what it takes must not be the site's. */
static void call(fate_request *request, fate_page *page, const fate_value *arg)
{
    bool is_counted = arg->type && arg->type->is_counted;
    fate_value lent = is_counted ? fate_copy(arg) : *arg;
    fate_value v = page(request, &lent);

    if (is_counted)
        fate_drop(lent);
    if (fate__unlikely(fate_kind_of(&v) == FATE_KIND_FOLLOW))
        follow(request, v);
    else
        fate__http_answer(request, v);
}

/* ---- Mounts ---- */

/* The host that was asked for, without its port. */
static struct fate__http_slice host_of(const fate_request *request)
{
    struct fate__http_slice host = fate__http_at(&request->parser.head.fields, request->parser.head.host);
    const char *colon = host.len ? memrchr(host.at, ':', host.len) : NULL;

    if (colon && (host.at[0] != '[' || colon[-1] == ']'))
        host.len = (size_t)(colon - host.at);
    return host;
}

static bool covers(const struct fate__http_mount *mount, const char *path)
{
    return strncmp(path, mount->prefix, mount->len) == 0 &&
           (path[mount->len] == '/' || path[mount->len] == '\0');
}

static bool is_for_host(const struct fate__http_mount *mount, struct fate__http_slice host)
{
    return !mount->host ||
           fate__http_same(host, (struct fate__http_slice){ mount->host, strlen(mount->host) });
}

static bool call_mounted(fate_request *request, size_t from, size_t to)
{
    const fate_website *site = request->site;
    const char *path = from < to ? fate_request_path(request) : NULL;
    struct fate__http_slice host = host_of(request);

    for (size_t i = from; path && i < to; i++) {
        const struct fate__http_mount *mount = &site->mounts[i];
        if (!covers(mount, path) || !is_for_host(mount, host))
            continue;
        const char *rest = path + mount->len;
        request->match.n_params = 1;
        request->match.params[0] =
            (struct fate__route_param){ .name = fate__slice_of(FATE__HTTP_REST),
                                        .value = fate__slice_of(*rest == '/' ? rest + 1 : rest) };
        call(request, mount->resource->page, &mount->resource->arg);
        return true;
    }
    return false;
}

/* ---- Requests that have no page ---- */

static void answer_empty(fate_request *request, int status)
{
    request->status = status;
    fate__http_send_whole(request, NULL, "", 0);
    if (!request->connection->is_lost)
        fate__http_answered(request);
}

/* 405 says what is allowed; OPTIONS asks for just that. */
static void answer_allowed(fate_request *request, unsigned allowed)
{
    struct fate__text text = { 0 };
    const struct fate__http_head *head = &request->parser.head;
    struct fate__http_slice method = fate__http_at(&head->fields, head->method_name);
    bool is_known = fate__method_number((struct fate__slice){ method.at, method.len }) >= 0 ||
                    head->method != FATE__HTTP_METHOD_OTHER;

    fate__routes_add_allow(&text, allowed | 1u << fate__method_number(fate__slice_of("OPTIONS")));
    if (text.bytes && !text.has_failed)
        fate_set_header(request, "Allow", text.bytes);
    fate__text_done(&text);
    if (head->method == FATE__HTTP_OPTIONS)
        answer_empty(request, 204);
    else if (is_known)
        fate__http_answer_error(request, 405, "");
    else
        fate__http_answer_error(request, 501, "this server knows no such method");
}

static void answer_without_page(fate_request *request, int status, unsigned allowed)
{
    if (status == 405)
        answer_allowed(request, allowed);
    else
        fate__http_answer_error(
            request, status, status == 400 ? "the path is not as RFC 3986 wants it, or leads upwards" : "");
}

/* ---- Finding ---- */

static void call_route(fate_request *request, size_t route)
{
    const fate_website *site = request->site;
    const struct fate__http_page *page = &site->pages[route];

    call(request, page->page, &site->args[page->arg]);
}

/* Most requests are for what others have asked for just before; a table that forgets is enough for them. */
static struct fate__http_known *place_of(const fate_request *request, struct fate__http_slice path)
{
    fate_website *site = request->site;
    size_t hash =
        path.len * 7 + (unsigned char)path.at[path.len - 1] + 31u * (unsigned char)path.at[path.len / 2];

    return &site->known[hash % FATE__HTTP_KNOWN_PATHS];
}

static bool is_known(const struct fate__http_known *known, const fate_request *request,
                     struct fate__http_slice path)
{
    return known->len == path.len && known->method == request->parser.head.method &&
           memcmp(known->path, path.at, path.len) == 0;
}

static void note(struct fate__http_known *known, const fate_request *request, struct fate__http_slice path)
{
    const struct fate__http_head *head = &request->parser.head;
    bool is_short = path.len <= FATE__HTTP_KNOWN_BYTES && request->match.route <= UINT16_MAX;

    if (!is_short || request->match.n_params || head->method == FATE__HTTP_METHOD_OTHER)
        return;
    known->len = (uint8_t)path.len;
    known->method = head->method;
    known->page = (uint16_t)request->match.route;
    memcpy(known->path, path.at, path.len);
}

static fate__apart void search(fate_request *request, struct fate__http_slice path)
{
    const fate_website *site = request->site;
    const struct fate__http_head *head = &request->parser.head;
    struct fate__http_slice method = fate__http_at(&head->fields, head->method_name);
    char *room = fate__http_room(request, path.len + 1);

    if (!room) {
        fate__http_answer_error(request, 503, "");
        return;
    }
    fate__routes_match(site->routes, (struct fate__slice){ method.at, method.len },
                       (struct fate__slice){ path.at, path.len }, room, &request->match);
    if (fate__likely(request->match.status == 200)) {
        note(place_of(request, path), request, path);
        call_route(request, request->match.route);
        return;
    }
    int status = request->match.status;
    if (status == 400 || !call_mounted(request, site->n_host_mounts, site->n_mounts))
        answer_without_page(request, status, request->match.allowed);
}

static bool call_known(fate_request *request, struct fate__http_slice path)
{
    const struct fate__http_known *known = place_of(request, path);

    if (fate__unlikely(!is_known(known, request, path)))
        return false;
    call_route(request, known->page);
    return true;
}

/* No path that is noted has a query: so one is only looked for in what is not noted as it is. */
static void find(fate_request *request)
{
    const struct fate__http_head *head = &request->parser.head;
    struct fate__http_slice target = fate__http_at(&head->fields, head->path);

    if (fate__likely(target.len && call_known(request, target)))
        return;
    struct fate__http_slice path = fate__http_target_path(request);
    if (path.len == target.len || !call_known(request, path))
        search(request, path);
}

void fate__http_dispatch(fate_request *request)
{
    const struct fate__http_head *head = &request->parser.head;

    request->match.n_params = 0;
    if (fate__unlikely(head->expect == FATE__HTTP_EXPECTS_OTHER))
        fate__http_answer_error(request, 417, "this server knows but the expectation 100-continue");
    else if (fate__unlikely(head->method == FATE__HTTP_CONNECT))
        fate__http_answer_error(request, 501, "this server is no proxy");
    else if (fate__unlikely(head->form == FATE__HTTP_ASTERISK_FORM))
        answer_allowed(request, 1);
    else if (fate__likely(!request->site->n_host_mounts) ||
             !call_mounted(request, 0, request->site->n_host_mounts))
        find(request);
}
