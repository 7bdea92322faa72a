/* Fuzzes endpoints: whatever the text, each use reads it or says why not, and what was read is in its ranges.
 */
#include <fate/fate.h>

#include <stdlib.h>
#include <string.h>

#include <net/endpoint.h>

static void expect(bool holds)
{
    if (!holds)
        abort();
}

static void check(const struct fate__endpoint *e, const char *text)
{
    const char *const parts[] = { e->host, e->name, e->bind, e->certificate, e->key, e->peer_name };
    const char *end = e->memory + 2 * (strlen(text) + 1);

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        expect(!parts[i] || (parts[i] >= e->memory && parts[i] + strlen(parts[i]) < end && *parts[i]));
    expect(strcmp(e->text, text) == 0);
    expect(e->port <= 65535 && e->bind_port <= 65535);
    expect(e->number >= -1 && e->mode >= -1 && e->mode <= 0777 && e->backlog >= 0);
    expect(!e->name || e->number < 0);
}

static void read_as(const char *text, enum fate__endpoint_use use)
{
    struct fate__endpoint endpoint;
    fate_value why = fate__endpoint_read(text, use, FATE_HERE, &endpoint);

    if (fate_is_none(&why)) {
        check(&endpoint, text);
        fate__endpoint_done(&endpoint);
        return;
    }
    expect(fate_is(&why, &FATE_ENDPOINT_ERROR));
    for (const char *c = fate_message(&why); *c; c++)
        expect((unsigned char)*c >= ' ' && *c != 127);
    fate_drop(why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    read_as(text, FATE__TO_LISTEN);
    read_as(text, FATE__TO_CONNECT);
    read_as(text, FATE__FOR_DATAGRAMS);
    free(text);
    return 0;
}
