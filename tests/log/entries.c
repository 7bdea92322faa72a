/* Logs entries as JSON on standard output, for read_json.py. */
#include <stdio.h>

#include <fate/fate.h>

/* Every byte but NUL, one text each and all in one. */
static void log_bytes(fate_reactor *reactor)
{
    char all[256];

    for (int i = 1; i < 256; i++) {
        const char one[] = { (char)i, '\0' };
        all[i - 1] = (char)i;
        fate_log_fields(reactor, FATE_LOG_INFO, one, fate_dict_of({ one, fate_int(i) }));
    }
    all[255] = '\0';
    fate_log(reactor, FATE_LOG_DEBUG, "%s", all);
}

static void log_values(fate_reactor *reactor)
{
    fate_value inner = fate_dict_of({ "pi", fate_float(3.25) }, { "big", fate_int(INT64_MAX) });
    fate_value fields =
        fate_dict_of({ "nested", fate_list_of(inner, fate_none(), fate_bool(false)) },
                     { "character", fate_str("\xf0\x9f\x8d\x80") }, { "nul", fate_str_n("\0", 1) });

    fate_log_fields(reactor, FATE_LOG_NOTICE, "values", fields);
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new_simulated();

    fate_log_observe(reactor, FATE_LOG_DEBUG, fate_log_to_json, fate_ptr(stdout));
    log_bytes(reactor);
    log_values(reactor);
    fate_fail(reactor, fate_raise_at("use_key", "client.c:4", &FATE_KEY_ERROR, "\"%s\"", "a\n"));
    fate_advance(reactor, 0);
    fate_reactor_free(reactor);
    return 0;
}
