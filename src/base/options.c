/* Structs of options: reading what the caller has set. */
#include <base/options.h>

#include <string.h>

#include <base/stop.h>

void fate__take_options(void *ret_ours, size_t bytes, const void *theirs, const char *what, const char *site)
{
    size_t size;

    if (!theirs)
        return;
    memcpy(&size, theirs, sizeof size);
    if (size == 0)
        fate__stop(site,
                   "%s was given a struct whose size is 0, so that nothing in it counts. Set its member size "
                   "to sizeof of the struct; in C the macro does that.",
                   what);
    memcpy(ret_ours, theirs, size < bytes ? size : bytes);
}
