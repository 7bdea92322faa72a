/* Hosts: what a URL may name, in one writing each. */
#include <http/url_host.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include <http/idn.h>

#define NAME_MAX_BYTES  253 /* RFC 1035, 3.1, as text */
#define LABEL_MAX_BYTES 63

static int refuse(struct fate__why *why, struct fate__slice host, const char *what)
{
    char shown[FATE__SHOWN_BYTES];

    return fate__because(why, -EINVAL, "the host \"%s\" %s", fate__shown(host.s, host.len, shown), what);
}

/* ---- IPv6 ---- */

static int add_ipv6(struct fate__text *to, struct fate__slice host, struct fate__why *why)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    size_t len = host.len - 2;

    if (host.s[host.len - 1] != ']')
        return refuse(why, host, "has a [ without a ] at its end");
    if (memchr(host.s, '%', host.len))
        return refuse(why, host,
                      "has a zone, which means nothing to others: leave out the % and what follows");
    if (len >= sizeof text || memchr(host.s, '\0', host.len))
        return refuse(why, host, "is no IPv6 address: write one as [2001:db8::1]");
    memcpy(text, host.s + 1, len);
    text[len] = '\0';
    if (inet_pton(AF_INET6, text, &address) != 1)
        return refuse(why, host, "is no IPv6 address: write one as [2001:db8::1]");
    fate__text_add(to, inet_ntop(AF_INET6, &address, text, sizeof text));
    return to->has_failed ? -ENOMEM : 0;
}

/* ---- IPv4 ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_number(const char *s, size_t len)
{
    size_t i = len > 1 && s[0] == '0' && s[1] == 'x' ? 2 : 0;
    bool is_hex = i == 2;

    for (; i < len; i++)
        if (!is_digit(s[i]) && !(is_hex && s[i] >= 'a' && s[i] <= 'f'))
            return false;
    return len > 0;
}

/* A name whose last label is a number is an address to inet_aton and to browsers, whatever DNS says. */
static bool ends_in_number(const char *s, size_t len)
{
    if (len && s[len - 1] == '.')
        len--;
    const char *dot = len ? memrchr(s, '.', len) : NULL;
    const char *last = dot ? dot + 1 : s;
    return is_number(last, len - (size_t)(last - s));
}

/* One of four numbers, as they are written today: no zero in front, since some take that for octal. */
static bool take_byte(const char **s)
{
    unsigned n = 0, n_digits = 0;
    bool has_zero = **s == '0';

    for (; is_digit(**s) && n_digits < 4; n_digits++, ++*s)
        n = n * 10 + (unsigned)(**s - '0');
    return n_digits && n <= 255 && n_digits <= 3 && !(has_zero && n_digits > 1);
}

static bool is_ipv4(const char *s)
{
    for (int i = 0; i < 4; i++) {
        if (!take_byte(&s))
            return false;
        if (i < 3 && *s++ != '.')
            return false;
    }
    return *s == '\0';
}

/* ---- Names ---- */

static bool is_name_byte(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.';
}

/* Most names are written in the one way already. */
static bool is_plain(struct fate__slice s)
{
    size_t n = 0;

    while (n < s.len && is_name_byte(s.s[n]))
        n++;
    return n == s.len;
}

static bool is_ascii(struct fate__slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.s[i] >= 0x80)
            return false;
    return true;
}

/* Asked before libidn2 is, whose texts end at a NUL. */
static bool has_control(struct fate__slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.s[i] <= ' ' || s.s[i] == 0x7f)
            return true;
    return false;
}

/* One dot may follow the last label: the name is then whole, and DNS tries no domains behind it. */
static const char *label_problem(const char *name, size_t len)
{
    size_t label = 0;

    for (size_t i = 0; i < len; i++) {
        if (name[i] == '.' && label == 0)
            return "has an empty part: two dots, or one in front";
        label = name[i] == '.' ? 0 : label + 1;
        if (label > LABEL_MAX_BYTES)
            return "has a part of more than 63 bytes, which no name has";
    }
    size_t last_dot = len && name[len - 1] == '.';
    return len - last_dot > NAME_MAX_BYTES ? "has more than 253 bytes, which no name has" : NULL;
}

static int check_bytes(struct fate__slice host, const char *name, size_t len, struct fate__why *why)
{
    char what[64], shown[FATE__SHOWN_BYTES];

    for (size_t i = 0; i < len; i++) {
        if (name[i] == '%')
            return refuse(why, host, "is percent-encoded: write the name itself");
        if (is_name_byte(name[i]))
            continue;
        snprintf(what, sizeof what, "may not have \"%.20s\"", fate__shown(name + i, 1, shown));
        return refuse(why, host, what);
    }
    return 0;
}

static void make_lower(char *s)
{
    for (; *s; s++)
        if (*s >= 'A' && *s <= 'Z')
            *s = (char)(*s - 'A' + 'a');
}

/* In small letters and in ASCII. */
static int add_converted(struct fate__text *to, struct fate__slice host, struct fate__why *why)
{
    size_t before = to->len;
    int error = 0;

    if (has_control(host))
        return refuse(why, host, "has a blank or a control byte: leave it out");
    if (is_ascii(host))
        fate__text_add_n(to, host.s, host.len);
    else
        error = fate__idn_add(to, host, why);
    if (error < 0 || to->has_failed)
        return error < 0 ? error : -ENOMEM;
    make_lower(to->bytes + before);
    return check_bytes(host, to->bytes + before, to->len - before, why);
}

static int check_name(struct fate__slice host, const char *name, size_t len, enum fate__host_kind *ret_kind,
                      struct fate__why *why)
{
    const char *problem = label_problem(name, len);

    if (problem)
        return refuse(why, host, problem);
    if (!ends_in_number(name, len))
        return 0;
    *ret_kind = FATE__HOST_IPV4;
    return is_ipv4(name) ? 0
                         : refuse(why, host,
                                  "ends in a number but is no IPv4 address: write four numbers of 0 to "
                                  "255, without zeros in front");
}

static int add_name(struct fate__text *to, struct fate__slice host, enum fate__host_kind *ret_kind,
                    struct fate__why *why)
{
    size_t before = to->len;
    int error = 0;

    if (is_plain(host))
        fate__text_add_n(to, host.s, host.len);
    else
        error = add_converted(to, host, why);
    if (error < 0 || to->has_failed)
        return error < 0 ? error : -ENOMEM;
    return check_name(host, to->bytes + before, to->len - before, ret_kind, why);
}

int fate__host_add(struct fate__text *to, struct fate__slice host, enum fate__host_kind *ret_kind,
                   struct fate__why *why)
{
    if (!host.len)
        return fate__because(why, -EINVAL,
                             "there is no host: write one behind the //, as in http://example.org/");
    if (host.s[0] == '[') {
        *ret_kind = FATE__HOST_IPV6;
        return add_ipv6(to, host, why);
    }
    *ret_kind = FATE__HOST_NAME;
    return add_name(to, host, ret_kind, why);
}
