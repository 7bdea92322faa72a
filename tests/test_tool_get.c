/* Tests of tool/get_plan.c. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include <base/alloc.h>
#include <get.h>

#include "test.h"

/* What is planned for these URLs, ended by NULL; 0 or an error, whose text is in why. */
static int plan(struct fate__get *get, const struct fate__get_settings *settings, const char *const *urls,
                struct fate__why *why)
{
    size_t n = 0;

    while (urls[n])
        n++;
    *get = (struct fate__get){ .settings = settings };
    return fate__get_plan(get, n, urls, why);
}
#define URLS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void expect_refused(const char *here, const struct fate__get_settings *settings,
                           const char *const *urls, const char *expected)
{
    struct fate__get get;
    struct fate__why why;
    int error = plan(&get, settings, urls, &why);

    if (error != -ENOMEM) {
        test_expect_eq(here, error, -EINVAL, "the result");
        test_expect_str(here, why.text, expected, "the reason");
    }
    fate__get_done(&get);
}
#define EXPECT_REFUSED(settings, urls, expected) expect_refused(FATE_HERE, settings, urls, expected)

/* ---- Files ---- */

static void expect_name(const char *here, const char *url, const char *expected)
{
    char *name = fate__get_file_name(url);

    if (name)
        test_expect_str(here, name, expected, url);
    fate__free(name);
}
#define EXPECT_NAME(url, expected) expect_name(FATE_HERE, url, expected)

TEST(a_file_is_called_as_the_last_part_of_its_url)
{
    EXPECT_NAME("http://a/b/c.txt", "c.txt");
    EXPECT_NAME("http://a/c.txt?x=/y#/z", "c.txt");
    EXPECT_NAME("http://a/b/", "index.html");
    EXPECT_NAME("http://a", "index.html");
    EXPECT_NAME("http://a?x=/y", "index.html");
    EXPECT_NAME("http://a/b/..", "index.html");
    EXPECT_NAME("http://a/.", "index.html");
    EXPECT_NAME("http://a/...", "...");
    EXPECT_NAME("http://a/%2e%2e%2fx", "%2e%2e%2fx");
    EXPECT_NAME("a_bad_url", "a_bad_url");
    EXPECT_NAME("", "index.html");
}

TEST(files_of_one_name_are_counted)
{
    const struct fate__get_settings settings = { .by_remote_name = true };
    static const char *const names[] = { "x", "x.1", "y", "x.2" };
    struct fate__get get;
    struct fate__why why;

    if (plan(&get, &settings, URLS("http://a/x", "http://b/x", "http://a/y", "http://c/x"), &why) == 0)
        for (size_t i = 0; i < get.n; i++)
            EXPECT_STR(get.pages[i].outcome.file, names[i]);
    fate__get_done(&get);
}

/* In time, though there are many of that name. */
TEST(many_files_of_one_name_are_named_in_no_time)
{
    const struct fate__get_settings settings = { .by_remote_name = true };
    static const char *urls[4001];
    struct fate__get get;
    struct fate__why why;

    if (test_is_oom())
        return;
    for (size_t i = 0; i < 4000; i++)
        urls[i] = "http://a/x";
    clock_t begun = clock();
    if (EXPECT_EQ(plan(&get, &settings, urls, &why), 0))
        EXPECT_STR(get.pages[3999].outcome.file, "x.3999");
    EXPECT(clock() - begun < 5 * CLOCKS_PER_SEC);
    fate__get_done(&get);
}

TEST(outputs_must_fit_the_pages)
{
    const char *two[] = { "a", "a" }, *out[] = { "-" };
    const struct fate__get_settings twice = { .outputs = { two, 2 } },
                                    both = { .outputs = { two, 1 }, .by_remote_name = true },
                                    json = { .outputs = { out, 1 }, .as_json = true };

    EXPECT_REFUSED(&twice, URLS("http://a/", "http://b/", "http://c/"),
                   "--output names 2 files for 3 URLs: give one for each, or --remote-name");
    EXPECT_REFUSED(&twice, URLS("http://a/", "http://b/"),
                   "--output=a is there twice: each page needs its own");
    EXPECT_REFUSED(&both, URLS("http://a/"),
                   "--output and --remote-name: only one of them can name the files");
    EXPECT_REFUSED(&json, URLS("http://a/"),
                   "--output=- and --json: only one of them can be written to standard output");
}

