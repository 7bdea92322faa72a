/* Tests of src/http/url.c, url_host.c, idn_*.c, file_name.c. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <base/alloc.h>
#include <http/idn.h>
#include <http/url.h>

#include "test.h"

#define N(array) (sizeof(array) / sizeof *(array))

/* The URL again as a text, with its userinfo in front of a blank; "(refused)", or "(no memory)". */
static const char *shown(const struct fate__url *url, char *to, size_t room)
{
    struct fate__text text = { 0 };

    if (url->userinfo)
        fate__text_format(&text, "%s ", url->userinfo);
    fate__url_add(&text, url);
    snprintf(to, room, "%s", text.has_failed ? "(no memory)" : text.bytes);
    fate__text_done(&text);
    return to;
}

static const char *said(int error)
{
    return error == -ENOMEM ? "(no memory)" : "(refused)";
}

static const char *parsed(const char *s, char *to, size_t room)
{
    struct fate__url url;
    int error = fate__url_parse(&url, s, strlen(s), NULL);

    if (error < 0)
        return said(error);
    shown(&url, to, room);
    fate__url_done(&url);
    return to;
}

/* ---- Parsing ---- */

TEST(a_url_has_one_normal_form)
{
    static const char *const cases[][2] = {
        { "http://example.org", "http://example.org/" },
        { "HTTP://Example.ORG:80/", "http://example.org/" },
        { "https://example.org:443", "https://example.org/" },
        { "https://example.org:0443", "https://example.org/" },
        { "https://example.org:80/", "https://example.org:80/" },
        { "http://example.org:/", "http://example.org/" },
        { "http://example.org:65535/", "http://example.org:65535/" },
        { "http://example.org?q", "http://example.org/?q" },
        { "http://example.org#f", "http://example.org/#f" },
        { "http://example.org/?#", "http://example.org/?#" },
        { "http://example.org/a?b?c/d#e?f/g", "http://example.org/a?b?c/d#e?f/g" },
        { "http://example.org./", "http://example.org./" },
        { "http://a_b-c.example/", "http://a_b-c.example/" },
        { "http://user:pw@example.org/", "user:pw http://example.org/" },
        { "http://@example.org/", " http://example.org/" },
        { "http://user%40x:p%3aw@example.org/", "user%40x:p%3aw http://example.org/" },
        { "http://127.0.0.1:8080/", "http://127.0.0.1:8080/" },
        { "http://255.255.255.255/", "http://255.255.255.255/" },
        { "http://0.0.0.0/", "http://0.0.0.0/" },
        { "http://1.2.3.4.example/", "http://1.2.3.4.example/" },
        { "http://[::1]/", "http://[::1]/" },
        { "http://[2001:DB8:0:0:0:0:0:1]:8080/x", "http://[2001:db8::1]:8080/x" },
        { "http://[::ffff:1.2.3.4]/", "http://[::ffff:1.2.3.4]/" },
    };
    char room[512];

    for (size_t i = 0; i < N(cases); i++)
        EXPECT_STR(parsed(cases[i][0], room, sizeof room), cases[i][1]);
}

TEST(dot_segments_are_removed)
{
    static const char *const cases[][2] = {
        { "/a/b/../c", "/a/c" },
        { "/a/./b", "/a/b" },
        { "/..", "/" },
        { "/../..", "/" },
        { "/../../x", "/x" },
        { "/a/..", "/" },
        { "/a/.", "/a/" },
        { "/a/b/..", "/a/" },
        { "/a/b/../", "/a/" },
        { "/a//b/..", "/a//" },
        { "/a//../b", "/a/b" },
        { "//", "//" },
        { "//..", "/" },
        { "/...", "/..." },
        { "/.a/b.", "/.a/b." },
        { "/a/%2e%2E/b", "/b" },
        { "/a/.%2e/b", "/b" },
        { "/a/%2e/b", "/a/b" },
        { "/a/%2e%2e%2e/b", "/a/%2e%2e%2e/b" },
        { "/%7euser/%41", "/%7euser/%41" },
        { "/a%2f..%2fb", "/a%2f..%2fb" },
    };
    char url[128], expected[128], room[512];

    for (size_t i = 0; i < N(cases); i++) {
        snprintf(url, sizeof url, "http://h%s?a/../b", cases[i][0]);
        snprintf(expected, sizeof expected, "http://h%s?a/../b", cases[i][1]);
        EXPECT_STR(parsed(url, room, sizeof room), expected);
    }
}

