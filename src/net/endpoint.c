/* Reading endpoints: scheme:part:part:name=value:name=value.
 *
 * The text is split first, then a table says what its parts mean for that scheme and use.  Whatever is wrong
 * becomes one sentence that names the part, says what it should be and shows how such an endpoint is
 * written. */
#include <net/endpoint.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <base/alloc.h>
#include <base/suggest.h>
#include <base/why.h>
#include <net/address.h>
#include <net/resolve.h>
#include <value/value.h>

FATE_CLASS(FATE_ENDPOINT_ERROR, "EndpointError", &FATE_VALUE_ERROR);

#define TEXT_BYTES_MAX 4096
#define PARTS_MAX      16
#define PATH_BYTES_MAX 107

/* ---- What there is ---- */

enum field {
    NO_FIELD,
    HOST,
    PORT,
    INTERFACE,
    LOCAL, /* interface= of datagrams */
    BIND,
    PATH,
    NAME,
    SLOT, /* of systemd: a name or an index */
    INDEX,
    DOMAIN,
    NUMBER,
    MODE,
    BACKLOG,
    SHARED,
    CERTIFICATE,
    KEY,
    PEER_NAME,
    N_FIELDS
};

#define POSITIONS_MAX 2
#define OPTIONS_MAX   6

/* How an endpoint of that scheme is written for that use. */
struct form {
    const char *scheme;
    enum fate__endpoint_use use;
    enum fate__endpoint_kind kind;
    int family;
    unsigned char positions[POSITIONS_MAX]; /* fields in front, which may be given by name, too */
    bool may_lack_first;                    /* of the positions */
    unsigned char options[OPTIONS_MAX];
    const char *example;
};

#define TO_LISTEN     .use = FATE__TO_LISTEN, .positions = { INTERFACE, PORT }, .may_lack_first = true
#define TO_CONNECT    .use = FATE__TO_CONNECT, .positions = { HOST, PORT }
#define FOR_DATAGRAMS .use = FATE__FOR_DATAGRAMS, .positions = { HOST, PORT }, .may_lack_first = true
#define TCP(name, f)  .scheme = name, .kind = FATE__ENDPOINT_TCP, .family = f
#define TLS           .scheme = "tls", .kind = FATE__ENDPOINT_TLS
#define UDP(name, f)  .scheme = name, .kind = FATE__ENDPOINT_UDP, .family = f
#define LOCALLY(name, k, u)                                                                                  \
    .scheme = name, .kind = FATE__ENDPOINT_##k, .use = u, .family = AF_UNIX, .positions = { PATH }
#define MEMORY(u)     .scheme = "memory", .kind = FATE__ENDPOINT_MEMORY, .use = u, .positions = { NAME }
#define DESCRIPTOR(u) .scheme = "fd", .kind = FATE__ENDPOINT_FD, .use = u, .positions = { NUMBER }

