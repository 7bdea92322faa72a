/* Tests of src/http/coding.c. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <base/alloc.h>
#include <http/coding.h>

#include "test.h"

#define N(array) (sizeof(array) / sizeof *(array))

/* "hello, hello" */
static const char gzip_hello[] =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\xd7\x51\xc8\x00\x51"
    "\x00"
    "CRC_LEN!";
static const char raw_hello[] = "\xcb\x48\xcd\xc9\xc9\xd7\x51\xc8\x00\x51\x00";

static struct fate__text encode(enum fate__coding coding, const char *s, size_t len)
{
    struct fate__encoder *encoder = fate__encoder_new(coding, 6);
    struct fate__text text = { 0 };

    if (!encoder || fate__encoder_add(encoder, (struct fate__slice){ s, len }, FATE__ENCODE_END, &text) < 0)
        text.has_failed = true;
    fate__encoder_free(encoder);
    return text;
}

/* Decodes input given in pieces of so many bytes to room of so many; what came out is added to `out`, and the
 * error, or 0, returned.  The reason is the last one's. */
static char reason[256];

static int read_piece(struct fate__decoder *decoder, struct fate__slice piece, size_t room,
                      struct fate__text *out)
{
    char to[4096];
    ssize_t n;

    while ((n = fate__decoder_read(decoder, &piece, to, room)) > 0)
        fate__text_add_n(out, to, (size_t)n);
    EXPECT(n < 0 || piece.len == 0);
    return (int)n;
}

static int finish(struct fate__decoder *decoder, int error)
{
    int at_end = fate__decoder_end(decoder);

    EXPECT(error == 0 || at_end == error);
    snprintf(reason, sizeof reason, "%s", fate__decoder_why(decoder));
    fate__decoder_free(decoder);
    return at_end;
}

struct way {
    size_t first, each, room;
};

static int decode(enum fate__coding coding, struct fate__slice input, struct way way, uint64_t max,
                  struct fate__text *out)
{
    struct fate__decoder *decoder = fate__decoder_new(coding, max);
    int error = 0;

    if (!decoder)
        return -ENOMEM;
    for (size_t n = way.first; input.len && error == 0; n = way.each) {
        struct fate__slice piece = { input.s, n < input.len ? n : input.len };
        input.s += piece.len;
        input.len -= piece.len;
        error = read_piece(decoder, piece, way.room, out);
    }
    return finish(decoder, error);
}

/* The same whole, byte by byte into room for one, and cut at each place; where allocations fail, at a few. */
static void expect_decoded(const char *here, enum fate__coding coding, struct fate__slice input,
                           const char *expected)
{
    for (size_t i = 0; i <= input.len + 1; i += test_is_oom() ? 11 : 1) {
        struct fate__text out = { 0 };
        struct way way = { i ? i : 1, i ? SIZE_MAX : 1, i ? 4096 : 1 };
        int error = decode(coding, input, way, 1 << 20, &out);
        if (expected) {
            test_expect_eq(here, error, 0, "the error");
            test_expect_str(here, out.len ? out.bytes : "", expected, "what came out");
        } else
            test_expect_eq(here, error, -EPROTO, "the error");
        fate__text_done(&out);
    }
}
#define EXPECT_DECODED(coding, s, len, expected)                                                             \
    expect_decoded(FATE_HERE, coding, (struct fate__slice){ s, len }, expected)

/* ---- Decoding ---- */

TEST(codings_have_names)
{
    EXPECT_EQ(fate__coding_by_name(fate__slice_of("gzip")), FATE__GZIP);
    EXPECT_EQ(fate__coding_by_name(fate__slice_of("X-GZip")), FATE__GZIP);
    EXPECT_EQ(fate__coding_by_name(fate__slice_of("deflate")), FATE__DEFLATE);
    EXPECT_EQ(fate__coding_by_name(fate__slice_of("identity")), FATE__IDENTITY);
    EXPECT_EQ(fate__coding_by_name(fate__slice_of("br")), -EINVAL);
    EXPECT_EQ(fate__coding_by_name(fate__slice_of("gzipp")), -EINVAL);
    EXPECT_EQ(fate__coding_by_name(fate__slice_of("gzi")), -EINVAL);
    EXPECT_EQ(fate__coding_by_name(fate__slice_of("")), -EINVAL);
}

