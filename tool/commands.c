/* The tables of commands and options, and who is called for which. */
#include <commands.h>

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define HELP_COLUMNS     80
#define HELP_COLUMNS_MAX 100

/* ---- Tables ---- */

#define IN_GET(member) offsetof(struct fate__settings, get.member)
#define IN_WEB(member) offsetof(struct fate__settings, web.member)

static const struct fate__option get_options[] = {
    { "output", 'o', FATE__OPTION_FILES, "FILE",
      "write the page to FILE, or to standard output where that is \"-\"; given as often as there are URLs, "
      "each is for one of them, in order",
      .offset = IN_GET(outputs) },
    { "remote-name", 'O', FATE__OPTION_FLAG, NULL,
      "write each page to a file here, called as the last part of its URL",
      .offset = IN_GET(by_remote_name) },
    { "json", 0, FATE__OPTION_FLAG, NULL,
      "say it in JSON: an object on a line for each page, and one for all of them",
      .offset = IN_GET(as_json) },
    { "header", 'H', FATE__OPTION_TEXTS, "NAME:VALUE", "send this header too; may be there several times",
      .offset = IN_GET(headers) },
    { "retry", 0, FATE__OPTION_NUMBER, "N",
      "try again up to N times, after 1 s, 2 s, 4 s and so on, where that may help: when there is no "
      "connection, it is lost, takes too long, or the server is busy (0)",
      .offset = IN_GET(retries), .max = 1000 },
    { "max-time", 'm', FATE__OPTION_SPAN, "TIME",
      "give a page up after that time, all tries included: \"1.5s\", \"2min\"; plain numbers are seconds",
      .offset = IN_GET(time_max) },
    { "per-host", 0, FATE__OPTION_NUMBER, "N", "at most N pages of one host at a time (6)",
      .offset = IN_GET(per_host_max), .min = 1, .max = 1000 },
    { "at-once", 0, FATE__OPTION_NUMBER, "N", "at most N pages at a time (32)", .offset = IN_GET(at_once_max),
      .min = 1, .max = 10000 },
    { 0 },
};

static const char *const log_formats[] = { "common", "json", "none", NULL };

static const struct fate__option web_options[] = {
    { "path", 'p', FATE__OPTION_FILE, "DIR", "the folder whose files are served (.)",
      .offset = IN_WEB(path) },
    { "listen", 'l', FATE__OPTION_TEXT, "ENDPOINT",
      "where to listen: \"tcp:8080\" is all interfaces, \"unix:/run/web\" a socket; with port 0 a free one "
      "is taken, and said (tcp:8080:interface=127.0.0.1, which only this machine reaches)",
      .offset = IN_WEB(listen) },
    { "log", 0, FATE__OPTION_CHOICE, "FORMAT", "how each request is told: common, json or none (common)",
      .offset = IN_WEB(log), .choices = log_formats },
    { "once", '1', FATE__OPTION_FLAG, NULL, "end when one request has been answered",
      .offset = IN_WEB(once) },
    { 0 },
};

static const struct fate__command commands[] = {
    { "get", "URL...", "Fetches web pages, many at once.",
      "On a terminal there is a bar for each page under way and one for all; elsewhere only a line for each "
      "page that has come or failed. What is fetched is read and dropped, unless --output or --remote-name "
      "say where it goes. A file is there when its page is complete, and not before; it has the bytes that "
      "the server sent, packed only if the server would not send them otherwise. Redirects are followed, "
      "ten at most. There is no https: yet, and http_proxy is not looked at.\n\n"
      "The exit status is the number of pages that failed, 125 for more; 126 when the command line is wrong; "
      "130 after Ctrl-C.",
      get_options, 1, SIZE_MAX },
    { "web", NULL, "Serves the files of a folder.",
      "Ranges, conditions, index.html and listings are understood; names that begin with a dot, and what "
      "lies "
      "outside of the folder, are not there. Ctrl-C lets requests that have begun be answered, and ends it; "
      "a second one ends it at once.",
      web_options, 0, 0 },
    { "completion", "bash", "Prints a script that lets bash complete command lines of fate.",
      "For this shell: source <(fate completion bash)", NULL, 1, 1 },
    { 0 },
};

const struct fate__program fate__program = {
    .name = "fate",
    .summary = "Fetches and serves web pages; made with libfate, asynchronous programming for C.",
    .commands = commands,
};

const struct fate__settings fate__settings_default = {
    .get = { .per_host_max = 6, .at_once_max = 32 },
    .web = { .path = ".", .listen = "tcp:8080:interface=127.0.0.1", .log = "common" },
};

/* ---- Running ---- */

/* A text to standard output; the status. */
static int print_text(struct fate__text *text)
{
    bool is_out = !text->has_failed && fwrite(text->bytes, 1, text->len, stdout) == text->len;

    if (!is_out || fflush(stdout) != 0) {
        fprintf(stderr, "fate: cannot write to standard output\n");
        is_out = false;
    }
    fate__text_done(text);
    return is_out ? 0 : 1;
}

static int print_help(const struct fate__command *command)
{
    struct fate__text text = { 0 };
    struct winsize size;
    size_t columns = HELP_COLUMNS;

    if (ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_col)
        columns = size.ws_col < HELP_COLUMNS_MAX ? size.ws_col : HELP_COLUMNS_MAX;
    fate__options_help(&text, &fate__program, command, columns);
    return print_text(&text);
}

static int print_version(void)
{
    struct fate__text text = { 0 };

    fate__text_format(&text, "fate %s\n", fate_version());
    return print_text(&text);
}

int fate__completion(const char *shell)
{
    struct fate__text text = { 0 };

    if (strcmp(shell, "bash") != 0) {
        fprintf(stderr, "fate: there is a completion for bash alone: write fate completion bash\n");
        return FATE__STATUS_USAGE;
    }
    fate__options_bash(&text, &fate__program);
    return print_text(&text);
}

int fate__run_main(fate_main_fn *start)
{
    return fate_main_with(start, 0, NULL, .slow_callback = FATE_NEVER);
}

static int run(const struct fate__settings *settings, const struct fate__parsed *parsed)
{
    const char *name = parsed->command->name;

    if (strcmp(name, "get") == 0)
        return fate__get(&settings->get, parsed->n_arguments, parsed->arguments);
    if (strcmp(name, "web") == 0)
        return fate__web(&settings->web);
    return fate__completion(parsed->arguments[0]);
}

int fate__tool(const char *const *argv)
{
    struct fate__settings settings = fate__settings_default;
    struct fate__parsed parsed;
    struct fate__why why;
    int wish = fate__options_parse(&fate__program, argv, &settings, &parsed, &why), status;

    if (wish == FATE__WISH_RUN)
        status = run(&settings, &parsed);
    else if (wish == FATE__WISH_HELP)
        status = print_help(parsed.command);
    else if (wish == FATE__WISH_VERSION)
        status = print_version();
    else {
        fprintf(stderr, "fate: %s\n", why.text);
        status = FATE__STATUS_USAGE;
    }
    fate__options_done(&fate__program, &settings, &parsed);
    return status;
}
