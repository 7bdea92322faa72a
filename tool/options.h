/* Command lines, from tables: what is there to write, what was written, and how it is told to people and to
 * bash.
 *
 *     fate [OPTION...] COMMAND [OPTION...] [ARGUMENT...]
 *
 * Options are --name=VALUE, --name VALUE, -nVALUE and -n VALUE; letters of flags may stand together, as -vq.
 * Options and arguments may be mixed, and behind -- all are arguments; a lone - is one too.  -h, --help,
 * --version and the command help are there by themselves. */
#ifndef FATE_TOOL_OPTIONS_H
#define FATE_TOOL_OPTIONS_H

#include <base/text.h>
#include <base/why.h>

/* Of an option, and of what it sets. */
enum fate__option_kind {
    FATE__OPTION_FLAG = 1, /* bool */
    FATE__OPTION_COUNT,    /* unsigned: how often it was there */
    FATE__OPTION_TEXT,     /* const char *, in argv */
    FATE__OPTION_FILE,     /* the same; bash completes it */
    FATE__OPTION_TEXTS,    /* struct fate__texts: it may be there several times */
    FATE__OPTION_FILES,    /* the same; bash completes them */
    FATE__OPTION_CHOICE,   /* const char *, in choices */
    FATE__OPTION_NUMBER,   /* int64_t: from min to max */
    FATE__OPTION_SPAN,     /* fate_time: "1.5s", "200ms", "5min", "1h", "2d"; "10" are seconds */
    FATE__OPTION_SIZE,     /* uint64_t: "512", "10K", "1.5M", "2GiB"; K is 1024 */
};

struct fate__texts {
    const char **items;
    size_t n;
};

/* A list of these ends with one whose name is NULL. */
struct fate__option {
    const char *name; /* without its hyphens */
    char letter;      /* 0: none */
    enum fate__option_kind kind;
    const char *value; /* as it is called in the help: "FILE"; NULL for flags */
    const char *help;
    size_t offset; /* in the settings */
    int64_t min, max;
    const char *const *choices; /* ends with NULL */
};

struct fate__command {
    const char *name;
    const char *arguments; /* as in the usage: "URL..."; NULL: it takes none */
    const char *summary;   /* a line */
    const char *details;   /* paragraphs, divided by empty lines; NULL: none */
    const struct fate__option *options;
    size_t n_min, n_max; /* of arguments */
};

struct fate__program {
    const char *name, *summary;
    const struct fate__option *options;   /* of all commands */
    const struct fate__command *commands; /* ends with one whose name is NULL */
};

enum fate__wish { FATE__WISH_RUN, FATE__WISH_HELP, FATE__WISH_VERSION };

struct fate__parsed {
    const struct fate__command *command; /* of help: NULL is the whole program's */
    const char **arguments;              /* in argv, ended by NULL */
    size_t n_arguments;
};

/* Sets what the options say in settings, whose defaults are there before: of two of the same the last counts.
 * Returns a fate__wish, -EINVAL with the reason, or -ENOMEM.  Whatever it returns, fate__options_done must
 * follow. */
int fate__options_parse(const struct fate__program *program, const char *const argv[], void *settings,
                        struct fate__parsed *ret_parsed, struct fate__why *why);
/* Frees the arguments and the lists in settings. */
void fate__options_done(const struct fate__program *program, void *settings, struct fate__parsed *parsed);

/* ---- In options_help.c ---- */

/* The help of a command; NULL: of the program.  Lines have at most that many columns, where words allow it.
 */
void fate__options_help(struct fate__text *to, const struct fate__program *program,
                        const struct fate__command *command, size_t columns);
/* A script for bash that completes commands, options, choices and files. */
void fate__options_bash(struct fate__text *to, const struct fate__program *program);

#endif
