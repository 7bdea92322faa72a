/* A chat for netcat: the first line that a guest says is the name, all others go to everybody.
 *
 *     nc localhost 8008
 *
 * With the argument "demo" three guests come by themselves. */
#include "demo.h"

#include <stdio.h>

struct guest {
    fate_protocol base;
    char name[32];
};

static void tell_all(fate_protocol *p, const char *what)
{
    const struct guest *guest = fate_container_of(p, struct guest, base);

    fate_for_each_connection(other, p) fate_send_format(other, "%s: %s", guest->name, what);
}

static void guest_said(fate_protocol *p, const char *line, size_t len)
{
    struct guest *guest = fate_container_of(p, struct guest, base);

    if (guest->name[0])
        tell_all(p, line);
    else
        snprintf(guest->name, sizeof guest->name, "%s", line);
}

static void guest_left(fate_protocol *p, fate_value *why)
{
    tell_all(p, "bye");
}

static const fate_protocol_ops chat = { FATE_PROTOCOL(struct guest), .framing = &FATE_LINES,
                                        .message_received = guest_said, .connection_lost = guest_left };

/* ---- The guests of the demonstration: a line each, a second after the one before ---- */

static const struct visit {
    const char *name, *line;
} visits[] = { { "Alice", "hello" }, { "Ben", "good evening" }, { "Hatter", "more tea?" } };

static void speak(fate_value *self)
{
    fate_protocol *p = fate_as_protocol(self);
    fate_send_format(p, "%s", visits[fate_as_int(p->arg)].line);
}

static void leave(fate_value *self)
{
    fate_lose_connection(fate_as_protocol(self)->transport);
}

static void come_in(fate_protocol *p)
{
    int64_t i = fate_as_int(p->arg);

    fate_send_format(p, "%s", visits[i].name);
    fate_call_later(p->reactor, (i + 1) * FATE_SECOND, speak, fate_self(p));
    fate_call_later(p->reactor, (i + 5) * FATE_SECOND, leave, fate_self(p));
}

static void hear(fate_protocol *p, const char *line, size_t len)
{
    printf("%s hears %s\n", visits[fate_as_int(p->arg)].name, line);
}

static const fate_protocol_ops visitor = {
    .size = sizeof visitor, .framing = &FATE_LINES, .connection_made = come_in, .message_received = hear
};

static fate_value close_house(fate_value *arg)
{
    return fate_none();
}

static fate_deferred *start(fate_reactor *reactor, int argc, char **argv)
{
    fate_deferred *serving = fate_serve(reactor, "tcp:8008", &chat, fate_none());

    if (!is_demo(argc, argv))
        return serving;
    for (int i = 0; i < 3; i++)
        fate_connect(reactor, "tcp:localhost:8008", &visitor, fate_int(i));
    return serve_until(serving, fate_defer_later(reactor, 8 * FATE_SECOND, close_house, fate_none()));
}

int main(int argc, char **argv)
{
    return fate_main(start, argc, argv);
}
