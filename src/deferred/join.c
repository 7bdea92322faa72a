/* Chain and branch: a level that fires another deferred. */
#include <deferred/deferred.h>

/* ---- Chain (R59-R63) ---- */

/* Gives up the level's hold on target, which has been fired: it goes now, or when it has run. */
static fate_deferred *unhold(fate_deferred *target, fate_deferred *next)
{
    target->holds--;
    if (!next)
        fate__settle(target);
    return next;
}

static fate_deferred *chain_to_fired(fate_deferred *d, fate_deferred *target, const char *site)
{
    if (target->flags & FATE__SWALLOW)
        target->flags &= (uint16_t)~FATE__SWALLOW;
    else
        d->result = fate_raise_at("fate_chain", site, &FATE_ALREADY_CALLED,
                                  "the deferred chained to has fired already");
    return unhold(target, NULL);
}

static fate_deferred *chain_run(fate_deferred *d, struct fate__level *level)
{
    fate_deferred *target = level->arg.as.p;
    fate_value v = fate_take(&d->result);

    d->flags &= (uint16_t) ~(FATE__ARMED | FATE__ANSWERED);
    if (target->flags & FATE__FIRED) {
        fate_drop(v);
        return chain_to_fired(d, target, level->site);
    }
    return unhold(target, fate__accept(target, v, level->site));
}

static void chain_drop(struct fate__level *level)
{
    fate__release(level->arg.as.p);
}

/* The target had been cancelled, and had gone: this was its producer's late firing, which is swallowed (R66).
 */
static fate_deferred *chain_to_nobody(fate_deferred *d, struct fate__level *level)
{
    fate_drop(fate_take(&d->result));
    d->flags &= (uint16_t) ~(FATE__ARMED | FATE__ANSWERED);
    return NULL;
}

static void nobody(struct fate__level *level)
{
}

static const struct fate__native chain_swallowed = { "chain", chain_to_nobody, nobody };

const struct fate__native fate__chain_level = { "chain", chain_run, chain_drop };

fate_deferred *fate_chain_at(fate_deferred *d, fate_deferred *target, const char *site)
{
    struct fate__level level = { .as.native = &fate__chain_level,
                                 .site = site,
                                 .arg = { NULL, { .p = target } } };

    fate__check(d, "fate_chain", site);
    if (fate__is_bare(target)) {
        fate__swallow(target);
        fate__add_native(d, &chain_swallowed, NULL, 0);
        return d;
    }
    if (!fate__check(target, "fate_chain", site))
        return d;
    if (target->flags & FATE__LIBRARY)
        fate__stop(
            site,
            "fate_chain to a deferred that the library fires (a list, an acquire, a branch …). Chain to "
            "one of your own, made by fate_deferred_new.");
    fate__hold(target);
    if (!fate__add(d, FATE__NATIVE, &level)) {
        fate__fire(target, fate__no_memory(), site);
        fate__release(target);
    }
    return d;
}

fate_deferred *(fate_chain)(fate_deferred *d, fate_deferred *target)
{
    return fate_chain_at(d, target, "fate_chain");
}

/* ---- Branch ---- */

static fate_deferred *branch_run(fate_deferred *d, struct fate__level *level)
{
    fate_deferred *branch = level->arg.as.p;

    if (branch->flags & FATE__FIRED) /* cancelled meanwhile */
        return unhold(branch, NULL);
    fate_value v = fate_copy(&d->result);
    if (fate_is_failure(&v))
        d->flags |= FATE__ANSWERED;
    return unhold(branch, fate__accept(branch, v, level->site));
}

static void branch_drop(struct fate__level *level)
{
    fate_deferred *branch = level->arg.as.p;

    fate__abandon(branch);
    fate__release(branch);
}

const struct fate__native fate__branch_level = { "branch", branch_run, branch_drop };

fate_deferred *fate_branch_at(fate_deferred *d, const char *site)
{
    bool is_no_memory = !fate__check(d, "fate_branch", site);
    struct fate__turns *turns = fate__turns_of(d);

    if (is_no_memory)
        return fate__hand_out_no_memory(turns);
    fate_deferred *branch = fate__library_deferred(fate__reactor(turns), site);
    if (fate__is_no_memory_deferred(branch))
        return branch;
    struct fate__level level = { .as.native = &fate__branch_level,
                                 .site = site,
                                 .arg = { NULL, { .p = branch } } };
    fate__hold(branch);
    if (!fate__add(d, FATE__NATIVE, &level)) {
        branch_drop(&level);
        return fate__hand_out_no_memory(turns);
    }
    return branch;
}

fate_deferred *(fate_branch)(fate_deferred *d)
{
    return fate_branch_at(d, "fate_branch");
}
