/* Fuzzes content codings: the input is four bytes that say which coding, how much may come out, in which
 * pieces, and which allocation fails; and then what is decoded, and encoded.
 *
 * Decoding it whole and in pieces must give the same, and what has been encoded must come back. */
#include <errno.h>
#include <string.h>

#include <http/coding.h>

#include "fuzz_memory.h"

#define OUTPUT_MAX 100000

static int read_piece(struct fate__decoder *decoder, struct fate__slice piece, size_t room,
                      struct fate__text *out)
{
    char to[4096];
    ssize_t n;

    while ((n = fate__decoder_read(decoder, &piece, to, room)) > 0) {
        FUZZ_EXPECT((size_t)n <= room);
        fate__text_add_n(out, to, (size_t)n);
    }
    FUZZ_EXPECT(n < 0 || piece.len == 0);
    return (int)n;
}

static int decode(enum fate__coding coding, struct fate__slice input, size_t each, uint64_t max,
                  struct fate__text *out)
{
    struct fate__decoder *decoder = fate__decoder_new(coding, max);
    int error = 0;

    if (!decoder)
        return -ENOMEM;
    while (input.len && error == 0) {
        struct fate__slice piece = { input.s, each < input.len ? each : input.len };
        input.s += piece.len;
        input.len -= piece.len;
        error = read_piece(decoder, piece, each < 4096 ? each : 4096, out);
    }
    int at_end = fate__decoder_end(decoder);
    FUZZ_EXPECT(error == 0 || error == at_end);
    FUZZ_EXPECT(at_end == 0 || *fate__decoder_why(decoder));
    fate__decoder_free(decoder);
    return at_end;
}

static void compare(enum fate__coding coding, struct fate__slice input, size_t each, uint64_t max)
{
    struct fate__text whole = { 0 }, pieces = { 0 };
    int error = decode(coding, input, SIZE_MAX, max, &whole),
        in_pieces = decode(coding, input, each, max, &pieces);

    FUZZ_EXPECT(whole.len <= max && pieces.len <= max);
    if (error != -ENOMEM && in_pieces != -ENOMEM && !whole.has_failed && !pieces.has_failed) {
        FUZZ_EXPECT(error == in_pieces);
        FUZZ_EXPECT(whole.len == pieces.len);
        FUZZ_EXPECT(!whole.len || memcmp(whole.bytes, pieces.bytes, whole.len) == 0);
    }
    fate__text_done(&whole);
    fate__text_done(&pieces);
}

static void encode(enum fate__coding coding, struct fate__slice plain, size_t each)
{
    struct fate__encoder *encoder = fate__encoder_new(coding, 1 + (int)(each % 9));
    struct fate__text text = { 0 }, out = { 0 };
    struct fate__slice rest = plain;
    int error = encoder ? 0 : -ENOMEM;

    while (rest.len && error == 0) {
        struct fate__slice piece = { rest.s, each < rest.len ? each : rest.len };
        rest.s += piece.len;
        rest.len -= piece.len;
        error = fate__encoder_add(encoder, piece, each % 2 ? FATE__ENCODE_FLUSH : FATE__ENCODE_MORE, &text);
    }
    if (error == 0)
        error = fate__encoder_add(encoder, rest, FATE__ENCODE_END, &text);
    fate__encoder_free(encoder);
    if (error == 0)
        error = decode(coding, (struct fate__slice){ text.bytes, text.len }, each, plain.len, &out);
    FUZZ_EXPECT(error == 0 || error == -ENOMEM);
    FUZZ_EXPECT(error < 0 || out.has_failed ||
                (out.len == plain.len && !memcmp(out.bytes, plain.s, out.len)));
    fate__text_done(&text);
    fate__text_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 5)
        return 0;
    enum fate__coding coding = data[0] % 2 ? FATE__GZIP : FATE__DEFLATE;
    struct fate__slice input = { (const char *)data + 4, size - 4 };
    size_t each = 1 + data[2];

    fuzz_use_memory(data[3]);
    compare(coding, input, each, data[1] == 255 ? OUTPUT_MAX : data[1]);
    encode(coding, input, each);
    fuzz_until_failure = 0;
    return 0;
}
