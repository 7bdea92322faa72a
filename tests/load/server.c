/* A server that does to its clients what load does: a daemon for the tests that look at it from outside.
 *
 *     server ENDPOINT DRAIN_MILLISECONDS
 *
 * The first thing that a client says is what it wants, "WORD NUMBER\n":
 *
 *   echo 0     what it says from then on
 *   write N    N bytes of the pattern, as there is room, and the end
 *   files N    the same out of files
 *   heap N     the same, queued at once however much it is
 *   rude N     the same, with a cap of 256 KiB, and without minding that there is no room
 *   take N     to say N bytes of the pattern, which are not read before somebody says `resume`; and to be
 * told whether they were right resume 0   those to be read, and "ok\n" counts 0   "waits W turns T
 * connections C\n", how often the reactor has waited, and so on
 *
 * The pattern has a prime period, so that a piece that is cut out, or comes twice, is seen. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <base/sys.h>
#include <fate/fate.h>

#define PERIOD     8191
#define PIECE      16384
#define FILE_BYTES ((int64_t)PERIOD * 2048)

static unsigned char pattern[PERIOD + PIECE];
static int file = -1;
static unsigned long long n_waits;

struct client {
    fate_protocol base;
    char wish[32];
    size_t n_wish;
    void (*got)(struct client *client, const char *data, size_t len);
    size_t at, left; /* of the pattern, either way */
    bool is_paused, is_wrong;
};

static struct client *client_of(fate_protocol *p)
{
    return fate_container_of(p, struct client, base);
}

static void make_pattern(void)
{
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (unsigned char)(i % PERIOD * 31 + (i % PERIOD >> 8) * 17);
}

/* ---- Writing ---- */

static const unsigned char *next_piece(struct client *client, size_t *ret_len)
{
    const unsigned char *piece = pattern + client->at % PERIOD;

    *ret_len = client->left < PIECE ? client->left : PIECE;
    client->at += *ret_len;
    client->left -= *ret_len;
    return piece;
}

static void write_on(struct client *client)
{
    fate_transport *transport = client->base.transport;
    int why = 0;
    size_t len;

    while (client->left && !client->is_paused && why == 0) {
        const unsigned char *piece = next_piece(client, &len);
        why = fate_write(transport, piece, len);
    }
    if (client->left == 0)
        fate_lose_connection(transport);
}

static void queue_all(struct client *client)
{
    fate_set_write_marks(client->base.transport, 0, FATE_UNLIMITED, FATE_UNLIMITED);
    write_on(client);
}

static void be_rude(struct client *client)
{
    size_t len;
    int why = 0;

    fate_set_write_marks(client->base.transport, 65536, 131072, 262144);
    while (client->left && why == 0) {
        const unsigned char *piece = next_piece(client, &len);
        why = fate_write(client->base.transport, piece, len);
    }
}

static void make_file(void)
{
    file = memfd_create("pattern", MFD_CLOEXEC);
    for (int64_t at = 0; file >= 0 && at < FILE_BYTES; at += PERIOD)
        if (pwrite(file, pattern, PERIOD, at) != PERIOD)
            abort();
}

static void write_files(struct client *client)
{
    int64_t left = (int64_t)client->left;

    if (file < 0)
        make_file();
    for (int64_t len; left > 0; left -= len) {
        len = left < FILE_BYTES ? left : FILE_BYTES;
        if (fate_write_file(client->base.transport, fcntl(file, F_DUPFD_CLOEXEC, 0), 0, len) < 0)
            return;
    }
    fate_lose_connection(client->base.transport);
}

/* ---- Taking ---- */

static void take(struct client *client, const char *data, size_t len)
{
    for (size_t at = 0, n; at < len; at += n, client->at += n, client->left -= n) {
        n = len - at < PIECE ? len - at : PIECE;
        if (client->left < n || memcmp(data + at, pattern + client->at % PERIOD, n) != 0)
            client->is_wrong = true;
        if (client->is_wrong)
            break;
    }
    if (client->left && !client->is_wrong)
        return;
    const char *verdict = client->is_wrong ? "wrong\n" : "right\n";
    fate_write(client->base.transport, verdict, strlen(verdict));
    fate_lose_connection(client->base.transport);
}

static void begin_taking(struct client *client)
{
    client->got = take;
    fate_pause_reading(client->base.transport);
}