TEST(what_people_write_becomes_what_rfc_3986_wants)
{
    static const char *const cases[][2] = {
        { "/\xc3\xbc", "/%C3%BC" },
        { "/a?\xe2\x82\xac#\xf0\x9f\x98\x80", "/a?%E2%82%AC#%F0%9F%98%80" },
        { "/\"<>[]^`{|}", "/%22%3C%3E%5B%5D%5E%60%7B%7C%7D" },
        { "/?a[]=1", "/?a%5B%5D=1" },
        { "/!$&'()*+,;=:@", "/!$&'()*+,;=:@" },
        { "/a#b#c", "/a#b%23c" },
    };
    char url[128], expected[128], room[512];

    for (size_t i = 0; i < N(cases); i++) {
        snprintf(url, sizeof url, "http://h%s", cases[i][0]);
        snprintf(expected, sizeof expected, "http://h%s", cases[i][1]);
        EXPECT_STR(parsed(url, room, sizeof room), expected);
    }
}

static void expect_refused(const char *here, const char *s, size_t len, const char *part)
{
    struct fate__url url;
    struct fate__why why = { "" };
    int error = fate__url_parse(&url, s, len, &why);

    if (error == 0)
        fate__url_done(&url);
    if (error == -ENOMEM)
        return;
    test_expect_eq(here, error, -EINVAL, s);
    test_expect_contains(here, why.text, part, s);
}
#define EXPECT_REFUSED(s, part) expect_refused(FATE_HERE, s, strlen(s), part)

TEST(bad_urls_are_refused_with_advice)
{
    EXPECT_REFUSED("", "there is no scheme: write http:// or https://");
    EXPECT_REFUSED("example.org/x", "there is no scheme");
    EXPECT_REFUSED("//example.org/x", "there is no scheme");
    EXPECT_REFUSED("localhost:8080/",
                   "\"localhost:\" is no scheme that is known: write http:// or https:// before");
    EXPECT_REFUSED("example.org:80", "before the host");
    EXPECT_REFUSED("ftp://example.org/", "\"ftp:\" is no scheme that is known: write http:// or https://");
    EXPECT_REFUSED("htpps://example.org/", "did you mean \"https:\"?");
    EXPECT_REFUSED("http:", "there is no // behind \"http:\", as in http://example.org/");
    EXPECT_REFUSED("https:/x", "as in https://example.org/");
    EXPECT_REFUSED("http://", "there is no host");
    EXPECT_REFUSED("http:///x", "there is no host");
    EXPECT_REFUSED("http://:80/", "there is no host");
    EXPECT_REFUSED("http://user@/", "there is no host");
    EXPECT_REFUSED("http://h/a b", "the path has a blank: write %20");
    EXPECT_REFUSED("http://h/ ", "the path has a blank");
    EXPECT_REFUSED(" http://h/", "there is no scheme");
    EXPECT_REFUSED("http://h/?a b", "the query has a blank");
    EXPECT_REFUSED("http://h/#a b", "the fragment has a blank");
    EXPECT_REFUSED("http://h/a\nb", "the path has the control byte 0x0a: leave it out");
    EXPECT_REFUSED("http://h/\x7f", "control byte 0x7f");
    EXPECT_REFUSED("http://h/a\\b", "the path has a backslash: write /");
    EXPECT_REFUSED("http://h/%", "write %25");
    EXPECT_REFUSED("http://h/%4", "write %25");
    EXPECT_REFUSED("http://h/%4g", "write %25");
    EXPECT_REFUSED("http://h/?%", "the query has a percent sign");
    EXPECT_REFUSED("http://h/\xfc", "the path has the byte 0xfc, which is no UTF-8: write %FC");
    EXPECT_REFUSED("http://h/\xed\xa0\x80", "no UTF-8");
    expect_refused(FATE_HERE, "http://h/\0x", 11, "control byte 0x00");
    expect_refused(FATE_HERE, "http://h\0x/", 11, "control byte");
    expect_refused(FATE_HERE, "ht\0tp://h/", 10, "there is no scheme");
}

