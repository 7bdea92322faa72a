/* fate_resolve: literals, this host, and the system's resolver, whose part a function of ours plays here. */
#include <errno.h>
#include <netdb.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <base/sys.h>
#include <fate/fate.h>
#include <fate/resolve.h>
#include <net/resolve.h>

#include "test_net_helpers.h"

/* ---- The system ---- */

static struct fate__sys table;
static const struct fate__sys *usual;
static atomic_int n_asked, n_begun, n_wrong;
static int n_noted;
static atomic_llong clock_by;
static sem_t may_end;
static bool has_no_threads;

/* "a.example" has these, in that order; a code instead of addresses fails. */
static const struct known {
    const char *name;
    int code, error;
    const char *addresses[5];
} known[] = {
    { .name = "a.example", .addresses = { "10.1.0.1" } },
    { .name = "both.example", .addresses = { "fd00::1", "fd00::2", "10.1.0.1", "fd00::3", "10.1.0.2" } },
    { .name = "four.example", .addresses = { "10.1.0.1", "10.1.0.2", "10.1.0.1", "fd00::1" } },
    { .name = "slow.example", .addresses = { "10.1.0.9" } },
    { .name = "empty.example" },
    { .name = "nodata.example", .code = EAI_NODATA },
    { .name = "family.example", .code = EAI_ADDRFAMILY },
    { .name = "again.example", .code = EAI_AGAIN },
    { .name = "fail.example", .code = EAI_FAIL },
    { .name = "memory.example", .code = EAI_MEMORY },
    { .name = "system.example", .code = EAI_SYSTEM, .error = EMFILE },
    { .name = "flags.example", .code = EAI_BADFLAGS },
};

static int answer(const struct known *of, struct addrinfo **ret_found)
{
    const struct addrinfo wanted = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM };
    struct addrinfo **last = ret_found;

    *ret_found = NULL;
    errno = of->error;
    for (int i = 0; i < 5 && of->addresses[i] && !of->code; i++) {
        int code = usual->getaddrinfo(of->addresses[i], NULL, &wanted, last);
        if (code) {
            if (*ret_found)
                freeaddrinfo(*ret_found);
            return code;
        }
        last = &(*last)->ai_next;
    }
    return of->code;
}

/* Names that begin with "slow" wait for permission. */
static int fake_getaddrinfo(const char *name, const char *service, const struct addrinfo *wanted,
                            struct addrinfo **ret_found)
{
    static const struct known no_name = { .code = EAI_NONAME };

    n_asked++;
    n_wrong += service || wanted->ai_socktype != SOCK_STREAM || wanted->ai_flags != AI_ADDRCONFIG;
    if (strncmp(name, "slow", 4) == 0) {
        n_begun++;
        while (sem_wait(&may_end) < 0)
            ;
        return answer(&known[3], ret_found);
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, name) == 0)
            return answer(&known[i], ret_found);
    return answer(&no_name, ret_found);
}

static int fake_clock(clockid_t clock, struct timespec *ret_now)
{
    int failed = usual->clock_gettime(clock, ret_now);

    if (failed == 0 && clock != CLOCK_REALTIME)
        ret_now->tv_sec += clock_by;
    return failed;
}

static int fake_thread(pthread_t *ret_thread, const pthread_attr_t *attributes, void *(*body)(void *),
                       void *arg)
{
    return has_no_threads ? EAGAIN : usual->thread_create(ret_thread, attributes, body, arg);
}

static fate_reactor *reactor;
static long blocks;

/* False where there is nothing to be tested, since it could not be made. */
static bool begin(void)
{
    blocks = test_blocks();
    usual = fate__sys;
    table = *usual;
    table.getaddrinfo = fake_getaddrinfo;
    table.clock_gettime = fake_clock;
    table.thread_create = fake_thread;
    fate__sys = &table;
    n_asked = n_begun = n_wrong = n_noted = 0;
    clock_by = 0;
    has_no_threads = false;
    sem_init(&may_end, 0, 0);
    reactor = test_real_reactor(NULL);
    /* What is no plain file is not read. */
    if (reactor && fate__names_set_hosts(reactor, "/dev/null") == 0)
        return true;
    fate_reactor_free(reactor);
    fate__sys = usual;
    return false;
}

static void permit(int n)
{
    while (n-- > 0)
        sem_post(&may_end);
}

/* Waits until threads that the reactor has left to themselves have gone, too, which on a busy machine may be
 * any of them. */
