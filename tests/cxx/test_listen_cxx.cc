/* Listening and serving from C++17: options, and sites that name the line. */
#include <cstdio>
#include <cstring>

#include <fate/fate.h>
#include <fate/test.h>

namespace
{

int n_failed;

void expect(bool holds, const char *what, int line)
{
    if (holds)
        return;
    n_failed++;
    std::fprintf(stderr, "test_listen_cxx.cc:%d: expected: %s\n", line, what);
}

#define EXPECT(condition) expect((condition), #condition, __LINE__)

void ignore(fate_protocol *, const void *, std::size_t)
{
}

fate_protocol_ops quiet_ops()
{
    fate_protocol_ops ops = {};
    ops.size = sizeof ops;
    ops.data_received = ignore;
    return ops;
}

const fate_protocol_ops quiet = quiet_ops();

void note_site(const fate_thing *thing, fate_value *arg)
{
    if (std::strcmp(thing->kind, "listener") == 0)
        std::snprintf(static_cast<char *>(fate_as_ptr(arg)), 64, "%s", thing->site);
}

void try_listening()
{
    fate_reactor *reactor = fate_test_reactor();
    fate_listen_options options = {};
    char site[64] = "", expected[64];

    options.size = sizeof options;
    options.connections_max = 1;
    fate_deferred *d = fate_hold(fate_listen_with(reactor, "tcp:80", &quiet, fate_none(), &options));
    const int line = __LINE__ - 1;
    fate_listener *listener = fate_as_listener(fate_test_success(d));
    EXPECT(fate_address_port(fate_listener_address(listener)) == 80);
    fate_reactor_each(reactor, note_site, fate_ptr(site));
    std::snprintf(expected, sizeof expected, "test_listen_cxx.cc:%d", line);
    EXPECT(std::strstr(site, expected) != nullptr);
    fate_release(d);
    EXPECT(!fate_test_pending(fate_listener_stop(listener, 0)));
    EXPECT(fate_test_done(reactor) == 0);
}

void try_serving()
{
    fate_reactor *reactor = fate_test_reactor();
    fate_deferred *d = fate_hold(fate_serve(reactor, "tcp:80", &quiet, fate_none()));

    EXPECT(fate_test_pending(d));
    fate_cancel(d);
    EXPECT(fate_is_none(fate_test_success(d)));
    fate_release(d);
    EXPECT(fate_test_done(reactor) == 0);
}

} // namespace

int main()
{
    try_listening();
    try_serving();
    return n_failed ? 1 : 0;
}
