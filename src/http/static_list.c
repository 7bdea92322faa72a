/* The listing of a folder, as HTML. */
#include <http/static.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <base/alloc.h>
#include <base/escape.h>
#include <base/sys.h>
#include <http/percent.h>

#define ENTRIES_MAX 10000 /* more are left out, and it says so */

struct entry {
    char *name;
    bool is_folder;
};

struct listing {
    struct entry *entries;
    size_t n, room;
    bool is_cut;
};

static bool has_room(struct listing *listing)
{
    if (listing->n < listing->room)
        return true;
    size_t room = listing->room ? 2 * listing->room : 64;
    struct entry *entries = fate__realloc(listing->entries, room * sizeof *entries);
    if (!entries)
        return false;
    listing->entries = entries;
    listing->room = room;
    return true;
}

/* What would not be sent is not shown; where a link leads is not known here. */
static bool is_shown(const struct dirent *found)
{
    bool is_known = found->d_type != DT_UNKNOWN && found->d_type != DT_LNK;

    return found->d_name[0] != '.' && (!is_known || found->d_type == DT_REG || found->d_type == DT_DIR);
}

static int add(struct listing *listing, const struct dirent *found)
{
    size_t n = strlen(found->d_name) + 1;

    if (!is_shown(found))
        return 0;
    if (listing->n == ENTRIES_MAX) {
        listing->is_cut = true;
        return 1;
    }
    char *name = has_room(listing) ? fate__alloc(n) : NULL;
    if (!name)
        return -ENOMEM;
    memcpy(name, found->d_name, n);
    listing->entries[listing->n++] = (struct entry){ name, found->d_type == DT_DIR };
    return 0;
}

static int read_all(struct listing *listing, DIR *dir)
{
    int why = 0;

    for (const struct dirent *found; why == 0 && (found = readdir(dir));)
        why = add(listing, found);
    return why < 0 ? why : 0;
}

static int compare(const void *a, const void *b)
{
    const struct entry *first = a, *second = b;

    if (first->is_folder != second->is_folder)
        return first->is_folder ? -1 : 1;
    return strcmp(first->name, second->name);
}

static void add_entry(struct fate__text *to, const struct entry *entry)
{
    const char *slash = entry->is_folder ? "/" : "";

    fate__text_add(to, "<li><a href=\"./");
    fate__percent_encode(to, entry->name, strlen(entry->name), "");
    fate__text_format(to, "%s\">", slash);
    fate__add_html(to, entry->name, strlen(entry->name));
    fate__text_format(to, "%s</a></li>\n", slash);
}

static void add_page(struct fate__text *to, const struct listing *listing, const char *path)
{
    fate__text_add(to, "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>");
    fate__add_html(to, path, strlen(path));
    fate__text_add(to, "</title>\n<h1>");
    fate__add_html(to, path, strlen(path));
    fate__text_add(to, "</h1>\n<ul>\n");
    if (strcmp(path, "/") != 0)
        fate__text_add(to, "<li><a href=\"../\">../</a></li>\n");
    for (size_t i = 0; i < listing->n; i++)
        add_entry(to, &listing->entries[i]);
    fate__text_add(to, "</ul>\n");
    if (listing->is_cut)
        fate__text_format(to, "<p>There is more: only %d entries are shown.</p>\n", ENTRIES_MAX);
    fate__text_add(to, "</html>\n");
}

static fate_value page_of(const struct listing *listing, const char *path)
{
    struct fate__text text = { 0 };

    add_page(&text, listing, path);
    fate_value v = text.has_failed ? fate_raise(&FATE_NO_MEMORY, "no memory for a listing")
                                   : fate_str_n(text.bytes, text.len);
    fate__text_done(&text);
    return v;
}

static void done(struct listing *listing)
{
    for (size_t i = 0; i < listing->n; i++)
        fate__free(listing->entries[i].name);
    fate__free(listing->entries);
}

fate_value fate__static_list(fate_request *request, int fd, const char *path)
{
    struct listing listing = { .n = 0 };
    DIR *dir = fdopendir(fd);
    int why;

    if (!dir) {
        why = errno;
        fate__close(fd);
        return fate_raise_errno(why, "list the folder %.200s", path);
    }
    why = read_all(&listing, dir);
    closedir(dir);
    if (listing.n)
        qsort(listing.entries, listing.n, sizeof *listing.entries, compare);
    fate_value v = why < 0 ? fate_raise_errno(-why, "list the folder %.200s", path) : page_of(&listing, path);
    done(&listing);
    if (!fate_is_failure(&v))
        fate__http_add_field(request, "Content-Type", "text/html; charset=utf-8");
    return v;
}
