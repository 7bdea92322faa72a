/* Tests of tool/options.c, options_help.c, amount.c. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <amount.h>
#include <options.h>

#include "test.h"

#define N(array) (sizeof(array) / sizeof *(array))

struct settings {
    unsigned verbosity;
    bool is_quiet;
    const char *config, *output, *format;
    struct fate__texts headers;
    int64_t retries;
    fate_time timeout;
    uint64_t limit;
};

static const char *const formats[] = { "text", "json", NULL };

static const struct fate__option of_all[] = {
    { "verbose", 'v', FATE__OPTION_COUNT, NULL, "say more; twice: much more",
      offsetof(struct settings, verbosity), 0, 0, NULL },
    { "config", 'c', FATE__OPTION_FILE, "FILE", "read settings from there", offsetof(struct settings, config),
      0, 0, NULL },
    { 0 },
};
static const struct fate__option of_get[] = {
    { "output", 'o', FATE__OPTION_FILE, "FILE", "write to FILE instead of standard output",
      offsetof(struct settings, output), 0, 0, NULL },
    { "header", 'H', FATE__OPTION_TEXTS, "NAME:VALUE", "send this header; may be there several times",
      offsetof(struct settings, headers), 0, 0, NULL },
    { "retries", 'r', FATE__OPTION_NUMBER, "N", "try that many times more",
      offsetof(struct settings, retries), 0, 100, NULL },
    { "timeout", 0, FATE__OPTION_SPAN, "TIME", "give up after TIME", offsetof(struct settings, timeout), 0, 0,
      NULL },
    { "limit", 0, FATE__OPTION_SIZE, "SIZE", "refuse more than SIZE", offsetof(struct settings, limit), 0, 0,
      NULL },
    { "format", 'f', FATE__OPTION_CHOICE, "FORMAT", "text or json", offsetof(struct settings, format), 0, 0,
      formats },
    { "quiet", 'q', FATE__OPTION_FLAG, NULL, "say nothing", offsetof(struct settings, is_quiet), 0, 0, NULL },
    { 0 },
};
static const struct fate__command commands[] = {
    { "get", "URL...", "fetch pages and files",
      "Several URLs are fetched at once.\n\nA failure makes the status 1.", of_get, 1, SIZE_MAX },
    { "serve", "[FOLDER]", "serve the files of a folder", NULL, NULL, 0, 1 },
    { "about", NULL, "say what is built in", NULL, NULL, 0, 0 },
    { 0 },
};
static const struct fate__program fate = { "fate", "Does things on the network.", of_all, commands };

/* What a line of words, divided by blanks, is read as: "get v2 o=x : a b", or its error. */
static const char *read_line(const char *line, char *to)
{
    const char *argv[32] = { "fate" };
    struct settings settings = { .retries = -1 };
    struct fate__parsed parsed;
    struct fate__why why = { "" };
    struct fate__text text = { 0 };
    char words[256], *save = NULL;
    size_t n = 1;

    snprintf(words, sizeof words, "%s", line);
    for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
        argv[n++] = word;
    int result = fate__options_parse(&fate, argv, &settings, &parsed, &why);
    if (result < 0)
        fate__text_add(&text, why.text);
    else
        fate__text_format(&text, "%s%s",
                          result == FATE__WISH_HELP      ? "help "
                          : result == FATE__WISH_VERSION ? "version "
                                                         : "",
                          parsed.command ? parsed.command->name : "(none)");
    if (result == FATE__WISH_RUN) {
        if (settings.verbosity)
            fate__text_format(&text, " v%u", settings.verbosity);
        fate__text_add(&text, settings.is_quiet ? " q" : "");
        if (settings.config)
            fate__text_format(&text, " c=%s", settings.config);
        if (settings.output)
            fate__text_format(&text, " o=%s", settings.output);
        if (settings.format)
            fate__text_format(&text, " f=%s", settings.format);
        for (size_t i = 0; i < settings.headers.n; i++)
            fate__text_format(&text, " H=%s", settings.headers.items[i]);
        if (settings.retries >= 0)
            fate__text_format(&text, " r=%lld", (long long)settings.retries);
        if (settings.timeout)
            fate__text_format(&text, " t=%lld", (long long)(settings.timeout / FATE_MILLISECOND));
        if (settings.limit)
            fate__text_format(&text, " l=%llu", (unsigned long long)settings.limit);
        fate__text_add(&text, parsed.n_arguments ? " :" : "");
        for (size_t i = 0; i < parsed.n_arguments; i++)
            fate__text_format(&text, " %s", parsed.arguments[i]);
        EXPECT_PTR(parsed.arguments[parsed.n_arguments], NULL);
    }
    snprintf(to, 512, "%s", text.has_failed ? "(no memory)" : text.bytes);
    fate__text_done(&text);
    fate__options_done(&fate, &settings, &parsed);
    return to;
}

