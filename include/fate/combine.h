/* Waiting for several deferreds: all of them, the first, or all or nothing (R97-R122). */
#ifndef FATE_COMBINE_H
#define FATE_COMBINE_H

#include <fate/deferred.h>

FATE_BEGIN

/* All three add a level to each member, in order, and consume none of them: a member's later levels see its
 * result again unless said otherwise.  Members that have fired report at once.  The new deferred's producer
 * is the library. Cancelling it before it has fired cancels every member, in order (R101, R118); after that
 * it does nothing. members itself is only read during the call. */

/* Twisted's DeferredList.  Zero means the default. */
typedef struct fate_settle_options {
    size_t size;
    bool fire_on_one_callback; /* fires with [value, index] of the first success (R103) */
    bool fire_on_one_errback;  /* fails with FATE_FIRST_ERROR at the first failure (R104) */
    bool consume_errors;       /* members' failures become none on the member (R102) */
} fate_settle_options;

/* Fires, when all have reported, with the list of their results in order, values and failures; it never fails
 * by itself (R98).  No members: an empty list at once, or never with fire_on_one_callback (R99). A failure
 * stays on its member too, and is reported there, unless consume_errors. */
FATE_API fate_deferred *fate_settle_at(fate_reactor *reactor, size_t n, fate_deferred *const members[],
                                       const fate_settle_options *options, const char *site);

typedef struct fate_gather_options {
    size_t size;
    bool consume_errors;
} fate_gather_options;

/* Twisted's gatherResults: the list of all values, or FATE_FIRST_ERROR for the first failure, whose
 * fate_cause is the failure and whose fate_payload the index (R112). */
FATE_API fate_deferred *fate_gather_at(fate_reactor *reactor, size_t n, fate_deferred *const members[],
                                       const fate_gather_options *options, const char *site);

/* Fires with [index, value] of the first success, when all other members have been cancelled (R114).  If
 * every member fails, so does the race, with FATE_FAILURE_GROUP, whose fate_payload is the list of failures
 * in order. Members are left with none (R116), but for one that
 * ends a race that was cancelled before: it has FATE_ALREADY_CALLED.  A race of nobody never fires by itself.
 */
FATE_API fate_deferred *fate_race_at(fate_reactor *reactor, size_t n, fate_deferred *const members[],
                                     const char *site);

FATE_END

#ifdef __cplusplus
#include <fate/combine_cxx.h>
#else
/* The plain functions, without a line, for dlsym and other languages; the macros over them name the place. */
FATE_API fate_deferred *fate_settle(fate_reactor *reactor, size_t n, fate_deferred *const members[]);
FATE_API fate_deferred *fate_settle_with(fate_reactor *reactor, size_t n, fate_deferred *const members[],
                                         const fate_settle_options *options);
FATE_API fate_deferred *fate_gather(fate_reactor *reactor, size_t n, fate_deferred *const members[]);
FATE_API fate_deferred *fate_gather_with(fate_reactor *reactor, size_t n, fate_deferred *const members[],
                                         const fate_gather_options *options);
FATE_API fate_deferred *fate_race(fate_reactor *reactor, size_t n, fate_deferred *const members[]);
#define fate_settle(reactor, n, ...) fate_settle_at(reactor, n, __VA_ARGS__, NULL, FATE_HERE)
#define fate_settle_with(reactor, n, members, ...)                                                           \
    fate_settle_at(reactor, n, members, FATE_WITH(fate_settle_options, __VA_ARGS__), FATE_HERE)
#define fate_gather(reactor, n, ...) fate_gather_at(reactor, n, __VA_ARGS__, NULL, FATE_HERE)
#define fate_gather_with(reactor, n, members, ...)                                                           \
    fate_gather_at(reactor, n, members, FATE_WITH(fate_gather_options, __VA_ARGS__), FATE_HERE)
#define fate_race(reactor, n, ...) fate_race_at(reactor, n, __VA_ARGS__, FATE_HERE)

/* The members written out: fate_gather_of(reactor, a, b, c). */
#define FATE_DEFERREDS(...)                                                                                  \
    (fate_deferred *const[])                                                                                 \
    {                                                                                                        \
        __VA_ARGS__                                                                                          \
    }
#define FATE_N_DEFERREDS(...) (sizeof(FATE_DEFERREDS(__VA_ARGS__)) / sizeof(fate_deferred *))
#define fate_settle_of(reactor, ...)                                                                         \
    fate_settle_at(reactor, FATE_N_DEFERREDS(__VA_ARGS__), FATE_DEFERREDS(__VA_ARGS__), NULL, FATE_HERE)
#define fate_gather_of(reactor, ...)                                                                         \
    fate_gather_at(reactor, FATE_N_DEFERREDS(__VA_ARGS__), FATE_DEFERREDS(__VA_ARGS__), NULL, FATE_HERE)
#define fate_race_of(reactor, ...)                                                                           \
    fate_race_at(reactor, FATE_N_DEFERREDS(__VA_ARGS__), FATE_DEFERREDS(__VA_ARGS__), FATE_HERE)
#endif

#endif
