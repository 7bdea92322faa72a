#include <commands.h>
int fate__web(const struct fate__web_settings *settings)
{
    return 1;
}
