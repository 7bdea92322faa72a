/* Protocols on a transport that only records, for tests. */
#include <net/test.h>

#include <errno.h>
#include <string.h>

#include <base/alloc.h>
#include <base/stop.h>
#include <base/text.h>

struct recorder {
    struct fate__link link;
    struct fate__test *test;
    fate_protocol *p; /* not looked into: what build has made may be gone */
    fate_value kept;
    fate_transport *transport; /* NULL: it is lost */
    struct fate__text written, coming;
    size_t at; /* of what comes, has been read */
    bool has_come, is_blocked, has_ended;
};

/* ---- The wire ---- */

static ssize_t record(fate_transport *transport, const struct iovec *pieces, int n)
{
    struct recorder *recorder = transport->wire_data;
    struct fate__text *written = &recorder->written;
    size_t before = written->len;

    if (recorder->is_blocked)
        return -EAGAIN;
    for (int i = 0; i < n && !written->has_failed; i++)
        fate__text_add_n(written, pieces[i].iov_base, pieces[i].iov_len);
    bool has_failed = written->has_failed;
    written->has_failed = false;
    return has_failed ? -ENOMEM : (ssize_t)(written->len - before);
}

static ssize_t receive(fate_transport *transport, char *to, size_t len, bool *ret_is_empty)
{
    struct recorder *recorder = transport->wire_data;
    size_t left = recorder->coming.len - recorder->at, some = left < len ? left : len;

    if (!left)
        return recorder->has_come ? 0 : -EAGAIN;
    memcpy(to, recorder->coming.bytes + recorder->at, some);
    recorder->at += some;
    *ret_is_empty = some == left && !recorder->has_come;
    return (ssize_t)some;
}

static int shut(fate_transport *transport)
{
    struct recorder *recorder = transport->wire_data;
    recorder->has_ended = true;
    return 0;
}

static void close_wire(fate_transport *transport, bool is_abort)
{
    struct recorder *recorder = transport->wire_data;
    recorder->has_ended = true;
    recorder->transport = NULL;
}

static void here(const fate_transport *transport, fate_address *ret_address)
{
    fate_address_parse("10.0.0.1:80", ret_address);
}

static int set_option(fate_transport *transport, int level, int option, int value)
{
    return 0;
}

static const struct fate__wire_ops wire = {
    .name = "test",
    .send = record,
    .receive = receive,
    .shut = shut,
    .close = close_wire,
    .here = here,
    .set_option = set_option,
};

/* ---- Life ---- */

static void free_recorder(struct recorder *recorder)
{
    fate__list_remove(&recorder->link);
    fate_drop(recorder->kept);
    fate__text_done(&recorder->written);
    fate__text_done(&recorder->coming);
    fate__free(recorder);
}

static struct recorder *recorder_at(struct fate__link *link)
{
    return fate_container_of(link, struct recorder, link);
}

/* What connection_lost does may be looked at while the others are lost: so they go together, at the end. */
void fate__recorders_end(struct fate__test *test)
{
    struct fate__turns *turns = &test->reactor->turns;
    struct fate__link *all = &test->recorders;

    fate__turn_enter(turns);
    for (struct fate__link *at = all->next; at != all; at = at->next) {
        fate_transport *transport = recorder_at(at)->transport;
        if (transport)
            fate__transport_break(transport, fate_raise(&FATE_CONNECTION_DONE, "the test is over"));
    }
    fate__turn_leave(turns);
    fate__turn_enter(turns);
    while (!fate__list_is_empty(all))
        free_recorder(recorder_at(all->next));
    fate__turn_leave(turns);
}

/* The transport of a new protocol; NULL: it cannot be made, and all that was has gone. */
static fate_transport *open_transport(struct recorder *recorder, struct fate__factory *factory)
{
    fate_address peer;
    fate_transport *transport;
    const struct fate__new_wire made = {
        .ops = &wire,
        .data = recorder,
        .fd = -1,
        .peer = &peer,
        .can_write = true,
    };

    fate_address_parse("10.0.0.2:49152", &peer);
    return fate__transport_new(factory, &made, &transport) == 0 ? transport : NULL;
}

static void begin(fate_value *arg)
{
    fate__transport_begin(fate_as_ptr(arg));
}

static fate_protocol *open_recorder(struct recorder *recorder, struct fate__factory *factory)
{
    struct fate__test *test = recorder->test;

    fate__list_add_last(&test->recorders, &recorder->link);
    recorder->transport = open_transport(recorder, factory);
    if (!recorder->transport) {
        free_recorder(recorder);
        return NULL;
    }
    fate_protocol *p = recorder->p = recorder->transport->protocol;
    recorder->kept = fate_self(p);
    fate_turn(test->reactor, begin, fate_ptr(recorder->transport));
    return p;
}

