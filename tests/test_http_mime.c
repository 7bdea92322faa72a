/* Tests of src/http/mime.c. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <http/mime.h>

#include "test.h"

static const char *type_of(const char *name)
{
    return fate__mime_of(name, strlen(name))->type;
}

TEST(a_suffix_tells_the_type)
{
    EXPECT_STR(type_of("index.html"), "text/html; charset=utf-8");
    EXPECT_STR(type_of("a/b.c/style.css"), "text/css; charset=utf-8");
    EXPECT_STR(type_of("DSC001.JPG"), "image/jpeg");
    EXPECT_STR(type_of("app.min.js"), "text/javascript; charset=utf-8");
    EXPECT_STR(type_of("data.json"), "application/json");
    EXPECT_STR(type_of("x.tar.gz"), "application/gzip");
    EXPECT_STR(type_of("x.svg"), "image/svg+xml");
    EXPECT_STR(type_of("x.7z"), "application/x-7z-compressed");
    EXPECT_STR(type_of("x.zst"), "application/zstd");
    EXPECT_STR(type_of("site.webmanifest"), "application/manifest+json");
}

TEST(what_is_not_known_is_bytes)
{
    static const char *const names[] = { "",
                                         ".",
                                         "README",
                                         "x.",
                                         "x.nosuch",
                                         ".html",
                                         "a/.css",
                                         "a.html/README",
                                         "x.html/",
                                         "x.htm l",
                                         "x.html~",
                                         ".",
                                         "x.c++c++c++c++c++c++c++",
                                         "x." };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        EXPECT_STR(type_of(names[i]), "application/octet-stream");
    EXPECT_STR(fate__mime_of("x.js\0n", 6)->type, "application/octet-stream");
    EXPECT_STR(fate__mime_of("x.html", 5)->type, "text/html; charset=utf-8");
    EXPECT_STR(fate__mime_of(NULL, 0)->type, "application/octet-stream");
}

TEST(the_table_is_sorted_and_each_of_it_is_found)
{
    char name[32];

    for (size_t i = 0; i < fate__n_mimes; i++) {
        const struct fate__mime *mime = &fate__mimes[i];
        EXPECT(i == 0 || strcmp(fate__mimes[i - 1].suffix, mime->suffix) < 0);
        EXPECT(strlen(mime->suffix) < 16);
        snprintf(name, sizeof name, "x.%s", mime->suffix);
        EXPECT_PTR(fate__mime_of(name, strlen(name)), mime);
        for (const char *s = mime->suffix; *s; s++)
            EXPECT(!isupper((unsigned char)*s));
    }
}

TEST(text_is_utf_8_and_nothing_else_says_so)
{
    for (size_t i = 0; i < fate__n_mimes; i++) {
        bool is_text = strncmp(fate__mimes[i].type, "text/", 5) == 0;
        EXPECT_EQ(strstr(fate__mimes[i].type, "; charset=utf-8") != NULL, is_text);
        EXPECT(fate__mimes[i].is_compressible || !is_text);
    }
}

TEST(what_gzip_makes_smaller_may_have_a_compressed_sibling)
{
    struct fate__text text = { 0 };

    EXPECT(fate__add_gz_sibling(&text, "a/style.css", 11));
    EXPECT_STR(text.bytes, "a/style.css.gz");
    fate__text_done(&text);
    EXPECT(!fate__add_gz_sibling(&text, "a.png", 5));
    EXPECT(!fate__add_gz_sibling(&text, "a.tar.gz", 8));
    EXPECT(!fate__add_gz_sibling(&text, "README", 6));
    EXPECT_EQ(text.len, 0);
}