static void ignore(struct client *client, const char *data, size_t len)
{
}

/* ---- Echo ---- */

/* Who sends and does not read is not read either. */
static void send_back(struct client *client, const char *data, size_t len)
{
    fate_write(client->base.transport, data, len);
}

static void begin_echo(struct client *client)
{
    client->got = send_back;
}

/* ---- Wishes ---- */

static void wish_again(struct client *client)
{
    client->got = NULL;
    client->n_wish = 0;
    memset(client->wish, 0, sizeof client->wish);
}

static void resume_all(struct client *client)
{
    fate_for_each_connection(other, &client->base) fate_resume_reading(other->transport);
    fate_write(client->base.transport, "ok\n", 3);
    wish_again(client);
}

static int64_t count(const fate_value *counts, const char *name)
{
    return fate_as_int(fate_dict_get(counts, name));
}

static void say_counts(struct client *client)
{
    fate_value counts = fate_reactor_counts(client->base.reactor);
    long long n_connections = 0;
    char text[128];

    fate_for_each_connection(other, &client->base) n_connections++;
    int len = snprintf(text, sizeof text, "waits %llu turns %lld connections %lld\n", n_waits,
                       (long long)count(&counts, "turns"), n_connections);
    fate_drop(counts);
    fate_write(client->base.transport, text, (size_t)len);
    wish_again(client);
}

static const struct {
    const char *word;
    void (*begin)(struct client *client);
} wishes[] = { { "echo", begin_echo },   { "write", write_on },    { "files", write_files },
               { "heap", queue_all },    { "rude", be_rude },      { "take", begin_taking },
               { "resume", resume_all }, { "counts", say_counts }, { NULL, NULL } };

static void begin(struct client *client)
{
    char word[16] = "";
    int i = 0;

    client->got = ignore;
    if (sscanf(client->wish, "%15s %zu", word, &client->left) == 2)
        while (wishes[i].word && strcmp(wishes[i].word, word) != 0)
            i++;
    if (!word[0] || !wishes[i].word)
        fate_abort_connection(client->base.transport);
    else
        wishes[i].begin(client);
}

/* What comes behind the wish in the same piece is the next function's, though reading is paused. */
static void data_received(fate_protocol *p, const void *data, size_t len)
{
    struct client *client = client_of(p);
    const char *at = data, *end = at + len;

    while (!client->got && at < end && client->n_wish < sizeof client->wish - 1) {
        client->wish[client->n_wish++] = *at;
        if (*at++ == '\n')
            begin(client);
    }
    if (client->got && at < end)
        client->got(client, at, (size_t)(end - at));
}

static void write_paused(fate_protocol *p)
{
    client_of(p)->is_paused = true;
    if (client_of(p)->got == send_back)
        fate_pause_reading(p->transport);
}

static void write_resumed(fate_protocol *p)
{
    client_of(p)->is_paused = false;
    if (client_of(p)->left)
        write_on(client_of(p));
    else if (client_of(p)->got == send_back)
        fate_resume_reading(p->transport);
}

static const fate_protocol_ops ops = { FATE_PROTOCOL(struct client), .data_received = data_received,
                                       .write_paused = write_paused, .write_resumed = write_resumed };

/* ---- Counting ---- */

static struct fate__sys counting;

static int wait_counted(int set, struct epoll_event *events, int n, int ms)
{
    n_waits++;
    return fate__sys_real.epoll_wait(set, events, n, ms);
}

static int pwait2_counted(int set, struct epoll_event *events, int n, const struct timespec *timeout,
                          const sigset_t *mask)
{
    n_waits++;
    return fate__sys_real.epoll_pwait2(set, events, n, timeout, mask);
}

static fate_deferred *start(fate_reactor *reactor, int argc, char **argv)
{
    if (argc != 3)
        exit(2);
    return fate_serve_with(reactor, argv[1], &ops, fate_none(),
                           .drain_max = atoll(argv[2]) * FATE_MILLISECOND);
}

int main(int argc, char **argv)
{
    make_pattern();
    counting = fate__sys_real;
    counting.epoll_wait = wait_counted;
    counting.epoll_pwait2 = pwait2_counted;
    fate__sys = &counting;
    return fate_main(start, argc, argv);
}
