/* `inline`: a coroutine that goes through the steps of an operation (section 6, Coroutines). */
#include <fate/coro.h>
#include <stdio.h>
#include <string.h>

#include "world.h"

struct body {
    struct world *world;
    const char *name;
    struct words *steps;
    size_t n_steps;
};

/* How far a body has come. */
struct progress {
    const struct body *body;
    size_t at;                  /* the next step */
    fate_value last;            /* what was got last */
    const fate_class *catching; /* inside the first part of a try: its type, else NULL */
    bool has_returned;
    fate_value outcome;
};

static void say(const struct body *body, const char *what, const fate_value *v)
{
    printf("co %s %s", body->name, what);
    if (v) {
        printf(" ");
        print_value(body->world, v);
    }
    printf("\n");
}

/* The step behind the next one with that word. */
static size_t after_step(const struct body *body, size_t at, const char *word)
{
    while (at < body->n_steps && strcmp(body->steps[at].of[0], word) != 0)
        at++;
    return at + 1;
}

static void finish(struct progress *progress, fate_value outcome)
{
    progress->has_returned = true;
    progress->outcome = outcome;
}

static void meet_failure(struct progress *progress, fate_value failure)
{
    const struct body *body = progress->body;

    say(body, "exc", &failure);
    if (!progress->catching || !fate_is(&failure, progress->catching)) {
        finish(progress, failure);
        return;
    }
    fate_drop(failure);
    say(body, "caught", NULL);
    progress->catching = NULL;
    progress->at = after_step(body, progress->at, "except");
}

static void await_named(fate_coro *co, struct progress *progress, const char *name)
{
    const struct body *body = progress->body;
    struct world *world = body->world;

    if (!may_wait(world, number_of(body->name), name))
        return;
    fate_value got = fate_await(co, world->deferreds[number_of(name)].d);
    if (world->is_ending) {
        finish(progress, got);
    } else if (fate_is_failure(&got)) {
        meet_failure(progress, got);
    } else {
        say(body, "got", &got);
        fate_drop(progress->last);
        progress->last = got;
    }
}

static fate_value returned(struct progress *progress, struct words step)
{
    if (step.n == 1)
        return fate_none();
    return strcmp(step.of[1], "last") ? parse_value(step.of[1]) : fate_take(&progress->last);
}

static void do_body_step(fate_coro *co, struct progress *progress, struct words step)
{
    const struct body *body = progress->body;
    const char *word = step.of[0];

    if (!strcmp(word, "await")) {
        await_named(co, progress, step.of[1]);
    } else if (!strcmp(word, "say")) {
        printf("co %s say %s\n", body->name, step.of[1]);
    } else if (!strcmp(word, "raise")) {
        meet_failure(progress, parse_error(step.of[1]));
    } else if (!strcmp(word, "do")) {
        do_side_item(body->world, step.of[1], &progress->last);
    } else if (!strcmp(word, "return")) {
        finish(progress, returned(progress, step));
    } else if (!strcmp(word, "try")) {
        progress->catching = parse_class(step.of[1], strlen(step.of[1]));
    } else if (!strcmp(word, "except")) {
        progress->catching = NULL;
        progress->at = after_step(body, progress->at, "end");
    } else if (strcmp(word, "end") != 0) {
        give_up("an unknown step", word);
    }
}

static fate_value go_through(fate_coro *co, fate_value *arg)
{
    struct progress progress = { .body = fate_unbox(struct body, arg) };

    while (progress.at < progress.body->n_steps && !progress.has_returned)
        do_body_step(co, &progress, progress.body->steps[progress.at++]);
    fate_drop(progress.last);
    return progress.outcome;
}

/* The words between semicolons, without empty steps. */
static struct words *split_steps(struct world *world, struct words words, size_t *ret_n)
{
    struct words *steps = keep(world, (words.n + 1) * sizeof *steps);
    size_t n = 0;

    for (size_t i = 0; i < words.n; i++) {
        if (!strcmp(words.of[i], ";")) {
            n += steps[n].n > 0;
            continue;
        }
        if (steps[n].n++ == 0)
            steps[n].of = words.of + i;
    }
    *ret_n = n + (steps[n].n > 0);
    return steps;
}

void op_inline(struct world *world, struct words args)
{
    const char *name = args.of[0];
    size_t n_steps;

    if (!is_new_deferred(world, name))
        return;
    struct words *steps = split_steps(world, (struct words){ args.n - 1, args.of + 1 }, &n_steps);
    fate_value body = fate_box(struct body, world, name, steps, n_steps);
    bind(world, name, fate_go(world->reactor, go_through, body));
}
