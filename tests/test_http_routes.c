/* Tests of src/http/routes.c and routes_compile.c. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <http/routes.h>

#include "test.h"

#define N(array) (sizeof(array) / sizeof *(array))

/* NULL where memory has run out. */
static struct fate__routes *compile(const char *const patterns[], size_t n)
{
    struct fate__routes *routes = fate__routes_new();
    struct fate__why why = { "" };

    for (size_t i = 0; i < n && routes; i++) {
        int number = fate__routes_add(routes, patterns[i], &why);
        if (number == (int)i)
            continue;
        EXPECT_STR(why.text, "");
        fate__routes_free(routes);
        return NULL;
    }
    return routes;
}

/* "GET /users/{id:int} id=5#5 name=x", "404", "405 GET, HEAD": parameters with # are numbers. */
static const char *matched(const struct fate__routes *routes, const char *method, const char *path, char *to)
{
    struct fate__text text = { 0 };
    struct fate__route_match match;
    char room[256];

    fate__routes_match(routes, fate__slice_of(method), fate__slice_of(path), room, &match);
    if (match.status != 200)
        fate__text_format(&text, "%d%s", match.status, match.status == 405 ? " " : "");
    else
        fate__text_add(&text, fate__routes_pattern(routes, match.route));
    if (match.status == 405)
        fate__routes_add_allow(&text, match.allowed);
    for (size_t i = 0; i < match.n_params; i++) {
        struct fate__route_param *param = &match.params[i];
        EXPECT_EQ(param->value.s[param->value.len], 0);
        fate__text_format(&text, " %.*s=%s", (int)param->name.len, param->name.s, param->value.s);
        if (param->is_int)
            fate__text_format(&text, "#%lld", (long long)param->number);
    }
    snprintf(to, 256, "%s", text.has_failed ? "(no memory)" : text.bytes);
    fate__text_done(&text);
    return to;
}

struct matching {
    const char *method, *path, *expected;
};

static void expect_matches(const char *here, const char *const patterns[], size_t n,
                           const struct matching *cases, size_t n_cases)
{
    struct fate__routes *routes = compile(patterns, n);
    char room[256];

    for (size_t i = 0; i < n_cases && routes; i++)
        test_expect_str(here, matched(routes, cases[i].method, cases[i].path, room), cases[i].expected,
                        cases[i].path);
    fate__routes_free(routes);
}
#define EXPECT_MATCHES(patterns, cases) expect_matches(FATE_HERE, patterns, N(patterns), cases, N(cases))

/* ---- Matching ---- */

static const char *const site[] = {
    "GET /",
    "GET /users",
    "POST /users",
    "GET /users/",
    "GET /users/me",
    "GET /users/{id:int}",
    "DELETE /users/{id:int}",
    "GET /users/{name}",
    "GET /users/{user:int}/files/{*path}",
    "GET /{a}/{b}/{c}",
    "GET /static/{*rest}",
    "POST /form",
};

TEST(a_path_has_a_route_and_parameters)
{
    static const struct matching cases[] = {
        { "GET", "/", "GET /" },
        { "GET", "/users", "GET /users" },
        { "POST", "/users", "POST /users" },
        { "GET", "/users/", "GET /users/" },
        { "GET", "/users/me", "GET /users/me" },
        { "GET", "/users/5", "GET /users/{id:int} id=5#5" },
        { "DELETE", "/users/007", "DELETE /users/{id:int} id=007#7" },
        { "GET", "/users/ben", "GET /users/{name} name=ben" },
        { "GET", "/users/5/files/a/b.txt", "GET /users/{user:int}/files/{*path} user=5#5 path=a/b.txt" },
        { "GET", "/users/5/files/", "GET /users/{user:int}/files/{*path} user=5#5 path=" },
        { "GET", "/x/y/z", "GET /{a}/{b}/{c} a=x b=y c=z" },
        { "GET", "/static/a//b/", "GET /static/{*rest} rest=a//b/" },
        { "POST", "/form", "POST /form" },
    };
    EXPECT_MATCHES(site, cases);
}

TEST(head_goes_to_get)
{
    static const char *const patterns[] = { "GET /a", "GET /b", "HEAD /b", "POST /c" };
    static const struct matching cases[] = {
        { "HEAD", "/a", "GET /a" },
        { "HEAD", "/b", "HEAD /b" },
        { "GET", "/b", "GET /b" },
        { "HEAD", "/c", "405 POST" },
    };
    EXPECT_MATCHES(patterns, cases);
}

