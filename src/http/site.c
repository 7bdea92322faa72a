/* Sites: their pages, which one a request is for, and serving. */
#include <http/server.h>

#include <errno.h>
#include <string.h>

#include <base/alloc.h>
#include <base/options.h>
#include <base/stop.h>
#include <base/why.h>

/* ---- Options ---- */

#define OR(value, usual) ((value) ? (value) : (usual))

static void fill_in(fate_site_options *options)
{
    options->head_bytes_max = OR(options->head_bytes_max, (size_t)32 * 1024);
    options->headers_max = OR(options->headers_max, 100);
    options->body_bytes_max = OR(options->body_bytes_max, (size_t)1024 * 1024);
    options->pipelined_max = OR(options->pipelined_max, 32);
    options->head_timeout = OR(options->head_timeout, 10 * FATE_SECOND);
    options->body_timeout = OR(options->body_timeout, 60 * FATE_SECOND);
    options->idle_timeout = OR(options->idle_timeout, 75 * FATE_SECOND);
    options->page_timeout = OR(options->page_timeout, FATE_NEVER);
    options->drain_max = OR(options->drain_max, 30 * FATE_SECOND);
    options->server_name = OR(options->server_name, "libfate");
}

static struct fate__http_limits limits_of(const fate_site_options *options)
{
    size_t head = options->head_bytes_max < UINT32_MAX / 2 ? options->head_bytes_max : UINT32_MAX / 2;
    size_t fields = options->headers_max < UINT32_MAX / 64 ? options->headers_max : UINT32_MAX / 64;

    return (struct fate__http_limits){ .head_bytes_max = head,
                                       .line_bytes_max = head < 8192 ? head : 8192,
                                       .fields_max = (uint32_t)fields };
}

#define NAME_BYTES_MAX 200

/* What is wrong with the options is said by whoever serves. */
static fate_value check_options(const fate_site_options *options)
{
    const char *name = options->server_name, *format = options->log_format;

    if (strlen(name) > NAME_BYTES_MAX ||
        !fate__http_all((struct fate__http_slice){ name, strlen(name) }, FATE__HTTP_VALUE))
        return fate_raise(&FATE_VALUE_ERROR,
                          "the site's server_name is longer than %d bytes or has control characters",
                          NAME_BYTES_MAX);
    if (format && strcmp(format, "common") != 0 && strcmp(format, "json") != 0)
        return fate_raise(&FATE_VALUE_ERROR,
                          "the site's log_format is \"%s\": it may be \"common\" or \"json\"", format);
    if (options->head_timeout < 0 || options->body_timeout < 0 || options->idle_timeout < 0 ||
        options->page_timeout < 0 || options->drain_max < 0)
        return fate_raise(&FATE_VALUE_ERROR, "one of the site's times is negative: FATE_NEVER is no limit");
    return fate_none();
}

static char *own_text(const char *s)
{
    size_t n = strlen(s) + 1;
    char *copy = fate__alloc(n);

    if (copy)
        memcpy(copy, s, n);
    return copy;
}

/* ---- Life ---- */

static void free_mount(struct fate__http_mount *mount)
{
    fate__free(mount->prefix);
    fate__free(mount->host);
    fate_drop(mount->kept);
}

static void free_site(void *data)
{
    fate_website *site = data;

    fate__access_log_close(site);
    fate__http_free_requests(site);
    for (size_t i = 0; i < site->n_args; i++)
        fate_drop(site->args[i]);
    for (size_t i = 0; i < site->n_mounts; i++)
        free_mount(&site->mounts[i]);
    fate__free(site->args);
    fate__free(site->mounts);
    fate__free(site->pages);
    fate__routes_free(site->routes);
    fate__routes_free(site->any);
    fate__free(site->out);
    fate_drop(site->trouble);
    fate__free((char *)(uintptr_t)site->options.server_name);
    fate__free((char *)(uintptr_t)site->options.log_file);
}

static void lacks_memory(fate_website *site)
{
    fate_drop(site->trouble);
    site->trouble = fate_raise(&FATE_NO_MEMORY, "no memory for a site");
}

/* options and its texts are lent. */
static void begin(fate_website *site, const fate_site_options *options)
{
    const char *log_file = options->log_file;

    site->options = *options;
    fill_in(&site->options);
    site->limits = limits_of(&site->options);
    site->trouble = check_options(&site->options);
    site->options.server_name = own_text(site->options.server_name);
    site->options.log_file = log_file ? own_text(log_file) : NULL;
    site->routes = fate__routes_new();
    site->any = fate__routes_new();
    site->head_until = INT64_MIN;
    bool has_texts = site->options.server_name && (!log_file || site->options.log_file);
    bool has_any = site->any && fate__routes_add(site->any, "GET /{*rest}", NULL) == 0;
    if (!has_texts || !has_any || !site->routes)
        lacks_memory(site);
    else if (site->options.log_format && fate_is_none(&site->trouble))
        fate__access_log_open(site);
}

