/* What `fate get` is to do: which page goes to which file, in which order, and how many at once. */
#include <get.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <base/alloc.h>
#include <output_sink.h>

/* ---- Files ---- */

char *fate__get_file_name(const char *url)
{
    const char *scheme = strstr(url, "://"), *path = scheme ? scheme + 3 : url;
    size_t len = strcspn(path, "?#"), at = len;

    while (at && path[at - 1] != '/')
        at--;
    const char *name = path + at;
    len -= at;
    bool is_none = !len || (!at && scheme) || (len <= 2 && strncmp(name, "..", len) == 0);
    if (is_none) {
        name = "index.html";
        len = strlen(name);
    }
    char *copy = fate__zalloc(len + 1);
    return copy ? memcpy(copy, name, len) : NULL;
}

static uint32_t hash_of(const char *s, size_t len)
{
    uint32_t hash = 2166136261u;

    while (len--)
        hash = (hash ^ (unsigned char)(*s++ | 0x20)) * 16777619u;
    return hash;
}

static bool is_taken(const struct fate__get *get, const struct fate__page *page, const char *name)
{
    uint32_t hash = hash_of(name, strlen(name));

    for (const struct fate__page *other = get->pages; other < page; other++)
        if (other->file_hash == hash && strcmp(other->own_file, name) == 0)
            return true;
    return false;
}

/* The number behind the last file of that name; 0: there is none. */
static unsigned last_number(const struct fate__get *get, const struct fate__page *page, const char *name)
{
    size_t len = strlen(name);

    for (const struct fate__page *other = page; other-- > get->pages;)
        if (other->n_name_bytes == len && strncmp(other->own_file, name, len) == 0)
            return other->file_number;
    return 0;
}

/* Two pages of one name are "name" and "name.1". */
static int name_file(struct fate__get *get, struct fate__page *page)
{
    char *first = fate__get_file_name(page->url);
    struct fate__text name = { 0 };

    if (!first)
        return -ENOMEM;
    unsigned number = last_number(get, page, first);
    fate__text_add(&name, first);
    while (!name.has_failed && is_taken(get, page, name.bytes)) {
        name.len = 0;
        fate__text_format(&name, "%s.%u", first, ++number);
    }
    page->n_name_bytes = strlen(first);
    page->file_number = number;
    fate__free(first);
    page->own_file = name.bytes;
    page->outcome.file = name.bytes;
    if (name.has_failed)
        return -ENOMEM;
    page->file_hash = hash_of(name.bytes, name.len);
    return 0;
}

/* Two pages in one file would be mixed, or the later one replace the other. */
static int check_outputs(const struct fate__texts *outputs, struct fate__why *why)
{
    for (size_t i = 0; i < outputs->n; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(outputs->items[i], outputs->items[k]) == 0 && !fate__is_device(outputs->items[i]))
                return fate__because(why, -EINVAL, "--output=%s is there twice: each page needs its own",
                                     outputs->items[i]);
    return 0;
}

/* "-" is standard output, and so is this, whatever that is. */
static const char *output_name(const char *name)
{
    return strcmp(name, "/dev/stdout") == 0 ? "-" : name;
}

static int plan_files(struct fate__get *get, struct fate__why *why)
{
    const struct fate__texts *outputs = &get->settings->outputs;

    if (outputs->n && get->settings->by_remote_name)
        return fate__because(why, -EINVAL, "--output and --remote-name: only one of them can name the files");
    if (outputs->n && outputs->n != get->n)
        return fate__because(why, -EINVAL,
                             "--output names %zu files for %zu URLs: give one for each, or --remote-name",
                             outputs->n, get->n);
    for (size_t i = 0; i < get->n; i++) {
        if (outputs->n)
            get->pages[i].outcome.file = output_name(outputs->items[i]);
        if (outputs->n && get->settings->as_json && strcmp(get->pages[i].outcome.file, "-") == 0)
            return fate__because(why, -EINVAL,
                                 "--output=- and --json: only one of them can be written to "
                                 "standard output");
        if (get->settings->by_remote_name && name_file(get, &get->pages[i]) < 0)
            return -ENOMEM;
    }
    return check_outputs(outputs, why);
}

/* ---- Passwords ---- */

/* Reports end in logs, where passwords have no place. */
char *fate__get_shown_url(const char *url, bool *ret_is_no_memory)
{
    const char *scheme = strstr(url, "://"), *user = scheme ? scheme + 3 : url;
    size_t len = strcspn(user, "/?#");
    const char *at = memrchr(user, '@', len), *colon = at ? memchr(user, ':', (size_t)(at - user)) : NULL;
    struct fate__text text = { 0 };

    *ret_is_no_memory = false;
    if (!colon)
        return NULL;
    fate__text_add_n(&text, url, (size_t)(colon + 1 - url));
    fate__text_add(&text, "***");
    fate__text_add(&text, at);
    *ret_is_no_memory = text.has_failed;
    return text.bytes;
}

/* ---- Headers ---- */

static char *part_of(const char *s, size_t len)
{
    char *copy = fate__zalloc(len + 1);

    return copy ? memcpy(copy, s, len) : NULL;
}

