/* The world of one scenario: its reactor, what its names mean, and what is still to be printed.
 *
 * tests/scenarios/LANGUAGE.md describes the language; section numbers in the comments here are its. */
#ifndef SCENARIO_WORLD_H
#define SCENARIO_WORLD_H

#include <fate/fate.h>

#define NAMES_MAX 1000

/* How the list that a deferred fires with is to be printed (section 3). */
enum shape { PLAIN, SETTLED, SETTLED_FIRST, GATHERED, RACED };

/* A name's deferred, which the name holds.  Its rank is the number in its name (section 5). */
struct named_deferred {
    fate_deferred *d; /* NULL: no such name */
    enum shape shape;
    bool is_fireable;
    bool is_produced; /* its producer has fired it */
    unsigned n_pauses;
};

/* What lN, sN and qN name; they live until the end. */
struct named_primitive {
    fate_lock *lock;
    fate_semaphore *semaphore;
    fate_queue *queue;
    size_t backlog_max;
};

struct named_call {
    fate_timer timer;
    bool is_known, was_called, was_cancelled;
};

struct world {
    fate_reactor *reactor;
    struct named_deferred deferreds[NAMES_MAX];
    struct named_primitive locks[NAMES_MAX], semaphores[NAMES_MAX], queues[NAMES_MAX];
    struct named_call calls[NAMES_MAX];
    fate_looping_call *loops[NAMES_MAX];
    char **reports; /* of the current operation */
    size_t n_reports;
    struct kept *texts; /* what lives as long as the world */
    bool is_ending;     /* nothing is called any more (section 8) */
};

/* An operation's words, without a NUL word at the end. */
struct words {
    size_t n;
    char **of;
};

/* ---- world.c ---- */

struct world *world_new(void);
/* Drops everything at once, prints what that reports, and frees the world. */
void world_end(struct world *world);
/* Prints the reports of the operation that has just been finished. */
void print_reports(struct world *world);
/* A copy of len bytes of text, with a NUL, that lives as long as the world. */
char *keep_text(struct world *world, const char *text, size_t len);
/* The words of a line, living as long as the world. */
struct words split_line(struct world *world, const char *line);
/* Memory that lives as long as the world. */
void *keep(struct world *world, size_t bytes);
/* Says on standard error what is wrong with the scenario and ends the program with status 2. */
_Noreturn void give_up(const char *what, const char *word);

/* ---- names.c: each prints the line for an illegal use and returns NULL or false then ---- */

unsigned number_of(const char *name);
struct named_deferred *find_deferred(struct world *world, const char *name);
struct named_primitive *find_primitive(struct world *world, const char *name);
struct named_call *find_call(struct world *world, const char *name);
fate_looping_call *find_running_loop(struct world *world, const char *name);
bool is_new_deferred(struct world *world, const char *name);
bool is_new_primitive(struct world *world, const char *name);
bool is_new_call(struct world *world, const char *name);
bool is_new_loop(struct world *world, const char *name);
/* Is that a deferred for which one of that rank may wait? */
bool may_wait(struct world *world, unsigned rank, const char *name);
/* Gives d the name, which holds it. */
struct named_deferred *bind(struct world *world, const char *name, fate_deferred *d);
void unbind(struct named_deferred *named);
struct named_primitive *primitive_slot(struct world *world, const char *name);
/* The name of the lock, semaphore or loop at p, written to name; false: unknown. */
bool name_of_object(struct world *world, const void *p, char name[8]);

/* ---- text.c ---- */

fate_value parse_value(const char *word);
/* The failure that `TYPE:msg` stands for. */
fate_value parse_error(const char *word);
const fate_class *parse_class(const char *name, size_t len);
/* Does the word begin with the prefix?  Then *ret_rest is what follows. */
bool after_prefix(const char *word, const char *prefix, const char **ret_rest);
fate_time parse_seconds(const char *word);
/* Writes the printed form of a value (section 3) to standard output, or to the stream given. */
void print_value(struct world *world, const fate_value *v);
/* The printed form of a failure, to be freed. */
char *text_of_failure(struct world *world, const fate_value *failure);
/* The same as print_value for the result of a deferred that has not passed its first level yet. */
void print_raw_result(struct world *world, const fate_value *v, enum shape shape);
void print_seconds(fate_time t);

/* A level that wraps a list in a box naming its shape; arg: the shape as an int. */
fate_value wrap_result(fate_value *result, fate_value *arg);

/* ---- action.c ---- */

/* What is called by a level, a primitive or the clock: it knows names, not objects. */
struct handler {
    struct world *world;
    const char *word; /* "call", "run", "tick", or NULL: nothing is printed */
    const char *label;
    const char *action;
    unsigned rank;
};

/* Does an action: returns its outcome.  input is lent. */
fate_value act(struct world *world, const char *action, unsigned rank, fate_value *input);
/* One side item, `word=rest`. */
void do_side_item(struct world *world, const char *item, const fate_value *input);
/* A fate_callback and a fate_function; their args are boxes of struct handler. */
fate_value call_handler(fate_value *result, fate_value *arg);
fate_value call_function(fate_value *arg);
fate_value call_counted(int64_t count, fate_value *arg);

/* ---- ops.c, ops_sync.c, ops_time.c, ops_coro.c ---- */

typedef void operation(struct world *world, struct words args);

/* Does an operation without echo; used inside a turn. */
void operate(struct world *world, struct words words);
/* Fires the deferred of that name, unless that is illegal; the value is given. */
void fire(struct world *world, const char *name, fate_value value);
void cancel_named(struct world *world, const char *name);
void pause_named(struct world *world, const char *name);
void unpause_named(struct world *world, const char *name);
void drop_named(struct world *world, const char *name);
void put_named(struct world *world, const char *name, fate_value value);
void release_named(struct world *world, const char *name);
/* Schedules an operation; name "-": an unnamed call. */
fate_timer schedule(struct world *world, const char *name, const char *seconds, struct words words);

operation op_lock, op_sem, op_queue, op_acquire, op_release, op_run, op_put, op_get;
operation op_later, op_resetcall, op_delaycall, op_cancelcall, op_showcall, op_deferlater;
operation op_loop, op_stoploop, op_resetloop;
operation op_inline;

#endif
