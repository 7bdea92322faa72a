/* Content codings, where zlib was missing at build time: none has a name, so nobody comes here. */
#include <http/coding.h>

#include <base/stop.h>

#define WITHOUT "libfate-web was built without zlib: ask fate__has_zlib or fate__coding_by_name first"

const bool fate__has_zlib = false;

struct fate__decoder *fate__decoder_new(enum fate__coding coding, uint64_t output_max)
{
    fate__never(WITHOUT);
}

ssize_t fate__decoder_read(struct fate__decoder *decoder, struct fate__slice *input, char *to, size_t room)
{
    fate__never(WITHOUT);
}

int fate__decoder_end(struct fate__decoder *decoder)
{
    fate__never(WITHOUT);
}

const char *fate__decoder_why(const struct fate__decoder *decoder)
{
    fate__never(WITHOUT);
}

void fate__decoder_free(struct fate__decoder *decoder)
{
}

struct fate__encoder *fate__encoder_new(enum fate__coding coding, int level)
{
    fate__never(WITHOUT);
}

int fate__encoder_add(struct fate__encoder *encoder, struct fate__slice input, enum fate__encoder_step step,
                      struct fate__text *to)
{
    fate__never(WITHOUT);
}

void fate__encoder_free(struct fate__encoder *encoder)
{
}
