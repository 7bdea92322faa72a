/* Fuses: handlers that wait for a time, or for a deferred. */
#include <errno.h>

#include <base/alloc.h>
#include <fate/fuse.h>
#include <reactor/reactor.h>

struct handler {
    struct fate__link link;
    fate_action *action;
    fate_value arg;
};

struct fate_fuse {
    struct fate__owned owned;
    struct fate__link handlers; /* in order */
    fate_timer timer;           /* of its burning, or of calling the handlers once it has burnt */
    bool is_burned, is_handled; /* its handlers are being called */
    const char *site;
};

static fate_reactor *reactor_of(const fate_fuse *fuse)
{
    return fate__reactor(fuse->owned.turns);
}

static void drop_handlers(fate_fuse *fuse)
{
    while (!fate__list_is_empty(&fuse->handlers)) {
        struct handler *handler = fate_container_of(fuse->handlers.next, struct handler, link);
        fate__list_remove(&handler->link);
        fate_drop(handler->arg);
        fate__free(handler);
    }
}

static void destroy(struct fate__owned *owned)
{
    fate_fuse *fuse = (fate_fuse *)owned;

    fate_timer_cancel(fuse->timer);
    drop_handlers(fuse);
    fate__disown(owned);
    fate__free(fuse);
}

/* Calls the handlers, those too that are added meanwhile, and is gone. */
static void handle(fate_fuse *fuse)
{
    fuse->is_handled = true;
    while (!fate__list_is_empty(&fuse->handlers)) {
        struct handler *handler = fate_container_of(fuse->handlers.next, struct handler, link);
        fate__list_remove(&handler->link);
        handler->action(&handler->arg);
        fate_drop(fate_take(&handler->arg));
        fate__free(handler);
    }
    destroy(&fuse->owned);
}

static void has_burnt(fate_fuse *fuse)
{
    fuse->is_burned = true;
    if (fate_fuse_has_handler(fuse))
        handle(fuse);
}

static void burning_time_is_over(fate_value *fuse)
{
    has_burnt(fate_as_ptr(fuse));
}

static void handle_now(fate_value *fuse)
{
    handle(fate_as_ptr(fuse));
}

static void look(struct fate__owned *owned, fate__see_fn *see, void *arg)
{
    const fate_fuse *fuse = (const fate_fuse *)owned;
    char due[FATE__DUE_BYTES];
    const char *state = fuse->is_burned                  ? "burnt, waits for a handler"
                        : fate_timer_active(fuse->timer) ? fate__due_text(fuse->timer, due)
                                                         : "burns until its deferred fires";

    fate__see_owned(owned, see, arg, state, NULL);
}

static fate_fuse *new_fuse(fate_reactor *reactor, const char *site)
{
    fate_fuse *fuse = fate__own(reactor, sizeof *fuse, destroy, "fate_fuse_new");

    if (fuse->owned.is_no_memory)
        return fuse;
    fate__list_init(&fuse->handlers);
    fuse->owned.site = fuse->site = site;
    fuse->owned.look = look;
    return fuse;
}

fate_fuse *fate_fuse_new_at(fate_reactor *reactor, fate_time burning_time, const char *site)
{
    fate_fuse *fuse = new_fuse(reactor, site);

    if (fuse->owned.is_no_memory)
        return fuse;
    fuse->timer = fate_call_later_at(reactor, burning_time, burning_time_is_over, fate_ptr(fuse), site);
    if (fuse->timer.id != -ENOMEM)
        return fuse;
    destroy(&fuse->owned);
    return (fate_fuse *)&reactor->turns.no_memory_thing;
}

/* ---- On a deferred ---- */

static fate_deferred *fired(fate_deferred *d, struct fate__level *level)
{
    has_burnt(level->arg.as.p);
    return NULL;
}

/* The deferred goes without having fired: so does the fuse, if the reactor has not freed it before. */
static void never_fired(struct fate__level *level)
{
}

static const struct fate__native fuse_level = { "fuse", fired, never_fired };

fate_fuse *fate_fuse_on_at(fate_deferred *d, const char *site)
{
    fate__check(d, "fate_fuse_on", site);
    fate_fuse *fuse = new_fuse(fate__reactor_of(d), site);
    if (fuse->owned.is_no_memory || fate__is_no_memory_deferred(d)) {
        if (!fuse->owned.is_no_memory)
            has_burnt(fuse);
        return fuse;
    }
    if (!fate__add_native(d, &fuse_level, fuse, 0))
        has_burnt(fuse);
    return fuse;
}

/* ---- Handlers ---- */

int fate_fuse_add_handler_at(fate_fuse *fuse, fate_action *action, fate_value arg, const char *site)
{
    fate__check_given(&arg, "fate_fuse_add_handler", site);
    bool has_memory = !fuse->owned.is_no_memory && !fate__is_no_memory(&arg);
    struct handler *handler = has_memory ? fate__alloc(sizeof *handler) : NULL;

    if (handler && fuse->is_burned && !fuse->is_handled && !fate_timer_active(fuse->timer)) {
        fuse->timer = fate_call_later_at(reactor_of(fuse), 0, handle_now, fate_ptr(fuse), site);
        if (fuse->timer.id < 0) {
            fate__free(handler);
            handler = NULL;
        }
    }
    if (!handler) {
        fate_drop(arg);
        return -ENOMEM;
    }
    handler->action = action;
    handler->arg = arg;
    fate__list_add_last(&fuse->handlers, &handler->link);
    return 0;
}

int fate_fuse_set_handler_at(fate_fuse *fuse, fate_action *action, fate_value arg, const char *site)
{
    if (!fuse->owned.is_no_memory)
        drop_handlers(fuse);
    return fate_fuse_add_handler_at(fuse, action, arg, site);
}

bool fate_fuse_has_handler(const fate_fuse *fuse)
{
    return !fuse->owned.is_no_memory && !fate__list_is_empty(&fuse->handlers);
}

bool fate_fuse_is_burned(const fate_fuse *fuse)
{
    return !fuse->owned.is_no_memory && fuse->is_burned;
}

/* ---- Without a line ---- */

fate_fuse *(fate_fuse_new)(fate_reactor *reactor, fate_time burning_time)
{
    return fate_fuse_new_at(reactor, burning_time, "fate_fuse_new");
}

fate_fuse *(fate_fuse_on)(fate_deferred *d)
{
    return fate_fuse_on_at(d, "fate_fuse_on");
}

int(fate_fuse_set_handler)(fate_fuse *fuse, fate_action *action, fate_value arg)
{
    return fate_fuse_set_handler_at(fuse, action, arg, "fate_fuse_set_handler");
}

int(fate_fuse_add_handler)(fate_fuse *fuse, fate_action *action, fate_value arg)
{
    return fate_fuse_add_handler_at(fuse, action, arg, "fate_fuse_add_handler");
}
