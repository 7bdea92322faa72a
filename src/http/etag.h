/* Entity tags: RFC 9110, 8.8.3.  Pure functions. */
#ifndef FATE_SRC_HTTP_ETAG_H
#define FATE_SRC_HTTP_ETAG_H

#include <http/bytes.h>

/* "xyzzy" or W/"xyzzy". */
bool fate__http_is_etag(struct fate__http_slice text);

/* Strong comparison: both are strong and the same; for If-Match and If-Range.  Weak: the same but for W/; for
 * If-None-Match.  What is no entity tag matches nothing. */
bool fate__http_etags_match_strongly(struct fate__http_slice a, struct fate__http_slice b);
bool fate__http_etags_match_weakly(struct fate__http_slice a, struct fate__http_slice b);

/* Is etag in the value of If-Match (strong) or If-None-Match (weak), or is the value *?  Where etag is empty,
 * there is nothing, and * does not match.  What stands behind an element that is no entity tag is not looked
 * at. */
bool fate__http_etag_in(struct fate__http_slice value, struct fate__http_slice etag, bool is_strong);

#endif
