/* Echoes datagrams: try it with `nc -u localhost 7007`, and end it with Ctrl-C.
 *
 * An argument is another endpoint than udp:7007.  With "demo" it asks itself, and ends when it is answered.
 */
#include <fate/fate.h>
#include <stdio.h>
#include <string.h>

static void echo(fate_udp *udp, const fate_datagram *datagram, fate_value *arg)
{
    char from[FATE_ADDRESS_TEXT_BYTES];

    fate_address_text(datagram->from, from);
    if (datagram->error) { /* one of our answers has met nobody */
        printf("%s: %s\n", from, fate_errno_name(datagram->error));
        return;
    }
    printf("%zu bytes from %s\n", datagram->len, from);
    fate_udp_send(udp, datagram->from, datagram->data, datagram->len);
}

static void got_answer(fate_udp *udp, const fate_datagram *datagram, fate_value *end)
{
    printf("answered: %s\n", datagram->data);
    fate_fire(fate_as_ptr(end), fate_none());
}

static fate_value ask(fate_value *opened, fate_value *arg)
{
    static const char question[] = "Is anybody there?";

    fate_udp_send(fate_as_udp(opened), NULL, question, strlen(question));
    return fate_none();
}

/* It serves until that deferred fires. */
static fate_value serve(fate_value *opened, fate_value *end)
{
    puts("open");
    return fate_follow(fate_as_ptr(end));
}

static fate_value was_told_to_end(fate_value *why, fate_value *arg)
{
    return fate_none();
}

static fate_deferred *start(fate_reactor *reactor, int argc, char **argv)
{
    bool is_demo = argc > 1 && strcmp(argv[1], "demo") == 0;
    fate_deferred *end = fate_deferred_new(reactor);
    fate_deferred *d = fate_udp_open(reactor, argc > 1 && !is_demo ? argv[1] : "udp:7007", echo, fate_none());

    fate_add_callback(d, serve, fate_ptr(end));
    if (is_demo)
        fate_add_callback(fate_udp_open(reactor, "udp:localhost:7007", got_answer, fate_ptr(end)), ask,
                          fate_none());
    return fate_add_trap(d, &FATE_CANCELLED, was_told_to_end, fate_none());
}

int main(int argc, char **argv)
{
    return fate_main(start, argc, argv);
}
