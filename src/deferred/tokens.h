/* Tokens and a line for them: what a lock and a semaphore are. */
#ifndef FATE_SRC_DEFERRED_TOKENS_H
#define FATE_SRC_DEFERRED_TOKENS_H

#include <deferred/line.h>

struct fate__tokens {
    struct fate__owned owned;
    const fate_type *type; /* of the value that an acquire fires with */
    const char *noun;      /* "lock" */
    size_t n_free, limit;
    size_t n_turns; /* runs under way; the memory stays until they are over */
    bool is_freed;
    struct fate__line line;
};

/* what: the public function. */
struct fate__tokens *fate__tokens_new(fate_reactor *reactor, const fate_type *type, const char *noun,
                                      const char *what, size_t limit);
void fate__tokens_free(struct fate__tokens *tokens);
fate_deferred *fate__tokens_acquire(struct fate__tokens *tokens, const char *site);
int fate__tokens_release(struct fate__tokens *tokens);
fate_deferred *fate__tokens_run(struct fate__tokens *tokens, fate_function *function, fate_value arg,
                                const char *site);

#endif
