/* Simulated reactors for tests, whose reports and log entries are noted. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fate/deferred.h>
#include <fate/log.h>
#include <fate/reactor.h>

#define WATCHED_MAX 32

/* A reactor of the current test. */
struct watch {
    fate_reactor *reactor;
    bool is_alive;
    int reports, logs;
    char last_report[512], last_log[1024];
};

static struct watch watches[WATCHED_MAX];
static size_t n_watches;

struct watch_of {
    struct watch *watch;
};

/* A reactor drops what it gives its hooks when it goes: so a test may free it, or leave that to us. */
static void reactor_gone(void *data)
{
    struct watch_of *of = data;
    of->watch->is_alive = false;
}

static void note_report(const fate_unhandled *what, fate_value *arg)
{
    struct watch *watch = fate_unbox(struct watch_of, arg)->watch;

    test_suspend_failures();
    fate_value line = fate_failure_line(what->failure);
    snprintf(watch->last_report, sizeof watch->last_report, "%s", fate_as_str(&line));
    fate_drop(line);
    test_resume_failures();
    watch->reports++;
}

/* What blocks a loop in real time may be that the machine has much else to do. */
static void note_log(const fate_log_entry *entry, fate_value *arg)
{
    struct watch *watch = fate_as_ptr(arg);

    if (strncmp(entry->text, "blocked the loop for ", 21) == 0)
        return;
    snprintf(watch->last_log, sizeof watch->last_log, "%s", entry->text);
    watch->logs++;
}

static void free_reactors(void)
{
    for (size_t i = 0; i < n_watches; i++)
        if (watches[i].is_alive)
            fate_reactor_free(watches[i].reactor);
    n_watches = 0;
}

static _Noreturn void give_up(const char *why)
{
    fprintf(stderr, "test_reactor: %s\n", why);
    abort();
}

static fate_reactor *adopt(fate_reactor *reactor)
{
    if (n_watches == WATCHED_MAX)
        give_up("too many in one test");
    test_suspend_failures();
    struct watch *watch = &watches[n_watches++];
    *watch = (struct watch){ .reactor = reactor, .is_alive = true };
    fate_on_unhandled(reactor, note_report, fate_box_with(reactor_gone, struct watch_of, watch));
    fate_log_observe(reactor, FATE_LOG_DEBUG, note_log, fate_ptr(watch));
    test_at_end = free_reactors;
    test_resume_failures();
    return reactor;
}

fate_reactor *test_reactor(void)
{
    test_suspend_failures();
    fate_reactor *reactor = fate_reactor_new_simulated();
    test_resume_failures();
    if (!reactor)
        give_up("there is no memory");
    return adopt(reactor);
}

fate_reactor *test_real_reactor(const fate_reactor_options *options)
{
    fate_reactor *reactor = (fate_reactor_new_with)(options);
    return reactor ? adopt(reactor) : NULL;
}

static struct watch *watch_of(fate_reactor *reactor)
{
    for (size_t i = n_watches; i-- > 0;)
        if (watches[i].reactor == reactor)
            return &watches[i];
    give_up("this reactor is not of this test");
}

int test_reports(fate_reactor *reactor)
{
    return watch_of(reactor)->reports;
}

const char *test_last_report(fate_reactor *reactor)
{
    return watch_of(reactor)->last_report;
}

int test_logs(fate_reactor *reactor)
{
    return watch_of(reactor)->logs;
}

const char *test_last_log(fate_reactor *reactor)
{
    return watch_of(reactor)->last_log;
}

void test_forget_blocked(char *text)
{
    for (char *line = text, *next; *line; line = next) {
        const char *blocked = strstr(line, " blocked the loop for ");
        next = line + strcspn(line, "\n");
        next += *next == '\n';
        if (!blocked || blocked >= next)
            continue;
        memmove(line, next, strlen(next) + 1);
        next = line;
    }
}