fate_website *fate_site_new_at(fate_reactor *reactor, const fate_site_options *options, const char *where)
{
    const fate_website empty = { .reactor = reactor, .where = where, .log.fd = -1 };
    fate_site_options ours = { 0 };

    fate__take_options(&ours, sizeof ours, options, "fate_site_new", where);
    fate_value self = fate_box_new("fate_website", sizeof empty, &empty, free_site);
    if (fate_is_failure(&self))
        return fate__http_nothing(reactor);
    fate_website *site = fate_box_data("fate_website", &self, where);
    site->self = self;
    begin(site, &ours);
    return fate_reactor_keep(reactor, self) < 0 ? fate__http_nothing(reactor) : site;
}

fate_website *(fate_site_new)(fate_reactor *reactor)
{
    return fate_site_new_at(reactor, NULL, "fate_site_new");
}

fate_website *(fate_site_new_with)(fate_reactor *reactor, const fate_site_options *options)
{
    return fate_site_new_at(reactor, options, "fate_site_new_with");
}

/* ---- Routes ---- */

static bool has_room_for_page(fate_website *site)
{
    if (site->n_pages < site->pages_room)
        return true;
    size_t room = site->pages_room ? 2 * site->pages_room : 16;
    struct fate__http_page *pages = fate__realloc(site->pages, room * sizeof *pages);
    if (!pages)
        return false;
    site->pages = pages;
    site->pages_room = room;
    return true;
}

static int add_route(fate_website *site, const fate_route *route, const char *where)
{
    struct fate__why why;
    int number = has_room_for_page(site) ? fate__routes_add(site->routes, route->pattern, &why) : -ENOMEM;

    if (number == -ENOMEM)
        return number;
    if (number < 0 || !route->page)
        fate__stop(where, "fate_site_routes was given the route \"%s\"%s%s.", route->pattern,
                   number < 0 ? ": " : "", number < 0 ? why.text : " without a page");
    site->pages[site->n_pages++] = (struct fate__http_page){ route->page, site->n_args - 1 };
    return 0;
}

static bool keep_arg(fate_website *site, fate_value arg)
{
    fate_value *args = fate__realloc(site->args, (site->n_args + 1) * sizeof *args);

    if (!args || fate_is_failure(&arg)) {
        site->args = args ? args : site->args;
        fate_drop(arg);
        return false;
    }
    site->args = args;
    site->args[site->n_args++] = arg;
    return true;
}

void fate_site_routes_at(fate_website *site, const fate_route routes[], fate_value arg, const char *where)
{
    if (fate__http_is_nothing(site) || !site->routes) {
        fate_drop(arg);
        return;
    }
    int why = keep_arg(site, arg) ? 0 : -ENOMEM;
    memset(site->known, 0, sizeof site->known);
    for (; why == 0 && routes->pattern; routes++)
        why = add_route(site, routes, where);
    if (why < 0)
        lacks_memory(site);
}

void(fate_site_routes)(fate_website *site, const fate_route routes[], fate_value arg)
{
    fate_site_routes_at(site, routes, arg, "fate_site_routes");
}

/* ---- Mounts ---- */

/* NULL: it can be mounted. */
static const char *wrong_prefix(const char *prefix)
{
    if (*prefix != '/')
        return "it must begin with a slash: \"/docs\", or \"//host/docs\"";
    if (strpbrk(prefix, "?#{}%"))
        return "it is a plain path: decoded, without braces and without a query";
    if (prefix[1] != '/')
        return NULL;
    size_t len = strcspn(prefix + 2, "/");
    const char *colon = memrchr(prefix + 2, ':', len);
    if (!len)
        return "behind // there must be a host";
    if (colon && (prefix[2] != '[' || colon[-1] == ']'))
        return "a host is given without its port: it is the same for all";
    return NULL;
}

static bool is_before(const struct fate__http_mount *a, const struct fate__http_mount *b)
{
    if (!a->host != !b->host)
        return a->host;
    return a->len > b->len;
}

static bool is_same_place(const struct fate__http_mount *a, const struct fate__http_mount *b)
{
    bool is_same_host = a->host && b->host ? strcmp(a->host, b->host) == 0 : a->host == b->host;

    return is_same_host && strcmp(a->prefix, b->prefix) == 0;
}

/* "//Host/docs/" to "host" and "/docs". */
static bool cut(struct fate__http_mount *mount, const char *prefix)
{
    if (prefix[1] == '/') {
        size_t len = strcspn(prefix + 2, "/");
        mount->host = own_text(prefix + 2);
        if (!mount->host)
            return false;
        mount->host[len] = '\0';
        for (char *c = mount->host; *c; c++)
            *c = fate__http_lower(*c);
        prefix += 2 + len;
    }
    mount->prefix = own_text(prefix);
    if (!mount->prefix)
        return false;
    mount->len = strlen(prefix);
    while (mount->len && mount->prefix[mount->len - 1] == '/')
        mount->prefix[--mount->len] = '\0';
    return true;
}

