/* Fuzzes /etc/hosts: whatever is in the file, each of its words can be looked up. */
#include <fate/fate.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <net/resolve.h>

static void look_up(struct fate__hosts *hosts, const char *name)
{
    struct fate__addresses found = { 0 };

    fate__hosts_find(hosts, name, &found);
    fate__addresses_alternate(&found);
    for (size_t i = 0; i < found.n; i++)
        if (found.items[i].port || !found.items[i].family)
            abort();
    fate__addresses_done(&found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fate__hosts hosts = { 0 };
    char path[64], name[300];
    int fd = memfd_create("hosts", 0);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    hosts.path = path;
    look_up(&hosts, "localhost");
    for (size_t i = 0; i < size && i < 2000; i += 1 + i / 4) {
        size_t len = size - i < sizeof name - 1 ? size - i : sizeof name - 1;
        memcpy(name, data + i, len);
        name[len] = '\0';
        name[strcspn(name, " \t\r\n#")] = '\0';
        look_up(&hosts, name);
    }
    fate__hosts_done(&hosts);
    close(fd);
    return 0;
}