static const struct form forms[] = {
    { TCP("tcp", AF_UNSPEC), TO_LISTEN, .options = { BACKLOG, SHARED }, .example = "tcp:8080" },
    { TCP("tcp4", AF_INET), TO_LISTEN, .options = { BACKLOG, SHARED }, .example = "tcp4:8080" },
    { TCP("tcp6", AF_INET6), TO_LISTEN, .options = { BACKLOG, SHARED }, .example = "tcp6:8080" },
    { TLS, TO_LISTEN, .options = { CERTIFICATE, KEY, BACKLOG, SHARED },
      .example = "tls:8443:cert=a.pem:key=a.key" },
    { LOCALLY("unix", UNIX, FATE__TO_LISTEN), .options = { MODE, BACKLOG }, .example = "unix:/run/x" },
    { .scheme = "systemd",
      .use = FATE__TO_LISTEN,
      .kind = FATE__ENDPOINT_SYSTEMD,
      .positions = { SLOT },
      .options = { INDEX, DOMAIN },
      .example = "systemd:web" },
    { DESCRIPTOR(FATE__TO_LISTEN), .example = "fd:3" },
    { MEMORY(FATE__TO_LISTEN), .example = "memory:NAME" },

    { TCP("tcp", AF_UNSPEC), TO_CONNECT, .options = { BIND }, .example = "tcp:example.org:80" },
    { TCP("tcp4", AF_INET), TO_CONNECT, .options = { BIND }, .example = "tcp4:example.org:80" },
    { TCP("tcp6", AF_INET6), TO_CONNECT, .options = { BIND }, .example = "tcp6:example.org:80" },
    { TLS, TO_CONNECT, .options = { BIND, PEER_NAME, CERTIFICATE, KEY }, .example = "tls:example.org:443" },
    { LOCALLY("unix", UNIX, FATE__TO_CONNECT), .example = "unix:/run/x" },
    { DESCRIPTOR(FATE__TO_CONNECT), .example = "fd:3" },
    { MEMORY(FATE__TO_CONNECT), .example = "memory:NAME" },

    { UDP("udp", AF_UNSPEC), FOR_DATAGRAMS, .options = { LOCAL, BIND }, .example = "udp:9999" },
    { UDP("udp4", AF_INET), FOR_DATAGRAMS, .options = { LOCAL, BIND }, .example = "udp4:9999" },
    { UDP("udp6", AF_INET6), FOR_DATAGRAMS, .options = { LOCAL, BIND }, .example = "udp6:9999" },
    { LOCALLY("unixgram", UNIXGRAM, FATE__FOR_DATAGRAMS), .options = { MODE }, .example = "unixgram:/run/x" },
    { LOCALLY("unixgram-to", UNIXGRAM_TO, FATE__FOR_DATAGRAMS), .example = "unixgram-to:/run/x" },
};

#define N_FORMS (sizeof forms / sizeof *forms)

static const struct {
    const char *doing, *functions;
} uses[] = {
    [FATE__TO_LISTEN] = { "listen on", "fate_listen and fate_serve" },
    [FATE__TO_CONNECT] = { "connect to", "fate_connect" },
    [FATE__FOR_DATAGRAMS] = { "open", "fate_udp_open" },
};

/* ---- Being read ---- */

struct part {
    char *name; /* NULL: in front of the options */
    char *value;
    bool is_bracketed; /* the value begins with a bracket */
};

struct reading {
    struct fate__endpoint *endpoint;
    enum fate__endpoint_use use;
    const char *site;
    const struct form *form;
    struct part parts[PARTS_MAX]; /* the first is the scheme */
    size_t n_parts;
    uint32_t seen; /* a bit for each field */
    fate_value failure;
};

static bool fail(struct reading *r, const char *fmt, ...) FATE_PRINTF(2, 3);

static bool fail(struct reading *r, const char *fmt, ...)
{
    char why[4 * FATE__SHOWN_BYTES], text[FATE__SHOWN_BYTES];
    va_list args;

    va_start(args, fmt);
    vsnprintf(why, sizeof why, fmt, args);
    va_end(args);
    r->failure = fate__raise(r->site, &FATE_ENDPOINT_ERROR, "%s %s: %s", uses[r->use].doing,
                             fate__shown(r->endpoint->text, strlen(r->endpoint->text), text), why);
    return false;
}

/* The same about a value, with how it should be. */
static bool refuse(struct reading *r, const char *what, const char *value, const char *is)
{
    char text[FATE__SHOWN_BYTES];

    return fail(r, "the %s \"%s\" is %s, as in %s", what, fate__shown(value, strlen(value), text), is,
                r->form->example);
}

/* ---- Splitting ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* What may be the name of an option; so a path with a = in it need not be escaped. */
static bool is_word(const char *from, const char *end)
{
    if (from == end || !is_letter(*from))
        return false;
    for (; from < end; from++)
        if (!is_letter(*from) && (*from < '0' || *from > '9') && *from != '-' && *from != '_')
            return false;
    return true;
}

/* Copies a part up to its colon, without the escapes; returns where it ends, or NULL. */
static const char *copy_part(struct reading *r, struct part *part, const char *from, char **to)
{
    char *at = *to;
    bool is_inside = false;

    *part = (struct part){ .value = at };
    for (; *from && (*from != ':' || is_inside); from++) {
        if (*from == '\\') {
            if (!from[1] || !strchr(":\\=[]", from[1])) {
                fail(r, "a backslash stands before a colon, a backslash, a bracket or a = only; one of its "
                        "own is written \\\\");
                return NULL;
            }
            *at++ = *++from;
        } else if (*from == '=' && !is_inside && r->n_parts > 0 && !part->name && is_word(part->value, at)) {
            *at++ = '\0';
            part->name = part->value;
            part->value = at;
        } else {
            if (*from == '[' && at == part->value)
                is_inside = part->is_bracketed = true;
            is_inside = is_inside && *from != ']';
            *at++ = *from;
        }
    }
    *at++ = '\0';
    *to = at;
    if (is_inside)
        fail(r, "a [ has no ]; an IPv6 address is written as in tcp:[::1]:80");
    return is_inside ? NULL : from;
}

