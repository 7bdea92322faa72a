/* The tools for tests in C++17: a protocol without a network, a link, and sites that name the line. */
#include <cstdio>
#include <cstring>
#include <sys/wait.h>
#include <unistd.h>

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
    std::fprintf(stderr, "test_tools_cxx.cc:%d: expected: %s\n", line, what);
}

#define EXPECT(condition) expect((condition), #condition, __LINE__)

void echo(fate_protocol *p, const void *data, std::size_t len)
{
    fate_write(p->transport, data, len);
}

bool takes(fate_protocol *p, const char *text)
{
    fate_value taken = fate_test_taken(p);
    bool is_equal = std::strcmp(fate_as_str(&taken), text) == 0;
    fate_drop(taken);
    return is_equal;
}

fate_protocol_ops echo_ops()
{
    fate_protocol_ops ops = {};
    ops.size = sizeof ops;
    ops.data_received = echo;
    return ops;
}

void try_protocol()
{
    static const fate_protocol_ops ops = echo_ops();
    fate_reactor *reactor = fate_test_reactor();
    fate_protocol *p = fate_test_protocol(reactor, &ops, fate_none());

    EXPECT(fate_test_give(p, "hello", 5) == 0);
    EXPECT(takes(p, "hello"));
    fate_test_block(p, true);
    fate_test_give(p, "queued", 6);
    EXPECT(takes(p, ""));
    fate_test_block(p, false);
    EXPECT(takes(p, "queued"));
    EXPECT(!fate_test_has_ended(p));
    fate_test_lose(p, fate_raise(&FATE_CONNECTION_RESET, "gone"));
    EXPECT(fate_test_has_ended(p));
    EXPECT(fate_test_done(reactor) == 0);
}

void try_network()
{
    fate_reactor *reactor = fate_test_reactor();
    fate_link link = {};

    link.size = sizeof link;
    link.latency = FATE_SECOND;
    EXPECT(fate_test_link(reactor, &link) == 0);
    EXPECT(fate_test_cut(reactor, "quotes", true) == 0);
    fate_test_heal(reactor, "quotes");
    fate_fail(reactor, fate_raise(&FATE_VALUE_ERROR, "nobody handles it"));
    EXPECT(fate_test_reports(reactor, &FATE_VALUE_ERROR) == 1);
    fate_deferred *d = fate_hold(fate_succeed(reactor, fate_int(3)));
    EXPECT(!fate_test_pending(d));
    EXPECT(fate_as_int(fate_test_success(d)) == 3);
    fate_release(d);
    EXPECT(fate_test_done(reactor) == 0);
}

/* What a child says before it is stopped. */
void try_stop()
{
    char said[1024] = "", place[64];
    int ends[2], status;

    if (pipe(ends) < 0)
        return;
    std::snprintf(place, sizeof place, "test_tools_cxx.cc:%d: fate_test_failure", __LINE__ + 4);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        fate_test_failure(fate_succeed(fate_test_reactor(), fate_int(3)));
    }
    close(ends[1]);
    for (std::size_t len = 0; len < sizeof said - 1;) { /* it may come in parts */
        ssize_t n = read(ends[0], said + len, sizeof said - 1 - len);
        if (n <= 0)
            break;
        len += static_cast<std::size_t>(n);
    }
    close(ends[0]);
    waitpid(child, &status, 0);
    EXPECT(WIFSIGNALED(status));
    EXPECT(std::strstr(said, place) != nullptr);
}

} // namespace

int main()
{
    try_protocol();
    try_network();
    try_stop();
    return n_failed ? 1 : 0;
}
