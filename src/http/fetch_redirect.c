/* Redirects: RFC 9110, 15.4.  What goes to another origin is what anybody may see. */
#include <http/client.h>

#include <errno.h>
#include <string.h>

#include <base/alloc.h>

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* 303 means: look there.  For 301 and 302 that is what browsers make of a POST. */
static bool becomes_get(const fate_response *fetch)
{
    if (fetch->status == 303)
        return strcmp(fetch->method, "HEAD") != 0;
    return fetch->status <= 302 && strcmp(fetch->method, "POST") == 0;
}

bool fate__redirects(fate_response *fetch, const struct fate__http_head *head)
{
    if (fetch->keeps_redirects || !is_redirect(head->status))
        return false;
    const struct fate__http_field *field = fate__http_find(&head->fields, FATE__HTTP_SLICE("Location"), NULL);
    if (!field)
        return false;
    struct fate__http_slice location = fate__http_field_value(&head->fields, field);
    fetch->location = fate__text_copy(location.at, location.len);
    if (!fetch->location)
        fate__fetch_fail(fetch, fate__fetch_no_memory());
    return true;
}

/* ---- What changes ---- */

static void take_fields_out(fate_response *fetch, bool (*is_out)(struct fate__http_slice name))
{
    size_t n = 0;

    for (size_t i = 0; i < fetch->n_fields; i++)
        if (!is_out(fetch->fields[i].name))
            fetch->fields[n++] = fetch->fields[i];
    fetch->n_fields = n;
}

static bool is_secret(struct fate__http_slice name)
{
    return fate__http_same(name, FATE__HTTP_SLICE("Authorization")) ||
           fate__http_same(name, FATE__HTTP_SLICE("Cookie")) ||
           fate__http_same(name, FATE__HTTP_SLICE("Proxy-Authorization"));
}

static bool is_about_body(struct fate__http_slice name)
{
    struct fate__http_slice first = { name.at, name.len < 8 ? name.len : 8 };

    return fate__http_same(first, FATE__HTTP_SLICE("Content-")) ||
           fate__http_same(name, FATE__HTTP_SLICE("Expect"));
}

static void become_get(fate_response *fetch)
{
    fetch->method = "GET";
    fate_drop(fate_take(&fetch->body));
    fetch->body_kind = FATE__BODY_NONE;
    fetch->body_bytes = 0;
    take_fields_out(fetch, is_about_body);
}

static void go_elsewhere(fate_response *fetch)
{
    fate__free(fetch->user_password);
    fetch->user_password = NULL;
    take_fields_out(fetch, is_secret);
}

/* ---- Following ---- */

static void fail(fate_response *fetch, const char *why)
{
    char shown[FATE__SHOWN_BYTES];
    const char *location = fetch->location;

    fate__fetch_fail(fetch, fate__fetch_raise(fetch, &FATE_HTTP_REDIRECT, "redirected to %s: %s",
                                              fate__shown(location, strlen(location), shown), why));
}

/* The URL it leads to takes the place of the fetch's; false: it has failed. */
static bool takes_url(fate_response *fetch)
{
    const char *location = fetch->location;
    struct fate__url url;
    struct fate__why why;
    int error = fate__url_redirect(&url, &fetch->url, location, strlen(location), &why);

    if (error == -ENOMEM) {
        fate__fetch_fail(fetch, fate__fetch_no_memory());
        return false;
    }
    if (error < 0) {
        fail(fetch, why.text);
        return false;
    }
    if (url.is_https) {
        fate__url_done(&url);
        fail(fetch, "this build of libfate has no TLS");
        return false;
    }
    if (!fate__url_is_same_origin(&url, &fetch->url))
        go_elsewhere(fetch);
    fate__url_done(&fetch->url);
    fetch->url = url;
    return true;
}

static void ask_again(fate_response *fetch)
{
    fate__free(fetch->location);
    fetch->location = NULL;
    fetch->asks_again = fetch->has_retried = fetch->wants_new = fetch->has_body_begun = false;
    fetch->n_discarded = 0;
    fetch->stage = FATE__FETCH_NEW;
    fate__agent_ask(fetch);
}

static bool has_lost_body(const fate_response *fetch)
{
    return fetch->body_kind == FATE__BODY_SOURCE && fetch->has_body_begun;
}

static void follow(fate_response *fetch)
{
    if (becomes_get(fetch))
        become_get(fetch);
    if (has_lost_body(fetch))
        fail(fetch, "the request's body, a source, cannot be sent again");
    else if (takes_url(fetch))
        ask_again(fetch);
}

void fate__redirect(fate_response *fetch)
{
    fate_value keep = fate_copy(&fetch->self);

    if (fetch->asks_again)
        ask_again(fetch);
    else if (++fetch->n_redirects > fetch->agent->options.redirects_max)
        fail(fetch, "that is one redirect too many (redirects_max of an agent allows more)");
    else
        follow(fetch);
    fate_drop(keep);
}