static bool split(struct reading *r, const char *text, char *to)
{
    for (;;) {
        if (r->n_parts == PARTS_MAX)
            return fail(r, "it has more than %d parts; a colon inside a part is written \\:", PARTS_MAX);
        text = copy_part(r, &r->parts[r->n_parts], text, &to);
        if (!text)
            return false;
        r->n_parts++;
        if (!*text)
            return true;
        text++;
    }
}

/* ---- The scheme ---- */

static const struct form *find_form(const char *scheme, enum fate__endpoint_use use)
{
    for (size_t i = 0; i < N_FORMS; i++)
        if (forms[i].use == use && strcmp(forms[i].scheme, scheme) == 0)
            return &forms[i];
    return NULL;
}

static bool are_digits(const char *text)
{
    return *text && strspn(text, "0123456789") == strlen(text);
}

/* What somebody has probably meant who has left the scheme out; NULL: it does not look so. */
static const char *lacking_scheme(const struct reading *r)
{
    const char *first = r->parts[0].value;

    if (first[0] == '/' || first[0] == '.' || first[0] == '@')
        return r->use == FATE__FOR_DATAGRAMS ? "unixgram" : "unix";
    bool has_port = r->n_parts == 2 && !r->parts[1].name && are_digits(r->parts[1].value);
    if (has_port || r->parts[0].is_bracketed || are_digits(first))
        return r->use == FATE__FOR_DATAGRAMS ? "udp" : "tcp";
    return NULL;
}

static size_t schemes_of(enum fate__endpoint_use use, const char *ret_names[N_FORMS])
{
    size_t n = 0;

    for (size_t i = 0; i < N_FORMS; i++)
        if (forms[i].use == use)
            ret_names[n++] = forms[i].scheme;
    return n;
}

static bool refuse_unknown_scheme(struct reading *r)
{
    const char *names[N_FORMS], *scheme = r->parts[0].value;
    size_t n = schemes_of(r->use, names);
    const char *meant = fate__suggest(scheme, names, n), *lacking = lacking_scheme(r);
    char text[FATE__SHOWN_BYTES], all[FATE__SHOWN_BYTES] = "";

    fate__shown(scheme, strlen(scheme), text);
    if (meant && !are_digits(scheme))
        return fail(r, "there are no \"%s:\" endpoints; did you mean \"%s:\", as in %s?", text, meant,
                    find_form(meant, r->use)->example);
    if (lacking)
        return fail(r, "it does not say of what kind it is; did you mean %s:%s?", lacking,
                    fate__shown(r->endpoint->text, strlen(r->endpoint->text), all));
    for (size_t i = 0, len = 0; i < n; i++)
        len += (size_t)snprintf(all + len, sizeof all - len, "%s%s:", i ? ", " : "", names[i]);
    return fail(r, "there are no \"%s:\" endpoints; there are %s", text, all);
}

static bool read_scheme(struct reading *r)
{
    const char *scheme = r->parts[0].value;

    r->form = find_form(scheme, r->use);
    if (r->form)
        return true;
    if (r->n_parts == 1 && !*scheme)
        return fail(r, "it is empty; endpoints are written as in %s",
                    find_form(r->use == FATE__FOR_DATAGRAMS ? "udp" : "tcp", r->use)->example);
    for (size_t other = 0; other < sizeof uses / sizeof *uses; other++)
        if (find_form(scheme, (enum fate__endpoint_use)other))
            return fail(r, "%s: is for %s", scheme, uses[other].functions);
    return refuse_unknown_scheme(r);
}

/* ---- Values ---- */