static void expect_lines(const char *here, const char *const cases[][2], size_t n)
{
    char room[512];

    for (size_t i = 0; i < n; i++)
        test_expect_str(here, read_line(cases[i][0], room), cases[i][1], cases[i][0]);
}
#define EXPECT_LINES(cases) expect_lines(FATE_HERE, cases, N(cases))

/* ---- What was written ---- */

TEST(options_and_arguments_are_read)
{
    static const char *const cases[][2] = {
        { "get a b", "get : a b" },
        { "serve", "serve" },
        { "about", "about" },
        { "get --output=x a", "get o=x : a" },
        { "get --output x a", "get o=x : a" },
        { "get -o x a", "get o=x : a" },
        { "get -ox a", "get o=x : a" },
        { "get -o=x a", "get o==x : a" },
        { "get a -o x b", "get o=x : a b" },
        { "get -o x -o y a", "get o=y : a" },
        { "get --output= a", "get o= : a" },
        { "get --output=a=b a", "get o=a=b : a" },
        { "get -H a:1 --header=b:2 -Hc:3 a", "get H=a:1 H=b:2 H=c:3 : a" },
        { "-v get -v a", "get v2 : a" },
        { "get -vvv --verbose a", "get v4 : a" },
        { "get -vqox a", "get v1 q o=x : a" },
        { "-c f get a", "get c=f : a" },
        { "get -c f a", "get c=f : a" },
        { "get -- -a --b", "get : -a --b" },
        { "get - a", "get : - a" },
        { "get -o - a", "get o=- : a" },
        { "get -o -- a", "get o=-- : a" },
        { "get -r5 a", "get r=5 : a" },
        { "get --retries=100 a", "get r=100 : a" },
        { "get --retries=0 a", "get r=0 : a" },
        { "get --timeout=1.5s a", "get t=1500 : a" },
        { "get --limit 10K a", "get l=10240 : a" },
        { "get -f json a", "get f=json : a" },
        { "-- get a", "get : a" },
    };
    EXPECT_LINES(cases);
}

TEST(help_and_version_are_there_by_themselves)
{
    static const char *const cases[][2] = {
        { "--help", "help (none)" },       { "-h", "help (none)" },
        { "help", "help (none)" },         { "help get", "help get" },
        { "get --help", "help get" },      { "get -h", "help get" },
        { "get -vh", "help get" },         { "get -o x --help", "help get" },
        { "--version", "version (none)" }, { "get --version", "version get" },
        { "help help", "help (none)" },
    };
    EXPECT_LINES(cases);
}

TEST(what_is_wrong_is_named_with_advice)
{
    static const char *const cases[][2] = {
        { "", "there is no command: \"fate --help\" lists them" },
        { "-v", "there is no command: \"fate --help\" lists them" },
        { "gte a", "fate has no command \"gte\": did you mean get?" },
        { "frobnicate", "fate has no command \"frobnicate\": \"fate --help\" lists them" },
        { "help gte", "fate has no command \"gte\": did you mean get?" },
        { "get --ouput=x a", "fate get has no option --ouput: did you mean --output?" },
        { "get --verbos a", "fate get has no option --verbos: did you mean --verbose?" },
        { "get --hepl", "fate get has no option --hepl: did you mean --help?" },
        { "serve --output=x", "fate serve has no option --output: \"fate serve --help\" lists them" },
        { "--output=x get a", "fate has no option --output: \"fate --help\" lists them" },
        { "get -x a", "fate get has no option -x: \"fate get --help\" lists them" },
        { "get --out=x a", "fate get has no option --out: did you mean --output?" },
        { "get --quiet=yes a", "--quiet takes no value: leave out what begins with =" },
        { "get a -o", "--output needs a value: write --output=FILE" },
        { "get a --output", "--output needs a value: write --output=FILE" },
        { "get a -vo", "--output needs a value: write --output=FILE" },
        { "get", "too few arguments: write fate get URL..." },
        { "serve a b", "\"b\" is one argument too many: write fate serve [FOLDER]" },
        { "about x", "\"x\" is one argument too many: write fate about" },
        { "get -r 101 a", "--retries: \"101\" is no number from 0 to 100" },
        { "get -r -1 a", "--retries: \"-1\" is no number from 0 to 100" },
        { "get -r 5x a", "--retries: \"5x\" is no number from 0 to 100" },
        { "get --retries= a", "--retries: \"\" is no number from 0 to 100" },
        { "get -r 99999999999999999999 a", "--retries: \"99999999999999999999\" is no number from 0 to 100" },
        { "get --timeout=soon a",
          "--timeout: \"soon\" is no TIME: write seconds, or a number with ms, s, min, h or d" },
        { "get --limit=1Q a", "--limit: \"1Q\" is no SIZE: write bytes, or a number with K, M, G or T" },
        { "get -f jsn a", "--format: \"jsn\" is no FORMAT: did you mean json?" },
        { "get -f xml a", "--format: \"xml\" is no FORMAT: there are text, json" },
        { "get -f jso\x1b a", "--format: \"jso\\x1b\" is no FORMAT: did you mean json?" },
    };
    EXPECT_LINES(cases);
}