static bool have_threads_gone(void)
{
    struct timespec now, began;

    clock_gettime(CLOCK_MONOTONIC, &began);
    do {
        sched_yield();
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (test_blocks() > blocks && now.tv_sec - began.tv_sec < 20);
    return test_blocks() <= blocks;
}

static void end(void)
{
    permit(32);
    fate_reactor_free(reactor);
    have_threads_gone();
    EXPECT_EQ(n_wrong, 0);
    fate__sys = usual;
    sem_destroy(&may_end);
}

/* ---- Asking ---- */

struct slot {
    fate_deferred *d; /* held */
    bool is_done;
    char text[512];
};

static void describe(const fate_value *v, struct slot *slot)
{
    char text[FATE_ADDRESS_TEXT_BYTES];
    size_t len = 0;

    slot->text[0] = '\0';
    if (fate_is_failure(v)) {
        snprintf(slot->text, sizeof slot->text, "%s: %s", fate_class_of(v)->name, fate_message(v));
        return;
    }
    for (size_t i = 0; i < fate_count(v); i++) {
        const fate_address *address = fate_unbox(fate_address, fate_at(v, i));
        EXPECT_EQ(fate_address_port(address), 0);
        len += (size_t)snprintf(slot->text + len, sizeof slot->text - len, "%s%s", i ? " " : "",
                                fate_address_host(address, text));
    }
}

static fate_value note(fate_value *v, fate_value *arg)
{
    struct slot *slot = fate_as_ptr(arg);

    describe(v, slot);
    slot->is_done = true;
    n_noted++;
    return fate_none();
}

static void ask(struct slot *slot, const char *name)
{
    *slot = (struct slot){ .d = fate_hold(fate_resolve(reactor, name)) };
    fate_add_both(slot->d, note, fate_ptr(slot));
}

static bool is_done(void *slot)
{
    return ((struct slot *)slot)->is_done;
}

static void release(struct slot *slot)
{
    fate_release(slot->d);
}

static void expect_answer(const char *name, const char *as)
{
    struct slot slot;

    ask(&slot, name);
    test_until(reactor, is_done, &slot);
    if (strncmp(slot.text, "NoMemory", 8) != 0 || test_is_oom())
        EXPECT_STR(slot.text, as);
    if (!slot.is_done)
        fate_cancel(slot.d);
    release(&slot);
}

/* Or have failed before, where calls do. */
static bool have_begun(void *n)
{
    return n_begun + n_noted >= *(int *)n;
}

static bool wait_for_begun(int n)
{
    return EXPECT(test_until(reactor, have_begun, &n));
}

/* ---- What needs no asking ---- */

TEST(addresses_are_themselves)
{
    static const char *const cases[][2] = {
        { "127.0.0.1", "127.0.0.1" }, { "0.0.0.0", "0.0.0.0" },           { "::1", "::1" },
        { "[::1]", "::1" },           { "2001:DB8::0:1", "2001:db8::1" }, { "fe80::1%3", "fe80::1%3" },
    };

    if (!begin())
        return;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slot slot;
        ask(&slot, cases[i][0]);
        EXPECT(slot.is_done);
        EXPECT_STR(slot.text, cases[i][1]);
        release(&slot);
    }
    EXPECT_EQ(n_asked, 0);
    end();
}

static void count_resolve(const fate_thing *thing, fate_value *n)
{
    *(int *)fate_as_ptr(n) += strcmp(thing->kind, "resolve") == 0;
}

TEST(localhost_is_always_this_host)
{
    static const char *const names[] = { "localhost", "LocalHost", "localhost.", "a.b.localhost",
                                         "x.localhost." };
    int n_shown = 0;

    if (!begin())
        return;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        expect_answer(names[i], "127.0.0.1 ::1");
    fate_reactor_each(reactor, count_resolve, fate_ptr(&n_shown));
    EXPECT_EQ(n_shown, 0); /* nobody has left anything behind */
    EXPECT_EQ(n_asked, 0);
    expect_answer("notlocalhost",
                  "DNSNoName: resolve notlocalhost: there is no such name; see that it is spelt "
                  "right, and whether the servers in /etc/resolv.conf are those that know it");
    end();
}

