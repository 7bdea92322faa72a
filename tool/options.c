/* Command lines: what was written. */
#include <options.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <amount.h>
#include <base/alloc.h>
#include <base/suggest.h>

#define NAMES_MAX 128 /* of options and of commands, when something near is looked for */

struct parse {
    const struct fate__program *program;
    const char *const *argv; /* what is still to be read */
    void *settings;
    struct fate__parsed *parsed;
    struct fate__why *why;
    bool is_help; /* the command was "help": its argument is the command */
};

static bool takes_value(const struct fate__option *option)
{
    return option->kind != FATE__OPTION_FLAG && option->kind != FATE__OPTION_COUNT;
}

/* "fate get", or "fate" before there is a command. */
static const char *called(const struct parse *parse, char to[FATE__SHOWN_BYTES])
{
    const struct fate__command *command = parse->parsed->command;

    snprintf(to, FATE__SHOWN_BYTES, "%s%s%s", parse->program->name, command ? " " : "",
             command ? command->name : "");
    return to;
}

/* ---- Looking up ---- */

static const struct fate__option *find_in(const struct fate__option *options, const char *name, size_t len,
                                          char letter)
{
    for (; options && options->name; options++) {
        bool is_named = name && strncmp(options->name, name, len) == 0 && !options->name[len];
        if (is_named || (letter && options->letter == letter))
            return options;
    }
    return NULL;
}

/* By name, or by letter where name is NULL: the command's first. */
static const struct fate__option *find_option(const struct parse *parse, const char *name, size_t len,
                                              char letter)
{
    const struct fate__command *command = parse->parsed->command;
    const struct fate__option *option = command ? find_in(command->options, name, len, letter) : NULL;

    return option ? option : find_in(parse->program->options, name, len, letter);
}

static size_t collect(const struct fate__option *options, const char **names, size_t n)
{
    for (; options && options->name && n < NAMES_MAX; options++)
        names[n++] = options->name;
    return n;
}

static int refuse_option(struct parse *parse, const char *name, size_t len)
{
    const char *names[NAMES_MAX + 2] = { "help", "version" };
    const struct fate__command *command = parse->parsed->command;
    char who[FATE__SHOWN_BYTES], shown[FATE__SHOWN_BYTES];
    size_t n = command ? collect(command->options, names, 2) : 2;

    n = collect(parse->program->options, names, n);
    called(parse, who);
    const char *meant = fate__suggest(fate__shown(name, len, shown), names, n);
    if (meant)
        return fate__because(parse->why, -EINVAL, "%s has no option --%s: did you mean --%s?", who, shown,
                             meant);
    return fate__because(parse->why, -EINVAL, "%s has no option --%s: \"%s --help\" lists them", who, shown,
                         who);
}

