/* Tests of src/value/errno.c and fate_raise_errno. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include <value/value.h>

#include "test.h"

TEST(an_errno_has_its_name)
{
    EXPECT_STR(fate_errno_name(ECONNREFUSED), "ECONNREFUSED");
    EXPECT_STR(fate_errno_name(-ENOENT), "ENOENT");
    EXPECT_STR(fate_errno_name(EAGAIN), "EAGAIN");
    EXPECT_STR(fate_errno_name(EPERM), "EPERM");
}

TEST(a_number_without_a_name_is_told_as_a_number)
{
    const char *once = fate_errno_name(999), *other = fate_errno_name(-998);

    EXPECT_STR(once, "errno 999");
    EXPECT_STR(other, "errno 998");
    EXPECT_PTR(fate_errno_name(999), once);
    EXPECT_STR(fate_errno_name(0), "errno 0");
    EXPECT_STR(fate_errno_name(41), "errno 41");
    EXPECT_CONTAINS(fate_errno_name(INT_MIN), "errno -");
    EXPECT_STR(once, "errno 999");
}

TEST(an_errno_picks_its_class)
{
    static const struct {
        int errnum;
        const fate_class *class;
    } classes[] = {
        { ENOENT, &FATE_FILE_NOT_FOUND },
        { EEXIST, &FATE_FILE_EXISTS },
        { EACCES, &FATE_PERMISSION_ERROR },
        { EPERM, &FATE_PERMISSION_ERROR },
        { EINTR, &FATE_INTERRUPTED },
        { EAGAIN, &FATE_WOULD_BLOCK },
        { ECHILD, &FATE_CHILD_PROCESS_ERROR },
        { ESRCH, &FATE_PROCESS_LOOKUP_ERROR },
        { ENOSPC, &FATE_NO_SPACE },
        { EDQUOT, &FATE_NO_SPACE },
        { EMFILE, &FATE_TOO_MANY_FILES },
        { ENFILE, &FATE_TOO_MANY_FILES },
        { EPIPE, &FATE_BROKEN_PIPE },
        { ECONNREFUSED, &FATE_CONNECTION_REFUSED },
        { -ENETUNREACH, &FATE_CONNECTION_UNREACHABLE },
        { EHOSTUNREACH, &FATE_CONNECTION_UNREACHABLE },
        { ECONNRESET, &FATE_CONNECTION_RESET },
        { ECONNABORTED, &FATE_CONNECTION_ABORTED },
        { ETIMEDOUT, &FATE_TIMEOUT },
        { EADDRINUSE, &FATE_LISTEN_IN_USE },
        { ECANCELED, &FATE_CANCELLED },
        { -ENOMEM, &FATE_NO_MEMORY },
        { EINVAL, &FATE_OS_ERROR },
        { 999, &FATE_OS_ERROR },
        { 0, &FATE_OS_ERROR },
        { INT_MIN, &FATE_OS_ERROR },
    };

    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        EXPECT_PTR(fate_errno_class(classes[i].errnum), classes[i].class);
}

TEST(a_failure_of_an_errno_says_what_was_done_and_why_it_failed)
{
    fate_value v = fate_raise_errno(-ECONNREFUSED, "connect to %s", "::1");

    if (!LACKS(&v)) {
        EXPECT_FAILURE(&v, &FATE_CONNECTION_REFUSED);
        EXPECT_STR(fate_message(&v), "connect to ::1: Connection refused (ECONNREFUSED)");
        EXPECT_INT(fate_payload(&v), ECONNREFUSED);
        EXPECT_EQ(fate_failure_errno(&v), ECONNREFUSED);
    }
    fate_drop(v);
}

TEST(a_failure_of_an_errno_may_have_no_text_of_its_own)
{
    fate_value v = fate_raise_errno(EINVAL, "%s", ""), null = fate_raise_errno(EINVAL, NULL);

    if (!LACKS(&v))
        EXPECT_STR(fate_message(&v), "Invalid argument (EINVAL)");
    if (!LACKS(&null))
        EXPECT_STR(fate_message(&null), "Invalid argument (EINVAL)");
    fate_drop(v);
    fate_drop(null);
}

TEST(an_unknown_errno_makes_a_failure_too)
{
    fate_value v = fate_raise_errno(999, "read");

    if (!LACKS(&v)) {
        EXPECT_STR(fate_message(&v), "read: Unknown error (errno 999)");
        EXPECT_EQ(fate_failure_errno(&v), 999);
    }
    fate_drop(v);
}

TEST(enomem_is_the_no_memory_failure)
{
    fate_value v = fate_raise_errno(ENOMEM, "read %s", "x");

    EXPECT(fate__is_no_memory(&v));
    EXPECT_EQ(fate_failure_errno(&v), 0);
}

/* Where the C library's words are English and the kernel's names the same, ours are theirs. */
TEST(names_and_words_are_those_of_the_c_library)
{
    for (int i = 1; i < 200; i++) {
        const char *name = strerrorname_np(i);
        if (!name)
            continue;
        EXPECT_STR(fate_errno_name(i), strcmp(name, "ENOTSUP") == 0 ? "EOPNOTSUPP" : name);
        if (i == ENOMEM)
            continue;
        fate_value v = fate_raise_errno(i, "x");
        if (!LACKS(&v))
            EXPECT_CONTAINS(fate_message(&v), strerrordesc_np(i));
        fate_drop(v);
    }
}