TEST(what_is_no_name_is_not_asked_for)
{
    if (!begin())
        return;
    expect_answer("", "DNSNoName: resolve \"\": it is empty");
    expect_answer("a..b",
                  "DNSNoName: resolve \"a..b\": it is no name, since between its dots there is nothing");
    expect_answer("http://x/\n",
                  "DNSNoName: resolve \"http://x/\\x0a\": it is no name of a host, which has letters, "
                  "digits, hyphens and dots alone");
    expect_answer("127.1",
                  "DNSNoName: resolve \"127.1\": it is neither a name nor an address, which has four "
                  "decimal numbers (127.0.0.1)");
    expect_answer(
        "fe80::1%nosuch0",
        "DNSNoName: resolve \"fe80::1%nosuch0\": it is an address of an interface that is not there");
    expect_answer("[1.2.3.4]",
                  "DNSNoName: resolve \"[1.2.3.4]\": it is no name of a host, which has letters, "
                  "digits, hyphens and dots alone");
    EXPECT_EQ(n_asked, 0);
    end();
}

/* ---- What the system says ---- */

TEST(names_that_are_not_for_servers_are_not_asked_for)
{
    if (!begin())
        return;
    expect_answer("Shop.Invalid.", "DNSNoName: resolve Shop.Invalid.: names below invalid are there to be "
                                   "found nowhere (RFC 6761)");
    expect_answer("x.onion",
                  "DNSNoName: resolve x.onion: names below onion are Tor's, and servers of DNS are "
                  "not to hear of them (RFC 7686); a resolver for them is set by "
                  "fate_set_resolver");
    EXPECT_EQ(n_asked, 0);
    expect_answer("onion.example", "DNSNoName: resolve onion.example: there is no such name; see that it is "
                                   "spelt right, and whether the servers in /etc/resolv.conf are those that "
                                   "know it");
    end();
}

TEST(addresses_come_in_the_systems_order_with_families_alternating)
{
    if (!begin())
        return;
    expect_answer("a.example", "10.1.0.1");
    expect_answer("both.example", "fd00::1 10.1.0.1 fd00::2 10.1.0.2 fd00::3");
    expect_answer("four.example", "10.1.0.1 fd00::1 10.1.0.2");
    EXPECT_EQ(n_asked, 3);
    end();
}

TEST(each_failure_says_what_can_be_done)
{
    if (!begin())
        return;
    expect_answer("nx.example",
                  "DNSNoName: resolve nx.example: there is no such name; see that it is spelt right, "
                  "and whether the servers in /etc/resolv.conf are those that know it");
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = { "empty.example", "nodata.example", "family.example" };
        char as[256];
        snprintf(as, sizeof as,
                 "DNSNoData: resolve %s: the name is there, but has no address of a kind that this "
                 "machine can use; it may have only IPv6 addresses, or be one for mail or for "
                 "services alone",
                 names[i]);
        expect_answer(names[i], as);
    }
    expect_answer(
        "again.example",
        "DNSServerError: resolve again.example: no server has answered, or one has failed for now; try "
        "again later, and see that the servers in /etc/resolv.conf can be reached");
    expect_answer("fail.example",
                  "DNSRefused: resolve fail.example: a server does not want to answer; see that "
                  "those in /etc/resolv.conf serve this machine");
    expect_answer("system.example",
                  "DNSServerError: resolve system.example: the system could not be asked: Too "
                  "many open files (EMFILE)");
    expect_answer("flags.example", "DNSError: resolve flags.example: Bad value for ai_flags");
    struct slot slot;
    ask(&slot, "memory.example");
    test_until(reactor, is_done, &slot);
    EXPECT_CONTAINS(slot.text, "NoMemory");
    release(&slot);
    end();
}

TEST(the_classes_are_a_family)
{
    EXPECT(fate_class_is(&FATE_DNS_NO_NAME, &FATE_DNS_ERROR));
    EXPECT(fate_class_is(&FATE_DNS_NO_DATA, &FATE_DNS_ERROR));
    EXPECT(fate_class_is(&FATE_DNS_SERVER, &FATE_DNS_ERROR));
    EXPECT(fate_class_is(&FATE_DNS_REFUSED, &FATE_DNS_ERROR));
    EXPECT(fate_class_is(&FATE_DNS_TIMEOUT, &FATE_TIMEOUT));
}

TEST(without_a_thread_the_system_cannot_be_asked)
{
    if (!begin())
        return;
    has_no_threads = true;
    expect_answer("a.example", "DNSServerError: resolve a.example: the system could not be asked: Resource "
                               "temporarily unavailable (EAGAIN)");
    has_no_threads = false;
    expect_answer("a.example", "10.1.0.1");
    end();
}

