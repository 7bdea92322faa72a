/* The semaphore: so many tokens. */
#include <deferred/tokens.h>
#include <fate/sync.h>

struct fate_semaphore {
    struct fate__tokens tokens;
};

static const fate_type semaphore_type = { "semaphore", FATE_KIND_OBJECT, false, false, &semaphore_type, NULL,
                                          true };

fate_semaphore *fate_semaphore_new_at(fate_reactor *reactor, size_t n_tokens, const char *site)
{
    if (n_tokens == 0)
        fate__stop(
            site,
            "fate_semaphore_new with 0 tokens: nobody could ever acquire it (R131). Give it at least 1.");
    struct fate__tokens *tokens =
        fate__tokens_new(reactor, &semaphore_type, "semaphore", "fate_semaphore_new", n_tokens);
    fate__made_at(&tokens->owned, site);
    return (fate_semaphore *)tokens;
}

fate_semaphore *(fate_semaphore_new)(fate_reactor *reactor, size_t n_tokens)
{
    return fate_semaphore_new_at(reactor, n_tokens, "");
}

void fate_semaphore_free(fate_semaphore *semaphore)
{
    fate__tokens_free((struct fate__tokens *)semaphore);
}

fate_deferred *fate_semaphore_acquire_at(fate_semaphore *semaphore, const char *site)
{
    return fate__tokens_acquire(&semaphore->tokens, site);
}

int fate_semaphore_release(fate_semaphore *semaphore)
{
    return fate__tokens_release(&semaphore->tokens);
}

fate_deferred *fate_semaphore_run_at(fate_semaphore *semaphore, fate_function *function, fate_value arg,
                                     const char *site)
{
    return fate__tokens_run(&semaphore->tokens, function, arg, site);
}

size_t fate_semaphore_tokens(const fate_semaphore *semaphore)
{
    return semaphore->tokens.owned.is_no_memory ? 0 : semaphore->tokens.n_free;
}

size_t fate_semaphore_limit(const fate_semaphore *semaphore)
{
    return semaphore->tokens.owned.is_no_memory ? 0 : semaphore->tokens.limit;
}

size_t fate_semaphore_waiting(const fate_semaphore *semaphore)
{
    return semaphore->tokens.owned.is_no_memory ? 0 : semaphore->tokens.line.n;
}

fate_semaphore *fate_as_semaphore(const fate_value *v)
{
    return fate__as_object(&semaphore_type, v, "fate_as_semaphore");
}

fate_deferred *(fate_semaphore_acquire)(fate_semaphore *semaphore)
{
    return fate_semaphore_acquire_at(semaphore, "fate_semaphore_acquire");
}

fate_deferred *(fate_semaphore_run)(fate_semaphore *semaphore, fate_function *function, fate_value arg)
{
    return fate_semaphore_run_at(semaphore, function, arg, "fate_semaphore_run");
}
