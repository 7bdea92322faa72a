/* Resolving first, and opening then. */
#include <net/by_name.h>

#include <stdio.h>

#include <base/list.h>
#include <deferred/deferred.h>
#include <fate/resolve.h>

static void resolved(struct fate__ear *ear, fate_value result)
{
    struct fate__by_name *opening = fate_container_of(ear, struct fate__by_name, ear);
    fate_deferred *d = opening->d;
    const char *site = opening->site;

    if (!d)
        fate_drop(result);
    else if (!fate_is_failure(&result))
        result = opening->open(opening, result);
    opening->free(opening);
    if (d)
        fate__fire(d, result, site);
}

static bool cancel(fate_deferred *d, void *data, const char *site)
{
    struct fate__by_name *opening = data;

    opening->d = NULL;
    if (opening->ear.d)
        fate_cancel_at(opening->ear.d, site);
    return true;
}

static void say_what(const void *data, struct fate__waits *ret)
{
    const struct fate__by_name *opening = data;

    snprintf(ret->text, sizeof ret->text, "the address of %.48s", opening->host);
    ret->on = opening->ear.d;
}

static const struct fate__source source = { .cancel = cancel, .waits = say_what };

fate_deferred *fate__open_by_name(fate_reactor *reactor, struct fate__by_name *opening)
{
    fate_deferred *d = fate__sourced(reactor, &source, opening, opening->site);

    if (!(d->flags & FATE__SOURCE)) {
        opening->free(opening);
        return d;
    }
    opening->ear.hear = resolved;
    opening->d = d;
    fate__listen(&opening->ear, fate_resolve_at(reactor, opening->host, opening->site));
    return d;
}
