/* URLs: taken apart, put together from a base, and written in one way. */
#include <http/url.h>

#include <errno.h>

#include <base/alloc.h>
#include <base/suggest.h>
#include <base/utf8.h>
#include <http/bytes.h>
#include <http/percent.h>
#include <http/url_host.h>

#define NO_SLICE ((struct fate__slice){ NULL, 0 })

/* A reference in pieces; those that are not there have no s.  RFC 3986, appendix B. */
struct parts {
    struct fate__slice scheme, authority, path, query, fragment;
};

/* ---- Taking apart ---- */

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* How long the scheme is; 0: it is a relative reference. */
static size_t scheme_len(const char *s, size_t len)
{
    if (!len || !is_alpha(s[0]))
        return 0;
    for (size_t i = 1; i < len; i++) {
        if (s[i] == ':')
            return i;
        if (!is_alpha(s[i]) && !is_digit(s[i]) && s[i] != '+' && s[i] != '-' && s[i] != '.')
            return 0;
    }
    return 0;
}

/* Takes off what stands before the first of these bytes, or all. */
static struct fate__slice take_until(struct fate__slice *s, const char *ends)
{
    struct fate__slice taken = *s;

    for (; *ends && taken.len; ends++) {
        const char *found = memchr(taken.s, *ends, taken.len);
        if (found)
            taken.len = (size_t)(found - taken.s);
    }
    s->s += taken.len;
    s->len -= taken.len;
    return taken;
}

static void skip(struct fate__slice *s, size_t n)
{
    s->s += n;
    s->len -= n;
}

static struct parts split(const char *text, size_t len)
{
    struct fate__slice rest = { text, len };
    struct parts parts = { 0 };
    size_t scheme = scheme_len(text, len);

    if (scheme) {
        parts.scheme = (struct fate__slice){ text, scheme };
        skip(&rest, scheme + 1);
    }
    if (rest.len >= 2 && rest.s[0] == '/' && rest.s[1] == '/') {
        skip(&rest, 2);
        parts.authority = take_until(&rest, "/?#");
    }
    parts.path = take_until(&rest, "?#");
    if (rest.len && rest.s[0] == '?') {
        skip(&rest, 1);
        parts.query = take_until(&rest, "#");
    }
    if (rest.len) {
        skip(&rest, 1);
        parts.fragment = rest;
    }
    return parts;
}

/* ---- Writing the parts ---- */

#define ABSENT ((size_t)-1)

/* A URL under way: its texts, one behind the other, and where each begins. */
struct build {
    struct fate__text text;
    size_t userinfo, host, path, query, fragment;
    struct fate__url url;
    struct fate__why *why;
};

static size_t begin(struct build *build)
{
    return build->text.len;
}

static void end(struct build *build)
{
    fate__text_add_n(&build->text, "", 1);
}

static int refuse_byte(struct build *build, const char *part, unsigned char c)
{
    if (c == ' ')
        return fate__because(build->why, -EINVAL, "the %s has a blank: write %%20", part);
    if (c == '\\')
        return fate__because(build->why, -EINVAL, "the %s has a backslash: write / or, if it is meant, %%5C",
                             part);
    if (c == '%')
        return fate__because(build->why, -EINVAL,
                             "the %s has a percent sign without two hexadecimal digits: write %%25", part);
    if (c < 0x80)
        return fate__because(build->why, -EINVAL, "the %s has the control byte 0x%02x: leave it out", part,
                             c);
    return fate__because(build->why, -EINVAL, "the %s has the byte 0x%02x, which is no UTF-8: write %%%02X",
                         part, c, c);
}

/* Adds the next character as RFC 3986 wants it written; how many bytes it took. */
static int add_character(struct build *build, const char *part, struct fate__slice s, const char *allowed)
{
    unsigned char c = (unsigned char)s.s[0];
    size_t len = fate__utf8_len(s.s, s.len);

    if (c == '%' && fate__percent_byte(s.s, s.len) >= 0)
        fate__text_add_n(&build->text, s.s, len = 3);
    else if (c <= ' ' || c == 0x7f || c == '%' || c == '\\' || len == 0)
        return refuse_byte(build, part, c);
    else
        fate__percent_encode(&build->text, s.s, len, allowed);
    return (int)len;
}

