/* `fate get`: many pages at once. */
#include <get.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <output_sink.h>

#define CONNECTIONS_MAX 256 /* of an agent by itself */

/* fate_main's function is given no argument of ours. */
static struct fate__get *current;

/* ---- Saying how it went ---- */

static void say(struct fate__get *get, const struct fate__page *page)
{
    struct fate__text text = { 0 };

    if (get->settings->as_json) {
        fate__report_page_json(&text, &page->outcome);
        fate__text_add(&text, "\n");
        fate__screen_write(&get->screen, &text);
        return;
    }
    fate__report_page(&text, &page->outcome);
    fate__screen_finish(&get->screen, page->bar, text.has_failed ? page->outcome.url : text.bytes);
    fate__text_done(&text);
}

static void say_all(struct fate__get *get)
{
    struct fate__text text = { 0 };

    get->sums.took = fate_now(get->reactor) - get->begun;
    fate__screen_done(&get->screen);
    if (get->settings->as_json)
        fate__report_all_json(&text, &get->sums);
    else
        fate__report_all(&text, &get->sums);
    fate__screen_write(&get->screen, &text);
    get->error = get->screen.error;
}

/* ---- One after the other ---- */

/* Pages may end while they begin: those only count, and this goes on. */
static void begin_more(struct fate__get *get)
{
    struct fate__page *page;

    if (get->is_beginning || get->is_ending)
        return;
    get->is_beginning = true;
    while ((page = fate__get_next(get))) {
        get->n_running++;
        page->host->n_running++;
        fate__page_begin(page);
    }
    get->is_beginning = false;
    if (get->n_running)
        return;
    get->is_ending = true;
    say_all(get);
    fate_fire(get->all, fate_none());
}

void fate__get_ended(struct fate__page *page)
{
    struct fate__get *get = page->get;

    get->n_running--;
    page->host->n_running--;
    if (page->outcome.error)
        get->sums.n_failed++;
    else
        get->sums.n_come++;
    get->sums.bytes += page->outcome.bytes;
    get->sums.took_in_turn += page->outcome.took;
    say(get, page);
    begin_more(get);
}

/* ---- The whole ---- */

static void interrupt_all(fate_deferred *d, fate_value *arg)
{
    struct fate__get *get = fate_as_ptr(arg);

    get->is_ending = true;
    fate__output_give_up();
    for (size_t i = 0; i < get->n; i++)
        if (get->pages[i].d)
            fate_cancel(get->pages[i].d);
    say_all(get);
}

/* Standard output is for pages, where one of them goes there. */
static int report_fd(const struct fate__get *get)
{
    for (size_t i = 0; i < get->n; i++)
        if (get->pages[i].outcome.file && strcmp(get->pages[i].outcome.file, "-") == 0)
            return 2;
    return 1;
}

/* The terminal has gone: that ends it as SIGTERM does, so that nothing is left of files that are not whole.
 */
static void hang_up(fate_value *arg)
{
    struct fate__get *get = fate_as_ptr(arg);

    get->has_hung_up = true;
    raise(SIGTERM);
}

/* Unless nohup has it ignored. */
static void heed_hangups(struct fate__get *get)
{
    struct sigaction before;

    if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler == SIG_DFL)
        fate_on_signal(get->reactor, SIGHUP, hang_up, fate_ptr(get));
}

static fate_deferred *start(fate_reactor *reactor, int argc, char **argv)
{
    struct fate__get *get = current;
    size_t at_once = (size_t)get->settings->at_once_max;

    get->reactor = reactor;
    get->begun = fate_now(reactor);
    get->agent = fate_agent_new_with(reactor, .per_host_max = (unsigned)get->settings->per_host_max,
                                     .connections_max =
                                         (unsigned)(at_once > CONNECTIONS_MAX ? at_once : CONNECTIONS_MAX));
    fate__screen_init(&get->screen, reactor, report_fd(get), get->n, !get->settings->as_json);
    heed_hangups(get);
    get->all = fate_deferred_new_cancellable(reactor, interrupt_all, fate_ptr(get));
    fate_hold(get->all);
    begin_more(get);
    fate_release(get->all);
    return get->all;
}

#define DESCRIPTORS_OTHER 64

/* For the connection and the file of each page, and for what writes it, as far as that is allowed. */
static void allow_descriptors(const struct fate__get *get)
{
    rlim_t wanted = (rlim_t)get->settings->at_once_max * 3 + DESCRIPTORS_OTHER;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static int status_of(const struct fate__get *get, int status)
{
    if (get->has_hung_up)
        return 128 + SIGHUP;
    if (get->error) {
        fprintf(stderr, "fate: cannot say how it went: %s\n", strerror(get->error));
        return status ? status : 1;
    }
    if (status)
        return status;
    return get->sums.n_failed < FATE__FAILED_MAX ? (int)get->sums.n_failed : FATE__FAILED_MAX;
}

int fate__get(const struct fate__get_settings *settings, size_t n, const char *const *urls)
{
    struct fate__get get = { .settings = settings };
    struct fate__why why;
    int status;

    if (fate__get_plan(&get, n, urls, &why) < 0) {
        fprintf(stderr, "fate: %s\n", why.text);
        status = FATE__STATUS_USAGE;
    } else {
        allow_descriptors(&get);
        current = &get;
        status = status_of(&get, fate__run_main(start));
    }
    fate__get_done(&get);
    return status;
}