static bool insert(fate_website *site, struct fate__http_mount mount, const char *where)
{
    struct fate__http_mount *mounts = fate__realloc(site->mounts, (site->n_mounts + 1) * sizeof *mounts);
    size_t at = site->n_mounts;

    if (!mounts)
        return false;
    site->mounts = mounts;
    for (size_t i = 0; i < site->n_mounts; i++)
        if (is_same_place(&mounts[i], &mount))
            fate__stop(where, "fate_site_mount was called twice for \"%s%s%s/\".", mount.host ? "//" : "",
                       mount.host ? mount.host : "", mount.prefix);
    for (; at > 0 && is_before(&mount, &mounts[at - 1]); at--)
        mounts[at] = mounts[at - 1];
    mounts[at] = mount;
    site->n_mounts++;
    site->n_host_mounts += mount.host != NULL;
    return true;
}

void fate_site_mount_at(fate_website *site, const char *prefix, fate_resource *resource, const char *where)
{
    struct fate__http_mount mount = { .resource = resource };
    const char *wrong = wrong_prefix(prefix);

    if (wrong)
        fate__stop(where, "fate_site_mount was given the prefix \"%s\": %s.", prefix, wrong);
    if (fate__http_is_nothing(site))
        return;
    if (fate__http_is_nothing(resource)) {
        lacks_memory(site);
        return;
    }
    mount.kept = fate_copy(&resource->self);
    if (fate_is_none(&site->trouble))
        site->trouble = fate_copy(&resource->trouble);
    if (!cut(&mount, prefix) || !insert(site, mount, where)) {
        free_mount(&mount);
        lacks_memory(site);
    }
}

void(fate_site_mount)(fate_website *site, const char *prefix, fate_resource *resource)
{
    fate_site_mount_at(site, prefix, resource, "fate_site_mount");
}

/* ---- Serving ---- */

static fate_listen_options listen_options(const fate_website *site)
{
    return (fate_listen_options){ .size = sizeof(fate_listen_options),
                                  .connections_max = site->options.connections_max,
                                  .drain_max = site->options.drain_max };
}

fate_deferred *fate_site_listen_at(fate_website *site, const char *endpoint, const char *where)
{
    if (fate__http_is_nothing(site))
        return fate_fail_at(fate__http_reactor_of_nothing(site),
                            fate_raise(&FATE_NO_MEMORY, "no memory for a site"), where);
    if (!fate_is_none(&site->trouble))
        return fate_fail_at(site->reactor, fate_copy(&site->trouble), where);
    fate_listen_options options = listen_options(site);
    return fate_listen_at(site->reactor, endpoint, &fate__http_server_ops, fate_copy(&site->self), &options,
                          where);
}

fate_deferred *fate_serve_site_at(fate_website *site, const char *endpoint, const char *where)
{
    if (fate__http_is_nothing(site) || !fate_is_none(&site->trouble))
        return fate_site_listen_at(site, endpoint, where);
    fate_listen_options options = listen_options(site);
    return fate_serve_at(site->reactor, endpoint, &fate__http_server_ops, fate_copy(&site->self), &options,
                         where);
}

fate_deferred *fate_serve_routes_at(fate_reactor *reactor, const char *endpoint, const fate_route routes[],
                                    fate_value arg, const char *where)
{
    fate_website *site = fate_site_new_at(reactor, NULL, where);

    fate_site_routes_at(site, routes, arg, where);
    return fate_serve_site_at(site, endpoint, where);
}

fate_deferred *fate_serve_files_at(fate_reactor *reactor, const char *endpoint, const char *directory,
                                   const char *where)
{
    fate_website *site = fate_site_new_at(reactor, NULL, where);

    fate_site_mount_at(site, "/", fate_static_new_at(reactor, directory, NULL, where), where);
    return fate_serve_site_at(site, endpoint, where);
}

fate_deferred *(fate_site_listen)(fate_website *site, const char *endpoint)
{
    return fate_site_listen_at(site, endpoint, "fate_site_listen");
}

fate_deferred *(fate_serve_site)(fate_website *site, const char *endpoint)
{
    return fate_serve_site_at(site, endpoint, "fate_serve_site");
}

fate_deferred *(fate_serve_routes)(fate_reactor *reactor, const char *endpoint, const fate_route routes[],
                                   fate_value arg)
{
    return fate_serve_routes_at(reactor, endpoint, routes, arg, "fate_serve_routes");
}

fate_deferred *(fate_serve_files)(fate_reactor *reactor, const char *endpoint, const char *directory)
{
    return fate_serve_files_at(reactor, endpoint, directory, "fate_serve_files");
}