/* How many of the first bytes are written as they are in paths and in queries. */
static size_t plain_len(struct fate__slice s)
{
    size_t n = 0;

    while (n < s.len && (fate__http_is(s.s[n], FATE__HTTP_HOST) || s.s[n] == '/'))
        n++;
    return n;
}

static int add_part(struct build *build, const char *part, struct fate__slice s, const char *allowed)
{
    for (;;) {
        size_t n_plain = plain_len(s);
        fate__text_add_n(&build->text, s.s, n_plain);
        skip(&s, n_plain);
        if (!s.len)
            return 0;
        int n = add_character(build, part, s, allowed);
        if (n < 0)
            return n;
        skip(&s, (size_t)n);
    }
}

#define SUB_DELIMS      "!$&'()*+,;="
#define IN_PATH         SUB_DELIMS ":@/"
#define IN_QUERY        SUB_DELIMS ":@/?"
#define USERINFO_ADVICE "the userinfo before the @ has %s: write it percent-encoded"

/* ---- The authority ---- */

/* What is wrong is named, but never shown. */
static int add_userinfo(struct build *build, struct fate__slice userinfo)
{
    for (size_t i = 0; i < userinfo.len;) {
        char c = userinfo.s[i];
        int byte = fate__percent_byte(userinfo.s + i, userinfo.len - i);
        if (c == '@')
            return fate__because(build->why, -EINVAL, USERINFO_ADVICE, "an @ of its own");
        if (byte < 0 && !fate__is_unreserved(c) && !(c && strchr(SUB_DELIMS ":", c)))
            return fate__because(build->why, -EINVAL, USERINFO_ADVICE,
                                 "a character that may not stand there");
        i += byte < 0 ? 1 : 3;
    }
    build->userinfo = begin(build);
    fate__text_add_n(&build->text, userinfo.s, userinfo.len);
    end(build);
    return 0;
}

/* It is not shown: behind a slash that should have been encoded it is the beginning of a password. */
static int set_port(struct build *build, struct fate__slice port)
{
    unsigned n = 0;

    build->url.port = build->url.is_https ? 443 : 80;
    for (size_t i = 0; i < port.len && n <= UINT16_MAX; i++)
        n = is_digit(port.s[i]) ? n * 10 + (unsigned)(port.s[i] - '0') : UINT16_MAX + 1u;
    if (!port.len)
        return 0;
    if (!n || n > UINT16_MAX)
        return fate__because(
            build->why, -EINVAL,
            "what follows the colon behind the host is no port: write a number of 1 to 65535");
    build->url.port = (uint16_t)n;
    return 0;
}

/* Cuts ":port" off; the colons of an IPv6 address lie before its bracket. */
static struct fate__slice take_port(struct fate__slice *host)
{
    const char *bracket = host->len && host->s[0] == '[' ? memrchr(host->s, ']', host->len) : NULL;
    const char *from = bracket ? bracket + 1 : host->s;
    size_t before = (size_t)(from - host->s);
    const char *colon = host->len ? memchr(from, ':', host->len - before) : NULL;

    if (!colon)
        return NO_SLICE;
    struct fate__slice port = { colon + 1, host->len - (size_t)(colon + 1 - host->s) };
    host->len = (size_t)(colon - host->s);
    return port;
}

static int add_authority(struct build *build, struct fate__slice host)
{
    const char *at = host.len ? memrchr(host.s, '@', host.len) : NULL;

    if (at) {
        size_t len = (size_t)(at - host.s);
        int error = add_userinfo(build, (struct fate__slice){ host.s, len });
        if (error < 0)
            return error;
        skip(&host, len + 1);
    }
    struct fate__slice port = take_port(&host);
    build->host = begin(build);
    int error = fate__host_add(&build->text, host, &build->url.host_kind, build->why);
    end(build);
    return error < 0 ? error : set_port(build, port);
}

