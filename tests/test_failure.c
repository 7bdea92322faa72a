/* Tests of src/value/failure.c, traceback.c and class.c. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include <value/failure.h>

#include "test.h"

static FATE_CLASS(BAD_SESSION, "BadSession", &FATE_VALUE_ERROR);

/* Expects a text value and drops it. */
static void expect_text(const char *here, fate_value v, const char *text)
{
    test_expect_text(here, &v, text, "the text");
    fate_drop(v);
}
#define EXPECT_OWN_TEXT(v, text) expect_text(FATE_HERE, (v), (text))

/* ---- Making and asking (R167-R172) ---- */

TEST(a_failure_has_a_class_and_a_text)
{
    fate_value v = fate_raise(&BAD_SESSION, "no session %d", 5);

    if (!LACKS(&v)) {
        EXPECT_PTR(fate_class_of(&v), &BAD_SESSION);
        EXPECT_STR(fate_message(&v), "no session 5");
        EXPECT_PTR(fate_cause(&v), NULL);
        EXPECT_PTR(fate_payload(&v), NULL);
        EXPECT_EQ(fate_failure_errno(&v), 0);
    }
    EXPECT(fate_is_failure(&v));
    fate_drop(v);
}

TEST(a_base_class_catches_what_derives_from_it_and_not_the_other_way_round)
{
    fate_value derived = fate_raise(&BAD_SESSION, "x"), base = fate_raise(&FATE_VALUE_ERROR, "x");

    if (!LACKS(&derived) && !LACKS(&base)) {
        EXPECT(fate_is(&derived, &BAD_SESSION));
        EXPECT(fate_is(&derived, &FATE_VALUE_ERROR));
        EXPECT(fate_is(&derived, &FATE_ERROR));
        EXPECT(!fate_is(&derived, &FATE_KEY_ERROR));
        EXPECT(!fate_is(&base, &BAD_SESSION));
    }
    fate_drop(derived);
    fate_drop(base);
}

TEST(what_is_no_failure_is_of_no_class)
{
    fate_value v = fate_int(5);

    EXPECT(!fate_is(&v, &FATE_ERROR));
    EXPECT(!fate_is(NULL, &FATE_ERROR));
    EXPECT(!fate_is(&v, NULL));
    EXPECT_PTR(fate_class_of(&v), NULL);
    EXPECT_PTR(fate_class_of(NULL), NULL);
}

TEST(the_first_class_asked_for_is_answered_even_a_base)
{
    const fate_class *const base_first[] = { &FATE_KEY_ERROR, &FATE_ERROR, &BAD_SESSION };
    const fate_class *const others[] = { &FATE_KEY_ERROR };
    fate_value v = fate_raise(&BAD_SESSION, "x"), five = fate_int(5);

    EXPECT_PTR(fate_is_any(&v, 3, base_first), &FATE_ERROR);
    EXPECT_PTR(fate_is_any(&v, 1, others), NULL);
    EXPECT_PTR(fate_is_any(&v, 0, NULL), NULL);
    EXPECT_PTR(fate_is_any(&five, 3, base_first), NULL);
    fate_drop(v);
}

TEST(a_payload_and_a_cause_come_with_the_failure)
{
    fate_value with = fate_raise_with(&FATE_VALUE_ERROR, fate_str("carried"), "x");
    fate_value from = fate_raise_from(&FATE_VALUE_ERROR, fate_raise(&FATE_KEY_ERROR, "k"), "y");

    if (!LACKS(&with)) {
        EXPECT_TEXT(fate_payload(&with), "carried");
        EXPECT_PTR(fate_cause(&with), NULL);
    }
    if (!LACKS(&from) && !LACKS(fate_cause(&from))) {
        EXPECT_FAILURE(fate_cause(&from), &FATE_KEY_ERROR);
        EXPECT_PTR(fate_payload(&from), NULL);
    }
    fate_drop(with);
    fate_drop(from);
}

TEST(a_failure_may_have_no_text)
{
    fate_value empty = fate_raise(&FATE_VALUE_ERROR, "%s", ""), null = fate_raise(&FATE_KEY_ERROR, NULL);

    if (!LACKS(&empty))
        EXPECT_STR(fate_message(&empty), "");
    EXPECT_OWN_TEXT(fate_failure_line(&empty), "ValueError");
    EXPECT_OWN_TEXT(fate_failure_line(&null), "KeyError");
    fate_drop(empty);
    fate_drop(null);
}

