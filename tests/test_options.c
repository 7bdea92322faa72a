/* Structs of options: what is read of the caller's, and a size that was forgotten. */
#include <base/options.h>
#include <fate/fate.h>

#include "test.h"

struct ours {
    size_t size;
    int first, second;
};

/* As compiled with another version of a header. */
struct shorter {
    size_t size;
    int first;
};

struct longer {
    struct ours known;
    int unknown[4];
};

TEST(what_a_shorter_struct_lacks_is_zero)
{
    const struct shorter theirs = { sizeof(size_t) + sizeof(int), 3 };
    struct ours ours = { 0 };

    fate__take_options(&ours, sizeof ours, &theirs, "f", NULL);
    EXPECT_EQ(ours.first, 3);
    EXPECT_EQ(ours.second, 0);
}

TEST(what_a_longer_struct_has_besides_is_not_read)
{
    const struct longer theirs = { { sizeof theirs, 3, 4 }, { 5, 6, 7, 8 } };
    struct ours ours[2] = { 0 };

    fate__take_options(ours, sizeof ours[0], &theirs, "f", NULL);
    EXPECT_EQ(ours[0].second, 4);
    EXPECT_EQ(ours[1].size, 0);
}

TEST(no_struct_leaves_the_defaults)
{
    struct ours ours = { .second = 9 };

    fate__take_options(&ours, sizeof ours, NULL, "f", NULL);
    EXPECT_EQ(ours.second, 9);
}

/* ---- Without a size ---- */

static fate_value body(fate_coro *co, fate_value *arg)
{
    return fate_none();
}

static void reactor_without_size(void *arg)
{
    const fate_reactor_options options = { .name = "lost" };
    (fate_reactor_new_with)(&options);
}

static void pool_without_size(void *arg)
{
    const fate_pool_options options = { .threads_max = 1 };
    fate_pool_new_at(fate_reactor_new_simulated(), &options, "here a.c:1");
}

static void process_without_size(void *arg)
{
    const fate_spawn_options options = { .directory = "/" };
    fate_process_status_at(fate_reactor_new_simulated(), fate_argv("true"), &options, "here a.c:2");
}

static void coroutine_without_size(void *arg)
{
    const fate_go_options options = { .stack_bytes = 1 << 20 };
    fate_go_at(fate_reactor_new_simulated(), body, fate_none(), &options, "here a.c:3");
}

static void cooperator_without_size(void *arg)
{
    const fate_cooperator_options options = { .starts_later = true };
    fate_cooperator_new_at(fate_reactor_new_simulated(), &options, "here a.c:4");
}

static void settle_without_size(void *arg)
{
    const fate_settle_options options = { .consume_errors = true };
    fate_settle_at(fate_reactor_new_simulated(), 0, NULL, &options, "here a.c:5");
}

static void gather_without_size(void *arg)
{
    const fate_gather_options options = { .consume_errors = true };
    fate_gather_at(fate_reactor_new_simulated(), 0, NULL, &options, "here a.c:6");
}

static void handlers_without_size(void *arg)
{
    const fate_handlers handlers = { .callback = fate_print };
    fate_add_handlers_at(fate_deferred_new(fate_reactor_new_simulated()), &handlers, "here a.c:7");
}

TEST(a_struct_whose_size_was_forgotten_stops_the_program)
{
    EXPECT_STOP(reactor_without_size, NULL, "fate_reactor_new_with", "size is 0", "sizeof");
    EXPECT_STOP(pool_without_size, NULL, "here a.c:1", "fate_pool_new_with", "size is 0");
    EXPECT_STOP(process_without_size, NULL, "here a.c:2", "fate_process_status", "size is 0");
    EXPECT_STOP(coroutine_without_size, NULL, "here a.c:3", "fate_go_with", "size is 0");
    EXPECT_STOP(cooperator_without_size, NULL, "here a.c:4", "fate_cooperator_new_with", "size is 0");
    EXPECT_STOP(settle_without_size, NULL, "here a.c:5", "fate_settle_with", "size is 0");
    EXPECT_STOP(gather_without_size, NULL, "here a.c:6", "fate_gather_with", "size is 0");
    EXPECT_STOP(handlers_without_size, NULL, "here a.c:7", "fate_add_handlers", "size is 0");
}
