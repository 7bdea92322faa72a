/* Content types by the names of files. */
#ifndef FATE_SRC_HTTP_MIME_H
#define FATE_SRC_HTTP_MIME_H

#include <base/slice.h>
#include <base/text.h>

struct fate__mime {
    const char *suffix;   /* without its dot, in small letters */
    const char *type;     /* as it stands in Content-Type: of text with charset=utf-8 */
    bool is_compressible; /* gzip makes it clearly smaller, so that a .gz beside it is worth looking for */
};

/* Sorted by suffix. */
extern const struct fate__mime fate__mimes[];
extern const size_t fate__n_mimes;

/* By what follows the last dot of the name, whatever its case; a path may stand in front.  Never NULL: what
 * is not known, and a name without a dot or with one only in front, is application/octet-stream. */
const struct fate__mime *fate__mime_of(const char *file_name, size_t len);

/* The name of the compressed file beside it, "style.css.gz"; false, and nothing: its kind has none.  It is
 * served with the type of the file itself and Content-Encoding: gzip. */
bool fate__add_gz_sibling(struct fate__text *to, const char *file_name, size_t len);

#endif
