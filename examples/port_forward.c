/* Forwards connections, and can be slow and unreliable about it, to see what a program makes of that.
 *
 *     port_forward tcp:8001 tcp:example.org:80 [--delay MS] [--drop PERCENT]
 *
 * All that goes either way comes so much later; so many of the connections are dropped at once.  Each side's
 * end is passed on by itself, and nothing is read that the other side does not take.  With the arguments
 * "demo SEED" it has an echo server to forward to, and asks it. */
#include "late_source.h"
#include "port_forward_demo.h"

static struct {
    const char *here, *there;
    fate_time delay;
    unsigned drop_percent;
} options = { "tcp:8001", "tcp:localhost:8002", 2 * FATE_SECOND, 30 }; /* of the demonstration */

static fate_value say_why(fate_value *why, fate_value *arg)
{
    fprintf(stderr, "port_forward: %s\n", fate_message(why));
    return fate_none();
}

static void forward(fate_protocol *from, fate_protocol *to)
{
    fate_value source = fate_transport_source(from);

    if (options.delay)
        source = late_source(from->reactor, source, options.delay);
    fate_add_errback(fate_pump(source, fate_transport_sink(to)), say_why, fate_none());
}

static fate_value join(fate_value *server, fate_value *client)
{
    forward(fate_as_protocol(client), fate_as_protocol(server));
    forward(fate_as_protocol(server), fate_as_protocol(client));
    return fate_none();
}

static void go_on_when_it_has_said_all(fate_protocol *p)
{
}

static const fate_protocol_ops to_server = { .size = sizeof to_server,
                                             .read_lost = go_on_when_it_has_said_all };

static void accepted(fate_protocol *client)
{
    if (roll_dice(100) < options.drop_percent) {
        fate_abort_connection(client->transport);
        return;
    }
    fate_deferred *d = fate_connect(client->reactor, options.there, &to_server, fate_none());
    fate_add_callbacks(d, join, say_why, fate_self(client));
}

static const fate_protocol_ops to_client = { .size = sizeof to_client,
                                             .connection_made = accepted,
                                             .read_lost = go_on_when_it_has_said_all };

static bool read_options(int argc, char **argv)
{
    bool is_right = argc > 2;

    memset(&options, 0, sizeof options);
    options.here = argc > 2 ? argv[1] : "";
    options.there = argc > 2 ? argv[2] : "";
    for (int i = 3; i < argc; i += 2) {
        if (strcmp(argv[i], "--delay") == 0 && i + 1 < argc)
            options.delay = strtol(argv[i + 1], NULL, 10) * FATE_MILLISECOND;
        else if (strcmp(argv[i], "--drop") == 0 && i + 1 < argc)
            options.drop_percent = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else
            is_right = false;
    }
    return is_right;
}

static fate_deferred *start(fate_reactor *reactor, int argc, char **argv)
{
    fate_deferred *serving = fate_serve(reactor, options.here, &to_client, fate_none());
    return is_demo(argc, argv) ? serve_until(serving, demonstrate(reactor, "tcp:localhost:8001", "tcp:8002"))
                               : serving;
}

int main(int argc, char **argv)
{
    if (is_demo(argc, argv)) {
        seed_dice(argc - 1, argv + 1);
    } else if (!read_options(argc, argv)) {
        fprintf(stderr, "usage: port_forward HERE THERE [--delay MS] [--drop PERCENT]\n");
        return 2;
    }
    return fate_main(start, argc, argv);
}