TEST(bad_hosts_are_refused_with_advice)
{
    EXPECT_REFUSED("http://a b/", "the host \"a b\" has a blank");
    EXPECT_REFUSED("http://a%20b/", "is percent-encoded: write the name itself");
    EXPECT_REFUSED("http://a*b/", "may not have \"*\"");
    EXPECT_REFUSED("http://a\\b/", "may not have \"\\\"");
    EXPECT_REFUSED("http://a..b/", "an empty part");
    EXPECT_REFUSED("http://.a/", "an empty part");
    EXPECT_REFUSED("http://./", "an empty part");
    EXPECT_REFUSED("http://a../", "an empty part");
    EXPECT_REFUSED("http://127.1/", "four numbers");
    EXPECT_REFUSED("http://2130706433/", "four numbers");
    EXPECT_REFUSED("http://0x7f000001/", "four numbers");
    EXPECT_REFUSED("http://0x/", "four numbers");
    EXPECT_REFUSED("http://010.0.0.1/", "four numbers");
    EXPECT_REFUSED("http://1.2.3.256/", "four numbers");
    EXPECT_REFUSED("http://1.2.3.1000/", "four numbers");
    EXPECT_REFUSED("http://1.2.3.4.5/", "four numbers");
    EXPECT_REFUSED("http://1.2.3.4./", "four numbers");
    EXPECT_REFUSED("http://example.0x1F/", "four numbers");
    EXPECT_REFUSED("http://[::1/", "[ without a ]");
    EXPECT_REFUSED("http://[::1]x/", "[ without a ] at its end");
    EXPECT_REFUSED("http://[]/", "is no IPv6 address");
    EXPECT_REFUSED("http://[::1::]/", "is no IPv6 address");
    EXPECT_REFUSED("http://[0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]/", "is no IPv6 address");
    expect_refused(FATE_HERE, "http://[::1\0]/", 14, "is no IPv6 address");
    EXPECT_REFUSED("http://[v1.x]/", "is no IPv6 address");
    EXPECT_REFUSED("http://[1.2.3.4]/", "is no IPv6 address");
    EXPECT_REFUSED("http://[fe80::1%25eth0]/", "has a zone");
    EXPECT_REFUSED("http://::1/", "there is no host");
    EXPECT_REFUSED("http://h:0/", "is no port: write a number of 1 to 65535");
    EXPECT_REFUSED("http://h:65536/", "is no port");
    EXPECT_REFUSED("http://h:4294967376/", "is no port");
    EXPECT_REFUSED("http://h:18446744073709551696/", "is no port");
    EXPECT_REFUSED("http://h:+80/", "is no port");
    EXPECT_REFUSED("http://h:80:80/", "is no port");
}

TEST(names_have_the_lengths_of_dns)
{
    char url[600], room[600];
    int len = snprintf(url, sizeof url, "http://");

    memset(url + len, 'a', 63);
    strcpy(url + len + 63, "/");
    EXPECT_STR(parsed(url, room, sizeof room), url);
    strcpy(url + len + 63, "a/");
    EXPECT_STR(parsed(url, room, sizeof room), "(refused)");
    for (int i = 0; i < 253; i++)
        url[len + i] = i % 2 ? '.' : 'a';
    strcpy(url + len + 253, "/");
    EXPECT_STR(parsed(url, room, sizeof room), url);
    strcpy(url + len + 253, "./");
    EXPECT_STR(parsed(url, room, sizeof room), url);
    strcpy(url + len + 252, "aaa/");
    EXPECT_STR(parsed(url, room, sizeof room), "(refused)");
}

TEST(a_url_has_a_greatest_length)
{
    char *s = fate__alloc(FATE__URL_BYTES_MAX + 2);
    struct fate__url url;

    if (!s)
        return;
    memset(s, 'a', FATE__URL_BYTES_MAX + 2);
    memcpy(s, "http://h/", 9);
    if (EXPECT_EQ(fate__url_parse(&url, s, FATE__URL_BYTES_MAX, NULL), 0))
        fate__url_done(&url);
    expect_refused(FATE_HERE, s, FATE__URL_BYTES_MAX + 1, "the URL has 16385 bytes; 16384 are the most");
    struct fate__url base;
    if (EXPECT_EQ(fate__url_parse(&base, "http://h/", 9, NULL), 0)) {
        EXPECT_EQ(fate__url_resolve(&url, &base, s + 8, FATE__URL_BYTES_MAX + 1, NULL), -EINVAL);
        fate__url_done(&base);
    }
    fate__free(s);
}