static bool read_number(struct reading *r, const char *what, const char *value, uint32_t min, uint32_t max,
                        uint32_t *ret_number)
{
    char is[80];

    if (fate__read_number(value, strlen(value), max, ret_number) && *ret_number >= min)
        return true;
    snprintf(is, sizeof is, "no number from %u to %u", (unsigned)min, (unsigned)max);
    return refuse(r, what, value, is);
}

static bool set_port(struct reading *r, struct part *part)
{
    bool is_peers = r->use == FATE__TO_CONNECT || (r->use == FATE__FOR_DATAGRAMS && r->endpoint->host);
    uint32_t port;

    if (!read_number(r, "port", part->value, is_peers, 65535, &port))
        return false;
    r->endpoint->port = port;
    return true;
}

static bool is_of_family(struct reading *r, const char *what, const char *value, int family)
{
    if (r->endpoint->family == AF_UNSPEC || r->endpoint->family == family)
        return true;
    return refuse(r, what, value,
                  family == AF_INET ? "an IPv4 address, and this kind of endpoint takes IPv6 alone"
                                    : "an IPv6 address, and this kind of endpoint takes IPv4 alone");
}

static bool strip_brackets(struct reading *r, const char *what, struct part *part)
{
    size_t len = strlen(part->value);

    if (!part->is_bracketed)
        return true;
    if (part->value[len - 1] != ']')
        return refuse(r, what, part->value, "more than an address in brackets");
    part->value[len - 1] = '\0';
    part->value++;
    return true;
}

/* A name or an address. */
static bool read_host(struct reading *r, const char *what, struct part *part)
{
    fate_address address;

    if (!strip_brackets(r, what, part))
        return false;
    const char *value = part->value;
    int why = fate__address_literal(value, strlen(value), &address);
    if (why == 0)
        return is_of_family(r, what, value, address.family);
    if (why == -ENODEV)
        return refuse(r, what, value, "an address of an interface that is not there");
    if (part->is_bracketed || strchr(value, ':'))
        return refuse(r, what, value, "no IPv6 address");
    if (strncmp(value, "//", 2) == 0)
        return refuse(r, what, value, "written with slashes, which endpoints do not have");
    const char *fault = fate__name_fault(value);
    return !fault || refuse(r, what, value, fault);
}

static bool set_host(struct reading *r, struct part *part)
{
    if (!read_host(r, "host", part))
        return false;
    r->endpoint->host = part->value;
    return true;
}

static bool set_interface(struct reading *r, struct part *part)
{
    if (strcmp(part->value, "*") == 0)
        return refuse(r, "interface", part->value, "left out where all are meant");
    if (!read_host(r, "interface", part))
        return false;
    r->endpoint->host = part->value;
    return true;
}

static bool set_local(struct reading *r, struct part *part)
{
    fate_address address;

    if (!strip_brackets(r, "interface", part))
        return false;
    if (fate__address_literal(part->value, strlen(part->value), &address) < 0)
        return refuse(r, "interface", part->value, "no address of this host");
    r->endpoint->bind = part->value;
    return is_of_family(r, "interface", part->value, address.family);
}

/* An address and perhaps a port: "10.0.0.2", "10.0.0.2:5000", "[::1]:5000". */
static bool set_bind(struct reading *r, struct part *part)
{
    fate_address address;
    char *host = part->value;

    if (fate_address_parse(host, &address) < 0)
        return refuse(r, "bind", host,
                      "no address of this host, with or without a port (bind=10.0.0.2\\:5000)");
    if (!is_of_family(r, "bind", host, address.family))
        return false;
    char *colon = strchr(host, ':');
    if (host[0] == '[')
        *strchr(++host, ']') = '\0';
    else if (colon && !strchr(colon + 1, ':'))
        *colon = '\0';
    r->endpoint->bind = host;
    r->endpoint->bind_port = address.port;
    return true;
}

static bool set_path(struct reading *r, struct part *part)
{
    const char *path = part->value;
    size_t len = strlen(path), len_max = PATH_BYTES_MAX + (path[0] == '@');

    if (path[0] == '@' && len == 1)
        return refuse(r, "path", path, "an abstract name without a name");
    if (len > len_max)
        return fail(r,
                    "its path has %zu bytes, and those of UNIX sockets have %d at most; use a shorter one, "
                    "or an abstract name as in unix:@name",
                    len - (path[0] == '@'), PATH_BYTES_MAX);
    r->endpoint->name = part->value;
    return true;
}

