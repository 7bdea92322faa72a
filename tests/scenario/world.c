/* The life of a scenario's world, its memory, and its reports of unhandled failures. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

struct kept {
    struct kept *next;
    max_align_t bytes[];
};

void give_up(const char *what, const char *word)
{
    fprintf(stderr, "fate-scenario: %s: %s\n", what, word);
    exit(2);
}

void *keep(struct world *world, size_t bytes)
{
    struct kept *kept = calloc(1, sizeof *kept + bytes);
    if (!kept)
        give_up("no memory", "");
    kept->next = world->texts;
    world->texts = kept;
    return kept->bytes;
}

char *keep_text(struct world *world, const char *text, size_t len)
{
    char *copy = keep(world, len + 1);
    memcpy(copy, text, len);
    return copy;
}

struct words split_line(struct world *world, const char *line)
{
    char *text = keep_text(world, line, strlen(line));
    struct words words = { 0, keep(world, (strlen(line) / 2 + 1) * sizeof(char *)) };
    char *rest = NULL;

    for (char *word = strtok_r(text, " \t\r\n", &rest); word; word = strtok_r(NULL, " \t\r\n", &rest))
        words.of[words.n++] = word;
    return words;
}

/* ---- Reports ---- */

static void collect_report(const fate_unhandled *what, fate_value *arg)
{
    struct world *world = fate_as_ptr(arg);
    char **grown = realloc(world->reports, (world->n_reports + 1) * sizeof *grown);

    if (!grown)
        give_up("no memory", "");
    world->reports = grown;
    world->reports[world->n_reports++] = text_of_failure(world, what->failure);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void print_reports(struct world *world)
{
    if (world->n_reports > 1)
        qsort(world->reports, world->n_reports, sizeof *world->reports, by_bytes);
    for (size_t i = 0; i < world->n_reports; i++) {
        printf("unhandled %s\n", world->reports[i]);
        free(world->reports[i]);
    }
    world->n_reports = 0;
}

/* ---- Life ---- */

/* The library logs second firings; the trace has its own line for them. */
static void ignore_entry(const fate_log_entry *entry, fate_value *arg)
{
}

struct world *world_new(void)
{
    struct world *world = calloc(1, sizeof *world);

    if (!world)
        give_up("no memory", "");
    world->reactor = fate_reactor_new_simulated();
    if (!world->reactor)
        give_up("no memory", "");
    fate_on_unhandled(world->reactor, collect_report, fate_ptr(world));
    fate_log_observe(world->reactor, FATE_LOG_ERROR, ignore_entry, fate_none());
    return world;
}

static void drop_all_names(fate_value *arg)
{
    struct world *world = fate_as_ptr(arg);

    for (size_t i = 0; i < NAMES_MAX; i++) {
        if (world->deferreds[i].d)
            unbind(&world->deferreds[i]);
    }
}

/* Twisted drops the clock, the primitives and the loops together with the names, and reports every failure
 * that they alone had kept; so the failures that the reactor still has when it is freed belong to this last
 * operation.  To be freed it cancels, and that calls handlers: those do nothing any more. */
void world_end(struct world *world)
{
    printf("> end\n");
    fate_turn(world->reactor, drop_all_names, fate_ptr(world));
    world->is_ending = true;
    fate_reactor_free(world->reactor);
    print_reports(world);

    free(world->reports);
    while (world->texts) {
        struct kept *kept = world->texts;
        world->texts = kept->next;
        free(kept);
    }
    free(world);
}
