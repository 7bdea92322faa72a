/* The library's version. */
#include <fate/base.h>

const char *fate_version(void)
{
    return "0.1.0";
}
