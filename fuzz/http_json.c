/* Fuzzes JSON: the input is a byte that says which allocation fails, and what is to be read.
 *
 * What was read is written, and read again: that must be the same value. */
#include <errno.h>
#include <string.h>

#include <http/json.h>

#include "fuzz_memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void write_and_read(const fate_value *v)
{
    struct fate__text text = { 0 };
    fate_value again = fate_none();
    const char *why;

    FUZZ_EXPECT(fate__add_json(&text, v, &why) == 0);
    FUZZ_EXPECT(fate__read_json(text.bytes, text.len, &again, NULL) == 0);
    FUZZ_EXPECT(fate_equal(v, &again));
    fate_drop(again);
    fate__text_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct fate__why why = { "" };
    fate_value v = fate_none();

    if (n == 0)
        return 0;
    fuzz_use_memory(bytes[0]);
    int error = fate__read_json((const char *)bytes + 1, n - 1, &v, &why);
    fuzz_use_memory(0);
    FUZZ_EXPECT(error == 0 || error == -ENOMEM || (error == -EINVAL && *why.text));
    FUZZ_EXPECT(error != -ENOMEM || bytes[0]);
    if (error == 0)
        write_and_read(&v);
    fate_drop(v);
    return 0;
}
