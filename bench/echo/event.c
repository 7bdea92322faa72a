/* Echo on libevent's bufferevents: what the input has moves to the output without being copied. */
#include "../common/net.h"
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

static void got_data(struct bufferevent *connection, void *arg)
{
    (void)arg;
    evbuffer_add_buffer(bufferevent_get_output(connection), bufferevent_get_input(connection));
}

static void got_event(struct bufferevent *connection, short what, void *arg)
{
    (void)arg;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
        bufferevent_free(connection);
}

static void got_connection(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer,
                           int peer_len, void *arg)
{
    (void)peer, (void)peer_len, (void)arg;
    struct event_base *base = evconnlistener_get_base(listener);
    struct bufferevent *connection = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (!connection)
        die("bufferevent_socket_new");
    nodelay(fd);
    bufferevent_set_max_single_read(connection, 65536);
    bufferevent_set_max_single_write(connection, 65536);
    bufferevent_setcb(connection, got_data, NULL, got_event, NULL);
    bufferevent_enable(connection, EV_READ | EV_WRITE);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = loopback(port_of(argc, argv));
    struct event_config *config = event_config_new();
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
    struct event_base *base = event_base_new_with_config(config);

    if (!base ||
        !evconnlistener_new_bind(base, got_connection, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE,
                                 BACKLOG, (struct sockaddr *)&address, sizeof address))
        die("listen");
    ready();
    return event_base_dispatch(base);
}