fate_protocol *fate_test_protocol_at(fate_reactor *reactor, fate_ops ops, fate_value arg, const char *site)
{
    struct fate__test *test = fate__test_of(reactor, "fate_test_protocol", site);
    fate_protocol *p = NULL;

    fate__check_given(&arg, "fate_test_protocol", site);
    fate__check_ops(ops, "fate_test_protocol", site);
    struct fate__factory *factory = fate__factory_new(reactor, ops, arg, site ? site : "");
    struct recorder *recorder = factory ? fate__zalloc(sizeof *recorder) : NULL;
    if (recorder) {
        recorder->test = test;
        recorder->kept = fate_none();
        p = open_recorder(recorder, factory);
    }
    if (factory)
        fate__factory_unref(factory);
    return p;
}

/* ---- The peer ---- */

static struct recorder *recorder_of(fate_protocol *p, const char *what, const char *site)
{
    if (!p)
        fate__stop(site, "%s was given NULL for a protocol. fate_test_protocol makes one.", what);
    struct fate__link *all = &fate__test_of(p->reactor, what, site)->recorders;
    for (struct fate__link *at = all->next; at != all; at = at->next)
        if (recorder_at(at)->p == p)
            return recorder_at(at);
    fate__stop(site, "%s was given a protocol that fate_test_protocol has not made.", what);
}

static void come(fate_value *arg)
{
    const struct recorder *recorder = fate_as_ptr(arg);

    if (recorder->transport)
        fate__transport_can_read(recorder->transport);
}

/* What has been read is forgotten. */
static void make_room(struct recorder *recorder)
{
    if (recorder->at < recorder->coming.len)
        return;
    fate__text_done(&recorder->coming);
    recorder->at = 0;
}

int fate_test_give_at(fate_protocol *p, const void *data, size_t len, const char *site)
{
    struct recorder *recorder = recorder_of(p, "fate_test_give", site);

    if (recorder->has_come)
        fate__stop(site, "fate_test_give was called after the end that the same test has given.");
    if (!recorder->transport)
        return 0;
    make_room(recorder);
    if (data)
        fate__text_add_n(&recorder->coming, data, len);
    else
        recorder->has_come = true;
    bool has_failed = recorder->coming.has_failed;
    recorder->coming.has_failed = false;
    if (has_failed)
        return -ENOMEM;
    return fate_turn(recorder->test->reactor, come, fate_ptr(recorder));
}

struct loss {
    fate_transport *transport;
    fate_value why;
};

static void lose(fate_value *arg)
{
    struct loss *loss = fate_as_ptr(arg);
    fate__transport_break(loss->transport, fate_take(&loss->why));
}

void fate_test_lose_at(fate_protocol *p, fate_value why, const char *site)
{
    const struct recorder *recorder = recorder_of(p, "fate_test_lose", site);
    struct loss loss = { recorder->transport, why };

    fate__check_given(&why, "fate_test_lose", site);
    if (!fate_is_failure(&why))
        fate__stop(site, "fate_test_lose was given a reason that is no failure. fate_raise makes one.");
    if (recorder->transport)
        fate_turn(recorder->test->reactor, lose, fate_ptr(&loss));
    fate_drop(fate_take(&loss.why));
}

fate_value fate_test_taken_at(fate_protocol *p, const char *site)
{
    struct recorder *recorder = recorder_of(p, "fate_test_taken", site);
    fate_value taken =
        fate_str_n(recorder->written.bytes ? recorder->written.bytes : "", recorder->written.len);

    fate__text_done(&recorder->written);
    return taken;
}

bool fate_test_has_ended_at(fate_protocol *p, const char *site)
{
    return recorder_of(p, "fate_test_has_ended", site)->has_ended;
}

static void unblock(fate_value *arg)
{
    const struct recorder *recorder = fate_as_ptr(arg);

    if (recorder->transport)
        fate__transport_can_write(recorder->transport);
}

void fate_test_block_at(fate_protocol *p, bool is_blocked, const char *site)
{
    struct recorder *recorder = recorder_of(p, "fate_test_block", site);

    recorder->is_blocked = is_blocked;
    if (!is_blocked)
        fate_turn(recorder->test->reactor, unblock, fate_ptr(recorder));
}

/* ---- Without a line ---- */

fate_protocol *(fate_test_protocol)(fate_reactor *reactor, fate_ops ops, fate_value arg)
{
    return fate_test_protocol_at(reactor, ops, arg, NULL);
}

int(fate_test_give)(fate_protocol *p, const void *data, size_t len)
{
    return fate_test_give_at(p, data, len, NULL);
}

void(fate_test_lose)(fate_protocol *p, fate_value why)
{
    fate_test_lose_at(p, why, NULL);
}

fate_value(fate_test_taken)(fate_protocol *p)
{
    return fate_test_taken_at(p, NULL);
}

bool(fate_test_has_ended)(fate_protocol *p)
{
    return fate_test_has_ended_at(p, NULL);
}

void(fate_test_block)(fate_protocol *p, bool is_blocked)
{
    fate_test_block_at(p, is_blocked, NULL);
}