/* ---- Passwords ---- */

static void expect_shown(const char *here, const char *url, const char *expected)
{
    bool is_no_memory;
    char *shown = fate__get_shown_url(url, &is_no_memory);

    if (!is_no_memory)
        test_expect_str(here, shown ? shown : url, expected, url);
    fate__free(shown);
}
#define EXPECT_SHOWN(url, expected) expect_shown(FATE_HERE, url, expected)

TEST(passwords_have_stars)
{
    EXPECT_SHOWN("http://me:hush@a/b", "http://me:***@a/b");
    EXPECT_SHOWN("http://:hush@a", "http://:***@a");
    EXPECT_SHOWN("http://me:hu@sh@a", "http://me:***@a");
    EXPECT_SHOWN("me:hush@a/b", "me:***@a/b");
    EXPECT_SHOWN("http://me@a/b", "http://me@a/b");
    EXPECT_SHOWN("http://a:80/b:c@d", "http://a:80/b:c@d");
    EXPECT_SHOWN("http://a?b:c@d", "http://a?b:c@d");
    EXPECT_SHOWN("", "");
}

/* ---- Headers ---- */

TEST(headers_are_names_and_values)
{
    const char *lines[] = { "Accept:text/plain", "X-Empty:", "Time: \t12:10 " }, *bad[] = { ": x" };
    const struct fate__get_settings settings = { .headers = { lines, 3 } }, wrong = { .headers = { bad, 1 } };
    struct fate__get get;
    struct fate__why why;

    if (plan(&get, &settings, URLS("http://a/"), &why) == 0) {
        EXPECT_STR(get.headers[0].name, "Accept");
        EXPECT_STR(get.headers[0].value, "text/plain");
        EXPECT_STR(get.headers[1].value, "");
        EXPECT_STR(get.headers[2].value, "12:10");
        EXPECT_STR(get.headers[3].name, "Accept-Encoding");
        EXPECT_STR(get.headers[3].value, "identity");
        EXPECT(!get.headers[4].name);
    }
    fate__get_done(&get);
    const char *own[] = { "accept-encoding: gzip" };
    const struct fate__get_settings packed = { .headers = { own, 1 } };
    if (plan(&get, &packed, URLS("http://a/"), &why) == 0)
        EXPECT(!get.headers[1].name);
    fate__get_done(&get);
    EXPECT_REFUSED(&wrong, URLS("http://a/"), "--header: \": x\" has no name: write NAME:VALUE");
}

/* ---- Which comes next ---- */

/* Takes all that may begin, and ends none. */
static void expect_next(const char *here, struct fate__get *get, const char *expected)
{
    struct fate__text text = { 0 };
    struct fate__page *page;

    while ((page = fate__get_next(get))) {
        get->n_running++;
        page->host->n_running++;
        fate__text_format(&text, "%s ", page->outcome.url);
    }
    if (!text.has_failed)
        test_expect_str(here, text.len ? text.bytes : "", expected, "what begins");
    fate__text_done(&text);
}
#define EXPECT_NEXT(get, expected) expect_next(FATE_HERE, get, expected)

static void end_page(struct fate__get *get, size_t i)
{
    get->n_running--;
    get->pages[i].host->n_running--;
}

TEST(pages_begin_in_order_within_the_limits)
{
    const struct fate__get_settings settings = { .per_host_max = 2, .at_once_max = 3 };
    struct fate__get get;
    struct fate__why why;
    const char *const *urls = URLS("http://a/1", "http://u@A/2", "http://a/3", "http://b/4", "http://b/5",
                                   "http://a:80/6", "http://a?7");

    if (plan(&get, &settings, urls, &why) == 0) {
        EXPECT_EQ(get.n_hosts, 3);
        EXPECT_NEXT(&get, "http://a/1 http://u@A/2 http://b/4 ");
        end_page(&get, 3);
        EXPECT_NEXT(&get, "http://b/5 ");
        end_page(&get, 0);
        EXPECT_NEXT(&get, "http://a/3 ");
        end_page(&get, 1);
        end_page(&get, 2);
        end_page(&get, 4);
        EXPECT_NEXT(&get, "http://a:80/6 http://a?7 ");
        EXPECT_NEXT(&get, "");
    }
    fate__get_done(&get);
}
