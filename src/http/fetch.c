/* Fetches: from a URL to the head of an answer, and for fate_get_page to its end. */
#include <http/client.h>

#include <stdio.h>
#include <errno.h>
#include <string.h>

#include <base/alloc.h>
#include <base/stop.h>
#include <http/status.h>

#define BOX            "fate_response"
#define UNPACKED_BYTES 16384

/* ---- Failures ---- */

fate_value fate__fetch_no_memory(void)
{
    return fate_raise_errno_at("fate_fetch", "", ENOMEM, "fetching");
}

static void say(const fate_response *fetch, struct fate__text *text, const char *fmt, va_list args)
{
    fate__text_format(text, "%s ", fetch->method ? fetch->method : "GET");
    fate__url_add(text, &fetch->url);
    fate__text_add(text, ": ");
    fate__text_format_v(text, fmt, args);
}

fate_value fate__fetch_raise(const fate_response *fetch, const fate_class *c, const char *fmt, ...)
{
    struct fate__text text = { 0 };
    va_list args;

    va_start(args, fmt);
    say(fetch, &text, fmt, args);
    va_end(args);
    fate_value why = text.has_failed ? fate__fetch_no_memory()
                                     : fate_raise_at(fetch->what, fetch->site, c, "%s", text.bytes);
    fate__text_done(&text);
    return why;
}

fate_value fate__fetch_raise_from(const fate_response *fetch, const fate_class *c, fate_value cause,
                                  const char *fmt, ...)
{
    struct fate__text text = { 0 };
    va_list args;

    va_start(args, fmt);
    say(fetch, &text, fmt, args);
    va_end(args);
    if (text.has_failed) {
        fate__text_done(&text);
        fate_drop(cause);
        return fate__fetch_no_memory();
    }
    fate_value why = fate_raise_from_at(fetch->what, fetch->site, c, cause, "%s", text.bytes);
    fate__text_done(&text);
    return why;
}

/* ---- The end ---- */

/* Nothing happens any more, and nobody points to it. */
static void close_up(fate_response *fetch)
{
    fate_timer_cancel(fetch->limit);
    fate__list_remove(&fetch->link);
    fate__agent_leave(fetch);
    fate__send_stop(fetch);
    fate__client_abort(fetch);
    fetch->stage = FATE__FETCH_OVER;
}

static void fire(fate_response *fetch, fate_value result)
{
    fate_deferred *d = fetch->d;

    fetch->d = NULL;
    fate_fire_at(d, result, fetch->site);
}

void fate__fetch_fail(fate_response *fetch, fate_value why)
{
    if (fetch->stage == FATE__FETCH_OVER) {
        fate_drop(why);
        return;
    }
    fate_value keep = fate_copy(&fetch->self);
    close_up(fetch);
    if (fetch->d) {
        fire(fetch, why);
    } else {
        fetch->why = why;
        fate__response_ended(fetch);
    }
    fate_drop(keep);
}

/* As the last reference goes. */
static void drop_fetch(void *data)
{
    fate_response *fetch = data;

    if (fetch->stage != FATE__FETCH_OVER && fate__is_linked(&fetch->link))
        close_up(fetch);
    fate__agent_forget_host(fetch);
    fate__fetch_drop_request(fetch);
    fate__response_done(fetch);
    fate_drop(fetch->agent_self);
}

/* ---- Pages ---- */

/* Of an answer that says no that is the failure, if need be without its page. */
static void fail_page(fate_response *fetch, fate_value why)
{
    bool is_no = fetch->status < 200 || fetch->status > 299;

    if (is_no && !fate_is(&why, &FATE_NO_MEMORY)) {
        fate_drop(why);
        why = fate__response_raise_status(fetch, fate_str(""));
    }
    fate__fetch_fail(fetch, why);
}

