/* What the files of a transport share. */
#ifndef FATE_SRC_NET_STREAM_H
#define FATE_SRC_NET_STREAM_H

#include <deferred/ear.h>
#include <deferred/line.h>
#include <net/transport.h>

/* Made when one of these is needed first. */
struct fate__extra {
    fate_transport *transport;
    const fate_framing *framing; /* instead of the ops', once it has been set */
    bool has_framing;
    char *in; /* bytes that were read and have not been given to the protocol: in[in_at .. n_in) */
    size_t in_at, n_in, in_room;
    fate_deferred *receiver; /* who waits for the next message; NULL: nobody */
    struct fate__ear conversation;
    bool is_cancelled; /* the conversation is */
    bool is_looking;   /* the idle timeout is over, but what has come meanwhile is read first */
    struct fate__link ties;
    struct fate__line flushed; /* those who wait for room */
    struct fate__line written; /* and those who wait until all has left */
    size_t low, high, cap;     /* marks of the queue */
    fate_time idle_timeout, active;
    fate_timer idle, again; /* again: the system had no buffers, and is asked once more */
    unsigned n_again;
    fate_value broken; /* why writing has failed */
    fate_address here;
    char *peer_path, here_path[108];
};

/* ---- net.c, and what it calls ---- */

/* It will be looked after at the end of the turn, or in the next round. */
void fate__attend(fate_transport *transport);
void fate__attend_now(fate_transport *transport);
void fate__read_next_round(fate_transport *transport);
void fate__read_now(fate_transport *transport);
/* What the poller says of a socket. */
void fate__socket_ready(void *transport, unsigned events);
/* For the report: its connections. */
void fate__factory_look(struct fate__factory *factory, fate__see_fn *see, void *arg);

/* ---- transport.c ---- */

/* NULL without memory: the connection is being lost then. */
struct fate__extra *fate__extra(fate_transport *transport);
/* Closes the wire; connection_lost comes at the end of the turn.  why is given. */
void fate__lose(fate_transport *transport, fate_value why, bool is_abort);
/* All is written that was to be before closing or shutting. */
void fate__written_all(fate_transport *transport);
void fate__free_if_over(fate_transport *transport);
/* Stops the program when it is none. */
_Noreturn void fate__no_transport(const char *what);
static inline void fate__check_transport(const fate_transport *transport, const char *what)
{
    if (fate__unlikely(!transport || !transport->net))
        fate__no_transport(what);
    const struct fate__turns *turns = &transport->net->reactor->turns;
    if (fate__unlikely(turns->forks != fate__forks))
        fate__in_child(turns, what, NULL);
    fate__check_thread(turns, what, NULL);
}
/* Where the connection was asked for. */
static inline const char *fate__site_of_transport(const fate_transport *transport)
{
    return fate__factory_of(transport->protocol)->site;
}

/* ---- write.c ---- */

#define FATE__LOW_MARK  ((size_t)65536)
#define FATE__HIGH_MARK ((size_t)262144)
#define FATE__CAP       ((size_t)16777216)

/* Sends what goes now. */
void fate__flush(fate_transport *transport);
void fate__drop_out(fate_transport *transport);
/* What it had in the cork was offered to the wire, and less than all of it, or -errno, went. */
void fate__cork_was_sent(fate_transport *transport, const char *bytes, size_t len, ssize_t n);
/* The buffer that was read into is about to be used again: what lies in it is copied.  False: no memory. */
bool fate__copy_lent(fate_transport *transport);
/* All of its parts are in the queue: FATE__SENDING is over. */
void fate__message_is_written(fate_transport *transport);
static inline size_t fate__high_mark(const fate_transport *transport)
{
    return transport->extra ? transport->extra->high : FATE__HIGH_MARK;
}
void fate__free_out(struct fate__net *net);

/* ---- write_room.c ---- */

/* Tells the protocol that it is to stop writing. */
void fate__tell_pause(fate_transport *transport);
/* Tells those who wait for room, when there is some. */
void fate__has_room(fate_transport *transport);

/* ---- read.c ---- */

/* Gives the protocol what is there and what can be read now. */
void fate__read(fate_transport *transport);
/* The hot buffer is there, and may be read into.  False: no memory. */
bool fate__prepare_hot(struct fate__net *net);
/* What was read, n bytes of it or 0 or -errno, lies in the hot buffer.  is_empty: that was all there is now.
 */
void fate__has_read(fate_transport *transport, ssize_t n, bool is_empty);
/* The wire is in trouble, which a read would find; where nobody reads, it is asked. */
void fate__look_for_trouble(fate_transport *transport);
/* Gives what has been read before, unless it is being given already. */
bool fate__give_waiting(fate_transport *transport);
/* The protocol can take something again. */
void fate__resume(fate_transport *transport);

/* ---- receive.c ---- */

/* A message for whoever waits; and what they get instead. */
void fate__received(fate_transport *transport, const char *message, size_t len);
void fate__no_more_messages(fate_transport *transport, const fate_value *why);
void fate__begin_conversation(fate_transport *transport);
/* False: it goes on, and will have the transport attended to when it has ended. */
bool fate__end_conversation(fate_transport *transport);
/* Whoever wants its result does no more. */
void fate__cancel_conversation(fate_transport *transport);
void fate__cancel_ties(fate_transport *transport);

/* ---- idle.c ---- */

void fate__stop_timers(fate_transport *transport);
static inline void fate__is_active(fate_transport *transport)
{
    if (fate__unlikely(transport->flags & FATE__TIMES))
        transport->extra->active = transport->net->reactor->now;
}

#endif