TEST(a_list_of_words_may_be_empty)
{
    const char *const none[] = { NULL };
    struct settings settings = { 0 };
    struct fate__parsed parsed;

    EXPECT(fate__options_parse(&fate, none, &settings, &parsed, NULL) < 0);
    fate__options_done(&fate, &settings, &parsed);
}

/* ---- Help ---- */

static void expect_help(const char *here, const struct fate__command *command, size_t columns,
                        const char *expected)
{
    struct fate__text text = { 0 };

    fate__options_help(&text, &fate, command, columns);
    test_expect_str(here, text.bytes, expected, "the help");
    fate__text_done(&text);
}

TEST(the_help_of_the_program_lists_commands)
{
    expect_help(FATE_HERE, NULL, 80,
                "usage: fate [OPTION...] COMMAND [OPTION...] [ARGUMENT...]\n"
                "\n"
                "Does things on the network.\n"
                "\n"
                "Commands:\n"
                "  get    fetch pages and files\n"
                "  serve  serve the files of a folder\n"
                "  about  say what is built in\n"
                "  help   say more about a command\n"
                "\n"
                "Options:\n"
                "  -v, --verbose      say more; twice: much more\n"
                "  -c, --config=FILE  read settings from there\n"
                "  -h, --help         say this, and do nothing else\n"
                "      --version      say which version this is\n");
}

TEST(the_help_of_a_command_lists_options)
{
    expect_help(FATE_HERE, &commands[0], 50,
                "usage: fate get [OPTION...] URL...\n"
                "\n"
                "fetch pages and files\n"
                "\n"
                "Several URLs are fetched at once.\n"
                "\n"
                "A failure makes the status 1.\n"
                "\n"
                "Options:\n"
                "  -o, --output=FILE        write to FILE instead\n"
                "                           of standard output\n"
                "  -H, --header=NAME:VALUE  send this header; may\n"
                "                           be there several times\n"
                "  -r, --retries=N          try that many times\n"
                "                           more\n"
                "      --timeout=TIME       give up after TIME\n"
                "      --limit=SIZE         refuse more than SIZE\n"
                "  -f, --format=FORMAT      text or json\n"
                "  -q, --quiet              say nothing\n"
                "  -v, --verbose            say more; twice: much\n"
                "                           more\n"
                "  -c, --config=FILE        read settings from\n"
                "                           there\n"
                "  -h, --help               say this, and do\n"
                "                           nothing else\n"
                "      --version            say which version this\n"
                "                           is\n");
}

TEST(a_long_option_has_its_help_below)
{
    static const struct fate__option options[] = {
        { "a-name-longer-than-others", 0, FATE__OPTION_TEXT, "VALUE", "do this", 0, 0, 0, NULL },
        { 0 },
    };
    static const struct fate__command long_commands[] = { { "x", NULL, "y", NULL, NULL, 0, 0 }, { 0 } };
    const struct fate__program program = { "p", "q", options, long_commands };
    struct fate__text text = { 0 };

    fate__options_help(&text, &program, &long_commands[0], 1);
    EXPECT_STR(text.bytes, "usage: p x [OPTION...]\n\ny\n\nOptions:\n"
                           "      --a-name-longer-than-others=VALUE\n                 do this\n"
                           "  -h, --help     say this, and do\n                 nothing else\n"
                           "      --version  say which version this\n                 is\n");
    fate__text_done(&text);
}

TEST(bash_completes_from_the_same_table)
{
    struct fate__text text = { 0 };

    fate__options_bash(&text, &fate);
    EXPECT_CONTAINS(text.bytes, "_fate()\n{\n");
    EXPECT_CONTAINS(text.bytes, "        --config | -c) [[");
    EXPECT_CONTAINS(text.bytes, "    get:--format | get:-f)\n"
                                "        mapfile -t COMPREPLY < <(compgen -W \"text json\" -- \"$word\")\n"
                                "        return ;;\n");
    EXPECT_CONTAINS(text.bytes, "    get:--retries | get:-r)\n        return ;;\n");
    EXPECT_CONTAINS(text.bytes, "    *:--config | *:-c)\n        compopt -o filenames\n");
    EXPECT_CONTAINS(text.bytes,
                    "    '') words=\"get serve about help --verbose --config= --help --version\" ;;\n");
    EXPECT_CONTAINS(text.bytes,
                    "    get) words=\" --output= --header= --retries= --timeout= --limit= --format= --quiet"
                    " --verbose --config= --help --version\" ;;\n");
    EXPECT_CONTAINS(text.bytes, "complete -F _fate fate\n");
    fate__text_done(&text);
}

