/* Which poller. */
#include <reactor/poller.h>

#include <string.h>

const struct fate__poller_ops *fate__poller_named(const char *name)
{
    static const struct fate__poller_ops *const pollers[] = { &fate__epoll, &fate__poll };

    if (!name || !*name)
        return pollers[0];
    for (size_t i = 0; i < sizeof pollers / sizeof pollers[0]; i++)
        if (strcmp(name, pollers[i]->name) == 0)
            return pollers[i];
    return NULL;
}