TEST(what_has_no_route_is_404_and_of_other_methods_405)
{
    static const struct matching cases[] = {
        { "GET", "/nosuch", "404" },
        { "GET", "/users/5/", "404" },
        { "GET", "/users/5/files", "GET /{a}/{b}/{c} a=users b=5 c=files" },
        { "GET", "/static", "404" },
        { "GET", "//", "404" },
        { "GET", "//users", "404" },
        { "GET", "/x//z", "404" },
        { "GET", "/Users", "404" },
        { "PUT", "/users", "405 GET, HEAD, POST" },
        { "PUT", "/users/5", "405 GET, HEAD, DELETE" },
        { "PUT", "/users/me", "405 GET, HEAD" },
        { "DELETE", "/users/me", "405 GET, HEAD" },
        { "BREW", "/users", "405 GET, HEAD, POST" },
        { "get", "/users", "405 GET, HEAD, POST" },
        { "", "/users", "405 GET, HEAD, POST" },
        { "GET", "/form", "405 POST" },
        { "BREW", "/nosuch", "404" },
    };
    EXPECT_MATCHES(site, cases);
}

TEST(a_method_may_be_found_in_a_less_special_route)
{
    static const char *const patterns[] = { "GET /a", "POST /{x}", "PUT /{*rest}" };
    static const struct matching cases[] = {
        { "POST", "/a", "POST /{x} x=a" },
        { "PUT", "/a", "PUT /{*rest} rest=a" },
        { "DELETE", "/a", "405 GET, HEAD, POST, PUT" },
        { "DELETE", "/b", "405 POST, PUT" },
        { "DELETE", "/", "405 PUT" },
    };
    EXPECT_MATCHES(patterns, cases);
}

TEST(texts_win_over_int_over_text_over_rest)
{
    static const char *const patterns[] = { "GET /{*r}", "GET /{t}", "GET /{i:int}", "GET /5" };
    static const struct matching cases[] = {
        { "GET", "/5", "GET /5" },       { "GET", "/6", "GET /{i:int} i=6#6" },
        { "GET", "/x", "GET /{t} t=x" }, { "GET", "/x/y", "GET /{*r} r=x/y" },
        { "GET", "/", "GET /{*r} r=" },  { "GET", "/5/", "GET /{*r} r=5/" },
    };
    EXPECT_MATCHES(patterns, cases);
}

TEST(what_leads_nowhere_is_gone_back_from)
{
    static const char *const patterns[] = { "GET /a/b/c", "GET /a/{x}/d", "GET /{i:int}/e", "GET /{y}/b/{z}",
                                            "GET /{*r}" };
    static const struct matching cases[] = {
        { "GET", "/a/b/c", "GET /a/b/c" },
        { "GET", "/a/b/d", "GET /a/{x}/d x=b" },
        { "GET", "/a/b/f", "GET /{y}/b/{z} y=a z=f" },
        { "GET", "/5/b/f", "GET /{y}/b/{z} y=5 z=f" },
        { "GET", "/5/e", "GET /{i:int}/e i=5#5" },
        { "GET", "/a/x/f", "GET /{*r} r=a/x/f" },
        { "GET", "/a/b/f/g", "GET /{*r} r=a/b/f/g" },
    };
    EXPECT_MATCHES(patterns, cases);
}

TEST(an_int_is_digits_that_fit)
{
    static const char *const patterns[] = { "GET /{i:int}" };
    static const struct matching cases[] = {
        { "GET", "/0", "GET /{i:int} i=0#0" },
        { "GET", "/9223372036854775807", "GET /{i:int} i=9223372036854775807#9223372036854775807" },
        { "GET", "/000000000000000000000000000001", "GET /{i:int} i=000000000000000000000000000001#1" },
        { "GET", "/9223372036854775808", "404" },
        { "GET", "/99999999999999999999", "404" },
        { "GET", "/18446744073709551617", "404" },
        { "GET", "/-1", "404" },
        { "GET", "/+1", "404" },
        { "GET", "/1x", "404" },
        { "GET", "/1.0", "404" },
        { "GET", "/", "404" },
        { "GET", "/%31", "GET /{i:int} i=1#1" },
        { "GET", "/\xd9\xa1", "404" },
    };
    EXPECT_MATCHES(patterns, cases);
}

TEST(segments_are_decoded_after_they_were_cut)
{
    static const char *const patterns[] = { "GET /a%20b%2f\xc3\xbc", "GET /x/{n}", "GET /x/{n}/y",
                                            "GET /r/{*rest}" };
    static const struct matching cases[] = {
        { "GET", "/a%20b%2F%C3%BC", "GET /a%20b%2f\xc3\xbc" },
        { "GET", "/%61%20b%2F\xc3\xbc", "GET /a%20b%2f\xc3\xbc" },
        { "GET", "/a%20b/%C3%BC", "404" },
        { "GET", "/%78/%78", "GET /x/{n} n=x" },
        { "GET", "/x/a%2Fy", "GET /x/{n} n=a/y" },
        { "GET", "/x%2Fa", "404" },
        { "GET", "/x/a+b%2b", "GET /x/{n} n=a+b+" },
        { "GET", "/x/%2e%2e%2f%2e%2e", "GET /x/{n} n=../.." },
        { "GET", "/x/%25%32%46", "GET /x/{n} n=%2F" },
        { "GET", "/r/a%20b/%2F..%2f/c%3F", "GET /r/{*rest} rest=a b/%2F..%2f/c?" },
        { "GET", "/r/%C3%BC/%61%62%63/", "GET /r/{*rest} rest=\xc3\xbc/abc/" },
    };
    EXPECT_MATCHES(patterns, cases);
}

