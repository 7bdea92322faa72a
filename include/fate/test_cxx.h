/* The tools for tests from C++17.  Included by test.h. */
#ifndef FATE_TEST_CXX_H
#define FATE_TEST_CXX_H

#include <cstddef>

#include <fate/test.h>

inline int fate_test_done(fate_reactor *reactor, const char *file = __builtin_FILE(),
                          int line = __builtin_LINE())
{
    return fate_test_done_at(reactor, fate_site(file, line, nullptr));
}

inline std::size_t fate_test_reports(fate_reactor *reactor, const fate_class *c,
                                     const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_test_reports_at(reactor, c, fate_site(file, line, nullptr));
}

inline int fate_test_link(fate_reactor *reactor, const fate_link *link, const char *file = __builtin_FILE(),
                          int line = __builtin_LINE())
{
    return fate_test_link_at(reactor, link, fate_site(file, line, nullptr));
}

inline int fate_test_cut(fate_reactor *reactor, const char *host, bool is_silent,
                         const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_test_cut_at(reactor, host, is_silent, fate_site(file, line, nullptr));
}

inline void fate_test_heal(fate_reactor *reactor, const char *host, const char *file = __builtin_FILE(),
                           int line = __builtin_LINE())
{
    fate_test_heal_at(reactor, host, fate_site(file, line, nullptr));
}

inline fate_protocol *fate_test_protocol(fate_reactor *reactor, fate_ops ops, fate_value arg,
                                         const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_test_protocol_at(reactor, ops, arg, fate_site(file, line, nullptr));
}

inline int fate_test_give(fate_protocol *p, const void *data, std::size_t len,
                          const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_test_give_at(p, data, len, fate_site(file, line, nullptr));
}

inline void fate_test_lose(fate_protocol *p, fate_value why, const char *file = __builtin_FILE(),
                           int line = __builtin_LINE())
{
    fate_test_lose_at(p, why, fate_site(file, line, nullptr));
}

inline fate_value fate_test_taken(fate_protocol *p, const char *file = __builtin_FILE(),
                                  int line = __builtin_LINE())
{
    return fate_test_taken_at(p, fate_site(file, line, nullptr));
}

inline bool fate_test_has_ended(fate_protocol *p, const char *file = __builtin_FILE(),
                                int line = __builtin_LINE())
{
    return fate_test_has_ended_at(p, fate_site(file, line, nullptr));
}

inline void fate_test_block(fate_protocol *p, bool is_blocked, const char *file = __builtin_FILE(),
                            int line = __builtin_LINE())
{
    fate_test_block_at(p, is_blocked, fate_site(file, line, nullptr));
}

inline fate_value *fate_test_success(fate_deferred *d, const char *file = __builtin_FILE(),
                                     int line = __builtin_LINE())
{
    return fate_test_success_at(d, fate_site(file, line, nullptr));
}

inline fate_value *fate_test_failure(fate_deferred *d, const char *file = __builtin_FILE(),
                                     int line = __builtin_LINE())
{
    return fate_test_failure_at(d, fate_site(file, line, nullptr));
}

#endif