/* ---- The path ---- */

/* How many dots a segment is, each perhaps as %2e; 0: it is another segment. */
static size_t dots_of(const char *s, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; n++) {
        bool is_encoded = fate__percent_byte(s + i, len - i) == '.';
        if (s[i] != '.' && !is_encoded)
            return 0;
        i += is_encoded ? 3 : 1;
    }
    return n <= 2 ? n : 0;
}

/* RFC 3986, 5.2.4, in place: segments are moved to the front, and ".." takes back the one before. */
static size_t remove_dot_segments(char *path, size_t len)
{
    size_t to = 0;

    for (size_t from = 0; from < len;) {
        const char *slash = memchr(path + from + 1, '/', len - from - 1);
        size_t next = slash ? (size_t)(slash - path) : len;
        size_t n_dots = dots_of(path + from + 1, next - from - 1);
        if (!n_dots) {
            memmove(path + to, path + from, next - from);
            to += next - from;
        }
        while (n_dots == 2 && to > 0 && path[--to] != '/')
            ;
        if (n_dots && next == len)
            path[to++] = '/';
        from = next;
    }
    return to;
}

static int add_path(struct build *build, struct fate__slice path)
{
    build->path = begin(build);
    if (!path.len || path.s[0] != '/')
        fate__text_add(&build->text, "/");
    int error = add_part(build, "path", path, IN_PATH);
    if (error < 0 || build->text.has_failed)
        return error < 0 ? error : -ENOMEM;
    char *written = build->text.bytes + build->path;
    build->text.len = build->path + remove_dot_segments(written, build->text.len - build->path);
    end(build);
    return 0;
}

/* ---- The whole ---- */

static int add_optional(struct build *build, const char *part, struct fate__slice s, size_t *ret_at)
{
    if (!s.s)
        return 0;
    *ret_at = begin(build);
    int error = add_part(build, part, s, IN_QUERY);
    end(build);
    return error;
}

static bool is_same_ignoring_case(struct fate__slice s, const char *lower)
{
    size_t i = 0;

    while (i < s.len && lower[i] && (s.s[i] | 0x20) == lower[i])
        i++;
    return i == s.len && !lower[i];
}

static int refuse_scheme(struct build *build, struct fate__slice scheme)
{
    static const char *const known[] = { "http", "https" };
    char shown[FATE__SHOWN_BYTES];
    const char *meant = fate__suggest(fate__shown(scheme.s, scheme.len, shown), known, 2);

    if (meant)
        return fate__because(build->why, -EINVAL, "\"%s:\" is no scheme that is known: did you mean \"%s:\"?",
                             shown, meant);
    return fate__because(build->why, -EINVAL,
                         "\"%s:\" is no scheme that is known: write http:// or https://%s", shown,
                         strchr(shown, '.') || strcmp(shown, "localhost") == 0 ? " before the host" : "");
}

static int set_scheme(struct build *build, const struct parts *parts)
{
    if (!parts->scheme.s)
        return fate__because(build->why, -EINVAL, "there is no scheme: write http:// or https:// in front");
    build->url.is_https = is_same_ignoring_case(parts->scheme, "https");
    if (!build->url.is_https && !is_same_ignoring_case(parts->scheme, "http"))
        return refuse_scheme(build, parts->scheme);
    if (!parts->authority.s)
        return fate__because(
            build->why, -EINVAL, "there is no // behind \"%s\", as in %s://example.org/",
            build->url.is_https ? "https:" : "http:", build->url.is_https ? "https" : "http");
    return 0;
}

static int build_all(struct build *build, const struct parts *parts)
{
    int error = set_scheme(build, parts);

    if (error == 0)
        error = add_authority(build, parts->authority);
    if (error == 0)
        error = add_path(build, parts->path);
    if (error == 0)
        error = add_optional(build, "query", parts->query, &build->query);
    if (error == 0)
        error = add_optional(build, "fragment", parts->fragment, &build->fragment);
    return error == 0 && build->text.has_failed ? -ENOMEM : error;
}