TEST(a_long_text_is_whole)
{
    fate_value v = fate_raise(&FATE_VALUE_ERROR, "%0*d", 1000, 7);

    if (!LACKS(&v)) {
        EXPECT_EQ(strlen(fate_message(&v)), 1000);
        EXPECT_STR(fate_message(&v) + 998, "07");
    }
    fate_drop(v);
}

TEST(a_text_that_cannot_be_made_is_told_by_its_format)
{
    static const wchar_t invalid[] = { 0x110000, 0 };
    fate_value v = fate_raise(&FATE_VALUE_ERROR, "name %ls", invalid);

    if (!LACKS(&v))
        EXPECT_STR(fate_message(&v), "name %ls");
    fate_drop(v);
}

TEST(the_plain_functions_know_no_line)
{
    fate_value v[] = { (fate_raise)(&FATE_ERROR, "%d", 1),
                       (fate_raise_with)(&FATE_ERROR, fate_str("p"), "%d", 1),
                       (fate_raise_from)(&FATE_ERROR, fate_raise(&FATE_KEY_ERROR, "k"), "%d", 1),
                       (fate_raise_errno)(ENOENT, "%d", 1) };
    for (size_t i = 0; i < 4; i++) {
        EXPECT_OWN_TEXT(fate_raised_at(&v[i]), "");
        EXPECT(fate_is(&v[i], i == 3 ? &FATE_FILE_NOT_FOUND : &FATE_ERROR));
        fate_drop(v[i]);
    }
}

TEST(standard_classes_have_the_names_and_bases_that_are_written)
{
    static const struct {
        const fate_class *c, *base;
        const char *name;
    } classes[] = {
        { &FATE_ERROR, NULL, "Error" },
        { &FATE_INDEX_ERROR, &FATE_LOOKUP_ERROR, "IndexError" },
        { &FATE_UNICODE_ERROR, &FATE_VALUE_ERROR, "UnicodeError" },
        { &FATE_ZERO_DIVISION_ERROR, &FATE_ARITHMETIC_ERROR, "ZeroDivisionError" },
        { &FATE_NOT_IMPLEMENTED, &FATE_RUNTIME_ERROR, "NotImplementedError" },
        { &FATE_NO_MEMORY, &FATE_ERROR, "NoMemory" },
        { &FATE_CONNECTION_REFUSED, &FATE_CONNECT_ERROR, "RefusedError" },
        { &FATE_CONNECT_ERROR, &FATE_OS_ERROR, "ConnectError" },
        { &FATE_CONNECTION_RESET, &FATE_CONNECTION_LOST, "ConnectionReset" },
        { &FATE_CONNECTION_LOST, &FATE_CONNECTION_CLOSED, "ConnectionLost" },
        { &FATE_LISTEN_IN_USE, &FATE_LISTEN_ERROR, "AddressInUse" },
        { &FATE_CANCELLED, &FATE_ERROR, "CancelledError" },
        { &FATE_TASK_DONE, &FATE_TASK_FINISHED, "TaskDone" },
        { &FATE_NOT_PAUSED, &FATE_SCHEDULER_ERROR, "NotPaused" },
        { &FATE_REACTOR_NOT_RESTARTABLE, &FATE_REACTOR_ERROR, "ReactorNotRestartable" },
    };

    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        EXPECT_STR(classes[i].c->name, classes[i].name);
        EXPECT_PTR(classes[i].c->base, classes[i].base);
        EXPECT(fate_class_is(classes[i].c, &FATE_ERROR));
    }
    EXPECT(!fate_class_is(NULL, &FATE_ERROR));
}

/* ---- Want of memory ---- */

TEST(a_failure_without_memory_is_the_no_memory_failure_and_drops_what_it_was_given)
{
    fate_value payload = fate_str("p"), cause = fate_raise(&FATE_ERROR, "x");

    test_fail_allocation(1, true);
    fate_value with = fate_raise_with(&FATE_ERROR, payload, "x");
    fate_value from = fate_raise_from(&FATE_ERROR, cause, "x");
    fate_value plain = fate_raise(&FATE_ERROR, "x");
    EXPECT(test_fail_allocation(0, false));
    EXPECT(fate__is_no_memory(&with));
    EXPECT(fate__is_no_memory(&from));
    EXPECT(fate__is_no_memory(&plain));
    fate_drop(with);
    fate_drop(from);
    fate_drop(plain);
}

