/* The names of content codings. */
#include <http/coding.h>

#include <errno.h>
#include <strings.h>

int fate__coding_by_name(struct fate__slice name)
{
    static const struct {
        const char *name;
        enum fate__coding coding;
    } known[] = { { "gzip", FATE__GZIP },
                  { "x-gzip", FATE__GZIP },
                  { "deflate", FATE__DEFLATE },
                  { "identity", FATE__IDENTITY } };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i].name) == name.len && strncasecmp(name.s, known[i].name, name.len) == 0)
            return known[i].coding == FATE__IDENTITY || fate__has_zlib ? (int)known[i].coding : -EINVAL;
    return -EINVAL;
}