static bool set_name(struct reading *r, struct part *part)
{
    r->endpoint->name = part->value;
    return true;
}

static bool set_number(struct reading *r, struct part *part)
{
    uint32_t number;

    if (!read_number(r, "number", part->value, 0, INT32_MAX, &number))
        return false;
    r->endpoint->number = (int)number;
    return true;
}

static bool set_index(struct reading *r, struct part *part)
{
    uint32_t number;

    if (r->endpoint->name)
        return fail(r, "it has a name and an index, and one of them is enough");
    if (!read_number(r, "index", part->value, 0, INT32_MAX, &number))
        return false;
    r->endpoint->number = (int)number;
    return true;
}

static bool set_slot(struct reading *r, struct part *part)
{
    if (r->endpoint->number >= 0)
        return fail(r, "it has a name and an index, and one of them is enough");
    return are_digits(part->value) ? set_index(r, part) : set_name(r, part);
}

/* One of some words; its place among them, or n: it is none. */
static size_t read_word(struct reading *r, const char *what, const char *value, const char *const words[],
                        size_t n)
{
    char text[FATE__SHOWN_BYTES], all[FATE__SHOWN_BYTES] = "";

    for (size_t i = 0; i < n; i++)
        if (strcmp(value, words[i]) == 0)
            return i;
    for (size_t i = 0, len = 0; i < n; i++)
        len += (size_t)snprintf(all + len, sizeof all - len, "%s%s", i ? ", " : "", words[i]);
    const char *meant = fate__suggest(value, words, n);
    fail(r, "%s \"%s\" is none of %s%s%s%s", what, fate__shown(value, strlen(value), text), all,
         meant ? "; did you mean " : "", meant ? meant : "", meant ? "?" : "");
    return n;
}

static bool set_domain(struct reading *r, struct part *part)
{
    static const char *const words[] = { "INET", "INET6", "UNIX" };
    static const int families[] = { AF_INET, AF_INET6, AF_UNIX };
    size_t i = read_word(r, "domain", part->value, words, 3);

    if (i == 3)
        return false;
    r->endpoint->family = families[i];
    return true;
}

static bool set_shared(struct reading *r, struct part *part)
{
    static const char *const words[] = { "yes", "no" };
    size_t i = read_word(r, "reuseport", part->value, words, 2);

    r->endpoint->share_port = i == 0;
    return i < 2;
}

static bool set_mode(struct reading *r, struct part *part)
{
    const char *value = part->value;
    size_t len = strlen(value);
    char text[FATE__SHOWN_BYTES];
    int mode = 0;

    if (len < 3 || len > 4 || strspn(value, "01234567") != len || (len == 4 && value[0] != '0'))
        return fail(r, "the mode \"%s\" is not three octal digits, as in mode=660",
                    fate__shown(value, strlen(value), text));
    for (; *value; value++)
        mode = mode * 8 + (*value - '0');
    r->endpoint->mode = mode;
    return true;
}

static bool set_backlog(struct reading *r, struct part *part)
{
    char text[FATE__SHOWN_BYTES];
    uint32_t number;

    if (!fate__read_number(part->value, strlen(part->value), 65535, &number) || number == 0)
        return fail(r, "the backlog \"%s\" is no number from 1 to 65535, as in backlog=511",
                    fate__shown(part->value, strlen(part->value), text));
    r->endpoint->backlog = (int)number;
    return true;
}

static bool set_certificate(struct reading *r, struct part *part)
{
    r->endpoint->certificate = part->value;
    return true;
}

static bool set_key(struct reading *r, struct part *part)
{
    r->endpoint->key = part->value;
    return true;
}

static bool set_peer_name(struct reading *r, struct part *part)
{
    r->endpoint->peer_name = part->value;
    return true;
}

