/* Writing to what nobody reads any more, without the signal. */
#ifndef FATE_SRC_BASE_QUIET_H
#define FATE_SRC_BASE_QUIET_H

#include <signal.h>
#include <stdbool.h>

/* SIGPIPE is the thread's own: it is kept back, and if the call between the two has made it, taken away. */
struct fate__quiet {
    sigset_t before;
    bool was_blocked, was_pending;
};

void fate__quiet_begin(struct fate__quiet *quiet);
/* Leaves errno as it is. */
void fate__quiet_end(const struct fate__quiet *quiet, bool has_made_it);

#endif
