/* Tests of src/net/workers.c: programs on several threads, each in a child of its own. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fate/fate.h>
#include <fate/workers.h>

#include "test_listen_helpers.h"

#define N 3

/* What the children tell the test. */
static struct shared {
    atomic_int n_started, n_ended, n_made, n_bad;
    atomic_uint ports[N];
    atomic_int made_by[N];
} * shared;

static atomic_int n_here; /* who has started, in a child */

struct greeting {
    fate_protocol base;
};

static unsigned index_of(const fate_reactor *reactor)
{
    unsigned i = 0;

    while (fate_worker(reactor, i) != reactor)
        i++;
    return i;
}

static void made(fate_protocol *p)
{
    atomic_fetch_add(&shared->made_by[index_of(p->reactor)], 1);
    atomic_fetch_add(&shared->n_made, 1);
    fate_lose_connection(p->transport);
}

static void ignore(fate_protocol *p, const void *data, size_t len)
{
}

static const fate_protocol_ops greeting = { FATE_PROTOCOL(struct greeting), .connection_made = made,
                                            .data_received = ignore };

/* The exit status of fate_workers in a child; what it writes to standard error is in said. */
static char said[4096];

static int run_workers(unsigned n, fate_main_fn *start)
{
    int memory = memfd_create("stderr", MFD_CLOEXEC);
    int status = -1;

    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child = fork();
    if (child == 0) {
        alarm(30);
        dup2(memory, STDERR_FILENO);
        _exit(fate_workers(n, start, 1, (char *[]){ (char *)"program", NULL }));
    }
    waitpid(child, &status, 0);
    ssize_t len = pread(memory, said, sizeof said - 1, 0);
    said[len > 0 ? len : 0] = '\0';
    test_forget_blocked(said);
    close(memory);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void done(void)
{
    munmap(shared, sizeof *shared);
}

/* ---- Ends ---- */

static fate_deferred *succeed(fate_reactor *reactor, int argc, char **argv)
{
    atomic_fetch_add(&shared->n_started, 1);
    if (argc != 1 || strcmp(argv[0], "program") != 0 || fate_worker(reactor, N))
        atomic_fetch_add(&shared->n_bad, 1);
    return fate_defer_later(reactor, FATE_MILLISECOND, NULL, fate_none());
}

TEST(as_many_as_were_asked_for_run_until_all_have_ended)
{
    if (test_is_oom())
        return;
    EXPECT_EQ(run_workers(N, succeed), 0);
    EXPECT_EQ(shared->n_started, N);
    EXPECT_EQ(shared->n_bad, 0);
    EXPECT_STR(said, "");
    done();
}

TEST(one_for_each_processor_where_no_number_is_given)
{
    if (test_is_oom())
        return;
    EXPECT_EQ(run_workers(0, succeed), 0);
    EXPECT(shared->n_started >= 1);
    done();
}

static fate_value note_end(fate_value *result, fate_value *arg)
{
    atomic_fetch_add(&shared->n_ended, 1);
    return fate_take(result);
}

static fate_deferred *wait_for_ever(fate_reactor *reactor)
{
    fate_deferred *d = fate_deferred_new(reactor);

    fate_add_both(d, note_end, fate_none());
    return d;
}

static fate_deferred *fail_in_the_last(fate_reactor *reactor, int argc, char **argv)
{
    if (index_of(reactor) < N - 1)
        return wait_for_ever(reactor);
    return fate_fail(reactor, fate_raise(&FATE_VALUE_ERROR, "no such thing"));
}

static fate_deferred *fail_in_the_first(fate_reactor *reactor, int argc, char **argv)
{
    if (index_of(reactor) > 0)
        return wait_for_ever(reactor);
    return fate_fail(reactor, fate_raise(&FATE_VALUE_ERROR, "no such thing"));
}

TEST(a_failure_of_one_ends_all)
{
    if (test_is_oom())
        return;
    EXPECT_EQ(run_workers(N, fail_in_the_last), 1);
    EXPECT_CONTAINS(said, "ValueError: no such thing");
    EXPECT_EQ(shared->n_ended, N - 1);
    done();
    EXPECT_EQ(run_workers(N, fail_in_the_first), 1);
    EXPECT_CONTAINS(said, "ValueError: no such thing");
    EXPECT_EQ(shared->n_ended, N - 1);
    done();
}

static fate_value stop_it(fate_value *reactor)
{
    fate_stop(fate_as_ptr(reactor));
    return fate_none();
}

static fate_deferred *stop_the_first(fate_reactor *reactor, int argc, char **argv)
{
    if (index_of(reactor) == 0)
        fate_defer_later(reactor, 0, stop_it, fate_ptr(reactor));
    return wait_for_ever(reactor);
}

TEST(a_stop_of_the_first_one_s_reactor_ends_all)
{
    if (test_is_oom())
        return;
    EXPECT_EQ(run_workers(N, stop_the_first), 0);
    EXPECT_EQ(shared->n_ended, N);
    done();
}

/* ---- Signals ---- */

/* When the last has started. */
static void count_start(void)
{
    if (atomic_fetch_add(&n_here, 1) == N - 1)
        kill(getpid(), SIGTERM);
}

static fate_deferred *be_cut_short(fate_reactor *reactor, int argc, char **argv)
{
    count_start();
    return wait_for_ever(reactor);
}

TEST(a_signal_cancels_all)
{
    if (test_is_oom())
        return;
    EXPECT_EQ(run_workers(N, be_cut_short), 128 + SIGTERM);
    EXPECT_EQ(shared->n_ended, N);
    EXPECT_STR(said, "");
    done();
}

static void note_port(const fate_thing *thing, fate_value *arg)
{
    if (strcmp(thing->kind, "listener") == 0)
        atomic_store(&shared->ports[fate_as_int(arg)],
                     fate_address_port(fate_listener_address((const fate_listener *)thing->id)));
}

static fate_deferred *serve_and_be_ended(fate_reactor *reactor, int argc, char **argv)
{
    fate_deferred *d = fate_serve(reactor, "tcp:0:interface=127.0.0.1", &greeting, fate_none());

    fate_reactor_each(reactor, note_port, fate_int(index_of(reactor)));
    count_start();
    return d;
}

TEST(workers_that_serve_share_a_port_that_was_chosen_and_drain_after_a_signal)
{
    if (test_is_oom())
        return;
    EXPECT_EQ(run_workers(N, serve_and_be_ended), 0);
    EXPECT(shared->ports[0] > 0);
    for (int i = 1; i < N; i++)
        EXPECT_EQ(shared->ports[i], shared->ports[0]);
    EXPECT_STR(said, "");
    done();
}

/* ---- Connections ---- */

static char endpoint[64];

static void end_when_all_are_served(fate_value *arg)
{
    if (shared->n_made >= 30)
        kill(getpid(), SIGTERM);
    else
        fate_call_later(fate_as_ptr(arg), FATE_MILLISECOND, end_when_all_are_served, fate_copy(arg));
}

static void connect_30(void)
{
    fate_address address = { .family = AF_INET, .port = (uint16_t)shared->ports[0] };

    for (int i = 0; i < 30; i++) {
        int fd = -1;
        if (address.port)
            fd = net_connect(&address);
        else {
            const fate_address local = { .family = AF_UNIX,
                                         .as.local = { strchr(endpoint, ':') + 1, strlen(endpoint) - 5 } };
            fd = net_connect(&local);
        }
        if (fd < 0)
            atomic_fetch_add(&shared->n_bad, 1);
    }
}

static fate_deferred *serve_thirty(fate_reactor *reactor, int argc, char **argv)
{
    fate_deferred *d = fate_serve(reactor, endpoint, &greeting, fate_none());

    fate_reactor_each(reactor, note_port, fate_int(index_of(reactor)));
    if (atomic_fetch_add(&n_here, 1) == N - 1) {
        connect_30();
        fate_call_later(reactor, 0, end_when_all_are_served, fate_ptr(reactor));
    }
    return d;
}

TEST(connections_are_divided_among_the_workers)
{
    if (test_is_oom())
        return;
    snprintf(endpoint, sizeof endpoint, "tcp:0:interface=127.0.0.1");
    EXPECT_EQ(run_workers(N, serve_thirty), 0);
    EXPECT_EQ(shared->n_bad, 0);
    EXPECT_EQ(shared->n_made, 30);
    EXPECT(shared->made_by[0] < 30);
    EXPECT_STR(said, "");
    done();
}

TEST(workers_share_a_unix_socket)
{
    if (test_is_oom())
        return;
    snprintf(endpoint, sizeof endpoint, "unix:/tmp/fate-test-%d", (int)getpid());
    EXPECT_EQ(run_workers(N, serve_thirty), 0);
    EXPECT_EQ(shared->n_bad, 0);
    EXPECT_EQ(shared->n_made, 30);
    EXPECT_EQ(access(endpoint + 5, F_OK), -1);
    EXPECT_STR(said, "");
    done();
}

/* ---- Those who come and go ---- */

static fate_deferred *listen_and_end(fate_reactor *reactor, int argc, char **argv)
{
    return fate_listen(reactor, endpoint, &greeting, fate_none());
}

TEST(a_port_of_another_program_is_shared_by_those_alone_who_say_so)
{
    fate_address address = { 0 };
    int fd = net_listen(&address), on = 1;

    if (!test_is_oom() && EXPECT(fd >= 0)) {
        EXPECT_EQ(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), 0);
        snprintf(endpoint, sizeof endpoint, "tcp:%u:interface=127.0.0.1", address.port);
        EXPECT_EQ(run_workers(N, listen_and_end), 1);
        EXPECT_CONTAINS(said, "Address already in use (EADDRINUSE)");
        done();
        snprintf(endpoint, sizeof endpoint, "tcp:%u:interface=127.0.0.1:reuseport=yes", address.port);
        EXPECT_EQ(run_workers(N, listen_and_end), 0);
        EXPECT_STR(said, "");
        done();
    }
    if (fd >= 0)
        close(fd);
}

