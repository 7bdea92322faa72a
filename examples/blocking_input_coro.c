/* The same as blocking_input.c with a coroutine for each page: straight-line code, and still all at once.
 *
 * From the Twisted Tutorial, blocking_input.py. */
#include "small_site.h"

static const char *const urls[] = { SITE "/google", SITE "/twitter", SITE "/facebook",
                                    SITE "/apple",  SITE "/oracle",  "a_bad_url" };
#define N_URLS (sizeof urls / sizeof *urls)

/* Its result is the page, or none. */
static fate_value request_page(fate_coro *co, fate_value *arg)
{
    const char *url = fate_as_str(arg);
    fate_value page = fate_await(co, fate_get_page(fate_coro_reactor(co), url));

    if (fate_is_failure(&page)) {
        printf("Failed to download `%s`.\n", url);
        fate_drop(page);
        return fate_none();
    }
    printf("Successfully downloaded `%s`.\n", url);
    return page;
}

static fate_value count_bytes(fate_value *pages, fate_value *arg)
{
    size_t n = 0;

    for (size_t i = 0; i < fate_count(pages); i++)
        if (!fate_is_none(fate_at(pages, i)))
            n += fate_count(fate_at(pages, i));
    printf("%zu bytes in all\n", n);
    return fate_none();
}

static fate_deferred *start(fate_reactor *reactor, int argc, char **argv)
{
    fate_deferred *pages[N_URLS];

    open_small_site(reactor);
    for (size_t i = 0; i < N_URLS; i++)
        pages[i] = fate_go(reactor, request_page, fate_str(urls[i]));
    return fate_add_callback(fate_gather(reactor, N_URLS, pages), count_bytes, fate_none());
}

int main(int argc, char **argv)
{
    return fate_main(start, argc, argv);
}