static const struct {
    const char *name;
    bool (*set)(struct reading *r, struct part *part);
} fields[N_FIELDS] = {
    [HOST] = { "host", set_host },
    [PORT] = { "port", set_port },
    [INTERFACE] = { "interface", set_interface },
    [LOCAL] = { "interface", set_local },
    [BIND] = { "bind", set_bind },
    [PATH] = { "path", set_path },
    [NAME] = { "name", set_name },
    [SLOT] = { "name", set_slot },
    [INDEX] = { "index", set_index },
    [DOMAIN] = { "domain", set_domain },
    [NUMBER] = { "number", set_number },
    [MODE] = { "mode", set_mode },
    [BACKLOG] = { "backlog", set_backlog },
    [SHARED] = { "reuseport", set_shared },
    [CERTIFICATE] = { "cert", set_certificate },
    [KEY] = { "key", set_key },
    [PEER_NAME] = { "name", set_peer_name },
};

/* ---- Parts and options ---- */

static bool set(struct reading *r, enum field field, struct part *part)
{
    const char *name = fields[field].name;

    if (r->seen & (UINT32_C(1) << field))
        return fail(r, "its %s is given twice", name);
    r->seen |= UINT32_C(1) << field;
    if (!*part->value)
        return fail(r, "its %s is empty, unlike in %s%s", name, r->form->example,
                    field == HOST || field == INTERFACE || field == PORT
                        ? "; an IPv6 address is written in brackets, [::1]"
                        : "");
    return fields[field].set(r, part);
}

/* All that may be given by name; how many. */
static size_t fields_of(const struct form *form, unsigned char ret_fields[POSITIONS_MAX + OPTIONS_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < OPTIONS_MAX && form->options[i]; i++)
        ret_fields[n++] = form->options[i];
    for (size_t i = 0; i < POSITIONS_MAX && form->positions[i]; i++)
        ret_fields[n++] = form->positions[i];
    return n;
}

static bool set_option(struct reading *r, struct part *part)
{
    unsigned char known[POSITIONS_MAX + OPTIONS_MAX];
    const char *names[POSITIONS_MAX + OPTIONS_MAX];
    char text[FATE__SHOWN_BYTES], all[FATE__SHOWN_BYTES] = "";
    size_t n = fields_of(r->form, known), len = 0;

    for (size_t i = 0; i < n; i++) {
        names[i] = fields[known[i]].name;
        if (strcmp(names[i], part->name) == 0)
            return set(r, (enum field)known[i], part);
        len += (size_t)snprintf(all + len, sizeof all - len, "%s%s=", i ? ", " : "", names[i]);
    }
    fate__shown(part->name, strlen(part->name), text);
    const char *meant = fate__suggest(part->name, names, n);
    if (meant)
        return fail(r, "%s: has no \"%s=\" here; did you mean \"%s=\"?", r->form->scheme, text, meant);
    return fail(r, "%s: has no \"%s=\" here; it has %s", r->form->scheme, text, all);
}

static size_t count_positions(const struct form *form)
{
    size_t n = 0;

    while (n < POSITIONS_MAX && form->positions[n])
        n++;
    return n;
}

/* Is the field given by its name? */
static bool is_named(const struct reading *r, enum field field)
{
    for (size_t i = 1; i < r->n_parts; i++)
        if (r->parts[i].name && strcmp(r->parts[i].name, fields[field].name) == 0)
            return true;
    return false;
}

static bool refuse_surplus(struct reading *r, size_t n_positions, const struct part *part)
{
    char text[FATE__SHOWN_BYTES];

    if (n_positions > 1)
        return fail(r,
                    "it has more than a host and a port in front of its options; it is written as in %s, "
                    "with an IPv6 address in brackets: [::1]",
                    r->form->example);
    return fail(r,
                "\"%s\" is more than %s: takes, which is written as in %s; a colon inside a part is "
                "written \\:",
                fate__shown(part->value, strlen(part->value), text), r->form->scheme, r->form->example);
}

/* How many parts stand in front of the options; SIZE_MAX: one stands behind. */
static size_t count_front(struct reading *r)
{
    char text[FATE__SHOWN_BYTES];
    size_t n = 1;

    while (n < r->n_parts && !r->parts[n].name)
        n++;
    for (size_t i = n; i < r->n_parts; i++)
        if (!r->parts[i].name) {
            fail(r, "\"%s\" stands behind an option and is none; a colon inside a part is written \\:",
                 fate__shown(r->parts[i].value, strlen(r->parts[i].value), text));
            return SIZE_MAX;
        }
    return n - 1;
}

