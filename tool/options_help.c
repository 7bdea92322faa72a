/* Command lines: what there is to write, for people and for bash. */
#include <options.h>

#include <stdio.h>
#include <string.h>

#define LEFT_MAX    26 /* columns of an option's name, beyond which its help begins on the next line */
#define COLUMNS_MIN 40

/* ---- Lines ---- */

/* Words of s from column `at` on, broken at `columns`, later lines indented.  An empty line divides
 * paragraphs. */
struct wrap {
    struct fate__text *to;
    size_t at, indent, columns;
};

static void add_blanks(struct fate__text *to, size_t n)
{
    while (n--)
        fate__text_add(to, " ");
}

static void break_line(struct wrap *wrap)
{
    fate__text_add(wrap->to, "\n");
    add_blanks(wrap->to, wrap->indent);
    wrap->at = wrap->indent;
}

static void add_word(struct wrap *wrap, const char *word, size_t len)
{
    bool is_first = wrap->at == wrap->indent;

    if (!is_first && wrap->at + 1 + len > wrap->columns) {
        break_line(wrap);
        is_first = true;
    }
    if (!is_first)
        fate__text_add(wrap->to, " ");
    fate__text_add_n(wrap->to, word, len);
    wrap->at += len + !is_first;
}

static void add_wrapped(struct wrap *wrap, const char *s)
{
    while (*s) {
        size_t len = strcspn(s, " \n");
        if (len)
            add_word(wrap, s, len);
        s += len;
        if (s[0] == '\n' && s[1] == '\n') {
            fate__text_add(wrap->to, "\n");
            break_line(wrap);
        }
        s += strspn(s, " \n");
    }
    fate__text_add(wrap->to, "\n");
}

/* "  left    help", the help at column `indent`. */
static void add_row(struct fate__text *to, const char *left, const char *help, size_t indent, size_t columns)
{
    size_t len = strlen(left) + 2;
    struct wrap wrap = { to, indent, indent, columns };

    fate__text_format(to, "  %s", left);
    if (len + 2 > indent)
        break_line(&wrap);
    else
        add_blanks(to, indent - len);
    add_wrapped(&wrap, help);
}

/* ---- Options ---- */

#define LEFT_BYTES 128

/* "-o, --output=FILE" */
static const char *left_of(const struct fate__option *option, char to[LEFT_BYTES])
{
    char letter[8] = "    ";

    if (option->letter)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(to, LEFT_BYTES, "%s--%s%s%s", letter, option->name, option->value ? "=" : "",
             option->value ? option->value : "");
    return to;
}

static const struct fate__option own_options[] = {
    { .name = "help", .letter = 'h', .help = "say this, and do nothing else" },
    { .name = "version", .help = "say which version this is" },
    { 0 },
};

static size_t widest(const struct fate__option *options, size_t so_far)
{
    char left[LEFT_BYTES];

    for (; options && options->name; options++) {
        size_t len = strlen(left_of(options, left));
        if (len > so_far && len <= LEFT_MAX)
            so_far = len;
    }
    return so_far;
}

static void add_options(struct fate__text *to, const struct fate__option *options, size_t indent,
                        size_t columns)
{
    char left[LEFT_BYTES];

    for (; options && options->name; options++)
        add_row(to, left_of(options, left), options->help, indent, columns);
}

static void add_all_options(struct fate__text *to, const struct fate__program *program,
                            const struct fate__command *command, size_t columns)
{
    size_t indent = widest(own_options, widest(program->options, 0));

    indent = widest(command ? command->options : NULL, indent) + 4;
    fate__text_add(to, "\nOptions:\n");
    add_options(to, command ? command->options : NULL, indent, columns);
    add_options(to, program->options, indent, columns);
    add_options(to, own_options, indent, columns);
}

/* ---- Help ---- */

static void add_commands(struct fate__text *to, const struct fate__program *program, size_t columns)
{
    static const struct fate__command help = { .name = "help", .summary = "say more about a command" };
    size_t widest_name = strlen(help.name);

    for (const struct fate__command *command = program->commands; command->name; command++)
        if (strlen(command->name) > widest_name)
            widest_name = strlen(command->name);
    fate__text_add(to, "\nCommands:\n");
    for (const struct fate__command *command = program->commands; command->name; command++)
        add_row(to, command->name, command->summary, widest_name + 4, columns);
    add_row(to, help.name, help.summary, widest_name + 4, columns);
}

