/* Five pages and a bad URL, all at once: each is reported as it arrives, and kept.
 *
 * From the Twisted Tutorial, blocking_input.py. */
#include "small_site.h"

static const char *const urls[] = { SITE "/google", SITE "/twitter", SITE "/facebook",
                                    SITE "/apple",  SITE "/oracle",  "a_bad_url" };
#define N_URLS (sizeof urls / sizeof *urls)

static fate_value pages[N_URLS];

static fate_value report_success(fate_value *page, fate_value *i)
{
    printf("Successfully downloaded `%s`.\n", urls[fate_as_int(i)]);
    return fate_take(page);
}

static fate_value report_failure(fate_value *why, fate_value *i)
{
    printf("Failed to download `%s`.\n", urls[fate_as_int(i)]);
    return fate_none();
}

static fate_value save_result(fate_value *page, fate_value *i)
{
    pages[fate_as_int(i)] = fate_copy(page);
    return fate_take(page);
}

static fate_deferred *request_page(fate_reactor *reactor, int i)
{
    fate_deferred *d = fate_get_page(reactor, urls[i]);

    fate_add_callbacks(d, report_success, report_failure, fate_int(i));
    return fate_add_callback(d, save_result, fate_int(i));
}

static fate_value drop_pages(fate_value *result, fate_value *arg)
{
    for (size_t i = 0; i < N_URLS; i++)
        fate_drop(fate_take(&pages[i]));
    return fate_none();
}

static fate_deferred *start(fate_reactor *reactor, int argc, char **argv)
{
    fate_deferred *all[N_URLS];

    open_small_site(reactor);
    for (size_t i = 0; i < N_URLS; i++)
        all[i] = request_page(reactor, (int)i);
    return fate_add_both(fate_gather(reactor, N_URLS, all), drop_pages, fate_none());
}

int main(int argc, char **argv)
{
    return fate_main(start, argc, argv);
}
