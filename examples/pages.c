/* Many pages, three at a time, each printed as it arrives:
 *
 *     pages URL...
 *
 * Without arguments it fetches those of a small site of its own. */
#include "small_site.h"

struct page {
    fate_reactor *reactor;
    const char *url;
};

static fate_value start_page(fate_value *arg)
{
    struct page *page = fate_unbox(struct page, arg);
    return fate_follow(fate_get_page(page->reactor, page->url));
}

static fate_value print_page(fate_value *page, fate_value *url)
{
    printf("%s: %s", fate_as_str(url), fate_as_str(page));
    return fate_none();
}

static fate_value print_trouble(fate_value *why, fate_value *url)
{
    printf("%s: %s\n", fate_as_str(url), fate_message(why));
    return fate_none();
}

static fate_deferred *fetch_all(fate_reactor *reactor, size_t n, const char *const *urls)
{
    fate_semaphore *three_at_once = fate_semaphore_new(reactor, 3);
    fate_deferred *pages[n];

    for (size_t i = 0; i < n; i++) {
        pages[i] = fate_semaphore_run(three_at_once, start_page, fate_box(struct page, reactor, urls[i]));
        fate_add_callbacks(pages[i], print_page, print_trouble, fate_str(urls[i]));
    }
    return fate_gather(reactor, n, pages);
}

static fate_deferred *start(fate_reactor *reactor, int argc, char **argv)
{
    static const char *const own[] = { SITE "/google", SITE "/twitter", SITE "/facebook",
                                       SITE "/apple",  SITE "/oracle",  SITE "/nothing" };

    if (argc > 1)
        return fetch_all(reactor, (size_t)argc - 1, (const char *const *)argv + 1);
    open_small_site(reactor);
    return fetch_all(reactor, sizeof own / sizeof *own, own);
}

int main(int argc, char **argv)
{
    return fate_main(start, argc, argv);
}
