/* Files of a folder, as a resource. */
#ifndef FATE_SRC_HTTP_STATIC_H
#define FATE_SRC_HTTP_STATIC_H

#include <sys/stat.h>

#include <http/server.h>

struct fate__static {
    int root;         /* the folder */
    bool has_beneath; /* the kernel opens below a folder by itself */
    bool hides_folders;
    char *cache_control; /* NULL: none */
};

/* What was found. */
struct fate__static_file {
    int fd;
    struct stat about;
    const char *name;          /* by which its type is known */
    const char *cache_control; /* or NULL */
    bool is_gzipped;           /* it is the .gz beside it */
};

/* ---- static_open.c ---- */

/* Opens a path below the root, which has no "..": a descriptor, or -errno; -ENOENT also for what is there but
 * must not be seen. */
int fate__static_open(struct fate__static *files, const char *path, struct stat *ret_about);
/* May a path be shown: has none of its segments a dot in front? */
bool fate__static_may_show(const char *path);

/* ---- static_send.c ---- */

/* Answers with the file, which is given: whole, in part, or not because the client has it. */
void fate__static_send(fate_request *request, struct fate__static_file *file);

/* ---- static_list.c ---- */

/* The listing of a folder, fd given, as a page: bytes, or a failure.  path: as it is shown. */
fate_value fate__static_list(fate_request *request, int fd, const char *path);

#endif
