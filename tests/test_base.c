/* Tests of src/base: slab, growing texts, call sites, time, lists, UTF-8, hashes, stops. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/alloc.h>
#include <base/hash.h>
#include <base/list.h>
#include <base/site.h>
#include <base/slab.h>
#include <base/stop.h>
#include <base/text.h>
#include <base/utf8.h>

#include "test.h"

/* ---- Time ---- */

TEST(seconds_are_rounded_to_nanoseconds)
{
    EXPECT_EQ(fate_seconds(0), 0);
    EXPECT_EQ(fate_seconds(0.5), 500 * FATE_MILLISECOND);
    EXPECT_EQ(fate_seconds(0.1), 100 * FATE_MILLISECOND);
    EXPECT_EQ(fate_seconds(-1.25), -1250 * FATE_MILLISECOND);
    EXPECT_EQ(fate_seconds(1e-9), 1);
    EXPECT_EQ(fate_seconds(4e-10), 0);
    EXPECT_EQ(fate_seconds(6e-10), 1);
    EXPECT_EQ(fate_seconds(-6e-10), -1);
    EXPECT_EQ(fate_seconds(0.999999999), 999999999);
    EXPECT_EQ(fate_seconds(9000000000.0), 9000000000 * FATE_SECOND);
    EXPECT_EQ(fate_seconds(1000000.5), 1000000500 * FATE_MILLISECOND);
}

TEST(seconds_beyond_the_end_of_time_saturate)
{
    EXPECT(fate_seconds(1e10) == FATE_NEVER);
    EXPECT(fate_seconds(-1e10) == -FATE_NEVER);
    EXPECT(fate_seconds(HUGE_VAL) == FATE_NEVER);
    EXPECT(fate_seconds(-HUGE_VAL) == -FATE_NEVER);
    EXPECT(fate_seconds(nan("")) == FATE_NEVER);
    EXPECT(fate_seconds(9223372035.999) < FATE_NEVER);
}

TEST(the_version_is_told)
{
    EXPECT_STR(fate_version(), "0.1.0");
}

/* ---- Call sites ---- */

TEST(a_site_names_the_function_the_file_and_the_line)
{
    const char *site = fate_site("src/client.cc", 6, "use_key");

    EXPECT_STR(site, "use_key src/client.cc:6");
    EXPECT_STR(fate_site("client.cc", 7, NULL), "client.cc:7");
    EXPECT_STR(fate_site("client.cc", 7, ""), "client.cc:7");
}

TEST(the_same_place_has_the_same_site_wherever_its_texts_lie)
{
    char file[] = "client.cc", function[] = "use_key";
    const char *site = fate_site("client.cc", 10, "use_key");

    EXPECT_PTR(fate_site("client.cc", 10, "use_key"), site);
    EXPECT_PTR(fate_site(file, 10, function), site);
    EXPECT(fate_site("client.cc", 11, "use_key") != site);
    EXPECT(fate_site("client.cc", 10, "other") != site);
    EXPECT(fate_site("other.cc", 10, "use_key") != site);
}

TEST(a_place_whose_text_has_gone_is_not_taken_for_another)
{
    char file[] = "first.cc";
    const char *first = fate_site(file, 1, "f");

    memcpy(file, "other", 5);
    EXPECT_STR(fate_site(file, 1, "f"), "f other.cc:1");
    EXPECT_STR(first, "f first.cc:1");
}

static void *look_up_places(void *arg)
{
    const char **found = arg;

    for (int i = 0; i < 50; i++)
        found[i] = fate_site("threads.cc", i, "work");
    return NULL;
}

TEST(threads_may_look_up_places_at_once)
{
    static const char *found[4][50];
    pthread_t threads[4];
    char expected[64];

    for (int i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, look_up_places, found[i]) != 0)
            abort();
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 50; i++) {
        snprintf(expected, sizeof expected, "work threads.cc:%d", i);
        for (int t = 0; t < 4; t++)
            EXPECT_STR(found[t][i], expected);
    }
}

static void fill_the_table(void *arg)
{
    const char *file = "full.cc", *known = fate_site("known.cc", 1, "f");
    const char *site = NULL;

    for (int i = 0; i < 10000; i++)
        site = fate_site(file, i, "f");
    if (site == file && fate_site("known.cc", 1, "f") == known &&
        strcmp(fate_site(file, 5, "f"), "f full.cc:5") == 0 && !fate__keep_text("another text"))
        fate__stop(NULL, "the table is full, and knows what it knew");
}

TEST(a_place_that_no_longer_fits_is_told_by_its_file)
{
    EXPECT_STOP(fill_the_table, NULL, "the table is full, and knows what it knew");
}

TEST(a_text_is_kept_once)
{
    char text[] = "kept: a text";
    const char *kept = fate__keep_text(text);

    EXPECT_STR(kept, "kept: a text");
    EXPECT_PTR(fate__keep_text("kept: a text"), kept);
    text[0] = 'x';
    EXPECT_STR(kept, "kept: a text");
}

