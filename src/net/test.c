/* Reactors for tests: what has been reported, and what is left. */
#include <net/test.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/alloc.h>
#include <base/stop.h>
#include <base/sys.h>
#include <base/text.h>
#include <fate/report.h>

/* ---- Open descriptors ---- */

struct files {
    struct fate__open_file *at;
    size_t n, room;
};

static bool has_room(struct files *files)
{
    if (files->n < files->room)
        return true;
    size_t room = files->room ? 2 * files->room : 64;
    struct fate__open_file *at = fate__realloc(files->at, room * sizeof *at);
    if (!at)
        return false;
    files->at = at;
    files->room = room;
    return true;
}

static int note_file(struct files *files, const struct dirent *entry, int own)
{
    int fd = atoi(entry->d_name);
    struct stat file;

    if (entry->d_name[0] == '.' || fd == own)
        return 0;
    if (fate__sys->fstat(fd, &file) < 0)
        return -errno;
    if (!has_room(files))
        return -ENOMEM;
    files->at[files->n++] = (struct fate__open_file){ fd, file.st_dev, file.st_ino };
    return 0;
}

int fate__open_files(struct fate__open_file **ret_files, size_t *ret_n)
{
    struct files files = { .n = 0 };
    DIR *dir = opendir("/proc/self/fd");
    int why = 0;

    if (!dir)
        return -errno;
    for (const struct dirent *entry; why == 0 && (entry = readdir(dir));)
        why = note_file(&files, entry, dirfd(dir));
    closedir(dir);
    if (why < 0) {
        fate__free(files.at);
        return why;
    }
    *ret_files = files.at;
    *ret_n = files.n;
    return 0;
}

static bool is_among(const struct fate__open_file *file, const struct fate__open_file *files, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (files[i].fd == file->fd && files[i].device == file->device && files[i].inode == file->inode)
            return true;
    return false;
}

static void print_file(int fd)
{
    char link[32], target[256];

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, target, sizeof target - 1);
    target[len > 0 ? len : 0] = '\0';
    fprintf(stderr, "fate_test_done: descriptor %d is open: %s\n", fd, target);
}

/* How many are open that were not. */
static int look_at_files(const struct fate__open_file *before, size_t n_before)
{
    struct fate__open_file *now;
    size_t n_now;
    int n = 0;

    if (fate__open_files(&now, &n_now) < 0)
        return 0;
    for (size_t i = 0; i < n_now; i++) {
        if (is_among(&now[i], before, n_before))
            continue;
        print_file(now[i].fd);
        n++;
    }
    fate__free(now);
    return n;
}

/* ---- Reports ---- */

struct report {
    struct fate__link link;
    fate_value failure;
    const char *site;
};

static void drop_report(struct report *report)
{
    fate__list_remove(&report->link);
    fate_drop(report->failure);
    fate__free(report);
}

static void note_report(const fate_unhandled *what, fate_value *arg)
{
    struct fate__test *test = fate_as_ptr(arg);
    struct report *report = fate__alloc(sizeof *report);

    if (!report) {
        test->n_lost_reports++;
        return;
    }
    report->failure = fate_copy(what->failure);
    report->site = what->site;
    fate__list_add_last(&test->reports, &report->link);
}

size_t fate_test_reports_at(fate_reactor *reactor, const fate_class *c, const char *site)
{
    struct fate__test *test = fate__test_of(reactor, "fate_test_reports", site);
    size_t n = 0;

    fate__turn_enter(&reactor->turns); /* what has gone in the turn outside is reported at its end */
    fate__turn_leave(&reactor->turns);
    for (struct fate__link *at = test->reports.next, *next; at != &test->reports; at = next) {
        struct report *report = fate_container_of(at, struct report, link);
        next = at->next;
        if (!fate_is(&report->failure, c))
            continue;
        drop_report(report);
        n++;
    }
    return n;
}

/* The text of a line or a description, for which there may have been no memory. */
static const char *text_of(const fate_value *shown)
{
    const char *text = "(no memory to say it)";

    fate_get_str(shown, &text);
    return text;
}

static int print_report(const struct report *report)
{
    char site[160];
    fate_value line = fate_failure_line(&report->failure);

    fprintf(stderr, "fate_test_done: nobody has handled, of deferred %s: %s\n",
            fate__site_short(report->site, site, sizeof site), text_of(&line));
    fate_drop(line);
    return 1;
}

static int print_reports(struct fate__test *test)
{
    int n = (int)test->n_lost_reports;

    if (n)
        fprintf(stderr, "fate_test_done: %d reported failures could not be kept: no memory\n", n);
    for (struct fate__link *at = test->reports.next; at != &test->reports; at = at->next)
        n += print_report(fate_container_of(at, struct report, link));
    return n;
}

/* ---- Life ---- */

static void free_test(struct fate__owned *owned)
{
    struct fate__test *test = (struct fate__test *)(void *)owned;

    fate__recorders_end(test);
    fate__disown(owned);
    while (!fate__list_is_empty(&test->reports))
        drop_report(fate_container_of(test->reports.next, struct report, link));
    fate__free(test->files);
    fate__free(test);
}

