/* An overflowing coroutine says so: SIGSEGV on its guard page names it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <coro/coro.h>

#define ALTERNATE_BYTES ((size_t)32768)

_Thread_local fate_coro *fate__running FATE__NEAR;
static _Thread_local void *alternate; /* this thread's stack for the handler */
static _Thread_local unsigned n_watching;

static void say(const char *text)
{
    ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
    (void)ignored;
}

static void say_number(size_t n)
{
    char digits[24];
    size_t at = sizeof digits - 1;

    digits[at] = '\0';
    do
        digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    say(digits + at);
}

static bool is_on_guard(const fate_coro *co, const unsigned char *address)
{
    const unsigned char *low = co->stack.low;

    return co->stack.guard != FATE__UNGUARDED && address < low &&
           address >= low - co->coros->stacks.page_bytes;
}

/* Only calls that are safe in a signal handler. */
static void got_segv(int signo, siginfo_t *info, void *context)
{
    const fate_coro *co = fate__running;

    if (co && is_on_guard(co, info->si_addr)) {
        say("libfate: the coroutine ");
        say(fate_coro_name(co));
        say(" has overflowed its stack of ");
        say_number((size_t)(co->stack.top - co->stack.low));
        say(" bytes. Start it with fate_go_with(…, .stack_bytes = …), or keep large arrays elsewhere.\n");
    }
    /* The faulting instruction is repeated, and ends the program as it would have; where the signal was sent
     * there is none, and it is sent again. */
    signal(SIGSEGV, SIG_DFL);
    if (info->si_code <= 0)
        raise(SIGSEGV);
}

static bool is_free(void)
{
    struct sigaction old;

    return !getenv("FATE_NO_SEGV") && sigaction(SIGSEGV, NULL, &old) == 0 && !(old.sa_flags & SA_SIGINFO) &&
           old.sa_handler == SIG_DFL;
}

static bool is_ours(void)
{
    struct sigaction old;

    return sigaction(SIGSEGV, NULL, &old) == 0 && (old.sa_flags & SA_SIGINFO) && old.sa_sigaction == got_segv;
}

/* The handler needs a stack, and each thread its own. */
static void give_alternate_stack(void)
{
    stack_t old, wanted = { .ss_size = ALTERNATE_BYTES };

    if (alternate || sigaltstack(NULL, &old) < 0 || !(old.ss_flags & SS_DISABLE))
        return;
    wanted.ss_sp =
        mmap(NULL, ALTERNATE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (wanted.ss_sp == MAP_FAILED)
        return;
    if (sigaltstack(&wanted, NULL) == 0)
        alternate = wanted.ss_sp;
    else
        munmap(wanted.ss_sp, ALTERNATE_BYTES);
}

void fate__watch_overflows(void)
{
    struct sigaction action = { .sa_sigaction = got_segv, .sa_flags = SA_SIGINFO | SA_ONSTACK };

    n_watching++;
    if (!is_free() && !is_ours())
        return;
    give_alternate_stack();
    if (is_free())
        sigaction(SIGSEGV, &action, NULL);
}

void fate__unwatch_overflows(void)
{
    const stack_t none = { .ss_flags = SS_DISABLE };
    stack_t current;

    if (--n_watching || !alternate)
        return;
    if (sigaltstack(NULL, &current) == 0 && current.ss_sp == alternate)
        sigaltstack(&none, NULL);
    munmap(alternate, ALTERNATE_BYTES);
    alternate = NULL;
}
