/* The commands of `fate`: their options, and what each does. */
#ifndef FATE_TOOL_COMMANDS_H
#define FATE_TOOL_COMMANDS_H

#include <fate/reactor.h>
#include <options.h>

/* Exit statuses.  Up to FATE__FAILED_MAX it is the number of pages that could not be fetched. */
#define FATE__FAILED_MAX   125
#define FATE__STATUS_USAGE 126 /* the command line is wrong, and nothing was done */

struct fate__get_settings {
    struct fate__texts outputs, headers;
    bool by_remote_name, as_json;
    int64_t retries, per_host_max, at_once_max;
    fate_time time_max; /* 0: no limit */
};

struct fate__web_settings {
    const char *path, *listen, *log;
    bool once;
};

struct fate__settings {
    struct fate__get_settings get;
    struct fate__web_settings web;
};

extern const struct fate__program fate__program;
extern const struct fate__settings fate__settings_default;

/* Each returns the exit status.  The arguments end with NULL. */
int fate__get(const struct fate__get_settings *settings, size_t n, const char *const *urls);
int fate__web(const struct fate__web_settings *settings);
int fate__completion(const char *shell);

/* fate_main, without the advice on what blocks: that is for those who write programs, and a busy machine
 * would bring it about as well. */
int fate__run_main(fate_main_fn *start);
/* Runs a whole command line. */
int fate__tool(const char *const *argv);

#endif
