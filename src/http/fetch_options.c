/* What is asked for: the URL and the options of a fetch, copied and checked. */
#include <http/client.h>

#include <errno.h>
#include <string.h>

#include <base/alloc.h>
#include <base/options.h>
#include <base/stop.h>
#include <http/json.h>

char *fate__text_copy(const char *s, size_t len)
{
    char *copy = fate__alloc(len + 1);

    if (!copy)
        return NULL;
    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

static struct fate__http_slice slice(const char *s)
{
    return (struct fate__http_slice){ s, strlen(s) };
}

/* ---- Headers ---- */

static bool is_for_length(const fate_response *fetch, const fate_header *header)
{
    return fetch->body_kind == FATE__BODY_SOURCE &&
           fate__http_same(slice(header->name), FATE__HTTP_SLICE("Content-Length"));
}

static struct fate__http_slice put(char **to, const char *s)
{
    size_t len = strlen(s);
    struct fate__http_slice copy = { memcpy(*to, s, len + 1), len };

    *to += len + 1;
    return copy;
}

static void take_field(fate_response *fetch, const fate_header *header, char **to)
{
    struct fate__http_pair *pair = &fetch->fields[fetch->n_fields++];

    pair->name = put(to, header->name);
    pair->value = fate__http_trim(put(to, header->value));
    if (fate__http_same(pair->name, FATE__HTTP_SLICE("Content-Type")))
        fetch->body_type = NULL;
    if (fate__http_same(pair->name, FATE__HTTP_SLICE("Accept-Encoding")))
        fetch->is_raw = true;
}

/* 0, -ENOMEM, or -EINVAL: a length that is no number. */
static int take_headers(fate_response *fetch, const fate_header *headers)
{
    size_t n = 0, len = 0;

    for (; headers && headers[n].name; n++)
        len += strlen(headers[n].name) + strlen(headers[n].value) + 2;
    if (n == 0)
        return 0;
    fetch->fields = fate__alloc(n * sizeof *fetch->fields + len);
    if (!fetch->fields)
        return -ENOMEM;
    char *to = (char *)(fetch->fields + n);
    for (size_t i = 0; i < n; i++) {
        if (!is_for_length(fetch, &headers[i])) {
            take_field(fetch, &headers[i], &to);
            continue;
        }
        fetch->body_bytes = fate__http_number(slice(headers[i].value));
        if (fetch->body_bytes < 0)
            return -EINVAL;
    }
    return 0;
}

/* ---- The body ---- */

/* The failure takes the place of the body. */
static bool take_json(fate_response *fetch)
{
    struct fate__text json = { 0 };
    const char *why = "";
    int error = fate__add_json(&json, &fetch->body, &why);

    fate_drop(fate_take(&fetch->body));
    if (error == -EINVAL)
        fetch->body = fate_raise_at(fetch->what, fetch->site, &FATE_VALUE_ERROR,
                                    "the body cannot be written as JSON: %s", why);
    else
        fetch->body = error ? fate__fetch_no_memory() : fate_str_n(json.bytes, json.len);
    fate__text_done(&json);
    return !fate_is_failure(&fetch->body);
}

static void be_bytes(fate_response *fetch, const char *type)
{
    fetch->body_kind = FATE__BODY_BYTES;
    fetch->body_bytes = (int64_t)fate_count(&fetch->body);
    fetch->body_type = type;
}

/* False: there is no memory. */
static bool take_body(fate_response *fetch, const char *site)
{
    switch (fate_kind_of(&fetch->body)) {
    case FATE_KIND_NONE:
        return true;
    case FATE_KIND_TEXT:
        be_bytes(fetch, "text/plain; charset=utf-8");
        return true;
    case FATE_KIND_BYTES:
        be_bytes(fetch, "application/octet-stream");
        return true;
    case FATE_KIND_DICT:
    case FATE_KIND_LIST:
        if (!take_json(fetch))
            return false;
        be_bytes(fetch, "application/json");
        return true;
    case FATE_KIND_BOX:
    case FATE_KIND_OBJECT:
        fetch->body_kind = FATE__BODY_SOURCE;
        fetch->body_bytes = FATE__HTTP_LENGTH_UNKNOWN;
        fetch->body_type = "application/octet-stream";
        return true;
    case FATE_KIND_FAILURE:
        return false;
    default:
        fate__stop(site, "%s was given a body that is neither text nor bytes, dict, list or source.",
                   fetch->what);
    }
}

/* ---- All of it ---- */

static int take_texts(fate_response *fetch, const fate_fetch_options *options)
{
    fetch->method = fetch->body_kind ? "POST" : "GET";
    if (options->method) {
        fetch->own_method = fate__text_copy(options->method, strlen(options->method));
        if (!fetch->own_method)
            return -ENOMEM;
        fetch->method = fetch->own_method;
    }
    if (options->user_password) {
        fetch->user_password = fate__text_copy(options->user_password, strlen(options->user_password));
        if (!fetch->user_password)
            return -ENOMEM;
    }
    if (strcmp(fetch->method, "CONNECT") == 0)
        return -ENOTSUP;
    return take_headers(fetch, options->headers);
}

static fate_value refuse(const fate_response *fetch, int error)
{
    switch (error) {
    case -ENOTSUP:
        return fate__fetch_raise(fetch, &FATE_VALUE_ERROR, "CONNECT is for proxies and fetches nothing");
    case -EINVAL:
        return fate__fetch_raise(fetch, &FATE_VALUE_ERROR, "Content-Length is no number");
    default:
        return fate__fetch_no_memory();
    }
}

/* Without what may be a password. */
static const char *shown_url(const char *url, char to[FATE__SHOWN_BYTES])
{
    const char *at = strrchr(url, '@');

    url = at ? at + 1 : url;
    return fate__shown(url, strlen(url), to);
}

static bool take_url(fate_response *fetch, const char *url, fate_value *ret_why)
{
    struct fate__why why;
    char shown[FATE__SHOWN_BYTES];
    int error = fate__url_parse(&fetch->url, url, strlen(url), &why);

    if (error == 0)
        return true;
    *ret_why = error == -ENOMEM ? fate__fetch_no_memory()
                                : fate_raise_at(fetch->what, fetch->site, &FATE_VALUE_ERROR, "fetch %s: %s",
                                                shown_url(url, shown), why.text);
    return false;
}

bool fate__fetch_take_options(fate_response *fetch, const char *url, const fate_fetch_options *given,
                              fate_value *ret_why)
{
    fate_fetch_options options = { 0 };
    fate_time timeout = fetch->wants_page ? fetch->agent->options.page_timeout : FATE_NEVER;

    fate__take_options(&options, sizeof options, given, fetch->what, fetch->site);
    fetch->body = options.body;
    fetch->keeps_redirects = options.keep_redirects;
    if (options.timeout < 0)
        fate__stop(fetch->site, "%s was given a negative timeout. Write FATE_NEVER for no limit.",
                   fetch->what);
    fetch->timeout = options.timeout ? options.timeout : timeout;
    if (!take_url(fetch, url, ret_why))
        return false;
    if (!take_body(fetch, fetch->site)) {
        *ret_why = fate_copy(&fetch->body);
        return false;
    }
    int error = take_texts(fetch, &options);
    if (error < 0)
        *ret_why = refuse(fetch, error);
    return error == 0;
}

void fate__fetch_drop_request(fate_response *fetch)
{
    fate__url_done(&fetch->url);
    fate__free(fetch->own_method);
    fate__free(fetch->fields);
    fate__free(fetch->user_password);
    fate__free(fetch->location);
    fate_drop(fate_take(&fetch->body));
}