static fate_listener *_Atomic listeners[N];

static fate_value got_listener(fate_value *v, fate_value *arg)
{
    listeners[fate_as_int(arg)] = fate_as_listener(v);
    return fate_none();
}

static fate_deferred *listen_here(fate_reactor *reactor)
{
    unsigned i = index_of(reactor);
    fate_deferred *d = fate_listen(reactor, endpoint, &greeting, fate_none());

    return fate_add_callback(d, got_listener, fate_int(i));
}

static void stop_here(fate_reactor *reactor)
{
    fate_listener_stop(listeners[index_of(reactor)], 0);
}

static fate_deferred *listen_twice(fate_reactor *reactor, int argc, char **argv)
{
    listen_here(reactor);
    stop_here(reactor);
    return listen_here(reactor);
}

TEST(a_worker_that_has_stopped_listening_may_begin_again)
{
    if (test_is_oom())
        return;
    snprintf(endpoint, sizeof endpoint, "unix:@fate-test-%d", (int)getpid());
    EXPECT_EQ(run_workers(1, listen_twice), 0);
    EXPECT_STR(said, "");
    done();
    snprintf(endpoint, sizeof endpoint, "unix:/tmp/fate-test-%d", (int)getpid());
    EXPECT_EQ(run_workers(N, listen_twice), 0);
    EXPECT_STR(said, "");
    EXPECT_EQ(access(endpoint + 5, F_OK), -1);
    done();
}

