/* Listeners: a socket that listens, and its connections as a whole. */
#ifndef FATE_SRC_NET_LISTENER_H
#define FATE_SRC_NET_LISTENER_H

#include <sys/socket.h>
#include <sys/types.h>

#include <net/endpoint.h>
#include <net/sim.h>
#include <net/transport.h>

/* What is asked for. */
struct fate__listen {
    fate_reactor *reactor;
    fate_ops ops;
    fate_value arg; /* given */
    fate_listen_options options;
    struct fate__endpoint endpoint;
    bool is_for_workers; /* the port is shared from when this one has it */
    const char *site;
};

/* A socket that listens. */
struct fate__listening {
    int fd; /* -1: none */
    /* The file of a UNIX socket, which goes with it. */
    bool has_file;
    dev_t device;
    ino_t inode;
};

enum fate__gate {
    FATE__GATE_OPEN,
    FATE__GATE_FULL, /* there are as many connections as there may be: until one goes */
    FATE__GATE_REST  /* accepting has failed: until the timer is due, or one goes */
};

/* It lasts until it has been stopped and has no connection, or the reactor goes. */
struct fate_listener {
    struct fate__owned owned;
    struct fate__link resting; /* in the net's list, while it rests */
    fate_reactor *reactor;
    struct fate__factory *factory;
    struct fate__listening socket;
    struct fate__common *common;    /* what it shares with other workers; NULL: nothing */
    struct fate__sim_listener *sim; /* instead, in the simulated network */
    struct fate__ready again;       /* there, that does not tell twice: who waits is still to be accepted */
    fate_watch watch;
    bool has_stopped;
    unsigned n_inside; /* it is in use, and stays for that long */
    size_t connections_max;
    /* Accepting. */
    enum fate__gate gate;
    int spare_fd; /* given up to get rid of a peer when there are no descriptors; -1: none */
    fate_timer rest_timer;
    fate_time rest;        /* the last one; 0: it has worked since */
    fate_time quiet_until; /* when the log may be told again */
    size_t n_refused;      /* peers, since it was told */
    /* Stopping. */
    struct fate__link stoppings; /* those who wait for the last connection to go */
    fate_timer drain_timer;
    fate_address address;
    struct sockaddr_storage kernel_address; /* has the path of a UNIX address */
    char text[];                            /* the endpoint, as it was written */
};

/* ---- listener.c ---- */

/* Opens what is asked for; at: an address of its host, or NULL when it has none.  Its value, or a failure;
 * the arg is gone. */
fate_value fate__listener_open(struct fate__listen *wanted, const fate_address *at);
/* Accepts no more. */
void fate__listener_close(fate_listener *listener);
/* Around what may end it. */
static inline void fate__listener_enter(fate_listener *listener)
{
    listener->n_inside++;
}
void fate__listener_leave(fate_listener *listener);

/* ---- listener_accept.c ---- */

/* From now on.  0 or -errno. */
int fate__accept_begin(fate_listener *listener);
/* The same in the simulated network, where it begins to listen, too.  None or a failure. */
fate_value fate__accept_begin_simulated(fate_listener *listener, const struct fate__listen *wanted);
void fate__accept_end(fate_listener *listener);
/* One of its connections has gone: accepts again, if it has waited for that.  So do those that had no
 * descriptor for a peer. */
void fate__accept_again(fate_listener *listener);

/* ---- Sockets: listener_tcp.c, listener_unix.c, systemd.c; none, or a failure ---- */

/* at: on that address alone; NULL: on all. */
fate_value fate__listen_tcp(const struct fate__listen *wanted, const fate_address *at,
                            struct fate__listening *ret_socket);
fate_value fate__listen_unix(const struct fate__listen *wanted, struct fate__listening *ret_socket);
/* Its file goes, if it is still the same. */
void fate__listen_unix_done(const char *path, const struct fate__listening *socket);
/* The same for sockets of other types: where a UNIX socket is to be, "@name" for an abstract one. */
#define FATE__UNIX_NAME_ROOM 109
struct fate__unix_place {
    char name[FATE__UNIX_NAME_ROOM];
    bool is_abstract;
    struct sockaddr_storage address;
    socklen_t len;
};
/* 0, -ENAMETOOLONG, -EINVAL. */
int fate__unix_place(const char *name, struct fate__unix_place *ret);
/* Binds socket->fd there, instead of a file that nobody listens at; mode -1: as the umask leaves it.  0 or
 * -errno, and then socket->has_file says whether the file is there. */
int fate__unix_bind(const struct fate__unix_place *place, int mode, struct fate__listening *socket);
/* fd: and systemd:, sockets that listen already. */
fate_value fate__listen_inherited(const struct fate__listen *wanted, struct fate__listening *ret_socket);

/* "listen on tcp:80: Permission denied (EACCES); REMEDY"; remedy may be NULL. */
fate_value fate__listen_failure(const struct fate__listen *wanted, int why, const char *remedy);
/* "listen on fd:3: WORDS" */
fate_value fate__listen_refusal(const struct fate__listen *wanted, const char *fmt, ...) FATE_PRINTF(2, 3);
int fate__listen_backlog(const struct fate__listen *wanted);

/* ---- systemd.c ---- */

/* What a service manager says of the sockets that it has passed on: $LISTEN_PID and its like, or NULL. */
struct fate__passed {
    const char *pid, *count, *names;
};
/* The descriptor of that name, or with a NULL name of that index; -1: ret_why has the reason. */
int fate__passed_find(const struct fate__passed *passed, int own_pid, const char *name, int index,
                      char ret_why[256]);

#endif
