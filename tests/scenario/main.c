/* fate-scenario FILE...: runs scenarios (tests/scenarios/LANGUAGE.md) with libfate and prints their traces.
 *
 * A scenario with coroutines is left out, with a line on standard error; `--needs-coroutines FILE` tells by
 * its exit status whether FILE has any (0: yes, 1: no).  Exit status: 0, or 2 when a scenario cannot be
 * read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

static const bool has_coroutines = true;

/* ---- Reading ---- */

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    size_t len = 0, capacity = 0;

    if (!file)
        give_up("cannot open", path);
    do {
        capacity += 16384;
        char *grown = realloc(text, capacity);
        if (!grown)
            give_up("no memory", path);
        text = grown;
        len += fread(text + len, 1, capacity - len - 1, file);
    } while (len == capacity - 1);
    fclose(file);
    text[len] = '\0';
    return text;
}

static bool needs_coroutines(const char *text)
{
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += strspn(line, " \t\r\n");
        if (!strncmp(line, "inline", 6) || (!strncmp(line, "later", 5) && strstr(line, " inline ")))
            return true;
    }
    return false;
}

/* ---- Running ---- */

struct step {
    struct world *world;
    struct words words;
};

static void do_step(fate_value *arg)
{
    const struct step *step = fate_as_ptr(arg);

    operate(step->world, step->words);
}

/* One `advance` is many turns and one operation. */
static void run_line(struct world *world, const char *line)
{
    struct step step = { world, split_line(world, line) };

    if (step.words.n == 0 || step.words.of[0][0] == '#')
        return;
    printf(">");
    for (size_t i = 0; i < step.words.n; i++)
        printf(" %s", step.words.of[i]);
    printf("\n");

    if (!strcmp(step.words.of[0], "advance") && step.words.n > 1)
        fate_advance(world->reactor, parse_seconds(step.words.of[1]));
    else
        fate_turn(world->reactor, do_step, fate_ptr(&step));
    print_reports(world);
}

static void run_scenario(char *text)
{
    struct world *world = world_new();
    char *rest = NULL;

    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        run_line(world, line);
    world_end(world);
}

static void run_file(const char *path)
{
    char *text = read_file(path);

    if (needs_coroutines(text) && !has_coroutines)
        fprintf(stderr, "fate-scenario: %s: skipped: needs coroutines\n", path);
    else
        run_scenario(text);
    free(text);
}

int main(int argc, char *argv[])
{
    if (argc == 3 && !strcmp(argv[1], "--needs-coroutines")) {
        char *text = read_file(argv[2]);
        bool needs = needs_coroutines(text);
        free(text);
        return needs ? 0 : 1;
    }
    for (int i = 1; i < argc; i++)
        run_file(argv[i]);
    return 0;
}
