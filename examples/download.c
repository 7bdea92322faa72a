/* A download of any size in one buffer's memory, since a slow disk slows the sender:
 *
 *     download URL FILE
 *
 * Without arguments it downloads a page of a small site of its own into a temporary folder. */
#include "small_site.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static fate_value save(fate_value *response, fate_value *path)
{
    fate_value body = fate_response_body(fate_as_response(response));

    return fate_follow(fate_pump(body, fate_file_sink(fate_as_str(path))));
}

static fate_value print_count(fate_value *bytes, fate_value *arg)
{
    printf("%lld bytes\n", (long long)fate_as_int(bytes));
    return fate_none();
}

static fate_deferred *download(fate_reactor *reactor, const char *url, const char *path)
{
    fate_deferred *d = fate_add_callback(fate_fetch(reactor, url), fate_require_ok, fate_none());

    fate_add_callback(d, save, fate_str(path));
    return fate_add_callback(d, print_count, fate_none());
}

static fate_value remove_folder(fate_value *result, fate_value *folder)
{
    fate_value path = fate_format("%s/page", fate_as_str(folder));

    unlink(fate_as_str(&path));
    rmdir(fate_as_str(folder));
    fate_drop(path);
    return fate_take(result);
}

static fate_deferred *download_own(fate_reactor *reactor)
{
    char folder[] = "/tmp/download-XXXXXX";
    char path[sizeof folder + sizeof "/page"];

    if (!mkdtemp(folder))
        return fate_fail(reactor, fate_raise_errno(errno, "make a temporary folder"));
    snprintf(path, sizeof path, "%s/page", folder);
    open_small_site(reactor);
    return fate_add_both(download(reactor, SITE "/", path), remove_folder, fate_str(folder));
}

static fate_deferred *start(fate_reactor *reactor, int argc, char **argv)
{
    return argc == 3 ? download(reactor, argv[1], argv[2]) : download_own(reactor);
}

int main(int argc, char **argv)
{
    return fate_main(start, argc, argv);
}