/* ---- Several ---- */

/* A list is each asker's own: the next one's is as it was. */
static fate_value change_list(fate_value *list, fate_value *arg)
{
    if (!fate_is_failure(list))
        EXPECT_EQ(fate_list_append(list, fate_copy(fate_at(list, 0))), 0);
    return fate_take(list);
}

TEST(those_who_ask_for_one_name_share_the_answer)
{
    struct slot slots[3];

    if (!begin())
        return;
    slots[0] = (struct slot){ .d = fate_hold(fate_resolve(reactor, "slow.example")) };
    fate_add_both(slots[0].d, change_list, fate_none());
    fate_add_both(slots[0].d, note, fate_ptr(&slots[0]));
    wait_for_begun(1);
    ask(&slots[1], "slow.example");
    ask(&slots[2], "SLOW.Example");
    permit(1);
    for (int i = 0; i < 3; i++) {
        EXPECT(test_until(reactor, is_done, &slots[i]));
        EXPECT_STR(slots[i].text, i == 0 ? "10.1.0.9 10.1.0.9" : "10.1.0.9");
        release(&slots[i]);
    }
    EXPECT_EQ(n_asked, 1);
    end();
}

TEST(nothing_is_kept_for_later)
{
    if (!begin())
        return;
    expect_answer("a.example", "10.1.0.1");
    expect_answer("a.example", "10.1.0.1");
    EXPECT_EQ(n_asked, 2);
    end();
}

TEST(four_are_asked_for_at_a_time_and_others_wait)
{
    static const char *const names[] = { "slow1", "slow2", "slow3", "slow4", "slow5", "a.example" };
    struct slot slots[6];

    if (!begin())
        return;
    for (int i = 0; i < 6; i++)
        ask(&slots[i], names[i]);
    wait_for_begun(4);
    EXPECT_EQ(n_asked, 4);
    permit(5);
    for (int i = 0; i < 6; i++) {
        EXPECT(test_until(reactor, is_done, &slots[i]));
        EXPECT_STR(slots[i].text, i < 5 ? "10.1.0.9" : "10.1.0.1");
        release(&slots[i]);
    }
    EXPECT_EQ(n_asked, 6);
    end();
}

TEST(an_answer_may_ask_again)
{
    struct slot slots[2];

    if (!begin())
        return;
    ask(&slots[0], "slow.example");
    wait_for_begun(1);
    permit(2);
    EXPECT(test_until(reactor, is_done, &slots[0]));
    ask(&slots[1], "slow.example");
    EXPECT(test_until(reactor, is_done, &slots[1]));
    EXPECT_EQ(n_asked, 2);
    release(&slots[0]);
    release(&slots[1]);
    end();
}

/* ---- Cancelling ---- */

TEST(a_cancel_detaches)
{
    struct slot slots[3];

    if (!begin())
        return;
    ask(&slots[0], "slow.example");
    ask(&slots[1], "slow.example");
    wait_for_begun(1);
    fate_cancel(slots[0].d);
    EXPECT_STR(slots[0].text, "CancelledError: ");
    fate_cancel(slots[1].d);
    EXPECT(slots[1].is_done);
    /* The thread still asks: whoever comes now gets its answer. */
    ask(&slots[2], "slow.example");
    permit(1);
    EXPECT(test_until(reactor, is_done, &slots[2]));
    EXPECT_STR(slots[2].text, "10.1.0.9");
    EXPECT_STR(slots[0].text, "CancelledError: ");
    EXPECT_EQ(n_asked, 1);
    for (int i = 0; i < 3; i++)
        release(&slots[i]);
    end();
}

TEST(a_late_answer_that_nobody_waits_for_is_dropped)
{
    struct slot slot, other;

    if (!begin())
        return;
    ask(&slot, "slow.example");
    wait_for_begun(1);
    fate_cancel(slot.d);
    permit(1);
    ask(&other, "a.example");
    EXPECT(test_until(reactor, is_done, &other));
    test_rounds(reactor, 3);
    EXPECT_STR(slot.text, "CancelledError: ");
    release(&slot);
    release(&other);
    end();
}

