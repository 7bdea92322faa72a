/* What may be the name of a host (RFC 1123, 2.1; RFC 1035, 2.3.4), and which are the same. */
#include <net/resolve.h>

#include <string.h>

#define NAME_BYTES_MAX  253
#define LABEL_BYTES_MAX 63

/* Underscores are in no host's name by the standard, but in some all the same. */
static bool may_be_in_label(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static const char *label_fault(const char *label, size_t len)
{
    if (len == 0)
        return "no name, since between its dots there is nothing";
    if (len > LABEL_BYTES_MAX)
        return "no name, since a part between dots is longer than 63 bytes";
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)label[i] >= 128)
            return "not in the form of names on the wire, which has ASCII letters alone (xn--...)";
        if (!may_be_in_label(label[i]))
            return "no name of a host, which has letters, digits, hyphens and dots alone";
    }
    return NULL;
}

/* getaddrinfo would take "127.1" and "0x7f000001" for addresses, as nobody expects who has checked them. */
static bool is_number(const char *label, size_t len)
{
    if (len > 2 && label[0] == '0' && (label[1] == 'x' || label[1] == 'X'))
        return strspn(label + 2, "0123456789abcdefABCDEF") >= len - 2;
    return strspn(label, "0123456789") >= len;
}

const char *fate__name_fault(const char *name)
{
    size_t len = strnlen(name, NAME_BYTES_MAX + 2), label_len = 0;
    const char *label = name;

    if (len == 0)
        return "empty";
    if (len - (name[len - 1] == '.') > NAME_BYTES_MAX)
        return "longer than a name may be (253 bytes)";
    for (;; label += label_len + 1) {
        label_len = strcspn(label, ".");
        const char *fault = label_fault(label, label_len);
        if (fault)
            return fault;
        if (!label[label_len] || !label[label_len + 1])
            break;
    }
    if (is_number(label, label_len))
        return "neither a name nor an address, which has four decimal numbers (127.0.0.1)";
    return NULL;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t len_without_dot(const char *name)
{
    size_t len = strlen(name);
    return len > 1 && name[len - 1] == '.' ? len - 1 : len;
}

size_t fate__name_key(const char *name, char ret_key[FATE__NAME_ROOM])
{
    size_t len = len_without_dot(name);

    if (len >= FATE__NAME_ROOM)
        len = FATE__NAME_ROOM - 1;
    for (size_t i = 0; i < len; i++)
        ret_key[i] = lower(name[i]);
    ret_key[len] = '\0';
    return len;
}

/* Is the name that one, or below it? */
static bool is_below(const char *name, const char *top)
{
    const size_t n = strlen(top);
    char key[FATE__NAME_ROOM];
    size_t len = fate__name_key(name, key);

    if (len < n || strcmp(key + len - n, top) != 0)
        return false;
    return len == n || key[len - n - 1] == '.';
}

bool fate__name_is_local(const char *name)
{
    return is_below(name, "localhost");
}

const char *fate__name_not_for_dns(const char *name)
{
    if (is_below(name, "invalid"))
        return "names below invalid are there to be found nowhere (RFC 6761)";
    if (is_below(name, "onion"))
        return "names below onion are Tor's, and servers of DNS are not to hear of them (RFC 7686); a "
               "resolver "
               "for them is set by fate_set_resolver";
    return NULL;
}
