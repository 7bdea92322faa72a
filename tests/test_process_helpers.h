/* Real children for tests, on a reactor in real time.
 *
 * A test that leaves a child stops the program, under --oom too. */
#ifndef FATE_TESTS_TEST_PROCESS_HELPERS_H
#define FATE_TESTS_TEST_PROCESS_HELPERS_H

#include <fate/fate.h>

#include "test.h"

/* What the tests' own child is called, and a shell's command. */
#define CHILD       FATE_TEST_CHILD
#define SHELL(text) fate_argv("sh", "-c", text)

extern fate_reactor *reactor;
/* Unhandled failures, and entries in the log. */
extern int n_reports, n_logs;

/* Makes the reactor; it goes after the test. */
void begin(void);
void begin_with(const char *poller);
/* Has this process children, reaped or not? */
bool has_children(void);
/* False under valgrind, where a start does not learn either that the program could not be run. */
bool has_pidfds(void);
_Noreturn void give_up(const char *why);

/* Runs until d has its result: takes that out of it, handles a failure, and lets d go. */
fate_value result_of(fate_deferred *d);
/* The message of the failure of that class that d ends in. */
void expect_message(fate_deferred *d, const fate_class *c, const char *part);
/* Runs until the condition holds; false, under --oom only, when it seems that it never will. */
bool run_until(bool (*holds)(void));

/* EXPECT_RESULT(EXPECT_TEXT, d, "text") */
#define EXPECT_RESULT(how, d, ...)                                                                           \
    do {                                                                                                     \
        fate_value result = result_of(d);                                                                    \
        how(&result, __VA_ARGS__);                                                                           \
        fate_drop(result);                                                                                   \
    } while (0)

/* A child that is talked to: none, and `is_there` false, when it could not be started. */
struct talk {
    fate_value child;
    fate_process *process;
    fate_value to, from, errors;
    bool is_there;
};

struct talk talk_to(const char *const argv[]);
void say(struct talk *talk, const char *text);
/* Its stdin is closed. */
void say_no_more(struct talk *talk);
/* It says that text, in one piece or more; and then nothing any more. */
#define EXPECT_HEARD(source, text) hears(FATE_HERE, (source), (text))
#define EXPECT_SILENCE(source)     hears_no_more(FATE_HERE, (source))
bool hears(const char *here, fate_value *source, const char *text);
bool hears_no_more(const char *here, fate_value *source);
void end_talk(struct talk *talk);

#endif
