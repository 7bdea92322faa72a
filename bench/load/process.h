/* What /proc tells of a server: processor time, memory, wake-ups.  All of it is 0 without a server, of pid 0.
 */
#ifndef LOAD_PROCESS_H
#define LOAD_PROCESS_H
#include "../common/bench.h"
#include <dirent.h>

struct usage {
    double cpu_ns;  /* of all threads, in the program and in the kernel */
    double wakeups; /* how often they went to sleep */
};

static inline FILE *open_proc(long pid, const char *rest)
{
    char path[320];
    snprintf(path, sizeof path, "/proc/%ld/%s", pid, rest);
    return fopen(path, "re");
}

/* The number behind a name such as "Rss:" at the beginning of a line. */
static inline double proc_number(long pid, const char *rest, const char *name)
{
    char line[256];
    double number = 0;
    FILE *file = open_proc(pid, rest);
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, name, strlen(name)))
            number = atof(line + strlen(name));
    if (file)
        fclose(file);
    return number;
}

/* In bytes.  From smaps_rollup, as status has a sum that may lack 64 pages for each processor. */
static inline double resident_bytes(long pid)
{
    return pid ? proc_number(pid, "smaps_rollup", "Rss:") * 1024 : 0;
}

static inline void add_usage_of_thread(struct usage *usage, long pid, const char *thread)
{
    char rest[300];
    double cpu_ns = 0;
    snprintf(rest, sizeof rest, "task/%s/schedstat", thread);
    FILE *file = open_proc(pid, rest);
    if (file && fscanf(file, "%lf", &cpu_ns) == 1)
        usage->cpu_ns += cpu_ns;
    if (file)
        fclose(file);
    snprintf(rest, sizeof rest, "task/%s/status", thread);
    usage->wakeups += proc_number(pid, rest, "voluntary_ctxt_switches:");
}

static inline struct usage usage_of(long pid)
{
    struct usage usage = { 0 };
    char path[32];
    snprintf(path, sizeof path, "/proc/%ld/task", pid);
    DIR *threads = pid ? opendir(path) : NULL;
    for (struct dirent *entry; threads && (entry = readdir(threads));)
        if (entry->d_name[0] != '.')
            add_usage_of_thread(&usage, pid, entry->d_name);
    if (threads)
        closedir(threads);
    return usage;
}
#endif
