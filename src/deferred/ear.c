/* A level that tells somebody in the library of a result. */
#include <deferred/ear.h>

#include <deferred/deferred.h>

static void tell(struct fate__ear *ear, fate_value result)
{
    fate_deferred *d = ear->d;

    ear->d = NULL;
    if (!fate__is_no_memory_deferred(d))
        fate__release(d);
    ear->hear(ear, result);
}

static fate_deferred *passed(fate_deferred *d, struct fate__level *level)
{
    fate_value result = fate_take(&d->result);

    d->flags &= (uint16_t) ~(FATE__ARMED | FATE__ANSWERED);
    tell(level->arg.as.p, result);
    return NULL;
}

/* Held as it is, d goes unfired only with its reactor. */
static void never_passed(struct fate__level *level)
{
    tell(level->arg.as.p, fate__raise(NULL, &FATE_CANCELLED, "the reactor is being freed"));
}

static const struct fate__native ear_level = { "listener", passed, never_passed };

void fate__listen(struct fate__ear *ear, fate_deferred *d)
{
    ear->d = d;
    if (!fate__is_no_memory_deferred(d))
        fate__hold(d);
    if (fate__add_native(d, &ear_level, ear, 0))
        return;
    fate_cancel(d);
    tell(ear, fate__no_memory());
}