void fate__options_help(struct fate__text *to, const struct fate__program *program,
                        const struct fate__command *command, size_t columns)
{
    columns = columns < COLUMNS_MIN ? COLUMNS_MIN : columns;
    if (command)
        fate__text_format(to, "usage: %s %s [OPTION...]%s%s\n\n", program->name, command->name,
                          command->arguments ? " " : "", command->arguments ? command->arguments : "");
    else
        fate__text_format(to, "usage: %s [OPTION...] COMMAND [OPTION...] [ARGUMENT...]\n\n", program->name);
    add_wrapped(&(struct wrap){ to, 0, 0, columns }, command ? command->summary : program->summary);
    if (command && command->details) {
        fate__text_add(to, "\n");
        add_wrapped(&(struct wrap){ to, 0, 0, columns }, command->details);
    }
    if (!command)
        add_commands(to, program, columns);
    add_all_options(to, program, command, columns);
}

/* ---- bash ---- */

/* "get:--output | get:-o", the places at which the option's value is completed. */
static void add_place(struct fate__text *to, const char *command, const struct fate__option *option)
{
    fate__text_format(to, "    %s:--%s", command, option->name);
    if (option->letter)
        fate__text_format(to, " | %s:-%c", command, option->letter);
    fate__text_add(to, ")\n");
}

static void add_values(struct fate__text *to, const char *command, const struct fate__option *options)
{
    for (; options && options->name; options++) {
        if (!options->value)
            continue;
        add_place(to, command, options);
        if (options->kind == FATE__OPTION_FILE || options->kind == FATE__OPTION_FILES)
            fate__text_add(
                to,
                "        compopt -o filenames\n        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n");
        if (options->kind == FATE__OPTION_CHOICE) {
            fate__text_add(to, "        mapfile -t COMPREPLY < <(compgen -W \"");
            for (const char *const *choice = options->choices; *choice; choice++)
                fate__text_format(to, "%s%s", choice == options->choices ? "" : " ", *choice);
            fate__text_add(to, "\" -- \"$word\")\n");
        }
        fate__text_add(to, "        return ;;\n");
    }
}

static void add_names(struct fate__text *to, const struct fate__option *options)
{
    for (; options && options->name; options++)
        fate__text_format(to, " --%s%s", options->name, options->value ? "=" : "");
}

static void add_words(struct fate__text *to, const struct fate__program *program,
                      const struct fate__command *command)
{
    fate__text_format(to, "    %s) words=\"", command ? command->name : "''");
    if (command)
        add_names(to, command->options);
    else
        for (const struct fate__command *each = program->commands; each->name; each++)
            fate__text_format(to, "%s ", each->name);
    fate__text_add(to, command ? "" : "help");
    add_names(to, program->options);
    add_names(to, own_options);
    fate__text_add(to, "\" ;;\n");
}

/* The options of all commands whose value is a word of its own: that one is no command. */
static void add_skips(struct fate__text *to, const struct fate__program *program)
{
    for (const struct fate__option *option = program->options; option && option->name; option++) {
        if (!option->value)
            continue;
        fate__text_format(to, "        --%s", option->name);
        if (option->letter)
            fate__text_format(to, " | -%c", option->letter);
        fate__text_add(to, ") [[ ${COMP_WORDS[i + 1]} == = ]] && ((i += 2)) || ((i++)) ;;\n");
    }
}

/* bash cuts words at "=", so --name=VALUE is three of them. */
static const char before_words[] =
    "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "    local command= words= i\n"
    "    COMPREPLY=()\n"
    "    if [[ $word == = ]]; then\n"
    "        word=\n"
    "    elif [[ $before == = ]]; then\n"
    "        before=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "    fi\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        case ${COMP_WORDS[i]} in\n";
static const char behind_words[] =
    "    if [[ $word == -* || -z $command ]]; then\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
    "        [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n"
    "    else\n"
    "        compopt -o filenames\n"
    "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
    "    fi\n"
    "}\n";

void fate__options_bash(struct fate__text *to, const struct fate__program *program)
{
    const struct fate__command *command;

    fate__text_format(to, "# Completion of %s in bash.\n_%s()\n{\n", program->name, program->name);
    fate__text_add(to, before_words);
    add_skips(to, program);
    fate__text_add(
        to, "        -* | =) ;;\n        *)\n            command=${COMP_WORDS[i]}\n            break ;;\n"
            "        esac\n    done\n    case $command:$before in\n");
    for (command = program->commands; command->name; command++)
        add_values(to, command->name, command->options);
    add_values(to, "*", program->options);
    fate__text_add(to, "    esac\n    case $command in\n");
    add_words(to, program, NULL);
    for (command = program->commands; command->name; command++)
        add_words(to, program, command);
    fate__text_add(to, "    help) words=\"");
    for (command = program->commands; command->name; command++)
        fate__text_format(to, "%s ", command->name);
    fate__text_add(to, "\"; command= ;;\n    esac\n");
    fate__text_add(to, behind_words);
    fate__text_format(to, "complete -F _%s %s\n", program->name, program->name);
}