static const struct fate__command *find_command(const struct parse *parse, const char *name)
{
    for (const struct fate__command *command = parse->program->commands; command->name; command++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

static int refuse_command(struct parse *parse, const char *word)
{
    const char *names[NAMES_MAX + 1] = { "help" }, *name = parse->program->name;
    char shown[FATE__SHOWN_BYTES];
    size_t n = 1;

    for (const struct fate__command *command = parse->program->commands; command->name && n < NAMES_MAX;
         command++)
        names[n++] = command->name;
    const char *meant = fate__suggest(fate__shown(word, strlen(word), shown), names, n);
    if (meant)
        return fate__because(parse->why, -EINVAL, "%s has no command \"%s\": did you mean %s?", name, shown,
                             meant);
    return fate__because(parse->why, -EINVAL, "%s has no command \"%s\": \"%s --help\" lists them", name,
                         shown, name);
}

/* ---- Values ---- */

static int refuse_value(struct parse *parse, const struct fate__option *option, const char *value,
                        const char *advice)
{
    char shown[FATE__SHOWN_BYTES];

    return fate__because(parse->why, -EINVAL, "--%s: \"%s\" is no %s: %s", option->name,
                         fate__shown(value, strlen(value), shown), option->value, advice);
}

static int set_number(struct parse *parse, const struct fate__option *option, const char *value,
                      int64_t *place)
{
    char *end, shown[FATE__SHOWN_BYTES];
    bool is_digits = value[strspn(value, "-0123456789")] == '\0' && *value;

    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (!is_digits || *end || errno || number < option->min || number > option->max)
        return fate__because(parse->why, -EINVAL, "--%s: \"%s\" is no number from %lld to %lld", option->name,
                             fate__shown(value, strlen(value), shown), (long long)option->min,
                             (long long)option->max);
    *place = number;
    return 0;
}

static int set_choice(struct parse *parse, const struct fate__option *option, const char *value,
                      const char **place)
{
    char advice[128] = "there are";
    size_t n = 0;

    for (; option->choices[n]; n++) {
        if (strcmp(option->choices[n], value) == 0) {
            *place = option->choices[n];
            return 0;
        }
        size_t len = strlen(advice);
        snprintf(advice + len, sizeof advice - len, "%s %s", n ? "," : "", option->choices[n]);
    }
    const char *meant = fate__suggest(value, option->choices, n);
    if (meant)
        snprintf(advice, sizeof advice, "did you mean %s?", meant);
    return refuse_value(parse, option, value, advice);
}

static int add_text(struct fate__texts *texts, const char *value)
{
    const char **items = fate__realloc(texts->items, (texts->n + 1) * sizeof *items);

    if (!items)
        return -ENOMEM;
    texts->items = items;
    items[texts->n++] = value;
    return 0;
}

static int set_value(struct parse *parse, const struct fate__option *option, const char *value)
{
    void *place = (char *)parse->settings + option->offset;

    switch (option->kind) {
    case FATE__OPTION_FLAG:
        *(bool *)place = true;
        return 0;
    case FATE__OPTION_COUNT:
        ++*(unsigned *)place;
        return 0;
    case FATE__OPTION_TEXTS:
    case FATE__OPTION_FILES:
        return add_text(place, value);
    case FATE__OPTION_CHOICE:
        return set_choice(parse, option, value, place);
    case FATE__OPTION_NUMBER:
        return set_number(parse, option, value, place);
    case FATE__OPTION_SPAN:
        return fate__read_span(value, place)
                   ? 0
                   : refuse_value(parse, option, value, "write seconds, or a number with ms, s, min, h or d");
    case FATE__OPTION_SIZE:
        return fate__read_size(value, place)
                   ? 0
                   : refuse_value(parse, option, value, "write bytes, or a number with K, M, G or T");
    default:
        *(const char **)place = value;
        return 0;
    }
}

/* The value that is the next word; a NULL is refused. */
static int set_next(struct parse *parse, const struct fate__option *option)
{
    const char *value = *parse->argv;

    if (!value)
        return fate__because(parse->why, -EINVAL, "--%s needs a value: write --%s=%s", option->name,
                             option->name, option->value);
    parse->argv++;
    return set_value(parse, option, value);
}

/* ---- Words ---- */

/* --name, --name=value; word is behind the hyphens. */
static int read_long(struct parse *parse, const char *word)
{
    size_t len = strcspn(word, "=");
    const struct fate__option *option = find_option(parse, word, len, '\0');

    if (!option && strcmp(word, "help") == 0)
        return FATE__WISH_HELP;
    if (!option && strcmp(word, "version") == 0)
        return FATE__WISH_VERSION;
    if (!option)
        return refuse_option(parse, word, len);
    if (!takes_value(option) && word[len])
        return fate__because(parse->why, -EINVAL,
                             "--%s takes no value: leave out what begins with =", option->name);
    if (word[len])
        return set_value(parse, option, word + len + 1);
    return takes_value(option) ? set_next(parse, option) : set_value(parse, option, NULL);
}

/* -n, -nVALUE, -abc; letters is behind the hyphen. */
static int read_letters(struct parse *parse, const char *letters)
{
    char who[FATE__SHOWN_BYTES];

    for (; *letters; letters++) {
        const struct fate__option *option = find_option(parse, NULL, 0, *letters);
        if (!option && *letters == 'h')
            return FATE__WISH_HELP;
        if (!option)
            return fate__because(parse->why, -EINVAL, "%s has no option -%c: \"%s --help\" lists them",
                                 called(parse, who), *letters > ' ' && *letters < 0x7f ? *letters : '?', who);
        if (takes_value(option))
            return letters[1] ? set_value(parse, option, letters + 1) : set_next(parse, option);
        set_value(parse, option, NULL);
    }
    return FATE__WISH_RUN;
}

/* The first is the command; all others are its arguments. */
static int read_argument(struct parse *parse, const char *word)
{
    struct fate__parsed *parsed = parse->parsed;

    if (parsed->command) {
        parsed->arguments[parsed->n_arguments++] = word;
        return FATE__WISH_RUN;
    }
    parsed->command = find_command(parse, word);
    if (parsed->command)
        return FATE__WISH_RUN;
    if (strcmp(word, "help") != 0)
        return refuse_command(parse, word);
    parse->is_help = true;
    return FATE__WISH_RUN;
}

static int read_words(struct parse *parse)
{
    int result = FATE__WISH_RUN;
    bool has_ended = false;

    while (*parse->argv && result == FATE__WISH_RUN) {
        const char *word = *parse->argv++;
        if (has_ended || word[0] != '-' || !word[1])
            result = read_argument(parse, word);
        else if (strcmp(word, "--") == 0)
            has_ended = true;
        else
            result = word[1] == '-' ? read_long(parse, word + 2) : read_letters(parse, word + 1);
    }
    return result;
}

static int check_arguments(struct parse *parse)
{
    const struct fate__command *command = parse->parsed->command;
    const char *program = parse->program->name;
    size_t n = parse->parsed->n_arguments;
    char shown[FATE__SHOWN_BYTES];

    if (!command)
        return fate__because(parse->why, -EINVAL, "there is no command: \"%s --help\" lists them", program);
    if (n < command->n_min)
        return fate__because(parse->why, -EINVAL, "too few arguments: write %s %s %s", program, command->name,
                             command->arguments);
    if (n <= command->n_max)
        return FATE__WISH_RUN;
    const char *extra = parse->parsed->arguments[command->n_max];
    return fate__because(parse->why, -EINVAL, "\"%s\" is one argument too many: write %s %s%s%s",
                         fate__shown(extra, strlen(extra), shown), program, command->name,
                         command->arguments ? " " : "", command->arguments ? command->arguments : "");
}

int fate__options_parse(const struct fate__program *program, const char *const argv[], void *settings,
                        struct fate__parsed *ret_parsed, struct fate__why *why)
{
    struct parse parse = { program, argv + (argv[0] != NULL), settings, ret_parsed, why, false };
    size_t n = 0;

    while (argv[n])
        n++;
    *ret_parsed = (struct fate__parsed){ 0 };
    ret_parsed->arguments = fate__zalloc((n + 1) * sizeof *ret_parsed->arguments);
    int result = ret_parsed->arguments ? read_words(&parse) : -ENOMEM;
    if (result == FATE__WISH_RUN)
        result = parse.is_help ? FATE__WISH_HELP : check_arguments(&parse);
    return result == -ENOMEM ? fate__because(why, result, "there is no memory for the command line") : result;
}

static void free_texts(const struct fate__option *options, void *settings)
{
    for (; options && options->name; options++) {
        struct fate__texts *texts = (void *)((char *)settings + options->offset);
        if (options->kind != FATE__OPTION_TEXTS && options->kind != FATE__OPTION_FILES)
            continue;
        fate__free(texts->items);
        *texts = (struct fate__texts){ 0 };
    }
}

void fate__options_done(const struct fate__program *program, void *settings, struct fate__parsed *parsed)
{
    free_texts(program->options, settings);
    if (parsed->command)
        free_texts(parsed->command->options, settings);
    fate__free(parsed->arguments);
    *parsed = (struct fate__parsed){ 0 };
}
