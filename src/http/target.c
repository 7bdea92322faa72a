/* Request targets in their four forms (RFC 9112, 3.2), and hosts (RFC 3986, 3.2.2). */
#include <http/parse.h>

#include <arpa/inet.h>
#include <string.h>

#define PORT_MAX 65535

/* ---- Hosts ---- */

/* Four digits cannot be too many. */
static bool is_port(const char *digits, const char *end)
{
    if (fate__http_skip(digits, FATE__HTTP_DIGIT) != end)
        return false;
    if (end - digits <= 4)
        return true;
    int64_t port = fate__http_number((struct fate__http_slice){ digits, (size_t)(end - digits) });
    return port >= 0 && port <= PORT_MAX;
}

/* An IPv6 address in brackets.  Names of zones are not for the wire: RFC 6874, 4.  NULL: it is none. */
static const char *skip_literal(const char *s, const char *end)
{
    const char *from = s + 1, *to = memchr(s, ']', (size_t)(end - s));
    char text[INET6_ADDRSTRLEN] = { 0 };
    struct in6_addr address;

    if (!to || (size_t)(to - from) >= sizeof text)
        return NULL;
    memcpy(text, from, (size_t)(to - from));
    return inet_pton(AF_INET6, text, &address) == 1 ? to + 1 : NULL;
}

/* Letters, digits and the like, and percent signs with two digits.  NULL: it is no name. */
static const char *skip_name(const char *s, const char *end)
{
    const char *from = s;

    while (*(s = fate__http_skip(s, FATE__HTTP_HOST)) == '%' && s < end) {
        if (end - s < 3 || !fate__http_is(s[1], FATE__HTTP_HEX) || !fate__http_is(s[2], FATE__HTTP_HEX))
            return NULL;
        s += 3;
    }
    return s > from ? s : NULL;
}

bool fate__http_is_host(struct fate__http_slice host)
{
    const char *end = host.at + host.len;

    if (!host.len)
        return false;
    const char *s = *host.at == '[' ? skip_literal(host.at, end) : skip_name(host.at, end);
    if (!s || s == end)
        return s != NULL;
    return *s == ':' && is_port(s + 1, end);
}

/* ---- Targets ---- */

static const char *read_authority(struct fate__http_head *head)
{
    struct fate__http_slice target = fate__http_at(&head->fields, head->target);
    char last = target.at[target.len - 1];

    head->form = FATE__HTTP_AUTHORITY_FORM;
    head->host = head->target;
    if (!fate__http_is_host(target) || !memrchr(target.at, ':', target.len) || last == ':' || last == ']')
        return "CONNECT to what is not HOST:PORT (RFC 9112, 3.2.3)";
    return NULL;
}

static bool begins_with(struct fate__http_slice text, const char *prefix, size_t len)
{
    return text.len > len && fate__http_same((struct fate__http_slice){ text.at, len },
                                             (struct fate__http_slice){ prefix, len });
}

/* A host here is instead of the field Host: RFC 9112, 3.2.2.  Users and passwords are refused, as RFC
 * 9110, 4.2.4 advises: what a host is must be the same for all who look. */
static const char *read_absolute(struct fate__http_head *head)
{
    struct fate__http_slice target = fate__http_at(&head->fields, head->target);
    bool is_https = begins_with(target, "https://", 8);
    uint32_t scheme_len = is_https ? 8 : 7, len = scheme_len;

    if (!is_https && !begins_with(target, "http://", 7))
        return "a target that is neither a path nor begins with http:// or https:// (RFC 9112, 3.2)";
    while (len < target.len && target.at[len] != '/' && target.at[len] != '?')
        len++;
    if (!fate__http_is_host((struct fate__http_slice){ target.at + scheme_len, len - scheme_len }))
        return "a target whose host is none (RFC 9110, 4.2)";
    head->form = FATE__HTTP_ABSOLUTE_FORM;
    head->is_https = is_https;
    head->host = (struct fate__http_span){ head->target.at + scheme_len, len - scheme_len };
    head->path = (struct fate__http_span){ head->target.at + len, head->target.len - len };
    return NULL;
}

const char *fate__http_read_target(struct fate__http_head *head)
{
    const char *target = head->fields.bytes + head->target.at;

    if (head->method == FATE__HTTP_CONNECT)
        return read_authority(head);
    if (*target == '/') {
        head->path = head->target;
        return NULL;
    }
    if (head->target.len > 1 || *target != '*')
        return read_absolute(head);
    head->form = FATE__HTTP_ASTERISK_FORM;
    return head->method == FATE__HTTP_OPTIONS ? NULL : "the target * of a method that is not OPTIONS";
}

bool fate__http_is_target(struct fate__http_slice target, enum fate__http_method method)
{
    struct fate__http_head head = { .fields.bytes = target.at,
                                    .target.len = (uint32_t)target.len,
                                    .method = (uint8_t)method };

    return target.len && target.len <= UINT32_MAX && fate__http_all(target, FATE__HTTP_TARGET) &&
           !fate__http_read_target(&head);
}
