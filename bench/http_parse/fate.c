/* Parses the same requests again and again, each whole and on one connection: what a head costs.
 *
 *     bench-http_parse [N [NAME]]    the time of each, or of the one of that name; N: how often
 *     valgrind --tool=callgrind --toggle-collect=bench_one bench-http_parse N NAME    instructions of N of
 * them
 *
 * Between two Ns the difference is without what the first one does once. */
#include <http/message.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char small[] = "GET /hello HTTP/1.1\r\n"
                            "Host: localhost:8080\r\n"
                            "User-Agent: curl/7.88.1\r\n"
                            "Accept: */*\r\n\r\n";
static const char smallest[] = "GET /hello HTTP/1.1\r\nHost: localhost:8080\r\n\r\n";
static const char browser[] =
    "GET /articles/2024/05/on-parsing?page=2&order=newest HTTP/1.1\r\n"
    "Host: www.example.org\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
    "Accept-Language: en-US,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Referer: https://www.example.org/articles/\r\n"
    "Connection: keep-alive\r\n"
    "Cookie: session=8d6f2c0e5b7a4913; theme=dark; consent=all\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "Sec-Fetch-Dest: document\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-Site: same-origin\r\n\r\n";

__attribute__((noinline)) void bench_one(struct fate__http_parser *parser, const char *request, size_t n);

/* A message as a server sees it: its head, and that it has no body. */
void bench_one(struct fate__http_parser *parser, const char *request, size_t n)
{
    size_t used;

    fate__http_next_request(parser);
    if (fate__http_parse(parser, request, n, &used) != FATE__HTTP_HEAD || used != n)
        abort();
    if (fate__http_parse(parser, NULL, 0, &used) != FATE__HTTP_DONE)
        abort();
}

static void measure(const char *name, const char *request, long n)
{
    struct fate__http_parser parser;
    struct timespec from, to;
    size_t len = strlen(request);

    fate__http_parser_init(&parser, NULL);
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (long i = 0; i < n; i++)
        bench_one(&parser, request, len);
    clock_gettime(CLOCK_MONOTONIC, &to);
    double ns = (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
    printf("%-8s %4zu bytes %8.1f ns each\n", name, len, ns / (double)n);
    fate__http_parser_done(&parser);
}

int main(int argc, char **argv)
{
    long n = argc > 1 ? strtol(argv[1], NULL, 10) : 1000000;

    const struct {
        const char *name;
        const char *request;
    } requests[] = { { "smallest", smallest }, { "small", small }, { "browser", browser } };

    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        if (argc < 3 || strcmp(argv[2], requests[i].name) == 0)
            measure(requests[i].name, requests[i].request, n);
    return 0;
}
