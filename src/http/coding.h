/* Content codings (RFC 9110, 8.4.1): gzip and deflate, in pieces, by zlib (coding_zlib.c), whose memory comes
 * through the library's door, or not at all (coding_none.c). */
#ifndef FATE_SRC_HTTP_CODING_H
#define FATE_SRC_HTTP_CODING_H

#include <sys/types.h>

#include <base/slice.h>
#include <base/text.h>

enum fate__coding { FATE__IDENTITY, FATE__GZIP, FATE__DEFLATE };

/* Whether there are any but identity. */
extern const bool fate__has_zlib;

/* By the name in a header, whatever its case: "gzip", "x-gzip", "deflate", "identity".  -EINVAL: another, or
 * one that needs zlib where that is missing. */
int fate__coding_by_name(struct fate__slice name);

/* ---- Decoding ---- */

struct fate__decoder;

/* output_max: how many bytes may come out, so that a small body cannot fill the memory.  gzip may have
 * several members, one behind the other; deflate is zlib's format, and raw deflate too, as browsers have it.
 * NULL: no memory.  Not for identity. */
struct fate__decoder *fate__decoder_new(enum fate__coding coding, uint64_t output_max);
/* Takes from input, which moves on, and writes to `to`, which has room for at least one byte.  How many bytes
 * it wrote; 0: it wants more input, and has taken all that there was.  So call it until it says 0, then give
 * the next piece.  -EPROTO: not that coding, or there is something behind its end; -EFBIG: more than
 * output_max; -ENOMEM. After an error each call says the same. */
ssize_t fate__decoder_read(struct fate__decoder *decoder, struct fate__slice *input, char *to, size_t room);
/* There is no more input, and fate__decoder_read has said 0.  0, or -EPROTO: the end is missing, or the error
 * that was.  No bytes at all are an empty body: some servers say gzip of that too. */
int fate__decoder_end(struct fate__decoder *decoder);
/* What the error was, in words: lives as long as the decoder; "" without one. */
const char *fate__decoder_why(const struct fate__decoder *decoder);
void fate__decoder_free(struct fate__decoder *decoder);

/* ---- Encoding ---- */

struct fate__encoder;

enum fate__encoder_step {
    FATE__ENCODE_MORE,  /* zlib keeps what makes it compress better */
    FATE__ENCODE_FLUSH, /* all that has been given can be decoded from what has come out */
    FATE__ENCODE_END,   /* nothing comes behind it */
};

/* level: 1, fast, to 9, small.  NULL: no memory.  Not for identity. */
struct fate__encoder *fate__encoder_new(enum fate__coding coding, int level);
/* Adds to `to` what comes out.  0 or -ENOMEM, after which the body is lost.  After the end nothing may be
 * added. */
int fate__encoder_add(struct fate__encoder *encoder, struct fate__slice input, enum fate__encoder_step step,
                      struct fate__text *to);
void fate__encoder_free(struct fate__encoder *encoder);

#endif