static const char *text_at(const struct build *build, size_t at)
{
    return at == ABSENT ? NULL : build->text.bytes + at;
}

static int make(struct fate__url *ret_url, const struct parts *parts, struct fate__why *why)
{
    struct build build = { .userinfo = ABSENT, .query = ABSENT, .fragment = ABSENT, .why = why };
    int error = build_all(&build, parts);

    if (error < 0) {
        fate__text_done(&build.text);
        return error == -ENOMEM ? fate__because(why, error, "there is no memory for the URL") : error;
    }
    build.url.memory = build.text.bytes;
    build.url.userinfo = text_at(&build, build.userinfo);
    build.url.host = text_at(&build, build.host);
    build.url.path = text_at(&build, build.path);
    build.url.query = text_at(&build, build.query);
    build.url.fragment = text_at(&build, build.fragment);
    *ret_url = build.url;
    return 0;
}

static int check_length(size_t len, struct fate__why *why)
{
    if (len <= FATE__URL_BYTES_MAX)
        return 0;
    return fate__because(why, -EINVAL, "the URL has %zu bytes; %d are the most", len, FATE__URL_BYTES_MAX);
}

int fate__url_parse(struct fate__url *ret_url, const char *text, size_t len, struct fate__why *why)
{
    int error = check_length(len, why);

    if (error < 0)
        return error;
    struct parts parts = split(text, len);
    return make(ret_url, &parts, why);
}

void fate__url_done(struct fate__url *url)
{
    fate__free(url->memory);
    *url = (struct fate__url){ 0 };
}

/* ---- Resolving ---- */

/* The base in pieces again; its authority is written to `authority`. */
static struct parts parts_of(const struct fate__url *base, struct fate__text *authority)
{
    if (base->userinfo) {
        fate__text_add(authority, base->userinfo);
        fate__text_add(authority, "@");
    }
    fate__url_add_host(authority, base);
    return (struct parts){ fate__slice_of(base->is_https ? "https" : "http"),
                           { authority->bytes, authority->len },
                           fate__slice_of(base->path),
                           fate__slice_of(base->query),
                           fate__slice_of(base->fragment) };
}

/* RFC 3986, 5.2.3: the base's path up to its last slash, and the reference's path. */
static struct fate__slice merge(struct fate__text *merged, const struct fate__url *base,
                                struct fate__slice path)
{
    fate__text_add_n(merged, base->path, (size_t)(strrchr(base->path, '/') + 1 - base->path));
    fate__text_add_n(merged, path.s, path.len);
    return (struct fate__slice){ merged->bytes, merged->len };
}

static int resolve(struct fate__url *ret_url, const struct fate__url *base, struct parts target,
                   struct fate__why *why)
{
    struct fate__text authority = { 0 }, merged = { 0 };
    struct parts from = parts_of(base, &authority);
    int error = -ENOMEM;

    if (!target.authority.s) {
        target.authority = from.authority;
        if (!target.path.len && !target.query.s)
            target.query = from.query;
        if (!target.path.len)
            target.path = from.path;
        else if (target.path.s[0] != '/')
            target.path = merge(&merged, base, target.path);
    }
    target.scheme = from.scheme;
    if (!authority.has_failed && !merged.has_failed)
        error = make(ret_url, &target, why);
    else
        fate__because(why, error, "there is no memory for the URL");
    fate__text_done(&authority);
    fate__text_done(&merged);
    return error;
}

int fate__url_resolve(struct fate__url *ret_url, const struct fate__url *base, const char *reference,
                      size_t len, struct fate__why *why)
{
    int error = check_length(len, why);

    if (error < 0)
        return error;
    struct parts parts = split(reference, len);
    return parts.scheme.s ? make(ret_url, &parts, why) : resolve(ret_url, base, parts, why);
}

