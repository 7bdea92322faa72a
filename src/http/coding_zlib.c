/* gzip and deflate by zlib, in pieces. */
#include <http/coding.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <zlib.h>

#include <base/alloc.h>
#include <base/stop.h>
#include <base/why.h>

#define WINDOW_BITS  15
#define GZIP_BITS    (WINDOW_BITS + 16) /* zlib.h, inflateInit2: gzip around it instead of zlib */
#define MEMORY_LEVEL 8
#define PIECE_BYTES  4096

const bool fate__has_zlib = true;

/* ---- zlib's memory ---- */

static void *obtain(void *user, uInt n, uInt bytes)
{
    return bytes && n > SIZE_MAX / bytes ? NULL : fate__alloc((size_t)n * bytes);
}

static void release(void *user, void *block)
{
    fate__free(block);
}

/* ---- Decoding ---- */

struct fate__decoder {
    z_stream zlib;
    enum fate__coding coding;
    uint64_t n_written, output_max;
    bool has_begun,
        is_between;        /* a byte has come; a member, or all of it, has ended and no other has begun */
    unsigned char head[2]; /* of deflate, which must be seen to tell zlib's format from raw */
    unsigned n_head, n_head_given;
    int error;
    struct fate__why why;
};

struct fate__decoder *fate__decoder_new(enum fate__coding coding, uint64_t output_max)
{
    struct fate__decoder *decoder = fate__zalloc(sizeof *decoder);

    fate__assert(coding != FATE__IDENTITY);
    if (!decoder)
        return NULL;
    decoder->zlib.zalloc = obtain;
    decoder->zlib.zfree = release;
    decoder->coding = coding;
    decoder->output_max = output_max;
    if (inflateInit2(&decoder->zlib, coding == FATE__GZIP ? GZIP_BITS : WINDOW_BITS) != Z_OK) {
        fate__free(decoder);
        return NULL;
    }
    return decoder;
}

void fate__decoder_free(struct fate__decoder *decoder)
{
    if (!decoder)
        return;
    inflateEnd(&decoder->zlib);
    fate__free(decoder);
}

const char *fate__decoder_why(const struct fate__decoder *decoder)
{
    return decoder->why.text;
}

static const char *name_of(const struct fate__decoder *decoder)
{
    return decoder->coding == FATE__GZIP ? "gzip" : "deflate";
}

static int fail(struct fate__decoder *decoder, int error, const char *what)
{
    decoder->error = error;
    return fate__because(&decoder->why, error, "the %s body %s", name_of(decoder), what);
}

static int fail_limit(struct fate__decoder *decoder)
{
    decoder->error = -EFBIG;
    return fate__because(&decoder->why, -EFBIG,
                         "the %s body has more than %" PRIu64 " bytes when decoded, the most",
                         name_of(decoder), decoder->output_max);
}

static int fail_zlib(struct fate__decoder *decoder, int result)
{
    char what[128];

    if (result == Z_MEM_ERROR)
        return fail(decoder, -ENOMEM, "cannot be decoded without memory");
    const char *said = decoder->zlib.msg       ? decoder->zlib.msg
                       : result == Z_NEED_DICT ? "it needs a dictionary"
                                               : "";
    snprintf(what, sizeof what, "is damaged: %s", said);
    return fail(decoder, -EPROTO, what);
}

/* RFC 1950, 2.2: the method is 8 with a window of at most 32 KiB, and both bytes are a multiple of 31.  Raw
 * deflate begins so only with a stored block whose filling is not zero, which nobody writes. */
static bool is_zlib_head(const unsigned char head[2])
{
    return (head[0] & 0x0f) == 8 && head[0] >> 4 <= 7 && (head[0] * 256 + head[1]) % 31 == 0;
}

/* Collects the first two bytes of deflate; true: they are there, and zlib knows the format. */
static bool has_head(struct fate__decoder *decoder, struct fate__slice *input)
{
    if (decoder->coding == FATE__GZIP || decoder->n_head == 2)
        return true;
    while (input->len && decoder->n_head < 2) {
        decoder->head[decoder->n_head++] = (unsigned char)*input->s++;
        input->len--;
    }
    if (decoder->n_head < 2)
        return false;
    inflateReset2(&decoder->zlib, is_zlib_head(decoder->head) ? WINDOW_BITS : -WINDOW_BITS);
    return true;
}

static uInt clamp(uint64_t n)
{
    return n < UINT_MAX ? (uInt)n : UINT_MAX;
}

/* One call of inflate, which takes from the kept head first. */
static int inflate_some(struct fate__decoder *decoder, struct fate__slice *input, char *to, size_t room)
{
    z_stream *zlib = &decoder->zlib;
    bool is_head = decoder->n_head_given < decoder->n_head;
    uInt given = is_head ? decoder->n_head - decoder->n_head_given : clamp(input->len);

    zlib->next_in = is_head ? decoder->head + decoder->n_head_given : (z_const Bytef *)input->s;
    zlib->avail_in = given;
    zlib->next_out = (Bytef *)to;
    zlib->avail_out = clamp(room);
    int result = inflate(zlib, Z_NO_FLUSH);
    uInt taken = given - zlib->avail_in;
    if (is_head)
        decoder->n_head_given += taken;
    else {
        input->s += taken;
        input->len -= taken;
    }
    return result;
}