static bool add_unpacked(fate_response *fetch, struct fate__slice input)
{
    char to[UNPACKED_BYTES];
    fate_value why = fate_none();
    ssize_t n;

    while ((n = fate__response_unpack(fetch, &input, to, sizeof to, &why)) > 0)
        fate__text_add_n(&fetch->page, to, (size_t)n);
    if (n < 0) {
        fail_page(fetch, why);
        return false;
    }
    return true;
}

static void fail_page_size(fate_response *fetch)
{
    fail_page(fetch, fate__fetch_raise(fetch, &FATE_HTTP_TOO_LARGE,
                                       "the page has more than %zu bytes; page_bytes_max of an agent "
                                       "allows more, and fate_fetch has no such limit",
                                       fetch->agent->options.page_bytes_max));
}

static void add_to_page(fate_response *fetch, struct fate__http_slice piece)
{
    bool is_packed = fetch->coding != FATE__IDENTITY;
    size_t so_far = is_packed ? fetch->n_packed : fetch->page.len;

    if (piece.len > fetch->agent->options.page_bytes_max - so_far) {
        fail_page_size(fetch);
        return;
    }
    fetch->n_packed += is_packed ? piece.len : 0;
    if (is_packed) {
        if (!add_unpacked(fetch, (struct fate__slice){ piece.at, piece.len }))
            return;
    } else if ((int64_t)piece.len == fetch->announced) {
        fetch->whole = fate_str_n(piece.at, piece.len);
        fetch->has_page = true;
    } else {
        fate__text_add_n(&fetch->page, piece.at, piece.len);
    }
    if (fetch->page.has_failed)
        fate__fetch_fail(fetch, fate__fetch_no_memory());
}

static fate_value take_page(fate_response *fetch)
{
    if (fetch->has_page)
        return fate_take(&fetch->whole);
    return fate_str_n(fetch->page.bytes ? fetch->page.bytes : "", fetch->page.len);
}

static void end_page(fate_response *fetch)
{
    fate_value why = fate__response_unpacked(fetch);

    if (fate_is_failure(&why)) {
        fail_page(fetch, why);
        return;
    }
    fate_value page = take_page(fetch);
    if (!fate_is_failure(&page) && (fetch->status < 200 || fetch->status > 299))
        page = fate__response_raise_status(fetch, page);
    close_up(fetch);
    fire(fetch, page);
}

/* ---- An answer ---- */

/* False: it is one that is not known here, or several. */
static bool take_coding(fate_response *fetch, const struct fate__http_head *head)
{
    const struct fate__http_slice name = FATE__HTTP_SLICE("Content-Encoding");
    const struct fate__http_field *field = fate__http_find(&head->fields, name, NULL);

    fetch->coding = FATE__IDENTITY;
    if (!field || fetch->is_raw)
        return true;
    struct fate__http_slice value = fate__http_field_value(&head->fields, field);
    int coding = fate__coding_by_name((struct fate__slice){ value.at, value.len });
    if (coding < 0 || fate__http_find(&head->fields, name, field))
        return false;
    fetch->coding = (enum fate__coding)coding;
    return true;
}

static bool is_wanted_whole(const fate_response *fetch)
{
    return fetch->wants_page && fetch->status >= 200 && fetch->status <= 299;
}

/* A page that cannot be had is not waited for. */
static void look_at_page(fate_response *fetch, const struct fate__http_head *head, bool is_coding_known)
{
    if (fetch->announced > 0 && (uint64_t)fetch->announced > fetch->agent->options.page_bytes_max)
        fail_page_size(fetch);
    else if (!is_coding_known && head->framing != FATE__HTTP_NO_BODY)
        fail_page(fetch,
                  fate__fetch_raise(fetch, &FATE_HTTP_PROTOCOL,
                                    "the page is packed in a way that was not asked for, and cannot be "
                                    "unpacked; fate_fetch gives its bytes, and their Content-Encoding"));
}

