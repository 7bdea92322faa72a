/* URLs of http and https.
 *
 * The syntax is that of RFC 3986, and so is resolving (5.2).  It is not WHATWG's, whose parser takes nearly
 * everything and repairs it; but what people and servers write all the time is taken here too and written as
 * RFC 3986 wants it: characters beyond ASCII in path, query and fragment, which must be UTF-8, and "<>[]^`{|}
 * become %XX; hosts beyond ASCII become their A-labels (IDNA 2008), if the library was built with libidn2.
 *
 * Refused is what others read differently, or what was never meant: blanks, control bytes and backslashes;
 * percent signs without digits; IPv4 addresses other than of four decimal numbers, as 127.1, 0x7f000001 and
 * 010.0.0.1; zones of IPv6 addresses, which mean nothing to the server; names that DNS cannot have.
 *
 * Normalised are the case of scheme and host, the writing of IPv6 addresses, the port that is the scheme's
 * own, the empty path and dot segments, also those with %2e.  Else a path stays as it was written. */
#ifndef FATE_SRC_HTTP_URL_H
#define FATE_SRC_HTTP_URL_H

#include <base/slice.h>
#include <base/text.h>
#include <base/why.h>

#define FATE__URL_BYTES_MAX 16384 /* of a text that is parsed */
#define FATE__FILE_NAME_MAX 255

enum fate__host_kind { FATE__HOST_NAME, FATE__HOST_IPV4, FATE__HOST_IPV6 };

/* The texts lie in one block of its own and end with a NUL, which none of them has inside. */
struct fate__url {
    bool is_https;
    enum fate__host_kind host_kind;
    uint16_t port;        /* the scheme's own where none was written; never 0 */
    const char *host;     /* an IPv6 address without its brackets */
    const char *userinfo; /* as it was written; NULL: there is none */
    const char *path;     /* begins with a slash */
    const char *query;    /* without the question mark; NULL: there is none */
    const char *fragment; /* without the hash; NULL: there is none */
    char *memory;
};

/* 0; -EINVAL: why says what is wrong and what to write, and never quotes userinfo; -ENOMEM.  why may be NULL.
 * ret_url is written only where 0 is returned. */
int fate__url_parse(struct fate__url *ret_url, const char *text, size_t len, struct fate__why *why);
/* A reference, relative or whole, as seen from base (RFC 3986, 5.2.2).  Userinfo stays where the reference
 * has no host of its own. */
int fate__url_resolve(struct fate__url *ret_url, const struct fate__url *base, const char *reference,
                      size_t len, struct fate__why *why);
/* The same for a Location (RFC 9110, 10.2.2): without a fragment of its own it gets that of base.  Userinfo
 * is base's within the same origin and else none: no other origin sees it, and no server chooses it.  Blanks
 * and bytes that are no UTF-8, as servers write them, become %XX. */
int fate__url_redirect(struct fate__url *ret_url, const struct fate__url *base, const char *location,
                       size_t len, struct fate__why *why);
void fate__url_done(struct fate__url *url);

/* The same scheme, host and port (RFC 6454, 5). */
bool fate__url_is_same_origin(const struct fate__url *a, const struct fate__url *b);

/* ---- As texts; none of these has the userinfo, but the last ---- */

/* "https://example.org:8443/path?query#fragment" */
void fate__url_add(struct fate__text *to, const struct fate__url *url);
/* "example.org", "[::1]:8080": for the Host header. */
void fate__url_add_host(struct fate__text *to, const struct fate__url *url);
/* "/path?query": the request target in origin-form (RFC 9112, 3.2.1). */
void fate__url_add_target(struct fate__text *to, const struct fate__url *url);
/* "http://example.org/path?query": the absolute-form, for proxies (RFC 9112, 3.2.2). */
void fate__url_add_absolute(struct fate__text *to, const struct fate__url *url);
/* The userinfo decoded, "user:password"; "user:" where it has no colon.  Nothing where there is none. */
void fate__url_add_credentials(struct fate__text *to, const struct fate__url *url);

/* ---- Names of files ---- */

/* The last segment of the path as the name of a file to write; "index.html" where that is empty. */
void fate__url_add_file_name(struct fate__text *to, const struct fate__url *url);
/* Bytes of a peer as the name of a file, never empty and at most FATE__FILE_NAME_MAX bytes: what stands
 * before the last slash or backslash is left out; a dot or a hyphen at the beginning, control characters and
 * what is no UTF-8 become "_", so that it is no hidden file, no option and no path. */
void fate__add_file_name(struct fate__text *to, const char *s, size_t len);

#endif