bool fate__url_is_same_origin(const struct fate__url *a, const struct fate__url *b)
{
    return a->is_https == b->is_https && a->port == b->port && strcmp(a->host, b->host) == 0;
}

/* The URL again with userinfo and fragment as given, which are NULL or written as they should be. */
static int make_again(struct fate__url *url, const char *userinfo, const char *fragment,
                      struct fate__why *why)
{
    struct fate__url old = *url, bare = *url;
    struct fate__text authority = { 0 };

    bare.userinfo = userinfo;
    bare.fragment = fragment;
    struct parts parts = parts_of(&bare, &authority);
    int error = authority.has_failed ? fate__because(why, -ENOMEM, "there is no memory for the URL")
                                     : make(url, &parts, why);
    fate__text_done(&authority);
    fate__url_done(&old);
    return error;
}

/* Servers write blanks, and bytes of whatever character set, into what they were asked for themselves. */
static void add_location(struct fate__text *to, const char *s, size_t len)
{
    while (len) {
        size_t n = fate__utf8_len(s, len);
        if (n == 0 || *s == ' ')
            fate__text_format(to, "%%%02X", (unsigned char)*s);
        else
            fate__text_add_n(to, s, n);
        n = n ? n : 1;
        s += n;
        len -= n;
    }
}

int fate__url_redirect(struct fate__url *ret_url, const struct fate__url *base, const char *location,
                       size_t len, struct fate__why *why)
{
    struct fate__text text = { 0 };
    struct fate__url url;

    add_location(&text, location, len);
    int error = text.has_failed ? fate__because(why, -ENOMEM, "there is no memory for the URL")
                                : fate__url_resolve(&url, base, text.bytes ? text.bytes : "", text.len, why);
    fate__text_done(&text);
    if (error < 0)
        return error;
    const char *userinfo = fate__url_is_same_origin(&url, base) ? base->userinfo : NULL;
    const char *fragment = url.fragment ? url.fragment : base->fragment;
    error = make_again(&url, userinfo, fragment, why);
    if (error == 0)
        *ret_url = url;
    return error;
}

/* ---- As texts ---- */

/* Each request has it. */
static void add_port(struct fate__text *to, unsigned port)
{
    char digits[8], *at = digits + sizeof digits;

    for (; port; port /= 10)
        *--at = (char)('0' + port % 10);
    *--at = ':';
    fate__text_add_n(to, at, (size_t)(digits + sizeof digits - at));
}

void fate__url_add_host(struct fate__text *to, const struct fate__url *url)
{
    bool is_ipv6 = url->host_kind == FATE__HOST_IPV6;

    fate__text_add(to, is_ipv6 ? "[" : "");
    fate__text_add(to, url->host);
    fate__text_add(to, is_ipv6 ? "]" : "");
    if (url->port != (url->is_https ? 443 : 80))
        add_port(to, url->port);
}

void fate__url_add_target(struct fate__text *to, const struct fate__url *url)
{
    fate__text_add(to, url->path);
    if (url->query) {
        fate__text_add(to, "?");
        fate__text_add(to, url->query);
    }
}

void fate__url_add_absolute(struct fate__text *to, const struct fate__url *url)
{
    fate__text_add(to, url->is_https ? "https://" : "http://");
    fate__url_add_host(to, url);
    fate__url_add_target(to, url);
}

void fate__url_add(struct fate__text *to, const struct fate__url *url)
{
    fate__url_add_absolute(to, url);
    if (url->fragment) {
        fate__text_add(to, "#");
        fate__text_add(to, url->fragment);
    }
}

void fate__url_add_credentials(struct fate__text *to, const struct fate__url *url)
{
    if (!url->userinfo)
        return;
    for (const char *s = url->userinfo; *s;) {
        int byte = fate__percent_byte(s, strlen(s));
        char c = byte < 0 ? *s : (char)byte;
        fate__text_add_n(to, &c, 1);
        s += byte < 0 ? 1 : 3;
    }
    if (!strchr(url->userinfo, ':'))
        fate__text_add(to, ":");
}
