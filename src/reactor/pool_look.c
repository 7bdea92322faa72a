/* Looking at pools: counts, and what the report says of them and of their jobs. */
#include <reactor/pool.h>

#include <stdio.h>
#include <string.h>

#include <base/text.h>

static fate_time waiting_since(const struct fate_pool *pool)
{
    if (fate__list_is_empty(&pool->line))
        return FATE_NEVER;
    return fate_container_of(pool->line.next, struct fate__job, link)->since;
}

fate_value fate_pool_counts(const fate_pool *lent)
{
    struct fate_pool *pool = (struct fate_pool *)lent;

    if (!pool)
        fate__stop(NULL, "fate_pool_counts was given a NULL pool. No function of libfate returns one: was it "
                         "ever set?");
    fate__check_reactor(fate__pool_reactor(pool), "fate_pool_counts", NULL);
    if (pool->owned.is_no_memory)
        return fate__no_memory();
    pthread_mutex_lock(&pool->lock);
    unsigned n_threads = pool->n_threads, n_idle = pool->n_idle;
    size_t n_waiting = pool->n_waiting;
    fate_time since = waiting_since(pool), longest_wait = pool->longest_wait;
    uint64_t n_done = pool->n_done;
    pthread_mutex_unlock(&pool->lock);
    fate_time waiting = since == FATE_NEVER ? 0 : fate__coarse() - since;
    return fate_dict_of({ "threads", fate_int(n_threads) }, { "idle", fate_int(n_idle) },
                        { "waiting", fate_int((int64_t)n_waiting) }, { "waiting_ns", fate_int(waiting) },
                        { "longest_wait_ns", fate_int(longest_wait) }, { "done", fate_int((int64_t)n_done) });
}

/* ---- For the report ---- */

const fate_pool *fate__pool_describe(const struct fate__job *job, char *to, size_t n)
{
    struct fate_pool *pool = job->pool;
    char span[FATE__SPAN_BYTES], site[64];

    if (atomic_load_explicit(&job->state, memory_order_relaxed) == FATE__JOB_OVER) {
        snprintf(to, n, "the next round, its thread being done");
        return NULL;
    }
    pthread_mutex_lock(&pool->lock);
    bool has_begun = atomic_load_explicit(&job->state, memory_order_relaxed) != FATE__JOB_WAITS;
    fate__span_text(fate__coarse() - job->since, span);
    pthread_mutex_unlock(&pool->lock);
    if (has_begun)
        snprintf(to, n, "thread of pool '%.15s' running %s for %s", pool->name,
                 fate__site_short(job->site, site, sizeof site), span);
    else
        snprintf(to, n, "pool '%.15s'%s, in line for %s", pool->name, pool->has_started ? "" : " to start",
                 span);
    return pool;
}

static void add_count(char *to, size_t room, size_t n, const char *one)
{
    size_t len = strlen(to);
    snprintf(to + len, room - len, "%s%zu %s%s", len ? ", " : "", n, one, n == 1 ? "" : "s");
}

/* "1 thread, 3 jobs waiting for 0.2 s" */
static void describe(struct fate_pool *pool, char *to, size_t n)
{
    char span[FATE__SPAN_BYTES];

    pthread_mutex_lock(&pool->lock);
    unsigned n_threads = pool->n_threads, n_idle = pool->n_idle;
    size_t n_waiting = pool->n_waiting;
    fate_time since = waiting_since(pool);
    pthread_mutex_unlock(&pool->lock);
    *to = '\0';
    add_count(to, n, n_threads, "thread");
    if (n_idle)
        snprintf(to + strlen(to), n - strlen(to), ", %u idle", n_idle);
    if (n_waiting) {
        add_count(to, n, n_waiting, "job");
        snprintf(to + strlen(to), n - strlen(to), " waiting for %s",
                 fate__span_text(fate__coarse() - since, span));
    }
    if (!pool->has_started)
        snprintf(to + strlen(to), n - strlen(to), ", not started");
}

struct looking {
    struct fate_pool *pool;
    fate__see_fn *see;
    void *arg;
};

/* Only the reactor's thread lets one go. */
static void look_at_job(void *block, void *arg)
{
    const struct looking *looking = arg;
    struct fate__job *job = block;

    if (fate__slab_is_poisoned(job))
        return;
    int state = atomic_load_explicit(&job->state, memory_order_relaxed);
    bool is_pools = state == FATE__JOB_WAITS || state == FATE__JOB_BEGUN;
    if (is_pools && job->pool == looking->pool)
        fate__job_see(job, looking->see, looking->arg);
}

/* Its jobs that nobody waits for are shown below it; the others by their deferreds. */
void fate__pool_look(struct fate__owned *owned, fate__see_fn *see, void *arg)
{
    struct looking looking = { (struct fate_pool *)owned, see, arg };
    char state[160];
    const struct fate__seen seen = {
        .kind = "pool",
        .name = looking.pool->name,
        .site = owned->site ? owned->site : "",
        .state = state,
        .age = fate__age(owned->turns, owned->made_ms),
        .id = owned,
    };

    describe(looking.pool, state, sizeof state);
    see(&seen, arg);
    fate__slab_each(fate__reactor(owned->turns)->threads.jobs, look_at_job, &looking);
}