/* ---- Amounts ---- */

TEST(spans_are_read)
{
    static const struct {
        const char *s;
        fate_time span; /* -1: it is none */
    } cases[] = {
        { "0", 0 },
        { "10", 10 * FATE_SECOND },
        { "1.5", 1500 * FATE_MILLISECOND },
        { "1.5s", 1500 * FATE_MILLISECOND },
        { "200ms", 200 * FATE_MILLISECOND },
        { "0.25ms", 250 * FATE_MICROSECOND },
        { "7us", 7 * FATE_MICROSECOND },
        { "7ns", 7 },
        { "0.5ns", 0 },
        { "5min", 300 * FATE_SECOND },
        { "5m", 300 * FATE_SECOND },
        { "1.5h", 5400 * FATE_SECOND },
        { "2d", 172800 * FATE_SECOND },
        { "0.000000001", 1 },
        { "1.999999999d", 172799999913600 },
        { "106751d", (fate_time)106751 * 86400 * FATE_SECOND },
        { "106752d", -1 },
        { "9223372037", -1 },
        { "99999999999999999999", -1 },
        { "", -1 },
        { "s", -1 },
        { "-1", -1 },
        { "+1", -1 },
        { " 1", -1 },
        { "1 s", -1 },
        { ".5", -1 },
        { "1.", -1 },
        { "1.s", -1 },
        { "1.0000000001", -1 },
        { "1S", -1 },
        { "1e3", -1 },
        { "0x10", -1 },
    };

    for (size_t i = 0; i < N(cases); i++) {
        fate_time span = -1;
        EXPECT_EQ(fate__read_span(cases[i].s, &span), cases[i].span >= 0);
        EXPECT_EQ(span, cases[i].span);
    }
}

TEST(sizes_are_read)
{
    static const struct {
        const char *s;
        uint64_t bytes; /* 1: it is none */
    } cases[] = {
        { "0", 0 },
        { "512", 512 },
        { "512B", 512 },
        { "10K", 10240 },
        { "10k", 10240 },
        { "1.5KiB", 1536 },
        { "2M", 2097152 },
        { "0.5G", 536870912 },
        { "3TiB", 3298534883328 },
        { "0.001K", 1 },
        { "18446744073709551615", UINT64_MAX },
        { "18446744073709551616", 1 },
        { "16777216T", 1 },
        { "16777215.999999999T", 18446744073709550516u },
        { "1KB", 1 },
        { "1Q", 1 },
        { "K", 1 },
        { "-1", 1 },
        { "", 1 },
    };

    for (size_t i = 0; i < N(cases); i++) {
        uint64_t bytes = 1;
        EXPECT(fate__read_size(cases[i].s, &bytes) || cases[i].bytes == 1);
        EXPECT_EQ(bytes, cases[i].bytes);
    }
}

TEST(amounts_are_written)
{
    char room[FATE__AMOUNT_BYTES];

    EXPECT_STR(fate__size_text(0, room), "0 B");
    EXPECT_STR(fate__size_text(1023, room), "1023 B");
    EXPECT_STR(fate__size_text(1024, room), "1.0 KiB");
    EXPECT_STR(fate__size_text(1536, room), "1.5 KiB");
    EXPECT_STR(fate__size_text(1048575, room), "1023.9 KiB");
    EXPECT_STR(fate__size_text(1048576, room), "1.0 MiB");
    EXPECT_STR(fate__size_text(UINT64_MAX, room), "15.9 EiB");
    EXPECT_STR(fate__clock_text(0, room), "0:00");
    EXPECT_STR(fate__clock_text(5 * FATE_SECOND, room), "0:05");
    EXPECT_STR(fate__clock_text(3599 * FATE_SECOND, room), "59:59");
    EXPECT_STR(fate__clock_text(3723 * FATE_SECOND, room), "1:02:03");
    EXPECT_STR(fate__clock_text(359999 * FATE_SECOND, room), "99:59:59");
    EXPECT_STR(fate__clock_text(360000 * FATE_SECOND, room), "-:--");
    EXPECT_STR(fate__clock_text(-1, room), "-:--");
    EXPECT_STR(fate__clock_text(-FATE_SECOND, room), "-:--");
}
