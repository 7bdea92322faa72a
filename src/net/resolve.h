/* Names, for the rest of the net: what they may be, /etc/hosts, and the threads that ask the system. */
#ifndef FATE_SRC_NET_RESOLVE_H
#define FATE_SRC_NET_RESOLVE_H

#include <netdb.h>
#include <pthread.h>
#include <time.h>

#include <base/list.h>
#include <fate/resolve.h>
#include <reactor/post.h>

/* ---- name.c ---- */

/* Why this cannot be the name of a host, behind "is": "longer than a name may be (253 bytes)"; NULL: it can.
 * An address literal is none. */
const char *fate__name_fault(const char *name);
/* Is it "localhost", or below it?  Those are this host, whatever any server says (RFC 6761, 6.3). */
bool fate__name_is_local(const char *name);
/* Why no server may be asked for it; NULL: it may. */
const char *fate__name_not_for_dns(const char *name);

#define FATE__NAME_ROOM 256
/* In small letters, without the dot at its end; its length. */
size_t fate__name_key(const char *name, char ret_key[FATE__NAME_ROOM]);

/* ---- addresses.c ---- */

#define FATE__ADDRESSES_MAX 256 /* more of one name are left out */

/* Zeroed is empty. */
struct fate__addresses {
    fate_address *items;
    size_t n, room;
    bool has_failed; /* there was no memory */
};

/* Each once. */
void fate__addresses_add(struct fate__addresses *addresses, const fate_address *address);
/* Families alternate, beginning with that of the first (RFC 8305, 4). */
void fate__addresses_alternate(struct fate__addresses *addresses);
/* As fate_resolve gives them. */
fate_value fate__addresses_list(const struct fate__addresses *addresses);
void fate__addresses_done(struct fate__addresses *addresses);

/* ---- hosts.c ---- */

struct fate__hosts_name;

/* What the file says, by name; read again when it has changed.  Zeroed but for the path is empty. */
struct fate__hosts {
    const char *path;
    /* The file as it was read. */
    struct timespec changed;
    uint64_t device, inode;
    int64_t bytes;
    bool is_known;
    char *text;
    fate_address *addresses; /* of its lines */
    size_t n_addresses, address_room;
    struct fate__hosts_name *names;
    size_t n_names, name_room;
    uint32_t *buckets; /* a power of two of them, 0 or a name's number plus 1 */
    size_t n_buckets;
};

/* Adds what it has for that name, in its order. */
void fate__hosts_find(struct fate__hosts *hosts, const char *name, struct fate__addresses *to);
void fate__hosts_done(struct fate__hosts *hosts);

/* ---- askers.c ---- */

enum fate__question_state { FATE__QUESTION_WAITS, FATE__QUESTION_BEGUN, FATE__QUESTION_ANSWERED };

struct fate__askers;

/* It comes first in a block of memory, which goes with it. */
struct fate__question {
    struct fate__link link; /* in the line, under the lock */
    const char *name;       /* in the same block */
    struct fate__post *answered;
    enum fate__question_state state; /* under the lock */
    /* The answer. */
    int code, error; /* as getaddrinfo returns it, and errno for EAI_SYSTEM */
    struct addrinfo *found;
};

/* NULL without memory. */
struct fate__askers *fate__askers_new(struct fate__posts *posts);
/* Asks the system for that name in a thread; then the question's post is posted.  0, or the errno for which
 * there is no thread. */
int fate__askers_ask(struct fate__askers *askers, struct fate__question *question);
/* Takes it out of the line, the caller's again; false: a thread is asking. */
bool fate__askers_take_back(struct fate__askers *askers, struct fate__question *question);
/* No thread will answer this question any more, which is not in the line: its memory is the thread's if one
 * is asking. True: it is the caller's. */
bool fate__askers_give_up(struct fate__askers *askers, struct fate__question *question);
/* The threads end.  One that still asks has a moment for that, and is left to itself then: it may hang for
 * minutes in the system's resolver, and nothing can make it come back. */
void fate__askers_free(struct fate__askers *askers);
void fate__question_free(struct fate__question *question);

/* ---- resolve.c ---- */

/* For tests: another file than /etc/hosts; it must outlive the reactor.  0 or -ENOMEM. */
int fate__names_set_hosts(fate_reactor *reactor, const char *path);

#endif
