/* The lock: one token. */
#include <deferred/tokens.h>
#include <fate/sync.h>

struct fate_lock {
    struct fate__tokens tokens;
};

static const fate_type lock_type = { "lock", FATE_KIND_OBJECT, false, false, &lock_type, NULL, true };

fate_lock *fate_lock_new_at(fate_reactor *reactor, const char *site)
{
    struct fate__tokens *tokens = fate__tokens_new(reactor, &lock_type, "lock", "fate_lock_new", 1);

    fate__made_at(&tokens->owned, site);
    return (fate_lock *)tokens;
}

fate_lock *(fate_lock_new)(fate_reactor *reactor)
{
    return fate_lock_new_at(reactor, "");
}

void fate_lock_free(fate_lock *lock)
{
    fate__tokens_free((struct fate__tokens *)lock);
}

fate_deferred *fate_lock_acquire_at(fate_lock *lock, const char *site)
{
    return fate__tokens_acquire(&lock->tokens, site);
}

int fate_lock_release(fate_lock *lock)
{
    return fate__tokens_release(&lock->tokens);
}

fate_deferred *fate_lock_run_at(fate_lock *lock, fate_function *function, fate_value arg, const char *site)
{
    return fate__tokens_run(&lock->tokens, function, arg, site);
}

bool fate_lock_is_held(const fate_lock *lock)
{
    return !lock->tokens.owned.is_no_memory && lock->tokens.n_free == 0;
}

size_t fate_lock_waiting(const fate_lock *lock)
{
    return lock->tokens.owned.is_no_memory ? 0 : lock->tokens.line.n;
}

fate_lock *fate_as_lock(const fate_value *v)
{
    return fate__as_object(&lock_type, v, "fate_as_lock");
}

fate_deferred *(fate_lock_acquire)(fate_lock *lock)
{
    return fate_lock_acquire_at(lock, "fate_lock_acquire");
}

fate_deferred *(fate_lock_run)(fate_lock *lock, fate_function *function, fate_value arg)
{
    return fate_lock_run_at(lock, function, arg, "fate_lock_run");
}
