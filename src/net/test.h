/* Tools for tests: what their files share. */
#ifndef FATE_SRC_NET_TEST_H
#define FATE_SRC_NET_TEST_H

#include <sys/types.h>

#include <fate/test.h>
#include <net/transport.h>

struct fate__test {
    struct fate__owned owned;
    fate_reactor *reactor;
    struct fate__link reports;
    size_t n_lost_reports; /* without memory to keep them */
    struct fate__link recorders;
    struct fate__open_file *files; /* of the process, when the reactor was made */
    size_t n_files;
    bool knows_files;
};

/* A reactor of fate_test_reactor; others stop the program. */
struct fate__test *fate__test_of(fate_reactor *reactor, const char *what, const char *site);
/* All recorded connections are lost, and their protocols go. */
void fate__recorders_end(struct fate__test *test);

/* ---- Descriptors ---- */

/* A number, and what it was open for. */
struct fate__open_file {
    int fd;
    dev_t device;
    ino_t inode;
};

/* Those of the process, in an array that is to be freed: 0 or -errno. */
int fate__open_files(struct fate__open_file **ret_files, size_t *ret_n);

#endif