static bool read_parts(struct reading *r)
{
    const struct form *form = r->form;
    size_t n_positions = count_positions(form), n_front = count_front(r), skipped = 0;

    if (n_front == SIZE_MAX)
        return false;
    if (n_front > n_positions)
        return refuse_surplus(r, n_positions, &r->parts[n_positions + 1]);
    /* A single part is the port, unless that is given by its name. */
    if (form->may_lack_first && n_front == 1) {
        enum field last = (enum field)form->positions[n_positions - 1];
        if (!is_named(r, last) || are_digits(r->parts[1].value))
            skipped = n_positions - 1;
    }
    for (size_t i = 0; i < n_front; i++)
        if (!set(r, (enum field)form->positions[skipped + i], &r->parts[i + 1]))
            return false;
    for (size_t i = n_front + 1; i < r->n_parts; i++)
        if (!set_option(r, &r->parts[i]))
            return false;
    return true;
}

static bool lacks(const struct reading *r, enum field field)
{
    return !(r->seen & (UINT32_C(1) << field));
}

/* A host without a port is told from a port without a host. */
static bool refuse_lacking(struct reading *r, enum field field)
{
    if (field == PORT && r->use == FATE__TO_CONNECT && r->endpoint->host && are_digits(r->endpoint->host))
        field = HOST;
    return fail(r, "its %s is missing; it is written as in %s", fields[field].name, r->form->example);
}

static bool check_whole(struct reading *r)
{
    const struct form *form = r->form;

    if (form->kind == FATE__ENDPOINT_SYSTEMD)
        return r->endpoint->name || r->endpoint->number >= 0 || refuse_lacking(r, SLOT);
    for (size_t i = form->may_lack_first; i < count_positions(form); i++)
        if (lacks(r, (enum field)form->positions[i]))
            return refuse_lacking(r, (enum field)form->positions[i]);
    if (r->use == FATE__FOR_DATAGRAMS && r->endpoint->host && r->endpoint->port == 0)
        return fail(r, "its port is 0, to which nothing can be sent");
    if (!lacks(r, LOCAL) && !lacks(r, BIND))
        return fail(r, "it has interface= and bind=, which are the same here");
    return true;
}

/* ---- All of it ---- */

static bool read_all(struct reading *r)
{
    struct fate__endpoint *endpoint = r->endpoint;
    size_t len = strlen(endpoint->text);

    if (!split(r, endpoint->text, endpoint->memory + len + 1) || !read_scheme(r))
        return false;
    endpoint->kind = r->form->kind;
    endpoint->family = r->form->family;
    return read_parts(r) && check_whole(r);
}

/* In the memory lie the text as it was written, and its parts. */
static bool copy_text(const char *text, struct fate__endpoint *ret)
{
    size_t len = strlen(text);

    *ret = (struct fate__endpoint){ .number = -1, .mode = -1, .memory = fate__alloc(2 * (len + 1)) };
    if (!ret->memory)
        return false;
    ret->text = memcpy(ret->memory, text, len + 1);
    return true;
}

fate_value fate__endpoint_read(const char *text, enum fate__endpoint_use use, const char *site,
                               struct fate__endpoint *ret_endpoint)
{
    struct fate__endpoint endpoint;
    struct reading r = { .endpoint = &endpoint, .use = use, .site = site };
    char start[FATE__SHOWN_BYTES];

    if (!text)
        fate__stop(site, "%s was given a NULL endpoint. It is a text as in \"tcp:8080\".",
                   uses[use].functions);
    if (strnlen(text, TEXT_BYTES_MAX + 1) > TEXT_BYTES_MAX)
        return fate__raise(site, &FATE_ENDPOINT_ERROR, "%s %s: it is longer than %d bytes", uses[use].doing,
                           fate__shown(text, strlen(text), start), TEXT_BYTES_MAX);
    if (!copy_text(text, &endpoint))
        return fate__no_memory();
    if (!read_all(&r)) {
        fate__endpoint_done(&endpoint);
        return r.failure;
    }
    *ret_endpoint = endpoint;
    return fate_none();
}

void fate__endpoint_done(struct fate__endpoint *endpoint)
{
    fate__free(endpoint->memory);
    *endpoint = (struct fate__endpoint){ 0 };
}
