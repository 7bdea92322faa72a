/* Connects to a name that stands for the addresses given, and says to which of them it came, and when.
 *
 *     connect_time PORT ADDRESS... */
#include <stdio.h>
#include <stdlib.h>

#include <fate/fate.h>

static char **addresses;
static int n_addresses;
static fate_time began;

static void take_data(fate_protocol *p, const void *data, size_t len)
{
}

static const fate_protocol_ops quiet = { .size = sizeof quiet, .data_received = take_data };

static fate_deferred *resolve(fate_reactor *reactor, const char *name, fate_value *arg)
{
    fate_value list = fate_list(0, NULL);

    for (int i = 0; i < n_addresses; i++) {
        fate_address address;
        if (fate_address_parse(addresses[i], &address) < 0)
            exit(2);
        fate_list_append(&list, fate_box_new("fate_address", sizeof address, &address, NULL));
    }
    return fate_succeed(reactor, list);
}

static fate_value say(fate_value *result, fate_value *arg)
{
    char text[FATE_ADDRESS_TEXT_BYTES];
    fate_time took = fate_now(fate_as_ptr(arg)) - began;

    if (fate_is_failure(result))
        return fate_take(result);
    printf("%s %lld\n", fate_address_host(fate_peer(fate_as_protocol(result)->transport), text),
           (long long)(took / FATE_MILLISECOND));
    return fate_none();
}

static fate_deferred *start(fate_reactor *reactor, int argc, char **argv)
{
    char endpoint[64];

    if (argc < 3)
        exit(2);
    addresses = argv + 2;
    n_addresses = argc - 2;
    fate_set_resolver(reactor, resolve, fate_none());
    snprintf(endpoint, sizeof endpoint, "tcp:example.org:%s", argv[1]);
    began = fate_now(reactor);
    return fate_add_callback(fate_connect(reactor, endpoint, &quiet, fate_none()), say, fate_ptr(reactor));
}

int main(int argc, char **argv)
{
    return fate_main(start, argc, argv);
}
