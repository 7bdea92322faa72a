/* Bars in the time of a reactor, on a terminal whose size may change. */
#include <screen.h>

#include <errno.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <columns.h>

#define ROWS_BELOW 3 /* of a terminal: "and 5 more", the total, and where the cursor stands */
#define ROWS_MAX   16

/* ---- Writing ---- */

/* A terminal that others share with us may have been made non-blocking by them. */
static bool wait_for_room(int fd)
{
    struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };

    return errno == EINTR || (errno == EAGAIN && (poll(&poll_fd, 1, -1) >= 0 || errno == EINTR));
}

void fate__screen_write(struct fate__screen *screen, struct fate__text *text)
{
    size_t at = 0;

    while (at < text->len && !screen->error) {
        ssize_t n = write(screen->fd, text->bytes + at, text->len - at);
        if (n >= 0)
            at += (size_t)n;
        else if (!wait_for_room(screen->fd))
            screen->error = errno;
    }
    if (text->has_failed && !screen->error)
        screen->error = ENOMEM;
    fate__text_done(text);
}

/* ---- Bars ---- */

static void plan(struct fate__screen *screen);

static void draw(struct fate__screen *screen)
{
    struct fate__text text = { 0 };

    fate__bars_draw(screen->bars, fate_now(screen->reactor), &text);
    text.has_failed = false; /* it is drawn again */
    fate__screen_write(screen, &text);
}

static void is_time(fate_value *arg)
{
    struct fate__screen *screen = fate_as_ptr(arg);

    draw(screen);
    plan(screen);
}

/* Drawing goes on by itself while a bar is there. */
static void plan(struct fate__screen *screen)
{
    fate_time next = fate__bars_next(screen->bars), now = fate_now(screen->reactor);

    if (next != FATE_NEVER && !fate_timer_active(screen->timer))
        screen->timer =
            fate_call_later(screen->reactor, next > now ? next - now : 0, is_time, fate_ptr(screen));
}

static void take_size(int fd, size_t *ret_columns, size_t *ret_rows)
{
    struct winsize size = { 0 };

    *ret_columns = *ret_rows = 0;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0)
        return;
    *ret_columns = size.ws_col;
    if (size.ws_row)
        *ret_rows = size.ws_row > ROWS_MAX + ROWS_BELOW ? ROWS_MAX
                    : size.ws_row > ROWS_BELOW + 1      ? size.ws_row - ROWS_BELOW
                                                        : 1;
}

static void has_resized(fate_value *arg)
{
    struct fate__screen *screen = fate_as_ptr(arg);
    size_t columns, rows;

    take_size(screen->fd, &columns, &rows);
    fate__bars_resize(screen->bars, columns, rows);
}

static bool can_go_up(int fd)
{
    const char *term = getenv("TERM");

    return isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}

void fate__screen_init(struct fate__screen *screen, fate_reactor *reactor, int fd, size_t n, bool may_be_bars)
{
    struct fate__bars_options options = { .is_terminal = true };

    *screen = (struct fate__screen){ .reactor = reactor, .fd = fd };
    if (!may_be_bars || !can_go_up(fd))
        return;
    take_size(fd, &options.columns, &options.rows_max);
    options.is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    screen->bars = fate__bars_new(&options);
    if (!screen->bars)
        return;
    fate__bars_expect(screen->bars, n);
    screen->resized = fate_on_signal(reactor, SIGWINCH, has_resized, fate_ptr(screen));
}

void fate__screen_done(struct fate__screen *screen)
{
    struct fate__text text = { 0 };

    if (!screen->bars)
        return;
    fate_timer_cancel(screen->timer);
    fate_unwatch(screen->resized);
    fate__bars_clear(screen->bars, fate_now(screen->reactor), &text);
    fate__screen_write(screen, &text);
    fate__bars_free(screen->bars);
    screen->bars = NULL;
}

/* ---- Items ---- */

int fate__screen_add(struct fate__screen *screen, const char *name)
{
    if (!screen->bars)
        return -1;
    int item = fate__bars_add(screen->bars, name, 0, fate_now(screen->reactor));
    plan(screen);
    return item;
}

void fate__screen_set(struct fate__screen *screen, int item, uint64_t done, uint64_t total)
{
    if (screen->bars && item >= 0)
        fate__bars_set(screen->bars, item, done, total);
}

/* Where there was no memory for a bar, its line goes above the others. */
void fate__screen_finish(struct fate__screen *screen, int item, const char *line)
{
    struct fate__text text = { 0 };

    if (screen->bars && item >= 0) {
        fate__bars_finish(screen->bars, item, line);
        plan(screen);
        return;
    }
    if (screen->bars)
        fate__bars_clear(screen->bars, fate_now(screen->reactor), &text);
    fate__add_columns(&text, line, fate__columns_of(line, true), true);
    fate__text_add(&text, "\n");
    fate__screen_write(screen, &text);
    if (screen->bars)
        plan(screen);
}