TEST(what_is_encoded_can_be_decoded)
{
    for (int coding = FATE__GZIP; coding <= FATE__DEFLATE; coding++) {
        struct fate__text text = encode((enum fate__coding)coding, "hello, hello", 12);
        EXPECT_DECODED((enum fate__coding)coding, text.bytes, text.len, "hello, hello");
        fate__text_done(&text);
        text = encode((enum fate__coding)coding, "", 0);
        EXPECT_DECODED((enum fate__coding)coding, text.bytes, text.len, "");
        fate__text_done(&text);
    }
}

TEST(raw_deflate_is_deflate_too)
{
    EXPECT_DECODED(FATE__DEFLATE, raw_hello, sizeof raw_hello - 1, "hello, hello");
    EXPECT_DECODED(FATE__DEFLATE, "\x03\x00", 2, "");
    /* A stored block. */
    EXPECT_DECODED(FATE__DEFLATE, "\x01\x02\x00\xfd\xffhi", 7, "hi");
    /* One that would begin as zlib's format does, but for a window that is too large. */
    EXPECT_DECODED(FATE__DEFLATE,
                   "\x88\x1c\x00\xe3\xff"
                   "hello, hello, hello, hello, "
                   "\x03\x00",
                   35, "hello, hello, hello, hello, ");
}

TEST(gzip_may_have_several_members)
{
    struct fate__text text = encode(FATE__GZIP, "hello, ", 7), more = encode(FATE__GZIP, "world", 5);
    struct fate__text none = encode(FATE__GZIP, "", 0);

    fate__text_add_n(&text, none.bytes ? none.bytes : "", none.len);
    fate__text_add_n(&text, more.bytes ? more.bytes : "", more.len);
    EXPECT_DECODED(FATE__GZIP, text.bytes, text.len, "hello, world");
    fate__text_done(&text);
    fate__text_done(&more);
    fate__text_done(&none);
}

TEST(no_bytes_are_an_empty_body)
{
    EXPECT_DECODED(FATE__GZIP, "", 0, "");
    EXPECT_DECODED(FATE__DEFLATE, "", 0, "");
}

TEST(a_cut_body_is_an_error_wherever_it_was_cut)
{
    for (int coding = FATE__GZIP; coding <= FATE__DEFLATE; coding++) {
        struct fate__text text = encode((enum fate__coding)coding, "hello, hello", 12);
        for (size_t len = 1; len < text.len; len += test_is_oom() ? 7 : 1) {
            EXPECT_DECODED((enum fate__coding)coding, text.bytes, len, NULL);
            if (!test_is_oom())
                EXPECT_CONTAINS(reason, "body ends before its end: it was cut off");
        }
        fate__text_done(&text);
    }
    for (size_t len = 1; len < sizeof raw_hello - 1; len += test_is_oom() ? 7 : 1)
        EXPECT_DECODED(FATE__DEFLATE, raw_hello, len, NULL);
}

TEST(a_second_member_that_is_cut_is_an_error)
{
    struct fate__text text = encode(FATE__GZIP, "hello", 5);
    size_t len = text.len;

    fate__text_add_n(&text, text.has_failed ? "" : gzip_hello, text.has_failed ? 0 : 15);
    if (text.len == len + 15)
        for (size_t cut = len + 1; cut <= text.len; cut += test_is_oom() ? 7 : 1)
            EXPECT_DECODED(FATE__GZIP, text.bytes, cut, NULL);
    fate__text_done(&text);
}

TEST(bytes_behind_the_end_are_an_error)
{
    static const char *const behind[] = { "x", "\n", "\x1f", "\x1fx", "\x1f\x8bx", "GARBAGE AND MORE" };

    for (int coding = FATE__GZIP; coding <= FATE__DEFLATE; coding++) {
        for (size_t i = 0; i < N(behind); i++) {
            struct fate__text text = encode((enum fate__coding)coding, "hello, hello", 12);
            fate__text_add(&text, behind[i]);
            EXPECT_DECODED((enum fate__coding)coding, text.bytes, text.len, NULL);
            if (i == 0 && !test_is_oom())
                EXPECT_CONTAINS(reason, "has bytes behind its end");
            fate__text_done(&text);
        }
    }
    EXPECT_DECODED(FATE__GZIP, "\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0\0", 21, NULL);
    EXPECT_DECODED(FATE__DEFLATE, "\x03\x00\x00", 3, NULL);
}