static bool has_input(const struct fate__decoder *decoder, const struct fate__slice *input)
{
    return input->len || decoder->n_head_given < decoder->n_head;
}

/* Behind an end: of gzip, another member may begin. */
static int go_on(struct fate__decoder *decoder, const struct fate__slice *input)
{
    bool begins = input->len && (unsigned char)*input->s == 0x1f;

    if (decoder->coding != FATE__GZIP || decoder->n_head_given < decoder->n_head || !begins)
        return fail(decoder, -EPROTO, "has bytes behind its end");
    inflateReset(&decoder->zlib);
    decoder->is_between = false;
    return 0;
}

/* Decodes until something has come out, or the input is used up.  What came out before an error is given
 * first: zlib says the error again when it is asked next, so that the same comes out however the input is
 * cut. */
static ssize_t read_some(struct fate__decoder *decoder, struct fate__slice *input, char *to, size_t room)
{
    for (;;) {
        if (decoder->is_between) {
            if (!has_input(decoder, input))
                return 0;
            int error = go_on(decoder, input);
            if (error < 0)
                return error;
        }
        int result = inflate_some(decoder, input, to, room);
        decoder->is_between = result == Z_STREAM_END;
        size_t n = clamp(room) - decoder->zlib.avail_out;
        if (n)
            return (ssize_t)n;
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
            return fail_zlib(decoder, result);
        if (!has_input(decoder, input))
            return 0;
    }
}

/* What has come out may be the most that is allowed; then one byte more is one too many. */
static ssize_t read_spare(struct fate__decoder *decoder, struct fate__slice *input)
{
    char spare;
    ssize_t n = read_some(decoder, input, &spare, 1);

    return n > 0 ? fail_limit(decoder) : n;
}

ssize_t fate__decoder_read(struct fate__decoder *decoder, struct fate__slice *input, char *to, size_t room)
{
    uint64_t left = decoder->output_max - decoder->n_written;

    fate__assert(room > 0);
    if (decoder->error < 0)
        return decoder->error;
    decoder->has_begun = decoder->has_begun || input->len;
    if (!decoder->has_begun || !has_head(decoder, input))
        return 0;
    if (!left)
        return read_spare(decoder, input);
    ssize_t n = read_some(decoder, input, to, room < left ? room : (size_t)left);
    decoder->n_written += n > 0 ? (uint64_t)n : 0;
    return n;
}

int fate__decoder_end(struct fate__decoder *decoder)
{
    if (decoder->error < 0)
        return decoder->error;
    if (!decoder->has_begun || decoder->is_between)
        return 0;
    return fail(decoder, -EPROTO, "ends before its end: it was cut off");
}

/* ---- Encoding ---- */

struct fate__encoder {
    z_stream zlib;
    bool has_ended;
};

struct fate__encoder *fate__encoder_new(enum fate__coding coding, int level)
{
    struct fate__encoder *encoder = fate__zalloc(sizeof *encoder);
    int bits = coding == FATE__GZIP ? GZIP_BITS : WINDOW_BITS;

    fate__assert(coding != FATE__IDENTITY);
    fate__assert(level >= 1);
    fate__assert(level <= 9);
    if (!encoder)
        return NULL;
    encoder->zlib.zalloc = obtain;
    encoder->zlib.zfree = release;
    if (deflateInit2(&encoder->zlib, level, Z_DEFLATED, bits, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
        fate__free(encoder);
        return NULL;
    }
    return encoder;
}

void fate__encoder_free(struct fate__encoder *encoder)
{
    if (!encoder)
        return;
    deflateEnd(&encoder->zlib);
    fate__free(encoder);
}

/* Compresses what zlib has been given, until its output no longer fills the piece. */
static void deflate_all(struct fate__encoder *encoder, int flush, struct fate__text *to)
{
    char piece[PIECE_BYTES];

    do {
        encoder->zlib.next_out = (Bytef *)piece;
        encoder->zlib.avail_out = sizeof piece;
        deflate(&encoder->zlib, flush);
        fate__text_add_n(to, piece, sizeof piece - encoder->zlib.avail_out);
    } while (encoder->zlib.avail_out == 0 && !to->has_failed);
}

int fate__encoder_add(struct fate__encoder *encoder, struct fate__slice input, enum fate__encoder_step step,
                      struct fate__text *to)
{
    static const int flushes[] = { Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH };

    fate__assert(!encoder->has_ended);
    encoder->has_ended = step == FATE__ENCODE_END;
    do {
        uInt n = clamp(input.len);
        encoder->zlib.next_in = (z_const Bytef *)input.s;
        encoder->zlib.avail_in = n;
        deflate_all(encoder, n < input.len ? Z_NO_FLUSH : flushes[step], to);
        input.s = n ? input.s + n : input.s; /* without input it may be NULL */
        input.len -= n;
    } while (input.len && !to->has_failed);
    return to->has_failed ? -ENOMEM : 0;
}
