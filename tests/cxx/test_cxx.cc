/* The headers in C++17: every form compiles without warnings, and sites name the file and line of the call.
 */
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include <fate/fate.h>

namespace
{

int n_failed;

void expect(bool holds, const char *what, int line)
{
    if (holds)
        return;
    n_failed++;
    std::fprintf(stderr, "test_cxx.cc:%d: expected: %s\n", line, what);
}

#define EXPECT(condition) expect((condition), #condition, __LINE__)

/* "test_cxx.cc:12", for the line given. */
std::string at_line(int line)
{
    return "test_cxx.cc:" + std::to_string(line);
}

bool contains(const char *text, const std::string &part)
{
    return text && std::strstr(text, part.c_str());
}

bool is_int(const fate_value *v, std::int64_t n)
{
    return v && fate_kind_of(v) == FATE_KIND_INT && fate_as_int(v) == n;
}

bool is_described(const fate_value *v, const char *as)
{
    if (!v)
        return false;
    fate_value text = fate_describe(v);
    bool is_equal = std::strcmp(fate_as_str(&text), as) == 0;
    if (!is_equal)
        std::fprintf(stderr, "it is %s\n", fate_as_str(&text));
    fate_drop(text);
    return is_equal;
}

/* Does the failure's traceback hold the line? */
bool has_past(const fate_value *failure, int line)
{
    if (!failure)
        return false;
    fate_value text = fate_traceback(failure);
    bool has = contains(fate_as_str(&text), at_line(line));
    if (!has)
        std::fprintf(stderr, "%s\n", fate_as_str(&text));
    fate_drop(text);
    return has;
}

struct product {
    std::int64_t a, b;
};

struct other {
    std::int64_t a, b;
};

fate_value pass(fate_value *result, fate_value *)
{
    return fate_take(result);
}

fate_value forgive(fate_value *, fate_value *)
{
    return fate_none();
}

fate_value seven(fate_value *)
{
    return fate_int(7);
}

void nothing(fate_value *)
{
}

/* ---- Values ---- */

void boxes_keep_their_type()
{
    int drops = 0;
    static int *counted;
    counted = &drops;

    fate_value box = fate_box<product>(3, 4);
    EXPECT(fate_is_box<product>(&box));
    EXPECT(!fate_is_box<other>(&box));
    EXPECT(fate_unbox<product>(&box)->b == 4);
    fate_drop(box);
    fate_drop(fate_box_with<product>([](void *) { ++*counted; }, 1, 2));
    EXPECT(drops == 1);
}

void containers_are_written_with_and_without_braces()
{
    fate_value list = fate_list_of(fate_int(1), fate_str("two"));
    fate_value braced = fate_list_of({ fate_int(1), fate_str("two") });
    fate_value dict = fate_dict_of({ { "a", fate_int(1) }, { "b", fate_none() } });

    EXPECT(is_described(&list, "[1, \"two\"]"));
    EXPECT(fate_equal(&list, &braced));
    EXPECT(is_described(&dict, "{\"a\": 1, \"b\": none}"));
    fate_drop(list);
    fate_drop(braced);
    fate_drop(dict);
}

void failures_know_where_they_were_raised()
{
    fate_value plain = fate_raise(&FATE_VALUE_ERROR, "wrong %s", "token");
    int line = __LINE__ - 1;
    fate_value with = fate_raise_with(&FATE_KEY_ERROR, fate_int(5), "k");
    fate_value from = fate_raise_from(&FATE_RUNTIME_ERROR, plain, "outer %d", 1);
    fate_value os = fate_raise_errno(ENOENT, "open %s", "there");

    fate_value at = fate_raised_at(fate_cause(&from));
    EXPECT(contains(fate_as_str(&at), at_line(line)));
    EXPECT(contains(fate_as_str(&at), __func__));
    EXPECT(is_int(fate_payload(&with), 5));
    EXPECT(fate_is(&os, &FATE_FILE_NOT_FOUND) && fate_failure_errno(&os) == ENOENT);
    fate_drop(at);
    fate_drop(with);
    fate_drop(from);
    fate_drop(os);
}

/* ---- Deferreds ---- */

void lambdas_are_levels(fate_reactor *reactor)
{
    fate_deferred *d = fate_hold(fate_deferred_new(reactor));
    int line = __LINE__ - 1;

    EXPECT(contains(fate_deferred_site(d), at_line(line)));
    fate_add_callback(
        d,
        [](fate_value *result, fate_value *arg) {
            auto *p = fate_unbox<product>(arg);
            return fate_int(fate_as_int(result) + p->a * p->b);
        },
        fate_box<product>(5, 7));
    fate_add_both(d, pass, fate_none());
    EXPECT(fate_fire(d, fate_int(1)) == 0);
    EXPECT(is_int(fate_peek(d), 36));
    fate_release(d);
}

void levels_are_named_by_their_line(fate_reactor *reactor)
{
    fate_deferred *d = fate_hold(fate_fail(reactor, fate_raise(&FATE_VALUE_ERROR, "v")));

    fate_add_callback(d, pass, fate_none());
    EXPECT(has_past(fate_peek(d), __LINE__ - 1));
    fate_add_both(d, pass, fate_none());
    EXPECT(has_past(fate_peek(d), __LINE__ - 1));
    fate_add_callbacks(d, pass, nullptr, fate_none());
    EXPECT(has_past(fate_peek(d), __LINE__ - 1));
    fate_add_trap(d, &FATE_KEY_ERROR, forgive, fate_none());
    EXPECT(has_past(fate_peek(d), __LINE__ - 1));
    fate_handlers handlers = {};
    handlers.size = sizeof handlers;
    handlers.errback = forgive;
    fate_add_handlers(d, &handlers);
    EXPECT(fate_is_none(fate_peek(d)));
    fate_add_errback(d, forgive, fate_none());
    fate_release(d);
}

void joining_and_cancelling(fate_reactor *reactor)
{
    fate_deferred *d = fate_deferred_new(reactor), *target = fate_hold(fate_deferred_new(reactor));
    fate_deferred *branch = fate_hold(fate_branch(d));

    fate_chain(d, target);
    fate_fire(d, fate_int(5));
    EXPECT(is_int(fate_peek(branch), 5));
    EXPECT(is_int(fate_peek(target), 5));

    fate_deferred *e = fate_hold(fate_deferred_new_cancellable(
        reactor, [](fate_deferred *self, fate_value *arg) { fate_fire(self, fate_copy(arg)); }, fate_int(9)));
    fate_cancel(e);
    EXPECT(is_int(fate_peek(e), 9));
    fate_deferred *f = fate_hold(fate_deferred_new(reactor));
    fate_cancel(f);
    EXPECT(has_past(fate_peek(f), __LINE__ - 1));
    fate_add_errback(f, forgive, fate_none());
    EXPECT(is_int(fate_peek(fate_maybe(reactor, seven, fate_none())), 7));
}

void combining(fate_reactor *reactor)
{
    fate_deferred *members[] = { fate_succeed(reactor, fate_int(1)), fate_succeed(reactor, fate_int(2)) };
    fate_settle_options options = {};
    options.size = sizeof options;
    options.fire_on_one_callback = true;
    fate_gather_options consuming = { sizeof consuming, true };

    EXPECT(is_described(fate_peek(fate_settle(reactor, 2, members)), "[1, 2]"));
    EXPECT(is_described(fate_peek(fate_settle_with(reactor, 2, members, &options)), "[1, 0]"));
    EXPECT(is_described(fate_peek(fate_gather(reactor, 2, members)), "[1, 2]"));
    EXPECT(is_described(fate_peek(fate_gather_with(reactor, 2, members, &consuming)), "[1, 2]"));
    EXPECT(is_described(fate_peek(fate_race(reactor, 2, members)), "[0, 1]"));
}

/* ---- Sync and time ---- */

void waiting_in_line(fate_reactor *reactor)
{
    fate_lock *lock = fate_lock_new(reactor);
    fate_semaphore *semaphore = fate_semaphore_new(reactor, 1);
    fate_queue *queue = fate_queue_new(reactor, 1, FATE_UNLIMITED);

    EXPECT(fate_as_lock(fate_peek(fate_lock_acquire(lock))) == lock);
    fate_lock_release(lock);
    EXPECT(is_int(fate_peek(fate_lock_run(lock, seven, fate_none())), 7));
    EXPECT(fate_as_semaphore(fate_peek(fate_semaphore_acquire(semaphore))) == semaphore);
    fate_semaphore_release(semaphore);
    EXPECT(is_int(fate_peek(fate_semaphore_run(semaphore, seven, fate_none())), 7));
    fate_queue_put(queue, fate_int(5));
    EXPECT(is_int(fate_peek(fate_queue_get(queue)), 5));
}

void taking_time(fate_reactor *reactor)
{
    fate_deferred *d = fate_hold(fate_deferred_new(reactor)), *e = fate_hold(fate_deferred_new(reactor));
    fate_deferred *f = fate_hold(fate_deferred_new(reactor));
    fate_deferred *later = fate_hold(fate_defer_later(reactor, FATE_SECOND, seven, fate_none()));
    fate_timer timer = fate_call_later(reactor, FATE_SECOND, nothing, fate_none());
    fate_looping_call *loop = fate_looping_call_new(reactor, seven, fate_none());
    fate_looping_call *counted = fate_looping_call_new_counted(
        reactor, [](std::int64_t, fate_value *) { return fate_none(); }, fate_none());

    fate_fire_later(d, FATE_SECOND, fate_int(1));
    fate_add_timeout(e, FATE_SECOND);
    fate_add_timeout_with(f, FATE_SECOND, forgive, fate_none());
    fate_looping_call_start(loop, FATE_SECOND, true);
    fate_looping_call_start(counted, FATE_SECOND, false);
    EXPECT(fate_timer_active(timer));
    EXPECT(fate_stop_later(reactor, 2 * FATE_SECOND) == 0);
    EXPECT(fate_run(reactor) == 0);
    EXPECT(is_int(fate_peek(d), 1));
    EXPECT(fate_is(fate_peek(e), &FATE_TIMEOUT));
    EXPECT(fate_is_none(fate_peek(f)));
    EXPECT(is_int(fate_peek(later), 7));
    fate_add_errback(e, forgive, fate_none());
}

std::string report;

void reports_name_the_line(fate_reactor *reactor)
{
    fate_on_unhandled(
        reactor, [](const fate_unhandled *what, fate_value *) { report = what->site; }, fate_none());
    fate_fail(reactor, fate_raise(&FATE_VALUE_ERROR, "v"));
    int line = __LINE__ - 1;
    fate_advance(reactor, 0);
    EXPECT(contains(report.c_str(), at_line(line)));
}

/* ---- Coroutines and fuses ---- */

fate_value sleeps_and_awaits(fate_coro *co, fate_value *arg)
{
    fate_value slept = fate_coro_sleep(co, FATE_SECOND);
    if (fate_is_failure(&slept))
        return slept;
    fate_deferred *members[] = { fate_succeed(fate_coro_reactor(co), fate_int(1)),
                                 fate_succeed(fate_coro_reactor(co), fate_int(2)) };
    fate_drop(fate_await_any(co, 1, members + 1));
    fate_drop(fate_await_all(co, 1, members));
    return fate_await(co, fate_fail(fate_coro_reactor(co), fate_raise(&FATE_KEY_ERROR, "k")));
}

void coroutines(fate_reactor *reactor)
{
    fate_go_options options = { sizeof options, 128 * 1024, "sleeper" };
    fate_deferred *d = fate_hold(fate_go_with(reactor, sleeps_and_awaits, fate_none(), &options));
    fate_deferred *e = fate_hold(fate_go(reactor, sleeps_and_awaits, fate_none()));
    fate_advance(reactor, FATE_SECOND);
    EXPECT(fate_is(fate_peek(d), &FATE_KEY_ERROR));
    EXPECT(fate_is(fate_peek(e), &FATE_KEY_ERROR));
    for (fate_deferred *each : { d, e }) {
        fate_value text = fate_traceback(fate_peek(each));
        EXPECT(contains(fate_as_str(&text), "await test_cxx.cc:"));
        fate_drop(text);
        fate_add_errback(
            each, [](fate_value *, fate_value *) { return fate_none(); }, fate_none());
        fate_release(each);
    }
}

void fuses(fate_reactor *reactor)
{
    static int n_burnt;
    fate_fuse *fuse = fate_fuse_new(reactor, FATE_SECOND);
    fate_fuse_set_handler(
        fuse, [](fate_value *) { n_burnt++; }, fate_none());
    fate_fuse_add_handler(
        fate_fuse_on(fate_succeed(reactor, fate_none())), [](fate_value *) { n_burnt++; }, fate_none());
    fate_advance(reactor, FATE_SECOND);
    EXPECT(n_burnt == 2);
}

void trying_again(fate_reactor *reactor)
{
    static int n_tries;
    fate_retry_options options = {};
    options.size = sizeof options;
    options.first = FATE_MILLISECOND;
    fate_function *second_works = [](fate_value *) {
        return ++n_tries % 2 ? fate_raise(&FATE_VALUE_ERROR, "not yet") : fate_int(n_tries);
    };
    fate_deferred *d = fate_hold(fate_retry(reactor, second_works, fate_none()));
    EXPECT(contains(fate_deferred_site(d), at_line(__LINE__ - 1)));
    fate_play(reactor, FATE_SECOND);
    EXPECT(fate_as_int(fate_peek(d)) == 2);
    fate_deferred *quick = fate_hold(fate_retry_with(reactor, second_works, fate_none(), &options));
    fate_play(reactor, FATE_MILLISECOND);
    EXPECT(fate_as_int(fate_peek(quick)) == 4);
    fate_release(d);
    fate_release(quick);
}

void entries_of_the_log_name_the_line(fate_reactor *reactor)
{
    static std::string sites;
    fate_log_observe(
        reactor, FATE_LOG_INFO,
        [](const fate_log_entry *entry, fate_value *) { sites += std::string(entry->site) + " "; },
        fate_none());
    fate_log(reactor, FATE_LOG_INFO, "%d", 1);
    int line = __LINE__ - 1;
    fate_log_fields(reactor, FATE_LOG_ERROR, "two", fate_dict_of({ { "n", fate_int(2) } }));
    EXPECT(contains(sites.c_str(), at_line(line)) && contains(sites.c_str(), at_line(line + 2)));
}

void tracers_and_locks_name_the_line(fate_reactor *reactor)
{
    static int n_turns;
    static std::string sites;
    fate_lock_new(reactor);
    int line = __LINE__ - 1;
    fate_watch watch = fate_reactor_trace(
        reactor, [](const char *, fate_time, fate_value *) { n_turns++; }, fate_none());
    fate_call_later(
        reactor, 0, [](fate_value *) {}, fate_none());
    fate_advance(reactor, 0);
    EXPECT(n_turns == 1);
    fate_reactor_each(
        reactor, [](const fate_thing *thing, fate_value *) { sites += std::string(thing->site) + " "; },
        fate_none());
    EXPECT(contains(sites.c_str(), at_line(line)));
    EXPECT(fate_unwatch(watch) == 0);
}

/* ---- Cooperation ---- */

fate_value three_steps(fate_value *arg)
{
    return ++*static_cast<int *>(fate_as_ptr(arg)) % 3 ? fate_more() : fate_raise(&FATE_KEY_ERROR, "k");
}

void cooperation(fate_reactor *reactor)
{
    int n_steps[4] = {};
    fate_cooperator_options options = { sizeof options, FATE_SECOND, true };
    fate_cooperator *later = fate_cooperator_new_with(reactor, &options);
    fate_cooperator *cooperator = fate_cooperator_new(reactor);
    fate_deferred *each[] = {
        fate_task_when_done(fate_cooperate(reactor, three_steps, fate_ptr(&n_steps[0]))),
        fate_coiterate(reactor, three_steps, fate_ptr(&n_steps[1])),
        fate_task_when_done(fate_cooperator_cooperate(cooperator, three_steps, fate_ptr(&n_steps[2]))),
        fate_cooperator_coiterate(cooperator, three_steps, fate_ptr(&n_steps[3])),
    };
    int line = __LINE__ - 5;
    for (fate_deferred *d : each)
        fate_hold(d);
    fate_play(reactor, FATE_SECOND);
    for (fate_deferred *d : each) {
        EXPECT(fate_is(fate_peek(d), &FATE_KEY_ERROR));
        EXPECT(contains(fate_deferred_site(d), at_line(line++)));
        fate_add_errback(
            d, [](fate_value *, fate_value *) { return fate_none(); }, fate_none());
        fate_release(d);
    }
    for (int n : n_steps)
        EXPECT(n == 3);
    fate_task task = fate_cooperator_cooperate(later, three_steps, fate_none());
    EXPECT(fate_task_stop(task) == 0);
    fate_cooperator_stop(later);
}

void threads(fate_reactor *reactor)
{
    static int n_calls;
    fate_pool_options options = {};
    options.size = sizeof options;
    options.threads_max = 2;
    fate_pool *pool = fate_pool_new_with(reactor, &options);
    fate_pool_free(fate_pool_new(reactor));
    fate_deferred *d = fate_hold(fate_defer_to_pool(pool, seven, fate_none()));
    fate_deferred *asking = fate_hold(fate_defer_to_thread(
        reactor,
        [](fate_value *arg) {
            return fate_blocking_call_from_thread(static_cast<fate_reactor *>(fate_as_ptr(arg)), seven,
                                                  fate_none());
        },
        fate_ptr(reactor)));
    fate_function *const functions[] = { seven, seven };
    fate_value args[] = { fate_none(), fate_none() };
    fate_call_in_thread(reactor, seven, fate_none());
    fate_call_multiple_in_thread(reactor, 2, functions, args);
    fate_call_from_thread(
        reactor, [](fate_value *) { n_calls++; }, fate_none());
    fate_play(reactor, 0);
    EXPECT(is_int(fate_peek(d), 7));
    EXPECT(is_int(fate_peek(asking), 7));
    EXPECT(n_calls == 1);
    fate_release(d);
    fate_release(asking);
}

/* ---- Streams and processes ---- */

void streams_and_processes_name_the_line(fate_reactor *reactor)
{
    static const fate_source_ops ops = { sizeof ops, "end",
                                         [](fate_value *arg, std::size_t) {
                                             auto *on = static_cast<fate_reactor *>(fate_as_ptr(arg));
                                             return fate_succeed(on, fate_none());
                                         },
                                         nullptr };
    static const fate_sink_ops sink_ops = { sizeof sink_ops, "none",
                                            [](fate_reactor *on, fate_value *, fate_value piece) {
                                                fate_drop(piece);
                                                return fate_succeed(on, fate_none());
                                            },
                                            nullptr, nullptr };
    fate_value source = fate_source(reactor, &ops, fate_ptr(reactor));
    fate_value sink = fate_sink(&sink_ops, fate_none());
    fate_deferred *d = fate_read(&source);
    EXPECT(contains(fate_deferred_site(d), at_line(__LINE__ - 1)));
    EXPECT(fate_is_none(fate_peek(fate_sink_write(reactor, &sink, fate_str("a")))));
    d = fate_pump(fate_copy(&source), fate_copy(&sink));
    EXPECT(is_int(fate_peek(d), 0) && contains(fate_deferred_site(d), at_line(__LINE__ - 1)));
    d = fate_read_all(source, 10);
    EXPECT(is_described(fate_peek(d), "\"\""));
    EXPECT(fate_is_none(fate_peek(fate_sink_end(reactor, &sink, fate_none()))));
    fate_drop(sink);
    fate_spawn_options options = {};
    options.size = sizeof options;
    options.directory = "/";
    fate_deferred *const all[] = { fate_spawn(reactor, fate_argv("true")),
                                   fate_spawn_with(reactor, fate_argv("true", "1"), &options),
                                   fate_process_output(reactor, fate_argv("true")),
                                   fate_process_output_with(reactor, fate_argv("true"), &options),
                                   fate_process_status(reactor, fate_argv("true")),
                                   fate_process_status_with(reactor, fate_argv("true"), &options) };
    for (fate_deferred *each : all) {
        EXPECT(fate_failure_errno(fate_peek(each)) == EOPNOTSUPP);
        EXPECT(contains(fate_deferred_site(each), "test_cxx.cc:"));
        fate_add_errback(each, forgive, fate_none());
    }
}

void datagrams_name_the_line(fate_reactor *reactor)
{
    int n_got = 0;
    auto got = [](fate_udp *, const fate_datagram *datagram, fate_value *arg) {
        *static_cast<int *>(fate_as_ptr(arg)) += static_cast<int>(datagram->len);
    };
    fate_udp_options options = {};
    options.size = sizeof options;
    options.share_port = true;
    fate_deferred *d = fate_udp_open_with(reactor, "udp:9999", got, fate_ptr(&n_got), &options);
    EXPECT(contains(fate_deferred_site(d), at_line(__LINE__ - 1)));
    d = fate_udp_open(reactor, "udp:127.0.0.1:9999", got, fate_ptr(&n_got));
    EXPECT(contains(fate_deferred_site(d), at_line(__LINE__ - 1)));
    EXPECT(fate_udp_send(fate_as_udp(fate_peek(d)), nullptr, "hello", 5) == 0);
    fate_advance(reactor, 0);
    EXPECT(n_got == 5);
}

} // namespace

int main()
{
    boxes_keep_their_type();
    containers_are_written_with_and_without_braces();
    failures_know_where_they_were_raised();
    void (*const tests[])(fate_reactor *) = { lambdas_are_levels,
                                              levels_are_named_by_their_line,
                                              joining_and_cancelling,
                                              combining,
                                              waiting_in_line,
                                              taking_time,
                                              reports_name_the_line,
                                              coroutines,
                                              fuses,
                                              trying_again,
                                              entries_of_the_log_name_the_line,
                                              tracers_and_locks_name_the_line,
                                              cooperation,
                                              threads,
                                              streams_and_processes_name_the_line,
                                              datagrams_name_the_line };
    for (auto *test : tests) {
        fate_reactor *reactor = fate_reactor_new_simulated();
        test(reactor);
        fate_reactor_free(reactor);
    }
    std::printf("%d expectations do not hold\n", n_failed);
    return n_failed ? 1 : 0;
}