TEST(damage_is_an_error)
{
    EXPECT_DECODED(FATE__GZIP, gzip_hello, sizeof gzip_hello - 1, NULL);
    if (!test_is_oom())
        EXPECT_STR(reason, "the gzip body is damaged: incorrect data check");
    EXPECT_DECODED(FATE__GZIP, "hello", 5, NULL);
    EXPECT_DECODED(FATE__DEFLATE, "\xff\xff\xff", 3, NULL);
    /* zlib's format with a dictionary. */
    EXPECT_DECODED(FATE__DEFLATE, "\x78\xbb\0\0\0\1\0\0", 8, NULL);
    if (!test_is_oom())
        EXPECT_CONTAINS(reason, "it needs a dictionary");
}

/* Found by the fuzzer: damage behind the first byte of output, in the same piece. */
TEST(what_came_out_before_damage_counts_first)
{
    static const char damaged[] = { 0x63, (char)0xff, 0x3a, (char)0xf6, (char)0xc5, 0 };
    static const struct way ways[] = {
        { SIZE_MAX, SIZE_MAX, 4096 }, { 1, 1, 1 }, { 1, SIZE_MAX, 7 }, { 3, 1, 4096 }
    };
    size_t len = 0;

    for (size_t i = 0; i < N(ways); i++) {
        struct fate__text out = { 0 };
        struct fate__slice input = { damaged, sizeof damaged };
        EXPECT_EQ(decode(FATE__DEFLATE, input, ways[i], 100, &out), -EPROTO);
        EXPECT(out.len > 0 && (i == 0 || out.len == len));
        len = out.len;
        fate__text_done(&out);
        EXPECT_EQ(decode(FATE__DEFLATE, input, ways[i], 0, &out), -EFBIG);
        fate__text_done(&out);
    }
}

TEST(after_an_error_each_call_says_the_same)
{
    struct fate__decoder *decoder = fate__decoder_new(FATE__GZIP, 100);
    struct fate__slice bad = { "hello", 5 }, good = { "\x1f\x8b", 2 };
    char to[8];

    if (!EXPECT(decoder != NULL))
        return;
    EXPECT_EQ(fate__decoder_read(decoder, &bad, to, sizeof to), -EPROTO);
    EXPECT_EQ(fate__decoder_read(decoder, &good, to, sizeof to), -EPROTO);
    EXPECT_EQ(good.len, 2);
    EXPECT_EQ(fate__decoder_end(decoder), -EPROTO);
    fate__decoder_free(decoder);
    fate__decoder_free(NULL);
}

/* ---- The limit ---- */

TEST(a_body_of_the_most_bytes_passes_and_one_more_does_not)
{
    static const struct way ways[] = {
        { SIZE_MAX, SIZE_MAX, 4096 }, { 1, 1, 1 }, { 1, 1, 4096 }, { 999, 999, 7 }
    };
    struct fate__text text = encode(FATE__GZIP, "hello, hello", 12);
    struct fate__slice input = { text.bytes, text.len };

    for (size_t i = 0; i < N(ways) && !text.has_failed; i++) {
        struct fate__text out = { 0 };
        EXPECT_EQ(decode(FATE__GZIP, input, ways[i], 12, &out), 0);
        EXPECT_EQ(out.len, 12);
        fate__text_done(&out);
        EXPECT_EQ(decode(FATE__GZIP, input, ways[i], 11, &out), -EFBIG);
        EXPECT_EQ(out.len, 11);
        if (!test_is_oom())
            EXPECT_STR(reason, "the gzip body has more than 11 bytes when decoded, the most");
        fate__text_done(&out);
        EXPECT_EQ(decode(FATE__GZIP, input, ways[i], 0, &out), -EFBIG);
        fate__text_done(&out);
    }
    fate__text_done(&text);
}