/* ---- Growing texts ---- */

TEST(a_text_grows_by_pieces)
{
    struct fate__text text = { 0 };

    for (int i = 0; i < 100; i++) {
        fate__text_add(&text, "ab");
        fate__text_add_n(&text, "cde", 1);
        fate__text_format(&text, "%d", i % 10);
    }
    if (EXPECT(!text.has_failed)) {
        EXPECT_EQ(text.len, 400);
        EXPECT_EQ(strlen(text.bytes), 400);
        EXPECT_STR(text.bytes + 392, "abc8abc9");
    }
    fate__text_done(&text);
    EXPECT_PTR(text.bytes, NULL);
}

TEST(a_text_without_memory_stays_as_it_was)
{
    struct fate__text text = { 0 };

    fate__text_add(&text, "kept");
    test_fail_allocation(1, true);
    fate__text_format(&text, "%0*d", 200, 1);
    EXPECT(test_fail_allocation(0, false));
    EXPECT(text.has_failed);
    EXPECT_STR(text.bytes, "kept");
    fate__text_add(&text, "not this");
    EXPECT_STR(text.bytes, "kept");
    fate__text_done(&text);
}

static void expect_short_site(const char *here, const char *site, const char *expected)
{
    struct fate__text text = { 0 };
    char room[64];

    fate__text_add_site(&text, site);
    test_expect_str(here, text.bytes, expected, "the site in a text");
    test_expect_str(here, fate__site_short(site, room, sizeof room), expected, "the site");
    fate__text_done(&text);
}
#define EXPECT_SHORT(site, expected) expect_short_site(FATE_HERE, (site), (expected))

TEST(a_site_is_shown_without_its_folders)
{
    EXPECT_SHORT("got_key src/net/client.c:12", "got_key client.c:12");
    EXPECT_SHORT("got_key client.c:12", "got_key client.c:12");
    EXPECT_SHORT("/src/client.c:12", "client.c:12");
    EXPECT_SHORT("client.c:12", "client.c:12");
    EXPECT_SHORT("/my files/client.c:12", "client.c:12");
}

/* ---- Lists ---- */

struct member {
    int number;
    struct fate__link link;
};

TEST(a_list_keeps_the_order_of_its_members)
{
    struct fate__link list;
    struct member members[3] = { { .number = 0 }, { .number = 1 }, { .number = 2 } };
    int seen = 0;

    fate__list_init(&list);
    EXPECT(fate__list_is_empty(&list));
    for (int i = 0; i < 3; i++)
        fate__list_add_last(&list, &members[i].link);
    fate__list_remove(&members[1].link);
    for (struct fate__link *link = list.next; link != &list; link = link->next)
        seen = seen * 10 + fate_container_of(link, struct member, link)->number + 1;
    EXPECT_EQ(seen, 13);
    fate__list_remove(&members[1].link);
    fate__list_remove(&members[0].link);
    fate__list_remove(&members[2].link);
    EXPECT(fate__list_is_empty(&list));
}

/* ---- Slabs ---- */

#define BLOCK 64

struct block {
    int number;
    int state; /* written by the test: is it used? */
    void *link;
};

static void count_block(void *block, void *arg)
{
    ++*(int *)arg;
}

TEST(a_slab_gives_blocks_that_are_apart_and_know_their_owner)
{
    static unsigned char *taken[1000];
    struct fate__slab slab;
    int owner, n = 0, n_seen = 0;

    fate__slab_init(&slab, BLOCK, offsetof(struct block, link), &owner);
    for (; n < 1000; n++) {
        taken[n] = fate__slab_take(&slab);
        if (!EXPECT(taken[n] != NULL))
            break;
        memset(taken[n], n % 251, BLOCK);
    }
    for (int i = 0; i < n; i++) {
        EXPECT_EQ(taken[i][0], i % 251);
        EXPECT_EQ(taken[i][BLOCK - 1], i % 251);
        EXPECT_EQ((uintptr_t)taken[i] % 16, 0);
        EXPECT_PTR(fate__slab_owner(taken[i]), &owner);
    }
    fate__slab_each(&slab, count_block, &n_seen);
    EXPECT_EQ(n_seen, n);
    fate__slab_done(&slab);
}

/* How many others are freed and taken before the one that was freed first comes back. */
static int frees_until_reused(struct fate__slab *slab, void *freed)
{
    fate__slab_give(slab, freed);
    for (int n = 1; n <= 3 * FATE__REST; n++) {
        void *other = fate__slab_take(slab);
        if (!other || other == freed)
            return n - 1;
        fate__slab_give(slab, other);
    }
    return -1;
}

TEST(a_freed_block_waits_before_it_is_used_again)
{
    struct fate__slab slab;

    fate__slab_init(&slab, BLOCK, offsetof(struct block, link), NULL);
    for (int i = 0; i < 3 && !test_is_oom(); i++) {
        void *freed = fate__slab_take(&slab);
        if (!EXPECT(freed != NULL))
            break;
        int n = frees_until_reused(&slab, freed);
        EXPECT(n >= FATE__REST);
    }
    fate__slab_done(&slab);
}

