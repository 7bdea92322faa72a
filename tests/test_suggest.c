/* Tests of src/base/suggest.c. */
#include <string.h>

#include <base/suggest.h>

#include "test.h"

static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH" };
static const char *const types[] = { "int", "text", "path" };
#define N(names) (sizeof(names) / sizeof *(names))

TEST(one_mistake_in_three_letters_is_understood)
{
    EXPECT_STR(fate__suggest("PSOT", methods, N(methods)), "POST");
    EXPECT_STR(fate__suggest("POTS", methods, N(methods)), "POST");
    EXPECT_STR(fate__suggest("GTE", methods, N(methods)), "GET");
    EXPECT_STR(fate__suggest("DELET", methods, N(methods)), "DELETE");
    EXPECT_STR(fate__suggest("DELLETTE", methods, N(methods)), "DELETE");
    EXPECT_STR(fate__suggest("OPTION", methods, N(methods)), "OPTIONS");
    EXPECT_STR(fate__suggest("PATSH", methods, N(methods)), "PATCH");
    EXPECT_STR(fate__suggest("POAST", methods, N(methods)), "POST");
}

TEST(case_makes_no_difference)
{
    EXPECT_STR(fate__suggest("get", methods, N(methods)), "GET");
    EXPECT_STR(fate__suggest("Detele", methods, N(methods)), "DELETE");
}

TEST(beginnings_are_near)
{
    EXPECT_STR(fate__suggest("integer", types, N(types)), "int");
    EXPECT_STR(fate__suggest("OPT", methods, N(methods)), "OPTIONS");
    EXPECT_PTR(fate__suggest("OP", methods, N(methods)), NULL);
}

TEST(fewer_mistakes_win_and_then_the_first_name)
{
    static const char *const names[] = { "abcdeg", "abcdxf", "abcdef" };

    EXPECT_STR(fate__suggest("abcdefg", names, 3), "abcdeg");
    EXPECT_STR(fate__suggest("abcdeff", names, 3), "abcdef");
    EXPECT_STR(fate__suggest("abcdeh", names, 3), "abcdeg");
}

TEST(what_is_far_from_all_names_has_no_suggestion)
{
    EXPECT_PTR(fate__suggest("BREW", methods, N(methods)), NULL);
    EXPECT_PTR(fate__suggest("", methods, N(methods)), NULL);
    EXPECT_PTR(fate__suggest("A", methods, N(methods)), NULL);
    EXPECT_PTR(fate__suggest("GET", methods, 0), NULL);
    EXPECT_PTR(fate__suggest("xxxxxxxxxxxxxxxxxxxx", methods, N(methods)), NULL);
}

TEST(words_of_any_length_are_taken)
{
    char word[200], name[200];
    const char *const names[] = { name };

    memset(word, 'a', sizeof word);
    memset(name, 'a', sizeof name);
    for (size_t len = 60; len < 70; len++) {
        word[len] = name[len] = '\0';
        EXPECT_PTR(fate__suggest(word, names, 1), len <= 64 ? name : NULL);
        EXPECT_PTR(fate__suggest("aaa", names, 1), len <= 64 ? name : NULL);
        word[len] = name[len] = 'a';
    }
}