TEST(paths_that_no_page_should_see_are_400)
{
    static const char *const patterns[] = { "GET /{*rest}", "GET /x/{n}" };
    static const struct matching cases[] = {
        { "GET", "", "400" },
        { "GET", "x", "400" },
        { "GET", "*", "400" },
        { "GET", "/%", "400" },
        { "GET", "/%4", "400" },
        { "GET", "/x/%4g", "400" },
        { "GET", "/%00", "400" },
        { "GET", "/a%00b", "400" },
        { "GET", "/..", "400" },
        { "GET", "/a/../b", "400" },
        { "GET", "/.", "400" },
        { "GET", "/a/./b", "400" },
        { "GET", "/%2e%2E", "400" },
        { "GET", "/a/.%2e", "400" },
        { "GET", "/%ff", "400" },
        { "GET", "/\xc3", "400" },
        { "GET", "/%ed%a0%80", "400" },
        { "GET", "/x/%c3/", "400" },
        { "BREW", "/..", "400" },
        { "GET", "/...", "GET /{*rest} rest=..." },
        { "GET", "/..a", "GET /{*rest} rest=..a" },
        { "GET", "/.a", "GET /{*rest} rest=.a" },
        { "GET", "/a.", "GET /{*rest} rest=a." },
    };
    EXPECT_MATCHES(patterns, cases);
}

TEST(a_match_is_asked_for_its_parameters_by_name)
{
    static const char *const patterns[] = { "GET /{a}/{b:int}" };
    struct fate__routes *routes = compile(patterns, 1);
    struct fate__route_match match;
    char room[32];

    if (!routes)
        return;
    fate__routes_match(routes, fate__slice_of("GET"), fate__slice_of("/x/5"), room, &match);
    if (EXPECT_EQ(match.status, 200)) {
        EXPECT_STR(fate__route_param(&match, "a")->value.s, "x");
        EXPECT_EQ(fate__route_param(&match, "b")->number, 5);
        EXPECT_PTR(fate__route_param(&match, "c"), NULL);
    }
    fate__routes_free(routes);
    fate__routes_free(NULL);
}

TEST(many_routes_are_told_apart)
{
    struct fate__routes *routes = fate__routes_new();
    char pattern[64], path[32], expected[64], room[256];
    int n = 0;

    for (; n < 200 && routes && !test_is_oom(); n++) {
        snprintf(pattern, sizeof pattern, "GET /p%d/{x}", n * 7 % 200);
        EXPECT_EQ(fate__routes_add(routes, pattern, NULL), n);
    }
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "/p%d/%d", i, i);
        snprintf(expected, sizeof expected, "GET /p%d/{x} x=%d", i, i);
        EXPECT_STR(matched(routes, "GET", path, room), expected);
    }
    fate__routes_free(routes);
}

/* ---- Compiling ---- */

static void expect_refused(const char *here, const char *pattern, int expected, const char *part)
{
    struct fate__routes *routes = compile((const char *const[]){ "GET /x/{id}/{*rest}" }, 1);
    struct fate__why why = { "" };
    char room[256];

    if (!routes)
        return;
    int error = fate__routes_add(routes, pattern, &why);
    if (error != -ENOMEM) {
        test_expect_eq(here, error, expected, pattern);
        test_expect_contains(here, why.text, part, pattern);
    }
    test_expect_str(here, matched(routes, "GET", "/x/1/2", room), "GET /x/{id}/{*rest} id=1 rest=2", pattern);
    fate__routes_free(routes);
}
#define EXPECT_REFUSED(pattern, part) expect_refused(FATE_HERE, pattern, -EINVAL, part)

