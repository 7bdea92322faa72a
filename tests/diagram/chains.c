/* Draws typical chains, for docs/diagrams:
 *
 *     fate-diagrams FOLDER
 *
 * writes one picture for each of them into that folder.  The dice fall as they are told to. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fate/diagram.h>
#include <fate/fate.h>

/* What each throw gives: 'x' fails. */
static const char *dice;

static bool dice_fail(void)
{
    return *dice++ == 'x';
}

/* ---- cb, cb2, and last cblast or eb ---- */

static fate_value cb(fate_value *ignored, fate_value *arg)
{
    if (dice_fail())
        return fate_raise(&FATE_VALUE_ERROR, "failed");
    return fate_int(1);
}

static fate_value cb2(fate_value *value, fate_value *arg)
{
    if (dice_fail())
        return fate_raise(&FATE_VALUE_ERROR, "failed");
    return fate_int(fate_as_int(value) + 1);
}

static fate_value cblast(fate_value *value, fate_value *arg)
{
    return fate_none();
}

static fate_value eb(fate_value *why, fate_value *arg)
{
    return fate_none();
}

static fate_diagram *draw_dice(fate_reactor *reactor, const char *falls)
{
    fate_deferred *d = fate_succeed(reactor, fate_none());
    fate_diagram *diagram = fate_diagram_new(d);

    dice = falls;
    fate_add_callback(d, cb, fate_none());
    fate_add_callback(d, cb2, fate_none());
    fate_add_callbacks(d, cblast, eb, fate_none());
    return diagram;
}

static fate_diagram *draw_success(fate_reactor *reactor)
{
    return draw_dice(reactor, "..");
}

static fate_diagram *draw_failure(fate_reactor *reactor)
{
    return draw_dice(reactor, "x.");
}

/* ---- Failing and recovering ---- */

static fate_value parse(fate_value *line, fate_value *arg)
{
    return fate_raise(&FATE_VALUE_ERROR, "not a number");
}

static fate_value increment(fate_value *value, fate_value *arg)
{
    return fate_int(fate_as_int(value) + 1);
}

static fate_value recover(fate_value *why, fate_value *arg)
{
    return fate_int(0);
}

static fate_value log_it(fate_value *why, fate_value *arg)
{
    return fate_none();
}

static fate_diagram *draw_recovery(fate_reactor *reactor)
{
    fate_deferred *d = fate_deferred_new(reactor);
    fate_diagram *diagram = fate_diagram_new(d);

    fate_add_callback(d, parse, fate_none());
    fate_add_trap(d, &FATE_KEY_ERROR, log_it, fate_none());
    fate_add_callbacks(d, increment, recover, fate_none());
    fate_add_callback(d, fate_print, fate_none());
    fate_add_errback(d, log_it, fate_none());
    fate_fire(d, fate_str("ten"));
    return diagram;
}

static fate_diagram *draw_unhandled(fate_reactor *reactor)
{
    fate_deferred *d = fate_deferred_new(reactor);
    fate_diagram *diagram = fate_diagram_new(d);

    fate_add_errback(d, recover, fate_none());
    fate_add_callback(d, parse, fate_none());
    fate_fire(d, fate_str("ten"));
    return diagram;
}

/* ---- Following ---- */

static fate_deferred *key, *page;

static fate_value decode(fate_value *bytes, fate_value *arg)
{
    return fate_str("k7");
}

static fate_value use_key(fate_value *text, fate_value *arg)
{
    return fate_follow(page);
}

static fate_value get_key(fate_value *user, fate_value *arg)
{
    fate_add_callback(key, decode, fate_none());
    return fate_follow(key);
}

static fate_value shorten(fate_value *text, fate_value *arg)
{
    return fate_str("hello");
}

static fate_value show(fate_value *text, fate_value *arg)
{
    return fate_none();
}

static fate_value apologize(fate_value *why, fate_value *arg)
{
    return fate_none();
}

static fate_diagram *follow_key_and_page(fate_reactor *reactor)
{
    fate_deferred *d = fate_deferred_new(reactor);
    fate_diagram *diagram = fate_diagram_new(d);

    key = fate_deferred_new(reactor);
    page = fate_deferred_new(reactor);
    fate_add_callback(page, shorten, fate_none());
    fate_add_callback(d, get_key, fate_none());
    fate_add_callback(d, use_key, fate_none());
    fate_add_callbacks(d, show, apologize, fate_none());
    fate_fire(d, fate_str("ann"));
    return diagram;
}

static fate_diagram *draw_following(fate_reactor *reactor)
{
    fate_diagram *diagram = follow_key_and_page(reactor);

    fate_fire(key, fate_bytes("k7\0\1", 4));
    fate_fire(page, fate_str("hello, world"));
    return diagram;
}

static fate_diagram *draw_waiting(fate_reactor *reactor)
{
    fate_diagram *diagram = follow_key_and_page(reactor);

    fate_fire(key, fate_bytes("k7\0\1", 4));
    return diagram;
}

/* ---- Cancelling ---- */

static fate_value note_end(fate_value *result, fate_value *arg)
{
    return fate_take(result);
}

static fate_value was_cancelled(fate_value *why, fate_value *arg)
{
    return fate_str("never mind");
}

static fate_value ask(fate_value *result, fate_value *arg)
{
    fate_deferred *answer = fate_deferred_new(fate_as_ptr(arg));
    fate_add_both(answer, note_end, fate_none());
    return fate_follow(answer);
}

static fate_diagram *draw_cancel(fate_reactor *reactor)
{
    fate_deferred *d = fate_deferred_new(reactor);
    fate_diagram *diagram = fate_diagram_new(d);

    fate_add_callback(d, ask, fate_ptr(reactor));
    fate_add_callback(d, show, fate_none());
    fate_add_trap(d, &FATE_CANCELLED, was_cancelled, fate_none());
    fate_fire(d, fate_str("?"));
    fate_cancel(d);
    return diagram;
}

/* ---- Writing them ---- */

static const struct picture {
    const char *name;
    fate_diagram *(*draw)(fate_reactor *reactor);
    bool ends_turn;
} pictures[] = {
    { "success", draw_success, false },     { "failure", draw_failure, false },
    { "recovery", draw_recovery, false },   { "unhandled", draw_unhandled, true },
    { "following", draw_following, false }, { "waiting", draw_waiting, false },
    { "cancel", draw_cancel, false },
};

static void ignore(const fate_unhandled *what, fate_value *arg)
{
}

static int write_picture(const struct picture *picture, const char *folder)
{
    char path[4096];
    fate_reactor *reactor = fate_reactor_new_simulated();
    if (!reactor)
        return -ENOMEM;

    snprintf(path, sizeof path, "%s/%s.svg", folder, picture->name);
    fate_on_unhandled(reactor, ignore, fate_none());
    fate_diagram *diagram = picture->draw(reactor);
    if (picture->ends_turn)
        fate_advance(reactor, 0);
    FILE *file = fopen(path, "w");
    int status = file ? fate_diagram_write(diagram, file) : -errno;
    if (file && fclose(file) != 0 && status == 0)
        status = -errno;
    if (status < 0)
        fprintf(stderr, "%s: %s\n", path, strerror(-status));
    fate_reactor_free(reactor);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++)
        if (write_picture(&pictures[i], argv[1]) < 0)
            return EXIT_FAILURE;
    return EXIT_SUCCESS;
}
