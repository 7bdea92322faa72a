/* Numbers by chance, for what is to be spread: jitter, the choice among equals.  Not for secrets, since
 * whoever has seen one knows the next. */
#ifndef FATE_SRC_REACTOR_RANDOM_H
#define FATE_SRC_REACTOR_RANDOM_H

#include <fate/reactor.h>

struct fate__random {
    uint64_t state;
    bool is_seeded; /* when the first is drawn */
};

/* The reactor's next number.  From the same seed come the same numbers: that of its options, else on
 * simulated time always the same one, else one of the kernel's. */
uint64_t fate__random(fate_reactor *reactor);

#endif