TEST(a_slab_without_memory_gives_null_and_goes_on_later)
{
    struct fate__slab slab;

    fate__slab_init(&slab, BLOCK, offsetof(struct block, link), NULL);
    test_fail_allocation(1, true);
    void *block = fate__slab_take(&slab);
    EXPECT(test_fail_allocation(0, false));
    EXPECT_PTR(block, NULL);
    EXPECT(fate__slab_take(&slab) != NULL);
    fate__slab_done(&slab);
}

static bool refuse_blocks(void)
{
    return false;
}

TEST(each_block_of_a_counted_slab_asks_first)
{
    struct fate__slab slab;
    fate__block_hook *before = fate__on_block;

    fate__on_block = refuse_blocks;
    fate__slab_init(&slab, BLOCK, offsetof(struct block, link), NULL);
    EXPECT_PTR(fate__slab_take(&slab), NULL);
    fate__on_block = before;
    void *block = fate__slab_take(&slab);
    if (EXPECT(block != NULL)) {
        fate__slab_give(&slab, block);
        fate__on_block = refuse_blocks;
        EXPECT_PTR(fate__slab_take(&slab), NULL);
        fate__on_block = before;
    }
    fate__slab_done(&slab);
}

static void make_odd_slab(void *arg)
{
    struct fate__slab slab;
    fate__slab_init(&slab, 50, 0, NULL);
}

TEST(a_slab_of_an_odd_size_stops_the_program)
{
    EXPECT_STOP(make_odd_slab, NULL, "slab.c:", "block_bytes % 16 == 0", "a mistake in libfate");
}

/* ---- Stops ---- */

static void stop_with_site(void *arg)
{
    fate__stop(arg, "%d things", 5);
}

TEST(a_stop_names_the_place_without_its_folders)
{
    EXPECT_STOP(stop_with_site, "use_key /src/client.c:6", "libfate: use_key client.c:6: 5 things\n");
    EXPECT_STOP(stop_with_site, "", "libfate: 5 things\n");
    EXPECT_STOP(stop_with_site, NULL, "libfate: 5 things\n");
}

/* ---- UTF-8 (RFC 3629) ---- */

TEST(a_character_has_its_length_and_what_is_none_has_0)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        { "a", 1 },
        { "\x7f", 1 },
        { "\xc2\x80", 2 },
        { "\xdf\xbf", 2 },
        { "\xe0\xa0\x80", 3 },
        { "\xef\xbf\xbf", 3 },
        { "\xf0\x90\x80\x80", 4 },
        { "\xf4\x8f\xbf\xbf", 4 },
        { "\x80", 0 },
        { "\xc1\xbf", 0 },
        { "\xc2", 0 },
        { "\xc2 ", 0 },
        { "\xe0\x9f\x80", 0 },
        { "\xed\xa0\x80", 0 },
        { "\xe2\x82", 0 },
        { "\xe2\x82 ", 0 },
        { "\xf0\x8f\x80\x80", 0 },
        { "\xf4\x90\x80\x80", 0 },
        { "\xf5\x80\x80\x80", 0 },
        { "\xff", 0 },
        { "\xf0\x90\x80\xc0", 0 },
        { "", 0 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        EXPECT_EQ(fate__utf8_len(cases[i].bytes, strlen(cases[i].bytes)), cases[i].len);
    EXPECT_EQ(fate__utf8_len("\xe2\x82\xac", 2), 0);
}

/* ---- Hashes ---- */

TEST(a_hash_depends_on_each_byte_and_the_length)
{
    char bytes[40] = { 0 };
    uint64_t whole = fate__hash(bytes, sizeof bytes);

    EXPECT(fate__hash(bytes, sizeof bytes) == whole);
    for (size_t i = 0; i < sizeof bytes; i++) {
        EXPECT(fate__hash(bytes, i) != fate__hash(bytes, i + 1));
        bytes[i] = 1;
        EXPECT(fate__hash(bytes, sizeof bytes) != whole);
        bytes[i] = 0;
    }
}

/* ---- The allocator ---- */

static int n_obtained, n_released;

static void *obtain_noted(size_t bytes, void *user)
{
    n_obtained++;
    return malloc(bytes);
}

static void *resize_noted(void *block, size_t bytes, void *user)
{
    return realloc(block, bytes);
}

static void release_noted(void *block, void *user)
{
    n_released += user == &n_released;
    free(block);
}

static void use_own_allocator(void *arg)
{
    const fate_allocator own = { obtain_noted, resize_noted, release_noted, &n_released };

    fate_set_allocator(&own);
    fate_drop(fate_str("abc"));
    fate_set_allocator(NULL);
    fate_drop(fate_str("abc"));
    if (n_obtained == 1 && n_released == 1)
        fate__stop(NULL, "one block came and went");
}

TEST(memory_comes_from_the_allocator_that_is_set)
{
    EXPECT_STOP(use_own_allocator, NULL, "one block came and went");
}
