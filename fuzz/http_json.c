/* Fuzzes JSON: what was written and read is written the same again; and memory may run out meanwhile. */
#include <fate/fate.h>

#include <errno.h>
#include <string.h>

#include "fuzz_memory.h"
#include <http/json.h>

static void write_json(struct fate__text *to, const fate_value *v)
{
    const char *why;

    FUZZ_EXPECT(fate__add_json(to, v, &why) == 0);
    FUZZ_EXPECT(!to->has_failed && to->len > 0);
}

/* The text of a value, and in its place what is read from that. */
static struct fate__text read_again(fate_value *v)
{
    struct fate__text text = { 0 };

    write_json(&text, v);
    fate_drop(fate_take(v));
    FUZZ_EXPECT(fate__read_json(text.bytes, text.len, v, NULL) == 0);
    return text;
}

/* The first time a float of -0 becomes an integer of 0. */
static void try_again(fate_value *v)
{
    struct fate__text any = read_again(v), first = read_again(v), second = read_again(v);

    FUZZ_EXPECT(first.len == second.len && memcmp(first.bytes, second.bytes, first.len) == 0);
    fate__text_done(&any);
    fate__text_done(&first);
    fate__text_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte says which allocation fails. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fate__why why;
    fate_value v;

    if (size < 1)
        return 0;
    char *text = malloc(size - 1 + 1);
    FUZZ_EXPECT(text != NULL);
    memcpy(text, data + 1, size - 1);
    fuzz_use_memory(data[0]);
    int error = fate__read_json(text, size - 1, &v, &why);
    fuzz_use_memory(0);
    FUZZ_EXPECT(error == 0 || error == -EINVAL || (error == -ENOMEM && data[0]));
    FUZZ_EXPECT(error != -EINVAL || strlen(why.text) > 0);
    if (error == 0) {
        try_again(&v);
        fate_drop(v);
    }
    free(text);
    return 0;
}