/* The first worker stops when the second listens, too. */
static void stop_after_other(fate_value *arg)
{
    fate_deferred *d = fate_as_ptr(arg);

    if (!listeners[0] || !listeners[1]) {
        fate_call_later(fate_deferred_reactor(d), FATE_MILLISECOND, stop_after_other, fate_copy(arg));
        return;
    }
    if (fate_deferred_reactor(d) == fate_worker(fate_deferred_reactor(d), 0)) {
        stop_here(fate_deferred_reactor(d));
        shared->n_bad += access(endpoint + 5, F_OK) != 0;
        atomic_fetch_add(&shared->n_ended, 1);
    }
    if (shared->n_ended)
        fate_fire(d, fate_none());
    else
        fate_call_later(fate_deferred_reactor(d), FATE_MILLISECOND, stop_after_other, fate_copy(arg));
}

static fate_deferred *listen_until_both_have(fate_reactor *reactor, int argc, char **argv)
{
    fate_deferred *d = fate_deferred_new(reactor);

    listen_here(reactor);
    fate_call_later(reactor, 0, stop_after_other, fate_ptr(d));
    return d;
}

TEST(the_file_of_a_shared_socket_goes_with_the_last_that_listens)
{
    if (test_is_oom())
        return;
    snprintf(endpoint, sizeof endpoint, "unix:/tmp/fate-test-%d", (int)getpid());
    EXPECT_EQ(run_workers(2, listen_until_both_have), 0);
    EXPECT_EQ(shared->n_bad, 0);
    EXPECT_STR(said, "");
    EXPECT_EQ(access(endpoint + 5, F_OK), -1);
    done();
}

/* ---- Posts from one to another ---- */

static void end_deferred(fate_value *arg)
{
    fate_fire(fate_as_ptr(arg), fate_none());
}

static fate_deferred *_Atomic to_fire[N];

/* The last one ends all, once they are there. */
static void end_all(fate_value *arg)
{
    fate_reactor *reactor = fate_as_ptr(arg);

    for (unsigned i = 0; i < N; i++)
        if (!to_fire[i]) {
            fate_call_later(reactor, FATE_MILLISECOND, end_all, fate_copy(arg));
            return;
        }
    for (unsigned i = 0; i < N; i++)
        fate_call_from_thread(fate_worker(reactor, i), end_deferred, fate_ptr(to_fire[i]));
}

static fate_deferred *end_each_other(fate_reactor *reactor, int argc, char **argv)
{
    fate_deferred *d = wait_for_ever(reactor);

    to_fire[index_of(reactor)] = d;
    if (index_of(reactor) == N - 1)
        fate_call_later(reactor, 0, end_all, fate_ptr(reactor));
    return d;
}

TEST(workers_may_post_to_one_another)
{
    if (test_is_oom())
        return;
    EXPECT_EQ(run_workers(N, end_each_other), 0);
    EXPECT_EQ(shared->n_ended, N);
    done();
}

static void run_nothing(void *arg)
{
    fate_workers(1, NULL, 0, NULL);
}

TEST(workers_want_a_main_function)
{
    EXPECT_STOP(run_nothing, NULL, "fate_workers was given a NULL main function");
}

TEST(a_reactor_that_is_no_worker_s_is_alone)
{
    fate_reactor *reactor = test_reactor();

    EXPECT_PTR(fate_worker(reactor, 0), reactor);
    EXPECT_PTR(fate_worker(reactor, 1), NULL);
}

/* ---- In this process ---- */

static fate_deferred *succeed_at_once(fate_reactor *reactor, int argc, char **argv)
{
    return fate_succeed(reactor, fate_none());
}

TEST(workers_leave_nothing_behind)
{
    EXPECT_EQ(fate_workers(2, succeed_at_once, 0, NULL), 0);
}
