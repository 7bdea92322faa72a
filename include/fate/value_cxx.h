/* Values from C++17: what value.h makes of macros in C.  Included by value.h. */
#ifndef FATE_VALUE_CXX_H
#define FATE_VALUE_CXX_H

#include <cstddef>
#include <initializer_list>
#include <type_traits>
#include <utility>

#include <fate/value.h>

/* fate_list_of(fate_int(1), fate_str("two")), or with braces around them. */
inline fate_value fate_list_of(std::initializer_list<fate_value> items)
{
    return fate_list(items.size(), items.begin());
}

template <class... V> inline fate_value fate_list_of(const V &...items)
{
    const fate_value all[] = { fate_none(), items... };
    return fate_list_past_first(sizeof...(items) + 1, all);
}

/* fate_dict_of({ { "a", fate_int(1) }, { "b", fate_none() } }) */
inline fate_value fate_dict_of(std::initializer_list<fate_pair> pairs)
{
    return fate_dict_from(pairs.size(), pairs.begin());
}

/* Ours: the name of a type, as the compiler spells it where it prints this function's. */
template <class T> struct fate_type_name {
    static constexpr std::size_t bytes_max = 120;
    char text[bytes_max];

    static constexpr const char *pretty()
    {
        return __PRETTY_FUNCTION__;
    }

    /* It reads "… [with T = product]" or "… [T = product]"; brackets may lie in the name too. */
    constexpr fate_type_name() : text{}
    {
        const char *from = pretty();
        std::size_t end = 0, at = 0;

        while (from[end])
            end++;
        while (!(from[at] == 'T' && from[at + 1] == ' ' && from[at + 2] == '='))
            at++;
        at += 4;
        for (std::size_t i = 0; i + 1 < bytes_max && at + 1 < end; i++, at++)
            text[i] = from[at];
    }

    static const char *get()
    {
        static constexpr fate_type_name name{};
        return name.text;
    }
};

/* fate_box<product>(reactor, a, b) and fate_box_with<product>(drop, reactor, a, b).  The struct is copied
 * byte by byte and never destroyed but by drop, so only one that may be is taken. */
template <class T, class... Args> inline fate_value fate_box_with(fate_box_drop *drop, Args &&...args)
{
    static_assert(std::is_trivially_copyable<T>::value, "a box copies bytes; box a pointer instead");
    static_assert(alignof(T) <= 16, "boxes are aligned to 16 bytes");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
    const T data{ std::forward<Args>(args)... };
#pragma GCC diagnostic pop
    return fate_box_new(fate_type_name<T>::get(), sizeof(T), &data, drop);
}

template <class T, class... Args> inline fate_value fate_box(Args &&...args)
{
    return fate_box_with<T>(static_cast<fate_box_drop *>(nullptr), std::forward<Args>(args)...);
}

template <class T> inline bool fate_is_box(const fate_value *v)
{
    return fate_is_box_named(fate_type_name<T>::get(), v);
}

/* fate_unbox<product>(&v).  The place of the call is made a text only when the program is to stop. */
template <class T>
inline T *fate_unbox(const fate_value *v, const char *file = __builtin_FILE(), int line = __builtin_LINE(),
                     const char *function = __builtin_FUNCTION())
{
    const char *site = fate_is_box<T>(v) ? "" : fate_site(file, line, function);
    return static_cast<T *>(fate_box_data(fate_type_name<T>::get(), v, site));
}

#endif