void fate__fetch_head(fate_response *fetch, const struct fate__http_head *head)
{
    bool is_coding_known = take_coding(fetch, head);

    fetch->status = head->status;
    fetch->announced = head->framing == FATE__HTTP_LENGTH ? head->content_length : -1;
    if (head->status == 417 && fetch->body_kind != FATE__BODY_NONE && !fetch->has_body_begun &&
        !fetch->never_expects) {
        fetch->never_expects = fetch->asks_again = true;
        return;
    }
    if (fate__redirects(fetch, head) || fetch->stage == FATE__FETCH_OVER)
        return;
    if (!is_wanted_whole(fetch) && !fate__response_keep_head(fetch, &head->fields)) {
        fate__fetch_fail(fetch, fate__fetch_no_memory());
        return;
    }
    if (!fetch->wants_page)
        fire(fetch, fate_copy(&fetch->self));
    else
        look_at_page(fetch, head, is_coding_known);
}

static bool is_discarded(const fate_response *fetch)
{
    return fetch->location || fetch->asks_again;
}

#define DISCARDED_MAX ((size_t)64 * 1024)

/* The body of an answer that leads on is read, so that the connection can be used again, unless it is long.
 */
static void discard(fate_response *fetch, size_t n)
{
    fetch->n_discarded += n;
    if (fetch->n_discarded <= DISCARDED_MAX)
        return;
    fate__client_abort(fetch);
    fate__redirect(fetch);
}

void fate__fetch_piece(fate_response *fetch, struct fate__http_slice piece)
{
    if (is_discarded(fetch))
        discard(fetch, piece.len);
    else if (fetch->wants_page)
        add_to_page(fetch, piece);
    else
        fate__response_came(fetch, piece);
}

void fate__fetch_end(fate_response *fetch)
{
    if (is_discarded(fetch)) {
        fate__redirect(fetch);
    } else if (fetch->wants_page) {
        end_page(fetch);
    } else {
        close_up(fetch);
        fate__response_ended(fetch);
    }
}

/* RFC 9110, 9.2.2: whatever such a request does, doing it twice is the same. */
static bool is_idempotent(const char *method)
{
    static const char *const methods[] = { "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE" };

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(method, methods[i]) == 0)
            return true;
    return false;
}

bool fate__fetch_may_retry(const fate_response *fetch)
{
    bool is_body_there = fetch->body_kind != FATE__BODY_SOURCE || !fetch->has_body_begun;

    return !fetch->has_retried && is_body_there && (!fetch->was_written || is_idempotent(fetch->method));
}

void fate__fetch_retry(fate_response *fetch)
{
    fetch->has_retried = fetch->wants_new = true;
    fetch->has_body_begun = false;
    fate__agent_ask(fetch);
}

/* ---- Beginning ---- */

static void cancel(fate_deferred *d, fate_value *arg)
{
    fate_response *fetch = fate_box_data(BOX, arg, NULL);

    fetch->d = NULL;
    if (fetch->stage != FATE__FETCH_OVER)
        close_up(fetch);
}

static void be_over_time(fate_value *arg)
{
    fate_response *fetch = fate_as_ptr(arg);

    fate__fetch_fail(fetch, fate__fetch_raise(fetch, &FATE_HTTP_TIMEOUT, "not done within %.3g s",
                                              (double)fetch->timeout / 1e9));
}

static bool is_limited(fate_response *fetch)
{
    if (fetch->timeout == FATE_NEVER)
        return true;
    fetch->limit =
        fate_call_later_at(fetch->reactor, fetch->timeout, be_over_time, fate_ptr(fetch), FATE__CLIENT_SITE);
    return fetch->limit.id >= 0;
}

/* What there is no way to do yet; NULL: nothing of it is wanted. */
static const char *not_there(const fate_response *fetch)
{
    const fate_agent_options *options = &fetch->agent->options;

    if (options->proxy)
        return "the agent has a proxy, and proxies are not there yet";
    if (options->keep_cookies)
        return "the agent is to keep cookies, and that is not there yet";
    if (fetch->url.is_https || options->tls)
        return "this build of libfate has no TLS: only http: can be fetched";
    return NULL;
}