TEST(userinfo_is_never_quoted)
{
    static const char *const urls[] = { "http://u:secret@x@h/",      "http://u:sec ret@h/",
                                        "http://u:secret%@h/",       "http://u:secret\\@h/",
                                        "http://u:secret@/",         "http://u:secret@a*/",
                                        "http://u:secret@h:x/",      "http://u:secret/x@h",
                                        "http://u:\xc3\xbcsecret@h/" };
    struct fate__url url;

    for (size_t i = 0; i < N(urls); i++) {
        struct fate__why why = { "" };
        int error = fate__url_parse(&url, urls[i], strlen(urls[i]), &why);
        EXPECT(error < 0);
        EXPECT(*why.text && !strstr(why.text, "sec"));
    }
    EXPECT_REFUSED(urls[0], "the userinfo before the @ has an @ of its own: write it percent-encoded");
}

TEST(international_names_become_a_labels)
{
    char room[256];

    if (!fate__has_idn) {
        EXPECT_REFUSED("http://b\xc3\xbc"
                       "cher.example/",
                       "built without libidn2");
        return;
    }
    EXPECT_STR(parsed("http://B\xc3\xbc"
                      "cher.example/",
                      room, sizeof room),
               "http://xn--bcher-kva.example/");
    EXPECT_STR(parsed("http://fa\xc3\x9f.example/", room, sizeof room), "http://xn--fa-hia.example/");
    /* A fullwidth full stop and digits: what they become is looked at like anything else. */
    EXPECT_STR(parsed("http://\xef\xbc\x91\xe3\x80\x82"
                      "2.3.4/",
                      room, sizeof room),
               "http://1.2.3.4/");
    EXPECT_REFUSED("http://\xef\xbc\x91"
                   "27.1/",
                   "four numbers");
    EXPECT_REFUSED("http://a\xe2\x84\x80"
                   "b/",
                   "");
    EXPECT_REFUSED("http://\xfc/", "no international name");
    expect_refused(FATE_HERE, "http://\xc3\xbc\0x/", 12, "control byte");
}

/* ---- Resolving ---- */

static const char *resolved(const char *base, const char *reference, bool is_redirect, char *to, size_t room)
{
    struct fate__url from, url;
    int error = fate__url_parse(&from, base, strlen(base), NULL);

    if (error < 0)
        return said(error);
    error = (is_redirect ? fate__url_redirect : fate__url_resolve)(&url, &from, reference, strlen(reference),
                                                                   NULL);
    if (error == 0) {
        shown(&url, to, room);
        fate__url_done(&url);
    }
    fate__url_done(&from);
    return error < 0 ? said(error) : to;
}

/* RFC 3986, 5.4: of what is there, the URLs that are of http. */
TEST(references_resolve_as_in_the_examples_of_rfc_3986)
{
    static const char *const cases[][2] = {
        { "g", "http://a/b/c/g" },
        { "./g", "http://a/b/c/g" },
        { "g/", "http://a/b/c/g/" },
        { "/g", "http://a/g" },
        { "//g", "http://g/" },
        { "?y", "http://a/b/c/d;p?y" },
        { "g?y", "http://a/b/c/g?y" },
        { "#s", "http://a/b/c/d;p?q#s" },
        { "g#s", "http://a/b/c/g#s" },
        { "g?y#s", "http://a/b/c/g?y#s" },
        { ";x", "http://a/b/c/;x" },
        { "g;x", "http://a/b/c/g;x" },
        { "g;x?y#s", "http://a/b/c/g;x?y#s" },
        { "", "http://a/b/c/d;p?q" },
        { ".", "http://a/b/c/" },
        { "./", "http://a/b/c/" },
        { "..", "http://a/b/" },
        { "../", "http://a/b/" },
        { "../g", "http://a/b/g" },
        { "../..", "http://a/" },
        { "../../", "http://a/" },
        { "../../g", "http://a/g" },
        { "../../../g", "http://a/g" },
        { "../../../../g", "http://a/g" },
        { "/./g", "http://a/g" },
        { "/../g", "http://a/g" },
        { "g.", "http://a/b/c/g." },
        { ".g", "http://a/b/c/.g" },
        { "g..", "http://a/b/c/g.." },
        { "..g", "http://a/b/c/..g" },
        { "./../g", "http://a/b/g" },
        { "./g/.", "http://a/b/c/g/" },
        { "g/./h", "http://a/b/c/g/h" },
        { "g/../h", "http://a/b/c/h" },
        { "g;x=1/./y", "http://a/b/c/g;x=1/y" },
        { "g;x=1/../y", "http://a/b/c/y" },
        { "g?y/./x", "http://a/b/c/g?y/./x" },
        { "g?y/../x", "http://a/b/c/g?y/../x" },
        { "g#s/./x", "http://a/b/c/g#s/./x" },
        { "g#s/../x", "http://a/b/c/g#s/../x" },
        { "https://x", "https://x/" },
        { "g:h", "(refused)" },
        { "http:g", "(refused)" },
        { "a b", "(refused)" },
        { "//", "(refused)" },
    };
    char room[256];

    for (size_t i = 0; i < N(cases); i++)
        EXPECT_STR(resolved("http://a/b/c/d;p?q", cases[i][0], false, room, sizeof room), cases[i][1]);
}

