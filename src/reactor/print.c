/* The ready-made callback that prints. */
#include <stdio.h>

#include <fate/deferred.h>

fate_value fate_print(fate_value *result, fate_value *arg)
{
    fate_value text = fate_kind_of(result) == FATE_KIND_TEXT ? fate_copy(result) : fate_describe(result);
    const char *s;

    if (!fate_get_str(&text, &s))
        return text;
    printf("%s\n", s);
    fate_drop(text);
    return fate_take(result);
}