TEST(a_cancelled_name_in_line_is_not_asked_for)
{
    static const char *const names[] = { "slow1", "slow2", "slow3", "slow4" };
    struct slot slots[4], in_line[2], last;

    if (!begin())
        return;
    for (int i = 0; i < 4; i++)
        ask(&slots[i], names[i]);
    wait_for_begun(4);
    ask(&in_line[0], "a.example");
    ask(&in_line[1], "a.example");
    fate_cancel(in_line[0].d);
    fate_cancel(in_line[1].d);
    ask(&last, "both.example");
    permit(4);
    EXPECT(test_until(reactor, is_done, &last));
    for (int i = 0; i < 4; i++)
        EXPECT(test_until(reactor, is_done, &slots[i]));
    EXPECT_EQ(n_asked, 5);
    for (int i = 0; i < 4; i++)
        release(&slots[i]);
    release(&in_line[0]);
    release(&in_line[1]);
    release(&last);
    end();
}

static fate_value cancel_other(fate_value *v, fate_value *arg)
{
    const struct slot *other = fate_as_ptr(arg);

    if (other->d)
        fate_cancel(other->d);
    return fate_take(v);
}

TEST(an_answer_may_cancel_the_others_who_wait_for_it)
{
    struct slot first = { .d = NULL }, second = { .d = NULL };

    if (!begin())
        return;
    first.d = fate_hold(fate_resolve(reactor, "slow.example"));
    fate_add_both(first.d, cancel_other, fate_ptr(&second));
    fate_add_both(first.d, note, fate_ptr(&first));
    ask(&second, "slow.example");
    wait_for_begun(1);
    permit(1);
    EXPECT(test_until(reactor, is_done, &second));
    EXPECT_STR(first.text, "10.1.0.9");
    EXPECT_STR(second.text, "CancelledError: ");
    release(&first);
    release(&second);
    end();
}

/* ---- The deadline ---- */

TEST(each_waits_for_20_seconds)
{
    struct slot first, second;

    if (!begin())
        return;
    ask(&first, "slow.example");
    wait_for_begun(1);
    clock_by = 15;
    test_rounds(reactor, 2);
    ask(&second, "slow.example");
    test_rounds(reactor, 2);
    EXPECT(!first.is_done);
    clock_by = 21;
    EXPECT(test_until(reactor, is_done, &first));
    EXPECT_STR(first.text, "DNSTimeout: resolve slow.example: no answer within 20 s; see that the servers in "
                           "/etc/resolv.conf can be reached");
    EXPECT(!second.is_done);
    clock_by = 36;
    EXPECT(test_until(reactor, is_done, &second));
    EXPECT_CONTAINS(second.text, "DNSTimeout");
    EXPECT_EQ(n_asked, 1);
    release(&first);
    release(&second);
    end();
}

TEST(the_deadline_holds_in_line_too)
{
    static const char *const names[] = { "slow1", "slow2", "slow3", "slow4" };
    struct slot slots[4], last;

    if (!begin())
        return;
    for (int i = 0; i < 4; i++)
        ask(&slots[i], names[i]);
    wait_for_begun(4);
    ask(&last, "a.example");
    test_rounds(reactor, 2);
    clock_by = 21;
    EXPECT(test_until(reactor, is_done, &last));
    EXPECT_STR(last.text,
               "DNSTimeout: resolve a.example: not even asked within 20 s, since all threads that ask "
               "wait for the answers about other names; see that the servers in /etc/resolv.conf can be "
               "reached");
    permit(4);
    test_rounds(reactor, 3);
    EXPECT_EQ(n_asked, 4);
    for (int i = 0; i < 4; i++)
        release(&slots[i]);
    release(&last);
    end();
}

/* ---- The end ---- */

/* One thread hangs, and goes when the system lets it. */
VOLUME_TEST(a_reactor_goes_while_a_thread_hangs)
{
    struct timespec began, now;

    if (!begin())
        return;
    test_suspend_failures();
    fate_resolve(reactor, "slow.example");
    fate_resolve(reactor, "slow.example");
    wait_for_begun(1);
    clock_gettime(CLOCK_MONOTONIC, &began);
    fate_reactor_free(reactor);
    clock_gettime(CLOCK_MONOTONIC, &now);
    EXPECT(now.tv_sec - began.tv_sec < 10);
    permit(32);
    EXPECT(have_threads_gone());
    test_resume_failures();
    fate__sys = usual;
    sem_destroy(&may_end);
}

TEST(a_reactor_goes_with_names_in_line_and_answers_not_delivered)
{
    static const char *const names[] = { "slow1", "slow2", "slow3", "slow4", "a.example", "both.example" };

    if (!begin())
        return;
    for (int i = 0; i < 6; i++)
        fate_resolve(reactor, names[i]);
    permit(8);
    end();
}