static void begin(fate_response *fetch)
{
    const char *missing = not_there(fetch);

    if (missing)
        fate__fetch_fail(fetch, fate__fetch_raise(fetch, &FATE_NOT_IMPLEMENTED, "%s", missing));
    else if (!is_limited(fetch))
        fate__fetch_fail(fetch, fate__fetch_no_memory());
    else
        fate__agent_ask(fetch);
}

static fate_agent *agent_for(fate_reactor *reactor, const fate_fetch_options *options, const char *site)
{
    fate_agent *agent = options ? options->agent : NULL;

    if (!agent)
        return fate__agent_of(reactor, site);
    if (fate__agent_is_no_memory(agent))
        return NULL;
    if (agent->reactor != reactor)
        fate__stop(site, "a fetch on one reactor was given the agent of another. Each reactor's fetches need "
                         "an agent of that reactor.");
    return agent;
}

/* The box of a new fetch, or a failure. */
static fate_value make(fate_agent *agent, fate_response **ret_fetch)
{
    fate_response zeroed = { .d = NULL }; /* without memory it is what is dropped */
    fate_value box = agent ? fate_box_new(BOX, sizeof zeroed, &zeroed, drop_fetch) : fate__fetch_no_memory();

    if (fate_is_failure(&box))
        return box;
    fate_response *fetch = fate_box_data(BOX, &box, NULL);
    fetch->self = box;
    fetch->agent = agent;
    fetch->agent_self = fate_copy(&agent->self);
    fetch->reactor = agent->reactor;
    *ret_fetch = fetch;
    return box;
}

struct call {
    const char *what, *url, *site;
    bool wants_page;
};

static void drop_options(const fate_fetch_options *options)
{
    if (options)
        fate_drop(options->body);
}

static fate_deferred *start(fate_response *fetch, fate_value box)
{
    fate_deferred *d = fate_deferred_new_cancellable_at(fetch->reactor, cancel, box, fetch->site);

    if (fate_state(d) != FATE_UNFIRED)
        return d;
    fetch->d = d;
    fate__list_add_last(&fetch->agent->fetches, &fetch->link);
    begin(fetch);
    return d;
}

static fate_deferred *fetch_it(fate_reactor *reactor, const struct call *call,
                               const fate_fetch_options *options)
{
    fate_response *fetch = NULL;
    fate_value box = make(agent_for(reactor, options, call->site), &fetch), why;

    if (fate_is_failure(&box)) {
        drop_options(options);
        return fate_fail_at(reactor, box, call->site);
    }
    fetch->what = call->what;
    fetch->site = call->site;
    fetch->wants_page = call->wants_page;
    if (!fate__fetch_take_options(fetch, call->url, options, &why)) {
        fate_drop(box);
        return fate_fail_at(reactor, why, call->site);
    }
    return start(fetch, box);
}

fate_deferred *fate_get_page_at(fate_reactor *reactor, const char *url, const fate_fetch_options *options,
                                const char *site)
{
    const struct call call = { "fate_get_page", url, site, true };
    return fetch_it(reactor, &call, options);
}

fate_deferred *fate_fetch_at(fate_reactor *reactor, const char *url, const fate_fetch_options *options,
                             const char *site)
{
    const struct call call = { "fate_fetch", url, site, false };
    return fetch_it(reactor, &call, options);
}

fate_deferred *(fate_get_page)(fate_reactor *reactor, const char *url)
{
    return fate_get_page_at(reactor, url, NULL, "fate_get_page");
}

fate_deferred *(fate_get_page_with)(fate_reactor *reactor, const char *url, const fate_fetch_options *options)
{
    return fate_get_page_at(reactor, url, options, "fate_get_page_with");
}

fate_deferred *(fate_fetch)(fate_reactor *reactor, const char *url)
{
    return fate_fetch_at(reactor, url, NULL, "fate_fetch");
}

fate_deferred *(fate_fetch_with)(fate_reactor *reactor, const char *url, const fate_fetch_options *options)
{
    return fate_fetch_at(reactor, url, options, "fate_fetch_with");
}