TEST(a_failure_given_the_no_memory_failure_as_payload_becomes_it)
{
    fate_value v = fate_raise_with(&FATE_ERROR, fate__no_memory(), "x");

    EXPECT(fate__is_no_memory(&v));
    fate_drop(v);
}

TEST(want_of_memory_may_be_a_cause)
{
    fate_value v = fate_raise_from(&FATE_RUNTIME_ERROR, fate__no_memory(), "loading");

    if (!LACKS(&v))
        EXPECT_FAILURE(fate_cause(&v), &FATE_NO_MEMORY);
    fate_drop(v);
}

/* ---- Printing ---- */

/* The place of a failure made here is named by this: the file is compiled under several paths. */
static fate_value raised_by_hand(const fate_class *c, const char *text)
{
    return fate_raise_at("use_key", "src/net/client.c:4", c, "%s", text);
}

TEST(a_failure_prints_like_a_traceback)
{
    fate_value v = raised_by_hand(&FATE_VALUE_ERROR, "wrong token");

    fate__failure_past(&v, "add_cache src/client.c:8");
    fate__failure_past(&v, "client.c:9");
    EXPECT_OWN_TEXT(fate_raised_at(&v), "use_key client.c:4");
    EXPECT_OWN_TEXT(fate_failure_line(&v), "ValueError: wrong token");
    EXPECT_OWN_TEXT(fate_traceback(&v), "ValueError: wrong token\n"
                                        "  raised use_key client.c:4\n"
                                        "  past   add_cache client.c:8\n"
                                        "  past   client.c:9");
    fate_drop(v);
}

TEST(the_macro_names_the_function_and_the_line)
{
    char expected[128];
    fate_value v = fate_raise(&FATE_VALUE_ERROR, "x");
    snprintf(expected, sizeof expected, "%s test_failure.c:%d", __func__, __LINE__ - 1);

    EXPECT_OWN_TEXT(fate_raised_at(&v), expected);
    fate_drop(v);
}

TEST(a_failure_without_a_trace_says_so)
{
    fate_value v = fate__no_memory();

    EXPECT_OWN_TEXT(fate_raised_at(&v), "");
    EXPECT_OWN_TEXT(fate_traceback(&v), "NoMemory: out of memory\n  (no trace)");
}

TEST(a_failure_of_the_librarys_own_names_the_level)
{
    fate_value v = fate__raise("got_key src/client.c:12", &FATE_FOLLOW_ERROR, "a ring of %d", 2);

    EXPECT_OWN_TEXT(fate_traceback(&v), "FollowError: a ring of 2\n  raised got_key client.c:12");
    fate_drop(v);
}

TEST(causes_are_printed_with_their_paths)
{
    fate_value first = raised_by_hand(&FATE_KEY_ERROR, "k");

    fate__failure_past(&first, "look a.c:2");
    fate_value v = fate_raise_from_at("top", "b.c:3", &FATE_RUNTIME_ERROR, first, "x");
    EXPECT_OWN_TEXT(fate_traceback(&v), "RuntimeError: x\n"
                                        "  raised top b.c:3\n"
                                        "caused by: KeyError: k\n"
                                        "  raised use_key client.c:4\n"
                                        "  past   look a.c:2");
    fate_drop(v);
}

TEST(a_long_chain_of_causes_is_cut)
{
    fate_value v = raised_by_hand(&FATE_KEY_ERROR, "0");

    for (int i = 1; i < 70; i++)
        v = fate_raise_from_at("f", "a.c:1", &FATE_ERROR, v, "%d", i);
    fate_value text = fate_traceback(&v);
    const char *s;
    if (fate_get_str(&text, &s)) {
        EXPECT_CONTAINS(s, "Error: 69\n  raised f a.c:1\ncaused by: Error: 68");
        EXPECT_CONTAINS(s, "caused by: Error: 5\n  raised f a.c:1\n... 5 more causes");
    }
    fate_drop(text);
    fate_drop(v);
}