TEST(userinfo_stays_with_its_host)
{
    const char *base = "http://u:p@a:81/x#f";
    char room[256];

    EXPECT_STR(resolved(base, "y", false, room, sizeof room), "u:p http://a:81/y");
    EXPECT_STR(resolved(base, "?q", false, room, sizeof room), "u:p http://a:81/x?q");
    EXPECT_STR(resolved(base, "//a:81/y", false, room, sizeof room), "http://a:81/y");
    EXPECT_STR(resolved(base, "//v:w@b/y", false, room, sizeof room), "v:w http://b/y");
    EXPECT_STR(resolved("http://u@[::1]:81/", "y", false, room, sizeof room), "u http://[::1]:81/y");
}

TEST(a_redirect_gives_credentials_to_the_same_origin_only)
{
    const char *base = "http://u:p@a:81/x";
    char room[256];

    EXPECT_STR(resolved(base, "y", true, room, sizeof room), "u:p http://a:81/y");
    EXPECT_STR(resolved(base, "http://A:81/y", true, room, sizeof room), "u:p http://a:81/y");
    EXPECT_STR(resolved(base, "http://v:w@a:81/y", true, room, sizeof room), "u:p http://a:81/y");
    EXPECT_STR(resolved(base, "http://a/y", true, room, sizeof room), "http://a/y");
    EXPECT_STR(resolved(base, "https://a:81/y", true, room, sizeof room), "https://a:81/y");
    EXPECT_STR(resolved(base, "//v:w@b:81/y", true, room, sizeof room), "http://b:81/y");
    EXPECT_STR(resolved("http://a/", "http://v:w@a/y", true, room, sizeof room), "http://a/y");
    EXPECT_STR(resolved(base, "http://a:81\\@b/", true, room, sizeof room), "(refused)");
}

TEST(a_redirect_keeps_the_fragment_unless_it_has_its_own)
{
    char room[256];

    EXPECT_STR(resolved("http://a/x#f", "/y", true, room, sizeof room), "http://a/y#f");
    EXPECT_STR(resolved("http://a/x#f", "https://b/y", true, room, sizeof room), "https://b/y#f");
    EXPECT_STR(resolved("http://a/x#f", "/y#g", true, room, sizeof room), "http://a/y#g");
    EXPECT_STR(resolved("http://a/x#f", "/y#", true, room, sizeof room), "http://a/y#");
    EXPECT_STR(resolved("http://a/x", "/y", true, room, sizeof room), "http://a/y");
}

TEST(a_redirect_may_have_blanks_and_any_bytes)
{
    char room[256];

    EXPECT_STR(resolved("http://a/", "/b c?d e", true, room, sizeof room), "http://a/b%20c?d%20e");
    EXPECT_STR(resolved("http://a/", "/\xe4\xc3\xa4", true, room, sizeof room), "http://a/%E4%C3%A4");
    EXPECT_STR(resolved("http://a/", "http://b c/", true, room, sizeof room), "(refused)");
    EXPECT_STR(resolved("http://a/", "/b\\c", true, room, sizeof room), "(refused)");
    EXPECT_STR(resolved("http://a/", "/b c", false, room, sizeof room), "(refused)");
}

