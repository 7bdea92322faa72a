/* The Mad Hatter's fuse burns when a packet comes that says LIGHT: echo -n LIGHT | nc -u -w0 localhost 4444.
 *
 * Ben Eills asks in "Intro to Python Asynchronous Programming and Twisted's Deferreds" for other kinds of
 * fuses. Nothing looks at this one again and again: the loop sleeps in the kernel until the packet is there.
 *
 * The first argument is another endpoint than udp:4444; with a second one the program sends the packet
 * itself, over the network. */
#include <fate/fate.h>
#include <stdio.h>
#include <string.h>

struct firecracker {
    fate_reactor *fate;
    fate_deferred *spark;
    const char *owner;
    bool lights_itself;
};

static void got_packet(fate_udp *udp, const fate_datagram *packet, fate_value *arg)
{
    struct firecracker *cracker = fate_as_ptr(arg);

    if (packet->error || strcmp(packet->data, "LIGHT") != 0) {
        puts("a packet that does not light it");
        return;
    }
    fate_fire(cracker->spark, fate_none());
    fate_udp_close(udp);
}

static void explode(fate_value *arg)
{
    struct firecracker *cracker = fate_as_ptr(arg);
    printf("BOOM! Firecracker exploded in the unlucky hands of %s\n", cracker->owner);
}

/* ---- The packet ---- */

static void ignore(fate_udp *udp, const fate_datagram *datagram, fate_value *arg)
{
}

static fate_value send_light(fate_value *opened, fate_value *arg)
{
    fate_udp *udp = fate_as_udp(opened);

    fate_udp_send(udp, NULL, "light", 5);
    fate_udp_send(udp, NULL, "LIGHT", 5);
    fate_udp_close(udp);
    return fate_none();
}

static void light(fate_reactor *fate, unsigned port)
{
    char endpoint[40];

    snprintf(endpoint, sizeof endpoint, "udp:127.0.0.1:%u", port);
    fate_add_callback(fate_udp_open(fate, endpoint, ignore, fate_none()), send_light, fate_none());
}

/* ---- The firecracker ---- */

static fate_value is_ready(fate_value *opened, fate_value *arg)
{
    struct firecracker *cracker = fate_as_ptr(arg);

    puts("waiting for a spark");
    if (cracker->lights_itself)
        light(cracker->fate, fate_address_port(fate_udp_here(fate_as_udp(opened))));
    return fate_none();
}

/* It may not run yet. */
static fate_value give_up(fate_value *why, fate_value *arg)
{
    fate_call_later(fate_as_ptr(arg), 0, fate_shutdown, fate_copy(arg));
    return fate_copy(why);
}

int main(int argc, char **argv)
{
    fate_reactor *fate = fate_reactor_new();
    struct firecracker cracker = { fate, fate_deferred_new(fate), "Ben Eills", argc > 2 };

    fate_fuse *fuse = fate_fuse_on(cracker.spark);
    fate_fuse_set_handler(fuse, explode, fate_ptr(&cracker));
    fate_fuse_add_handler(fuse, fate_shutdown, fate_ptr(fate));
    fate_deferred *d = fate_udp_open(fate, argc > 1 ? argv[1] : "udp:4444", got_packet, fate_ptr(&cracker));
    fate_add_callback(d, is_ready, fate_ptr(&cracker));
    fate_add_errback(d, give_up, fate_ptr(fate));
    fate_run(fate);
    fate_reactor_free(fate);
}