TEST(a_line_stays_one_line)
{
    fate_value v = fate_raise(&FATE_VALUE_ERROR, "a\nb\\ \"\x01\xc3\xa9\xff");

    EXPECT_OWN_TEXT(fate_failure_line(&v), "ValueError: a\\nb\\ \"\\x01\xc3\xa9\\xff");
    fate_drop(v);
}

TEST(a_first_error_tells_which_one_failed_and_how)
{
    fate_value failure = raised_by_hand(&FATE_KEY_ERROR, "k");
    fate_value v = fate__raise_with("fate_gather", "a.c:1", &FATE_FIRST_ERROR, fate_int(1), failure);

    EXPECT_OWN_TEXT(fate_failure_line(&v), "FirstError: #1 KeyError: k");
    EXPECT_DESCRIBED(&v, "<FirstError: #1 KeyError: k>");
    fate_drop(v);
}

TEST(a_failure_group_tells_its_failures)
{
    fate_value list =
        fate_list_of(raised_by_hand(&FATE_KEY_ERROR, "a"), raised_by_hand(&FATE_VALUE_ERROR, "b"));
    fate_value two = fate_raise_with(&FATE_FAILURE_GROUP, list, "%s", "");
    fate_value one = fate_raise_with(&FATE_FAILURE_GROUP, fate_list_of(fate_int(5)), "%s", "");
    fate_value none = fate_raise_with(&FATE_FAILURE_GROUP, fate_list_of(), "%s", "");

    EXPECT_OWN_TEXT(fate_failure_line(&two), "FailureGroup: 2 failures: KeyError: a; ValueError: b");
    EXPECT_OWN_TEXT(fate_failure_line(&one), "FailureGroup: 1 failure: 5");
    EXPECT_OWN_TEXT(fate_failure_line(&none), "FailureGroup: 0 failures");
    fate_drop(two);
    fate_drop(one);
    fate_drop(none);
}

TEST(a_big_group_tells_its_first_ten)
{
    fate_value list = fate_list(0, NULL);

    for (int i = 0; i < 12; i++)
        fate_list_append(&list, fate_int(i));
    fate_value v = fate_raise_with(&FATE_FAILURE_GROUP, list, "%s", "");
    EXPECT_OWN_TEXT(fate_failure_line(&v),
                    "FailureGroup: 12 failures: 0; 1; 2; 3; 4; 5; 6; 7; 8; 9; and 2 more");
    fate_drop(v);
}

VOLUME_TEST(a_line_of_a_hundred_thousand_first_errors_is_cut)
{
    fate_value v = fate_raise(&FATE_KEY_ERROR, "k");
    const char *s = NULL;

    for (int i = 0; i < 100000; i++)
        v = fate_raise_from(&FATE_FIRST_ERROR, v, "%s", "");
    fate_value line = fate_failure_line(&v);
    if (EXPECT(fate_get_str(&line, &s)))
        EXPECT_CONTAINS(s, "FirstError: FirstError: ...");
    EXPECT(fate_count(&line) < 400);
    fate_drop(line);
    fate_drop(v);
}

/* ---- The path ---- */

static const char *const sites[] = { "a.c:0",  "a.c:1",  "a.c:2",  "a.c:3",  "a.c:4",  "a.c:5",  "a.c:6",
                                     "a.c:7",  "a.c:8",  "a.c:9",  "a.c:10", "a.c:11", "a.c:12", "a.c:13",
                                     "a.c:14", "a.c:15", "a.c:16", "a.c:17", "a.c:18", "a.c:19" };

static fate_value past(size_t n)
{
    fate_value v = raised_by_hand(&FATE_ERROR, "x");

    for (size_t i = 0; i < n; i++)
        fate__failure_past(&v, sites[i]);
    return v;
}

TEST(a_path_of_a_dozen_entries_is_whole)
{
    fate_value v = past(11), text = fate_traceback(&v);
    const char *s;

    if (fate_get_str(&text, &s)) {
        EXPECT_CONTAINS(s, "past   a.c:0\n  past   a.c:1\n");
        EXPECT_CONTAINS(s, "past   a.c:4\n  past   a.c:5\n  past   a.c:6\n");
        EXPECT_CONTAINS(s, "past   a.c:9\n  past   a.c:10");
        EXPECT_PTR(strstr(s, "more level"), NULL);
    }
    fate_drop(text);
    fate_drop(v);
}