TEST(origins_are_the_same_by_scheme_host_and_port)
{
    static const struct {
        const char *a, *b;
        bool is_same;
    } cases[] = {
        { "http://a/x", "http://A:80/y?z", true },    { "http://a/", "https://a/", false },
        { "http://a:443/", "https://a:443/", false }, { "http://a/", "http://a:81/", false },
        { "http://a/", "http://b/", false },          { "http://a/", "http://a./", false },
        { "http://u:p@a/", "http://v:w@a/", true },   { "http://[::1]/", "http://[0:0::1]/", true },
    };
    struct fate__url a, b;

    for (size_t i = 0; i < N(cases); i++) {
        if (fate__url_parse(&a, cases[i].a, strlen(cases[i].a), NULL) < 0)
            return;
        if (fate__url_parse(&b, cases[i].b, strlen(cases[i].b), NULL) == 0) {
            EXPECT_EQ(fate__url_is_same_origin(&a, &b), cases[i].is_same);
            fate__url_done(&b);
        }
        fate__url_done(&a);
    }
}

/* ---- As texts ---- */

static void expect_text(const char *here, void add(struct fate__text *, const struct fate__url *),
                        const char *s, const char *expected)
{
    struct fate__text text = { 0 };
    struct fate__url url;

    if (fate__url_parse(&url, s, strlen(s), NULL) < 0) {
        test_expect(here, false, s);
        return;
    }
    add(&text, &url);
    test_expect_str(here, text.len ? text.bytes : "", expected, s);
    fate__url_done(&url);
    fate__text_done(&text);
}
#define EXPECT_ADDS(add, s, expected) expect_text(FATE_HERE, add, s, expected)

TEST(a_url_gives_what_a_request_needs)
{
    EXPECT_ADDS(fate__url_add_host, "http://u@Example.org:80/x", "example.org");
    EXPECT_ADDS(fate__url_add_host, "https://example.org:80/x", "example.org:80");
    EXPECT_ADDS(fate__url_add_host, "https://[::1]:8443/x", "[::1]:8443");
    EXPECT_ADDS(fate__url_add_host, "https://[::1]/x", "[::1]");
    EXPECT_ADDS(fate__url_add_target, "http://u@h/a/../b?c#d", "/b?c");
    EXPECT_ADDS(fate__url_add_target, "http://h", "/");
    EXPECT_ADDS(fate__url_add_target, "http://h?", "/?");
    EXPECT_ADDS(fate__url_add_absolute, "http://u:p@h:81/a?b#c", "http://h:81/a?b");
    EXPECT_ADDS(fate__url_add, "http://u:p@h:81/a?b#c", "http://h:81/a?b#c");
    EXPECT_ADDS(fate__url_add_credentials, "http://u%40x:p%3Aw@h/", "u@x:p:w");
    EXPECT_ADDS(fate__url_add_credentials, "http://u@h/", "u:");
    EXPECT_ADDS(fate__url_add_credentials, "http://h/", "");
}

TEST(a_downloaded_file_has_a_name_and_no_path)
{
    static const char *const cases[][2] = {
        { "/a/b.tar.gz?x=y/z#w", "b.tar.gz" },
        { "", "index.html" },
        { "/a/", "index.html" },
        { "/..%2f..%2fetc%2fpasswd", "passwd" },
        { "/..%5c..%5cx.exe", "x.exe" },
        { "/a%2f", "index.html" },
        { "/a%2f..", "_." },
        { "/%2ebashrc", "_bashrc" },
        { "/.profile", "_profile" },
        { "/-rf", "_rf" },
        { "/a%00b%0ac%7f", "a_b_c_" },
        { "/a%c2%9bb", "a__b" },
        { "/%ff", "_" },
        { "/\xc3\xbc%20b", "\xc3\xbc b" },
    };
    char url[64];

    for (size_t i = 0; i < N(cases); i++) {
        snprintf(url, sizeof url, "http://h%s", cases[i][0]);
        EXPECT_ADDS(fate__url_add_file_name, url, cases[i][1]);
    }
}

TEST(a_long_file_name_is_cut_between_characters)
{
    struct fate__text text = { 0 };
    char name[300];

    for (size_t i = 0; i < sizeof name; i++)
        name[i] = i % 2 ? '\xbc' : '\xc3';
    fate__add_file_name(&text, name, sizeof name);
    EXPECT_EQ(text.len, 254);
    fate__text_done(&text);
    memset(name, 'a', sizeof name);
    fate__add_file_name(&text, name, sizeof name);
    EXPECT_EQ(text.len, FATE__FILE_NAME_MAX);
    fate__text_done(&text);
}