/* Nobody need see it in a report. */
static void look(struct fate__owned *owned, fate__see_fn *see, void *arg)
{
}

fate_reactor *fate_test_reactor(void)
{
    fate_reactor *reactor = fate_reactor_new_simulated();
    struct fate__test *test = NULL;

    if (reactor)
        test = fate__own(reactor, sizeof *test, free_test, FATE__OWN_SITE("fate_test_reactor"));
    if (!test || test->owned.is_no_memory) {
        fate_reactor_free(reactor);
        errno = ENOMEM;
        return NULL;
    }
    test->owned.look = look;
    test->reactor = reactor;
    fate__list_init(&test->reports);
    fate__list_init(&test->recorders);
    test->knows_files = fate__open_files(&test->files, &test->n_files) == 0;
    fate_on_unhandled(reactor, note_report, fate_ptr(test));
    return reactor;
}

struct fate__test *fate__test_of(fate_reactor *reactor, const char *what, const char *site)
{
    fate__check_reactor(reactor, what, site);
    const struct fate__link *all = &reactor->turns.owned;
    for (struct fate__link *at = all->next; at != all; at = at->next) {
        struct fate__owned *owned = fate_container_of(at, struct fate__owned, link);
        if (owned->free == free_test)
            return (struct fate__test *)(void *)owned;
    }
    fate__stop(site, "%s was called on a reactor that is not one for tests. Make it with fate_test_reactor.",
               what);
}

/* ---- What is left ---- */

static bool is_left(const fate_thing *thing)
{
    static const char *const kinds[] = { "coroutine", "delayed call", "posted call",        "connection",
                                         "listener",  "udp",          "watched descriptor", "process" };

    if (strcmp(thing->kind, "deferred") == 0)
        return !thing->id || fate_test_pending(thing->id);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(thing->kind, kinds[i]) == 0)
            return true;
    return false;
}

static void print_left(const fate_thing *thing, fate_value *arg)
{
    char site[160];
    int *n = fate_as_ptr(arg);

    if (!is_left(thing))
        return;
    fate__site_short(thing->site, site, sizeof site);
    fprintf(stderr, "fate_test_done: left: %s%s%s %s%s%s\n", thing->kind, *thing->name ? " " : "",
            thing->name, site, *thing->state ? ": " : "", thing->state);
    ++*n;
}

int fate_test_done_at(fate_reactor *reactor, const char *site)
{
    int n = 0;

    if (!reactor)
        return 0;
    struct fate__test *test = fate__test_of(reactor, "fate_test_done", site);
    fate__refuse_inside(&reactor->turns, "fate_test_done");
    fate__recorders_end(test);
    fate_reactor_each(reactor, print_left, fate_ptr(&n));
    n += print_reports(test);

    struct fate__open_file *files = test->files;
    size_t n_files = test->n_files;
    bool knows_files = test->knows_files;
    test->files = NULL;
    fate_reactor_free(reactor);
    if (knows_files)
        n += look_at_files(files, n_files);
    fate__free(files);
    return n;
}

/* ---- Results ---- */

bool fate_test_pending(const fate_deferred *d)
{
    return fate_state(d) != FATE_DONE;
}

static fate_value *result_of(fate_deferred *d, const char *what, const char *site)
{
    char made[160];

    if (fate_test_pending(d))
        fate__stop(site,
                   "%s was given a deferred, made at %s, that has not fired. fate_test_pending tells; "
                   "fate_advance and fate_play let time go by.",
                   what, fate__site_short(fate_deferred_site(d), made, sizeof made));
    return (fate_value *)(uintptr_t)fate_peek(d);
}

fate_value *fate_test_success_at(fate_deferred *d, const char *site)
{
    fate_value *result = result_of(d, "fate_test_success", site);
    char made[160];

    if (!fate_is_failure(result))
        return result;
    fate_value line = fate_failure_line(result);
    fate__stop(site, "fate_test_success was given a deferred, made at %s, that has failed: %s",
               fate__site_short(fate_deferred_site(d), made, sizeof made), text_of(&line));
}

fate_value *fate_test_failure_at(fate_deferred *d, const char *site)
{
    fate_value *result = result_of(d, "fate_test_failure", site);
    char made[160];

    if (fate_is_failure(result))
        return result;
    fate_value shown = fate_describe(result);
    fate__stop(site,
               "fate_test_failure was given a deferred, made at %s, that has not failed: it has the value %s",
               fate__site_short(fate_deferred_site(d), made, sizeof made), text_of(&shown));
}

/* ---- Without a line ---- */

int(fate_test_done)(fate_reactor *reactor)
{
    return fate_test_done_at(reactor, NULL);
}

size_t(fate_test_reports)(fate_reactor *reactor, const fate_class *c)
{
    return fate_test_reports_at(reactor, c, NULL);
}

fate_value *(fate_test_success)(fate_deferred *d)
{
    return fate_test_success_at(d, NULL);
}

fate_value *(fate_test_failure)(fate_deferred *d)
{
    return fate_test_failure_at(d, NULL);
}