TEST(a_longer_path_keeps_its_beginning_and_its_end)
{
    fate_value v = past(20), twelve = past(12);

    EXPECT_OWN_TEXT(fate_traceback(&v), "Error: x\n"
                                        "  raised use_key client.c:4\n"
                                        "  past   a.c:0\n"
                                        "  past   a.c:1\n"
                                        "  past   a.c:2\n"
                                        "  past   a.c:3\n"
                                        "  past   a.c:4\n"
                                        "  ... 9 more levels\n"
                                        "  past   a.c:14\n"
                                        "  past   a.c:15\n"
                                        "  past   a.c:16\n"
                                        "  past   a.c:17\n"
                                        "  past   a.c:18\n"
                                        "  past   a.c:19");
    fate_value text = fate_traceback(&twelve);
    const char *s;
    if (fate_get_str(&text, &s))
        EXPECT_CONTAINS(s, "a.c:4\n  ... 1 more level\n  past   a.c:6\n");
    fate_drop(text);
    fate_drop(v);
    fate_drop(twelve);
}

TEST(a_shared_failure_gets_a_path_of_its_own)
{
    fate_value v = fate_raise_with_at("use_key", "client.c:4", &FATE_ERROR, fate_str("p"), "x");
    fate_value other = fate_copy(&v);

    if (!LACKS(&v)) {
        fate__failure_past(&v, "a.c:1");
        if (EXPECT(v.as.p != other.as.p)) {
            EXPECT_EQ(fate__refs(&v), 1);
            EXPECT_EQ(fate__refs(&other), 1);
            EXPECT_TEXT(fate_payload(&v), "p");
            EXPECT(fate_equal(&v, &other));
            EXPECT_OWN_TEXT(fate_traceback(&v), "Error: x\n  raised use_key client.c:4\n  past   a.c:1");
        }
        EXPECT_OWN_TEXT(fate_traceback(&other), "Error: x\n  raised use_key client.c:4");
    }
    fate_drop(v);
    fate_drop(other);
}

TEST(a_shared_failure_without_memory_for_a_path_is_left_as_it_is)
{
    fate_value v = past(1);
    fate_value other = fate_copy(&v);

    test_fail_allocation(1, true);
    fate__failure_past(&v, "b.c:1");
    EXPECT(test_fail_allocation(0, false));
    EXPECT_PTR(v.as.p, other.as.p);
    EXPECT_OWN_TEXT(fate_traceback(&other), "Error: x\n  raised use_key client.c:4\n  past   a.c:0");
    fate_drop(v);
    fate_drop(other);
}

TEST(the_no_memory_failure_notes_no_path)
{
    fate_value v = fate__no_memory();

    fate__failure_past(&v, "a.c:1");
    EXPECT_EQ(fate__no_memory_failure.n_past, 0);
    EXPECT(fate__is_no_memory(&v));
}

/* ---- Wrong use ---- */

static void raise_no_class(void *arg)
{
    fate_raise(NULL, "x");
}

static void raise_from_int(void *arg)
{
    fate_raise_from(&FATE_ERROR, fate_int(5), "x");
}

static void read_message_of_int(void *arg)
{
    fate_value v = fate_int(5);
    fate_message(&v);
}

static void read_cause_of_none(void *arg)
{
    fate_value v = fate_none();
    fate_cause(&v);
}

static void read_payload_of_nothing(void *arg)
{
    fate_payload(NULL);
}

static void print_text_as_failure(void *arg)
{
    fate_value v = fate_str("abc");
    fate_traceback(&v);
}

TEST(using_failures_wrongly_stops_the_program)
{
    EXPECT_STOP(raise_no_class, NULL, "test_failure.c:", "fate_raise: the class is NULL");
    EXPECT_STOP(raise_from_int, NULL,
                "test_failure.c:", "fate_raise_from: the value is an int (5), not a failure");
    EXPECT_STOP(read_message_of_int, NULL, "fate_message: the value is an int (5), not a failure");
    EXPECT_STOP(read_cause_of_none, NULL, "fate_cause: the value is none, not a failure");
    EXPECT_STOP(read_payload_of_nothing, NULL, "fate_payload: there is no value (NULL)");
    EXPECT_STOP(print_text_as_failure, NULL, "fate_traceback: the value is a text (\"abc\"), not a failure");
}