TEST(members_count_together)
{
    struct fate__text text = encode(FATE__GZIP, "hello", 5), again = encode(FATE__GZIP, "hello", 5);
    struct fate__text out = { 0 };
    struct way whole = { SIZE_MAX, SIZE_MAX, 4096 };

    fate__text_add_n(&text, again.bytes ? again.bytes : "", again.len);
    EXPECT_EQ(decode(FATE__GZIP, (struct fate__slice){ text.bytes, text.len }, whole, 10, &out), 0);
    fate__text_done(&out);
    EXPECT_EQ(decode(FATE__GZIP, (struct fate__slice){ text.bytes, text.len }, whole, 9, &out), -EFBIG);
    fate__text_done(&out);
    fate__text_done(&text);
    fate__text_done(&again);
}

/* 16 MiB of zeros in 16 KiB. */
TEST(a_bomb_ends_at_the_limit)
{
    struct fate__encoder *encoder = fate__encoder_new(FATE__GZIP, 9);
    struct fate__text text = { 0 };
    char *zeros = fate__zalloc(1 << 20);

    for (int i = 0; i < 16 && encoder && zeros; i++)
        fate__encoder_add(encoder, (struct fate__slice){ zeros, 1 << 20 },
                          i < 15 ? FATE__ENCODE_MORE : FATE__ENCODE_END, &text);
    if (encoder && zeros && !text.has_failed) {
        struct fate__text out = { 0 };
        EXPECT(text.len < 20000);
        EXPECT_EQ(decode(FATE__GZIP, (struct fate__slice){ text.bytes, text.len },
                         (struct way){ SIZE_MAX, SIZE_MAX, 4096 }, 100000, &out),
                  -EFBIG);
        EXPECT_EQ(out.len, 100000);
        fate__text_done(&out);
    }
    fate__free(zeros);
    fate__encoder_free(encoder);
    fate__text_done(&text);
}

/* ---- Encoding ---- */

TEST(what_is_flushed_can_be_decoded_at_once)
{
    struct fate__encoder *encoder = fate__encoder_new(FATE__GZIP, 6);
    struct fate__decoder *decoder = fate__decoder_new(FATE__GZIP, 1000);
    struct fate__text text = { 0 }, out = { 0 };

    for (int i = 0; i < 3 && encoder && decoder; i++) {
        size_t before = text.len;
        int error = fate__encoder_add(encoder, fate__slice_of("event "),
                                      i < 2 ? FATE__ENCODE_FLUSH : FATE__ENCODE_END, &text);
        if (!EXPECT_EQ(error, 0))
            break;
        EXPECT_EQ(
            read_piece(decoder, (struct fate__slice){ text.bytes + before, text.len - before }, 100, &out),
            0);
        EXPECT_EQ(out.len, 6 * (i + 1));
    }
    EXPECT_STR(out.bytes, "event event event ");
    if (decoder)
        EXPECT_EQ(fate__decoder_end(decoder), 0);
    fate__encoder_free(encoder);
    fate__encoder_free(NULL);
    fate__decoder_free(decoder);
    fate__text_done(&text);
    fate__text_done(&out);
}

TEST(much_that_hardly_compresses_comes_back)
{
    struct fate__text plain = { 0 }, out = { 0 };
    uint32_t state = 1;

    for (int i = 0; i < 30000; i++) {
        state = state * 1664525 + 1013904223;
        fate__text_add_n(&plain, (const char *)&state, 3);
    }
    struct fate__text text = encode(FATE__GZIP, plain.bytes, plain.len);
    if (!plain.has_failed && !text.has_failed) {
        int error = decode(FATE__GZIP, (struct fate__slice){ text.bytes, text.len },
                           (struct way){ 100, 100, 1000 }, 1 << 20, &out);
        EXPECT_EQ(error, 0);
        EXPECT_EQ(out.len, plain.len);
        EXPECT(!error && !out.has_failed && memcmp(out.bytes, plain.bytes, plain.len) == 0);
    }
    fate__text_done(&plain);
    fate__text_done(&text);
    fate__text_done(&out);
}

static void add_behind_the_end(void *arg)
{
    struct fate__encoder *encoder = fate__encoder_new(FATE__GZIP, 6);
    struct fate__text text = { 0 };

    for (int i = 0; i < 2; i++)
        fate__encoder_add(encoder, fate__slice_of("x"), FATE__ENCODE_END, &text);
}

TEST(adding_behind_the_end_stops_the_program)
{
    EXPECT_STOP(add_behind_the_end, NULL, "!encoder->has_ended");
}
