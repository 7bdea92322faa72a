/* The last words of a program. */
#include <base/stop.h>

#include <stdio.h>
#include <stdlib.h>

#include <base/text.h>

_Noreturn void fate__stop(const char *site, const char *fmt, ...)
{
    char shorter[256];
    va_list args;

    fflush(stdout);
    fputs("libfate: ", stderr);
    if (site && *site)
        fprintf(stderr, "%s: ", fate__site_short(site, shorter, sizeof shorter));
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}

_Noreturn void fate__assert_failed(const char *condition, const char *here)
{
    fate__stop(
        here,
        "a promise of the library to itself is broken: %s. This is a mistake in libfate, or memory was "
        "overwritten; run the program under valgrind or AddressSanitizer.",
        condition);
}
