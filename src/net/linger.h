/* Sockets that outlive their connection for a little, so that its last words arrive. */
#ifndef FATE_SRC_NET_LINGER_H
#define FATE_SRC_NET_LINGER_H

#include <stdbool.h>

struct fate__net;

/* Reads what is there.  Is more to come?  Then the socket is shut for writing.  has_sent: the peer has sent
 * what nobody wanted. */
bool fate__still_sends(int fd, bool has_sent);
/* fd, which has no owner, is closed when its peer has ended; after two seconds; or at the reactor's end. */
void fate__linger(struct fate__net *net, int fd);
/* Closes all. */
void fate__linger_end(struct fate__net *net);

#endif