TEST(a_reactor_goes_whose_names_are_all_answered)
{
    struct slot slot;

    if (!begin())
        return;
    ask(&slot, "a.example");
    EXPECT(test_until(reactor, is_done, &slot));
    release(&slot);
    fate_resolve(reactor, "both.example");
    end();
}

/* ---- Resolvers ---- */

static char resolver_was_asked[64];

static fate_deferred *own_resolver(fate_reactor *of, const char *name, fate_value *arg)
{
    int64_t last = 0;
    fate_get_int(arg, &last);
    const fate_address address = { .family = AF_INET, .as.ip = { 9, 9, 9, (unsigned char)last } };
    fate_value box = fate_box_new("fate_address", sizeof address, &address, NULL);

    snprintf(resolver_was_asked, sizeof resolver_was_asked, "%s", name);
    return fate_succeed(of, fate_list(1, &box));
}

static fate_deferred *no_resolver(fate_reactor *of, const char *name, fate_value *arg)
{
    return NULL;
}

TEST(a_resolver_is_asked_instead)
{
    if (!begin())
        return;
    if (fate_set_resolver(reactor, own_resolver, fate_int(7)) < 0) {
        end();
        return;
    }
    expect_answer("a.example", "9.9.9.7");
    EXPECT_STR(resolver_was_asked, "a.example");
    expect_answer("localhost", "127.0.0.1 ::1");
    expect_answer("::1", "::1");
    EXPECT_STR(resolver_was_asked, "a.example");
    EXPECT_EQ(fate_set_resolver(reactor, NULL, fate_none()), 0);
    expect_answer("a.example", "10.1.0.1");
    EXPECT_EQ(n_asked, 1);
    end();
}

struct counted {
    int *drops;
};

static void count_drop(void *data)
{
    ++*((struct counted *)data)->drops;
}

static fate_deferred *replace_itself(fate_reactor *of, const char *name, fate_value *arg)
{
    fate_set_resolver(of, own_resolver, fate_int(8));
    EXPECT(fate_is_box(struct counted, arg));
    return fate_resolve(of, name);
}

TEST(the_arg_of_a_resolver_goes_with_it)
{
    int drops = 0;

    if (!begin())
        return;
    fate_set_resolver(reactor, own_resolver, fate_box_with(count_drop, struct counted, &drops));
    fate_set_resolver(reactor, replace_itself, fate_box_with(count_drop, struct counted, &drops));
    EXPECT_EQ(drops, 1);
    expect_answer("a.example", "9.9.9.8");
    EXPECT_EQ(drops, 2);
    fate_set_resolver(reactor, own_resolver, fate_box_with(count_drop, struct counted, &drops));
    end();
    EXPECT_EQ(drops, 3);
}

static void ask_no_resolver(void *arg)
{
    fate_reactor *of = fate_reactor_new_simulated();

    fate_set_resolver(of, no_resolver, fate_none());
    fate_resolve_at(of, "a.example", "client.c:4");
}

static void ask_for_null(void *arg)
{
    fate_resolve_at(fate_reactor_new_simulated(), NULL, "client.c:5");
}

TEST(misuse_stops_the_program)
{
    EXPECT_STOP(ask_no_resolver, NULL, "client.c:4", "returned NULL for a.example");
    EXPECT_STOP(ask_for_null, NULL, "client.c:5", "NULL name");
}

/* ---- Simulated ---- */

TEST(a_simulated_reactor_has_names_of_its_own)
{
    if (!begin())
        return;
    fate_reactor *real = reactor;
    reactor = test_reactor();
    struct slot slots[4];
    ask(&slots[0], "quotes");
    ask(&slots[1], "localhost");
    ask(&slots[2], "1.2.3.4");
    ask(&slots[3], "no name");
    EXPECT_STR(slots[0].text, "10.0.0.1");
    EXPECT_STR(slots[1].text, "127.0.0.1");
    EXPECT_STR(slots[2].text, "1.2.3.4");
    EXPECT_CONTAINS(slots[3].text, "DNSNoName");
    EXPECT_EQ(n_asked, 0);
    for (int i = 0; i < 4; i++)
        release(&slots[i]);
    if (fate_set_resolver(reactor, own_resolver, fate_int(1)) == 0)
        expect_answer("quotes", "9.9.9.1");
    fate_reactor_free(reactor);
    reactor = real;
    end();
}
