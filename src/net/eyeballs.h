/* Happy eyeballs (RFC 8305, 5): which address is tried when, and which attempts are given up.  No sockets and
 * no clock: whoever has these tells what has happened, and does what the steps say until there is none.
 *
 * The next address is tried when the attempt before it has failed, or has had its time; those before it go
 * on.  The first that connects wins, and the others are given up. */
#ifndef FATE_SRC_NET_EYEBALLS_H
#define FATE_SRC_NET_EYEBALLS_H

#include <fate/base.h>

/* More addresses than that are not tried: each is a bit. */
#define FATE__TRIES_MAX 64

/* Zeroed it knows no address yet. */
struct fate__eyeballs {
    uint64_t pending; /* a bit for each attempt that is under way */
    unsigned n, next; /* addresses known; the first that has not been tried */
    unsigned winner;
    bool knows_all; /* no more addresses come */
    bool is_due;    /* the last attempt has had its time */
    bool has_timer, is_timer_stale;
    bool has_ended, has_won;
    bool has_told; /* how it has ended; or nobody wants to know */
};

enum fate__step_kind {
    FATE__STEP_NONE,       /* nothing to do until something happens */
    FATE__STEP_TRY,        /* begin attempt i */
    FATE__STEP_GIVE_UP,    /* close attempt i */
    FATE__STEP_SET_TIMER,  /* due after the attempt delay, instead of when it was due before */
    FATE__STEP_STOP_TIMER, /* it is set, and not to become due */
    FATE__STEP_WON,        /* attempt i, as the last step */
    FATE__STEP_LOST        /* all have failed; the last step */
};

struct fate__step {
    enum fate__step_kind kind;
    unsigned i;
};

/* ---- What has happened ---- */

/* There are n more addresses; those beyond FATE__TRIES_MAX are left out.  is_last: no more come. */
void fate__eyeballs_arrived(struct fate__eyeballs *eyeballs, size_t n, bool is_last);
/* Attempt i, which is under way, has ended. */
void fate__eyeballs_failed(struct fate__eyeballs *eyeballs, unsigned i);
void fate__eyeballs_connected(struct fate__eyeballs *eyeballs, unsigned i);
void fate__eyeballs_due(struct fate__eyeballs *eyeballs);
/* Nobody wants a connection any more: all is given up, and there is no last step. */
void fate__eyeballs_cancel(struct fate__eyeballs *eyeballs);

/* ---- What is to be done ---- */

struct fate__step fate__eyeballs_next(struct fate__eyeballs *eyeballs);

/* In which order to try addresses of those families: alternating, beginning with the first one's, and each
 * family's in its own order (RFC 8305, 4).  ret_order has n indexes. */
void fate__alternate(const uint16_t families[], size_t n, size_t ret_order[]);

#endif
