/* Connections whose sends are counted, or fail; and peers that hear much. */
#include "test_write_helpers.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <base/sys.h>

struct test_sends test_sends;
static struct fate__sys counting;
static const struct fate__sys *usual;

/* ---- Counting ---- */

static bool has_to_fail(void)
{
    if (test_sends.n_failing <= 0)
        return false;
    test_sends.n_failing--;
    errno = test_sends.fails_with;
    return true;
}

/* What a call has left over, cut short by a test, goes in others that do not count. */
static bool is_rest[1024];

static ssize_t note_rest(int fd, ssize_t n, size_t len)
{
    is_rest[fd % 1024] = n >= 0 && (size_t)n < len;
    return n;
}

static bool has_to_fail_bytes(int fd)
{
    test_sends.n += !is_rest[fd % 1024];
    return !test_sends.spares_bytes && has_to_fail();
}

static ssize_t counted_send(int fd, const void *from, size_t len, int flags)
{
    return has_to_fail_bytes(fd) ? -1 : note_rest(fd, usual->send(fd, from, len, flags), len);
}

static ssize_t counted_sendmsg(int fd, const struct msghdr *message, int flags)
{
    size_t len = 0;

    for (size_t i = 0; i < message->msg_iovlen; i++)
        len += message->msg_iov[i].iov_len;
    return has_to_fail_bytes(fd) ? -1 : note_rest(fd, usual->sendmsg(fd, message, flags), len);
}

static ssize_t counted_sendfile(int to, int from, off_t *offset, size_t len)
{
    test_sends.n_files++;
    if (test_sends.breaks_pipe) { /* the peer goes while some of it has been taken */
        ssize_t n = usual->sendfile(to, from, offset, len / 2);
        if (n >= 0)
            raise(SIGPIPE);
        return n;
    }
    return has_to_fail() ? -1 : usual->sendfile(to, from, offset, len);
}

bool test_counting(fate_reactor **ret_reactor, struct test_pair *ret_pair, int kind, fate_ops ops)
{
    test_trace_clear();
    test_sends = (struct test_sends){ 0 };
    memset(is_rest, 0, sizeof is_rest);
    usual = fate__sys;
    counting = *usual;
    counting.send = counted_send;
    counting.sendmsg = counted_sendmsg;
    counting.sendfile = counted_sendfile;
    fate__sys = &counting;
    *ret_reactor = test_real_reactor(NULL);
    *ret_pair = (struct test_pair){ NULL, -1 };
    if (*ret_reactor)
        *ret_pair = test_pair(*ret_reactor, kind, ops, fate_none());
    return ret_pair->p != NULL;
}

void test_counting_done(fate_reactor *reactor, struct test_pair *pair)
{
    test_pair_done(pair);
    fate_reactor_free(reactor);
    fate__sys = usual;
}

/* ---- Much ---- */

char test_pattern(size_t i)
{
    return (char)(i % 251);
}

char *test_patterned(size_t len)
{
    char *bytes = malloc(len);

    for (size_t i = 0; i < len; i++)
        bytes[i] = test_pattern(i);
    return bytes;
}

/* What the peer has heard, without keeping it. */
struct flood {
    const struct test_pair *pair;
    size_t n, wanted;
    bool is_wrong, has_ended;
};

static bool has_come(void *arg)
{
    struct flood *flood = arg;
    static char bytes[65536];
    int n;

    while (!flood->has_ended && (n = test_peer_hears(flood->pair, bytes, sizeof bytes)) >= 0) {
        for (int i = 0; i < n; i++)
            flood->is_wrong = flood->is_wrong || bytes[i] != test_pattern(flood->n + (size_t)i);
        flood->n += (size_t)n;
        flood->has_ended = n == 0;
    }
    return flood->has_ended || (flood->wanted && flood->n >= flood->wanted);
}

void test_expect_flood(fate_reactor *reactor, const struct test_pair *pair, size_t wanted, bool until_end)
{
    struct flood flood = { .pair = pair, .wanted = until_end ? 0 : wanted };

    test_until(reactor, has_come, &flood);
    EXPECT_EQ(flood.n, wanted);
    EXPECT(!flood.is_wrong);
    if (until_end)
        EXPECT(flood.has_ended);
}