/* "Name: value", blanks around the value taken away. */
static int read_header(const char *line, fate_header *ret_header, struct fate__why *why)
{
    const char *colon = strchr(line, ':');
    char shown[FATE__SHOWN_BYTES];

    if (!colon || colon == line)
        return fate__because(why, -EINVAL, "--header: \"%s\" has no name: write NAME:VALUE",
                             fate__shown(line, strlen(line), shown));
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    size_t len = strlen(value);
    while (len && strchr(" \t", value[len - 1]))
        len--;
    ret_header->name = part_of(line, (size_t)(colon - line));
    ret_header->value = ret_header->name ? part_of(value, len) : NULL;
    return ret_header->value ? 0 : -ENOMEM;
}

/* What is packed for the way and what is packed in itself, as x.tar.gz, look alike in an answer: so nothing
 * is packed for the way, and a file has the bytes, and the length, that the server told of. */
static const char as_it_is[] = "Accept-Encoding: identity";

static bool is_about_coding(const fate_header *header)
{
    return strcasecmp(header->name, "Accept-Encoding") == 0;
}

static int plan_headers(struct fate__get *get, struct fate__why *why)
{
    const struct fate__texts *lines = &get->settings->headers;
    bool has_coding = false;

    get->headers = fate__zalloc((lines->n + 2) * sizeof *get->headers);
    if (!get->headers)
        return -ENOMEM;
    for (size_t i = 0; i < lines->n; i++) {
        int error = read_header(lines->items[i], &get->headers[i], why);
        if (error < 0)
            return error;
        has_coding = has_coding || is_about_coding(&get->headers[i]);
    }
    return has_coding ? 0 : read_header(as_it_is, &get->headers[lines->n], why);
}

/* ---- Hosts ---- */

/* The part of a URL between the scheme, or a user, and the path.  A wrong one is a host like others here: the
 * client tells what is wrong. */
static void take_host(const char *url, struct fate__host *ret_host)
{
    const char *scheme = strstr(url, "://"), *host = scheme ? scheme + 3 : url;
    size_t len = strcspn(host, "/?#");

    for (size_t i = len; i > 0; i--) {
        if (host[i - 1] != '@')
            continue;
        host += i;
        len -= i;
        break;
    }
    *ret_host = (struct fate__host){ .name = host, .name_len = len, .hash = hash_of(host, len) };
}

static struct fate__host *host_of(struct fate__get *get, const char *url)
{
    struct fate__host wanted;

    take_host(url, &wanted);
    for (size_t i = 0; i < get->n_hosts; i++) {
        struct fate__host *host = &get->hosts[i];
        if (host->hash == wanted.hash && host->name_len == wanted.name_len &&
            strncasecmp(host->name, wanted.name, wanted.name_len) == 0)
            return host;
    }
    get->hosts[get->n_hosts] = wanted;
    return &get->hosts[get->n_hosts++];
}

static void put_in_line(struct fate__page *page)
{
    struct fate__host *host = page->host;

    if (host->last)
        host->last->next = page;
    else
        host->first = page;
    host->last = page;
}

/* Of the hosts that may have one more, the one whose next page was named first. */
struct fate__page *fate__get_next(struct fate__get *get)
{
    struct fate__host *best = NULL;

    if (get->n_running >= (size_t)get->settings->at_once_max)
        return NULL;
    for (size_t i = 0; i < get->n_hosts; i++) {
        struct fate__host *host = &get->hosts[i];
        bool may_begin = host->first && host->n_running < (size_t)get->settings->per_host_max;
        if (may_begin && (!best || host->first < best->first))
            best = host;
    }
    if (!best)
        return NULL;
    struct fate__page *page = best->first;
    best->first = page->next;
    if (!best->first)
        best->last = NULL;
    return page;
}

/* ---- The whole ---- */

/* 0 or -ENOMEM. */
static int plan_page(struct fate__get *get, struct fate__page *page, const char *url)
{
    bool is_no_memory;

    *page = (struct fate__page){ .get = get, .bar = -1, .url = url };
    page->shown_url = fate__get_shown_url(url, &is_no_memory);
    page->outcome.url = page->shown_url ? page->shown_url : url;
    page->host = host_of(get, url);
    put_in_line(page);
    return is_no_memory ? -ENOMEM : 0;
}

static int plan_pages(struct fate__get *get, size_t n, const char *const *urls)
{
    int error = 0;

    get->pages = fate__zalloc(n * sizeof *get->pages);
    get->hosts = fate__zalloc(n * sizeof *get->hosts);
    if (!get->pages || !get->hosts)
        return -ENOMEM;
    get->n = get->sums.n = n;
    for (size_t i = 0; i < n && error == 0; i++)
        error = plan_page(get, &get->pages[i], urls[i]);
    return error;
}

int fate__get_plan(struct fate__get *get, size_t n, const char *const *urls, struct fate__why *why)
{
    int error = plan_pages(get, n, urls);

    if (!error)
        error = plan_headers(get, why);
    if (!error)
        error = plan_files(get, why);
    return error == -ENOMEM ? fate__because(why, error, "there is no memory for the pages") : error;
}

void fate__get_done(struct fate__get *get)
{
    for (size_t i = 0; i < get->n; i++) {
        fate__free(get->pages[i].own_file);
        fate__free(get->pages[i].shown_url);
        fate_drop(fate_take(&get->pages[i].failure));
    }
    for (fate_header *header = get->headers; header && header->name; header++) {
        fate__free((char *)(uintptr_t)header->name);
        fate__free((char *)(uintptr_t)header->value);
    }
    fate__free(get->headers);
    fate__free(get->hosts);
    fate__free(get->pages);
}
