/* Echo on libuv: one read buffer for all connections, uv_try_write, and uv_write for what that leaves. */
#include "../common/net.h"
#include <uv.h>

struct rest {
    uv_write_t request;
    char data[];
};

static char buffer[65536];

static void lend_buffer(uv_handle_t *handle, size_t hint, uv_buf_t *ret_buffer)
{
    (void)handle, (void)hint;
    *ret_buffer = uv_buf_init(buffer, sizeof buffer);
}

static void is_closed(uv_handle_t *handle)
{
    free(handle);
}

static void lose(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, is_closed);
}

static void rest_is_sent(uv_write_t *request, int status)
{
    if (status < 0)
        lose((uv_handle_t *)request->handle);
    free(request);
}

static void send_rest(uv_stream_t *stream, const char *data, size_t len)
{
    struct rest *rest = xmalloc(sizeof *rest + len);
    memcpy(rest->data, data, len);
    uv_buf_t piece = uv_buf_init(rest->data, (unsigned)len);
    uv_write(&rest->request, stream, &piece, 1, rest_is_sent);
}

static void got_data(uv_stream_t *stream, ssize_t len, const uv_buf_t *data)
{
    if (len < 0)
        lose((uv_handle_t *)stream);
    if (len <= 0)
        return;
    uv_buf_t piece = uv_buf_init(data->base, (unsigned)len);
    int n = uv_try_write(stream, &piece, 1);
    if (n < 0)
        n = 0;
    if (n < len)
        send_rest(stream, data->base + n, (size_t)(len - n));
}

static void got_connection(uv_stream_t *listener, int status)
{
    uv_tcp_t *connection = xmalloc(sizeof *connection);
    if (status < 0)
        exit(1);
    uv_tcp_init(listener->loop, connection);
    if (uv_accept(listener, (uv_stream_t *)connection) < 0) {
        lose((uv_handle_t *)connection);
        return;
    }
    uv_tcp_nodelay(connection, 1);
    uv_read_start((uv_stream_t *)connection, lend_buffer, got_data);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = loopback(port_of(argc, argv));
    uv_loop_t *loop = uv_default_loop();
    uv_tcp_t listener;

    uv_tcp_init(loop, &listener);
    if (uv_tcp_bind(&listener, (struct sockaddr *)&address, 0) < 0 ||
        uv_listen((uv_stream_t *)&listener, BACKLOG, got_connection) < 0)
        die("listen");
    ready();
    return uv_run(loop, UV_RUN_DEFAULT);
}