TEST(bad_patterns_are_refused_with_advice)
{
    EXPECT_REFUSED("", "there is no path");
    EXPECT_REFUSED(
        "GET", "the route \"GET\": there is no path: write a method, a blank and a path, as in GET /users");
    EXPECT_REFUSED("/users", "there is no method: write GET and a blank in front");
    EXPECT_REFUSED("GET users", "the path must begin with a slash");
    EXPECT_REFUSED("GET  /users", "the path must begin with a slash, after one blank");
    EXPECT_REFUSED(" GET /users", "\"\" is no method");
    EXPECT_REFUSED("GTE /users", "\"GTE\" is no method that is known: did you mean GET?");
    EXPECT_REFUSED("post /users", "did you mean POST?");
    EXPECT_REFUSED("BREW /pot", "\"BREW\" is no method that is known: GET, HEAD, POST");
    EXPECT_REFUSED("GET /a b", "a blank or a control byte: write %20");
    EXPECT_REFUSED("GET /a ", "write %20");
    EXPECT_REFUSED("GET /a\n", "write %0A");
    EXPECT_REFUSED("GET /a?b", "queries take no part in matching");
    EXPECT_REFUSED("GET /a#b", "a # itself is %23");
    EXPECT_REFUSED("GET /%zz", "write %25");
    EXPECT_REFUSED("GET /a%", "write %25");
    EXPECT_REFUSED("GET /a//b", "empty segment");
    EXPECT_REFUSED("GET //", "empty segment");
    EXPECT_REFUSED("GET /a/../b", "a segment \"..\", which no request has");
    EXPECT_REFUSED("GET /%2e", "a segment \".\"");
    EXPECT_REFUSED("GET /%00", "a NUL or is no UTF-8");
    EXPECT_REFUSED("GET /\xff", "a NUL or is no UTF-8");
    EXPECT_REFUSED("GET /{id", "\"{id\" has no }");
    EXPECT_REFUSED("GET /{id/x", "\"{id\" has no }");
    EXPECT_REFUSED("GET /id}", "a parameter is a whole segment");
    EXPECT_REFUSED("GET /x{id}", "a parameter is a whole segment, as in /users/{id}; a { itself is %7B");
    EXPECT_REFUSED("GET /{id}x", "a parameter is a whole segment: \"{id}x\" is more");
    EXPECT_REFUSED("GET /{id}.{type}", "is more");
    EXPECT_REFUSED("GET /{}", "\"\" is no name");
    EXPECT_REFUSED("GET /{*}", "\"\" is no name");
    EXPECT_REFUSED("GET /{:int}", "\"\" is no name");
    EXPECT_REFUSED("GET /{1a}", "\"1a\" is no name: use letters, digits and _");
    EXPECT_REFUSED("GET /{a-b}", "\"a-b\" is no name");
    EXPECT_REFUSED("GET /{a b}", "\"a b\" is no name");
    EXPECT_REFUSED("GET /{id:integer}", "\"integer\" is no type: did you mean int");
    EXPECT_REFUSED("GET /{id:txet}", "did you mean text");
    EXPECT_REFUSED("GET /{id:}", "\"\" is no type: there are int and text");
    EXPECT_REFUSED("GET /{id:uuid}", "\"uuid\" is no type: there are int and text");
    EXPECT_REFUSED("GET /{*rest}/x", "{*rest} takes all that is left: it must be the last");
    EXPECT_REFUSED("GET /{*rest}/", "it must be the last");
    EXPECT_REFUSED("GET /{*rest:int}", "has no type");
    EXPECT_REFUSED("GET /{id}/{id:int}", "{id} is there twice");
}

TEST(two_routes_for_the_same_requests_are_refused)
{
    expect_refused(FATE_HERE, "GET /x/{name}/{*all}", -EEXIST,
                   "the route \"GET /x/{name}/{*all}\" is for the same requests as \"GET /x/{id}/{*rest}\"");
    expect_refused(FATE_HERE, "GET /%78/{id:text}/{*rest}", -EEXIST, "is for the same requests as");
}

static void fill_pattern(char *pattern, const char *first, int n, const char *fmt)
{
    char *at = pattern + sprintf(pattern, "GET %s", first);

    for (int i = 0; i < n; i++) {
        *at++ = '/';
        at += snprintf(at, 16, fmt[0] == '{' ? "{p%d}" : "s%d", i);
    }
}

TEST(a_pattern_has_limits)
{
    char pattern[512];

    fill_pattern(pattern, "", 17, "{");
    EXPECT_REFUSED(pattern, "it has more than 16 parameters");
    fill_pattern(pattern, "", 33, "s");
    EXPECT_REFUSED(pattern, "it has more than 32 segments");
}

TEST(a_pattern_may_have_as_much_as_the_limits_say)
{
    struct fate__routes *routes = fate__routes_new();
    char pattern[512], room[256];

    fill_pattern(pattern, "", 32, "s");
    if (routes && EXPECT_EQ(fate__routes_add(routes, pattern, NULL), 0))
        EXPECT_STR(matched(routes, "GET", pattern + 4, room), pattern);
    fill_pattern(pattern, "", 16, "{");
    if (routes && EXPECT(fate__routes_add(routes, pattern, NULL) >= 0))
        EXPECT_CONTAINS(matched(routes, "GET", "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p", room), "p0=a p1=b");
    fate__routes_free(routes);
}
