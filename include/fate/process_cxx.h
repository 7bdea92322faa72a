/* Processes from C++17.  Included by process.h. */
#ifndef FATE_PROCESS_CXX_H
#define FATE_PROCESS_CXX_H

#include <fate/process.h>

/* What fate_argv makes: it lives until the end of the statement. */
template <std::size_t n> struct fate_argv_texts {
    const char *texts[n];
    operator const char * const *() const
    {
        return texts;
    }
};

/* fate_spawn(reactor, fate_argv("git", "log")) */
template <typename... Texts> inline fate_argv_texts<sizeof...(Texts) + 1> fate_argv(Texts... texts)
{
    return { { texts..., nullptr } };
}

inline fate_deferred *fate_spawn(fate_reactor *reactor, const char *const argv[],
                                 const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_spawn_at(reactor, argv, nullptr, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_spawn_with(fate_reactor *reactor, const char *const argv[],
                                      const fate_spawn_options *options, const char *file = __builtin_FILE(),
                                      int line = __builtin_LINE())
{
    return fate_spawn_at(reactor, argv, options, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_process_output(fate_reactor *reactor, const char *const argv[],
                                          const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_process_output_at(reactor, argv, nullptr, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_process_output_with(fate_reactor *reactor, const char *const argv[],
                                               const fate_spawn_options *options,
                                               const char *file = __builtin_FILE(),
                                               int line = __builtin_LINE())
{
    return fate_process_output_at(reactor, argv, options, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_process_status(fate_reactor *reactor, const char *const argv[],
                                          const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_process_status_at(reactor, argv, nullptr, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_process_status_with(fate_reactor *reactor, const char *const argv[],
                                               const fate_spawn_options *options,
                                               const char *file = __builtin_FILE(),
                                               int line = __builtin_LINE())
{
    return fate_process_status_at(reactor, argv, options, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_process_exited(fate_process *process, const char *file = __builtin_FILE(),
                                          int line = __builtin_LINE())
{
    return fate_process_exited_at(process, fate_site(file, line, nullptr));
}

#endif
