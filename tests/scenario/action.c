/* What a handler does when it is called (section 4). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

/* ---- Result items ---- */

static fate_value increase(fate_value *input, const char *by)
{
    int64_t value;

    if (!fate_get_int(input, &value))
        return fate_take(input);
    return fate_int(value + strtoll(by, NULL, 10));
}

static fate_value follow_named(struct world *world, const char *name, unsigned rank, fate_value *input)
{
    if (!may_wait(world, rank, name))
        return fate_take(input);
    return fate_follow(world->deferreds[number_of(name)].d);
}

/* rest: `T/T2/..:V` */
static fate_value trap(const char *rest, fate_value *input)
{
    const char *value = strchr(rest, ':');

    while (rest < value) {
        size_t len = strcspn(rest, "/:");
        if (fate_is(input, parse_class(rest, len))) {
            printf("trapped\n");
            return parse_value(value + 1);
        }
        rest += len + 1;
    }
    return fate_take(input);
}

/* Does a result item; false: it is none. */
static bool find_result(struct world *world, const char *item, unsigned rank, fate_value *input,
                        fate_value *ret_outcome)
{
    const char *rest;

    if (!strcmp(item, "pass"))
        *ret_outcome = fate_take(input);
    else if (after_prefix(item, "val=", &rest))
        *ret_outcome = parse_value(rest);
    else if (after_prefix(item, "inc=", &rest))
        *ret_outcome = increase(input, rest);
    else if (after_prefix(item, "raise=", &rest) || after_prefix(item, "rfail=", &rest))
        *ret_outcome = parse_error(rest);
    else if (after_prefix(item, "ret=", &rest))
        *ret_outcome = follow_named(world, rest, rank, input);
    else if (after_prefix(item, "trap=", &rest))
        *ret_outcome = trap(rest, input);
    else
        return false;
    return true;
}

/* ---- Side items ---- */

/* A copy of what stands before the colon; *ret_rest is what follows it. */
static char *before_colon(struct world *world, const char *text, const char **ret_rest)
{
    size_t len = strcspn(text, ":");

    *ret_rest = text[len] ? text + len + 1 : "";
    return keep_text(world, text, len);
}

static void add_passing(struct world *world, const char *rest)
{
    const char *label;
    struct named_deferred *named = find_deferred(world, before_colon(world, rest, &label));

    if (!named)
        return;
    unsigned rank = (unsigned)(named - world->deferreds);
    label = keep_text(world, label, strlen(label));
    fate_add_both(named->d, call_handler, fate_box(struct handler, world, "call", label, "pass", rank));
}

static void fire_later(struct world *world, const char *rest)
{
    const char *name_and_value;
    char *seconds = before_colon(world, rest, &name_and_value);
    const char *value;
    char *name = before_colon(world, name_and_value, &value);
    char *line = keep(world, strlen(rest) + sizeof "callback  ");

    strcat(strcat(strcat(strcpy(line, "callback "), name), " "), value);
    schedule(world, "-", seconds, split_line(world, line));
}

/* The items that give something to what they name: `cb=dK:V`, `eb=dK:E`, `put=qN:V`.  False: it is none of
 * them. */
static bool do_giving_item(struct world *world, const char *item)
{
    const char *rest, *given;

    if (!after_prefix(item, "cb=", &rest) && !after_prefix(item, "eb=", &rest) &&
        !after_prefix(item, "put=", &rest))
        return false;
    const char *name = before_colon(world, rest, &given);
    if (item[0] == 'c')
        fire(world, name, parse_value(given));
    else if (item[0] == 'e')
        fire(world, name, parse_error(given));
    else
        put_named(world, name, parse_value(given));
    return true;
}

void do_side_item(struct world *world, const char *item, const fate_value *input)
{
    const char *rest;

    if (after_prefix(item, "fire=", &rest))
        fire(world, rest, fate_copy(input));
    else if (after_prefix(item, "cancel=", &rest))
        cancel_named(world, rest);
    else if (after_prefix(item, "pause=", &rest))
        pause_named(world, rest);
    else if (after_prefix(item, "unpause=", &rest))
        unpause_named(world, rest);
    else if (after_prefix(item, "drop=", &rest))
        drop_named(world, rest);
    else if (after_prefix(item, "add=", &rest))
        add_passing(world, rest);
    else if (after_prefix(item, "release=", &rest))
        release_named(world, rest);
    else if (after_prefix(item, "later=", &rest))
        fire_later(world, rest);
    else if (!do_giving_item(world, item))
        give_up("an unknown item", item);
}

/* ---- Actions ---- */

fate_value act(struct world *world, const char *action, unsigned rank, fate_value *input)
{
    while (*action) {
        size_t len = strcspn(action, "+");
        const char *item = keep_text(world, action, len);
        fate_value outcome;

        if (find_result(world, item, rank, input, &outcome))
            return outcome;
        do_side_item(world, item, input);
        action += action[len] ? len + 1 : len;
    }
    return fate_take(input);
}

fate_value call_handler(fate_value *result, fate_value *arg)
{
    const struct handler *handler = fate_unbox(struct handler, arg);

    if (handler->world->is_ending)
        return fate_take(result);
    printf("%s %s %s ", handler->word, handler->label, fate_is_failure(result) ? "err" : "ok");
    print_value(handler->world, result);
    printf("\n");
    return act(handler->world, handler->action, handler->rank, result);
}

fate_value call_function(fate_value *arg)
{
    const struct handler *handler = fate_unbox(struct handler, arg);
    fate_value nothing = fate_none();

    if (handler->world->is_ending)
        return nothing;
    if (handler->word)
        printf("%s %s\n", handler->word, handler->label);
    return act(handler->world, handler->action, handler->rank, &nothing);
}

fate_value call_counted(int64_t count, fate_value *arg)
{
    const struct handler *handler = fate_unbox(struct handler, arg);
    fate_value nothing = fate_none();

    if (handler->world->is_ending)
        return nothing;
    printf("%s %s count=%lld\n", handler->word, handler->label, (long long)count);
    return act(handler->world, handler->action, handler->rank, &nothing);
}
