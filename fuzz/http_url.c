/* Fuzzes URLs: the input is a byte that says which allocation fails, a base, a newline and a reference.
 *
 * What comes out must be its own normal form, and no redirect may take credentials to another origin. */
#include <string.h>

#include <base/why.h>
#include <http/url.h>

#include "fuzz_memory.h"

static void expect_normal(const struct fate__url *url)
{
    struct fate__text text = { 0 }, again = { 0 };
    struct fate__url parsed;

    FUZZ_EXPECT(url->path[0] == '/' && url->port && *url->host);
    fate__url_add(&text, url);
    if (!text.has_failed && text.len <= FATE__URL_BYTES_MAX) {
        int error = fate__url_parse(&parsed, text.bytes, text.len, NULL);
        FUZZ_EXPECT(error != -22);
        if (error == 0) {
            fate__url_add(&again, &parsed);
            FUZZ_EXPECT(again.has_failed || strcmp(text.bytes, again.bytes) == 0);
            FUZZ_EXPECT(fate__url_is_same_origin(url, &parsed));
            fate__url_done(&parsed);
        }
    }
    fate__text_done(&text);
    fate__text_done(&again);
}

static void expect_file_name(const struct fate__url *url)
{
    struct fate__text name = { 0 };

    fate__url_add_file_name(&name, url);
    if (!name.has_failed) {
        FUZZ_EXPECT(name.len > 0 && name.len <= FATE__FILE_NAME_MAX && strlen(name.bytes) == name.len);
        FUZZ_EXPECT(!strpbrk(name.bytes, "/\\\n\033") && name.bytes[0] != '.' && name.bytes[0] != '-');
    }
    fate__text_done(&name);
}

static void use(const struct fate__url *url)
{
    struct fate__text credentials = { 0 };

    expect_normal(url);
    expect_file_name(url);
    fate__url_add_credentials(&credentials, url);
    FUZZ_EXPECT(url->userinfo || !credentials.len);
    fate__text_done(&credentials);
}

static void resolve(const struct fate__url *base, const char *reference, size_t len)
{
    struct fate__why why = { "" };
    struct fate__url url;

    if (fate__url_resolve(&url, base, reference, len, &why) == 0) {
        use(&url);
        fate__url_done(&url);
    } else
        FUZZ_EXPECT(*why.text);
    if (fate__url_redirect(&url, base, reference, len, &why) == 0) {
        use(&url);
        bool is_same = fate__url_is_same_origin(&url, base);
        FUZZ_EXPECT(!url.userinfo ||
                    (is_same && base->userinfo && strcmp(url.userinfo, base->userinfo) == 0));
        fate__url_done(&url);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *s = (const char *)data + 1;
    struct fate__why why = { "" };
    struct fate__url base;

    if (!size)
        return 0;
    size--;
    const char *newline = memchr(s, '\n', size);
    size_t len = newline ? (size_t)(newline - s) : size;
    fuzz_use_memory(data[0]);
    if (fate__url_parse(&base, s, len, &why) == 0) {
        use(&base);
        resolve(&base, s + len + (newline != NULL), size - len - (newline != NULL));
        fate__url_done(&base);
    } else
        FUZZ_EXPECT(*why.text);
    fuzz_until_failure = 0;
    return 0;
}
