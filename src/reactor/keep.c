/* What is kept until the reactor goes. */
#include <errno.h>

#include <base/alloc.h>
#include <reactor/reactor.h>

struct kept {
    struct fate__owned owned;
    fate_value value;
};

static void let_go(struct fate__owned *owned)
{
    struct kept *kept = (struct kept *)owned;

    fate__disown(owned);
    fate_drop(kept->value);
    fate__free(kept);
}

int fate_reactor_keep(fate_reactor *reactor, fate_value v)
{
    fate__check_reactor(reactor, "fate_reactor_keep", NULL);
    fate__check_given(&v, "fate_reactor_keep", NULL);
    if (fate__is_no_memory(&v))
        return -ENOMEM;
    struct kept *kept = fate__own(reactor, sizeof *kept, let_go, "fate_reactor_keep");

    if (kept->owned.is_no_memory) {
        fate_drop(v);
        return -ENOMEM;
    }
    kept->owned.site = FATE__OWN_SITE("fate_reactor_keep"); /* reports show what works, not what lies there */
    kept->value = v;
    return 0;
}
