/* Pools of threads.
 *
 * Jobs are handed in by the reactor's thread.  An idle thread is given its job directly; when all are busy,
 * the job waits in line, and a thread that is done takes the oldest.  Of many jobs at once only the first
 * wakes a thread: that one, before its job, wakes the next if there is still something in line.  So while one
 * is idle and something is in line, another is coming, and a job that blocks keeps nobody but its own thread
 * (R253).
 *
 * A thread first looks for what it does next, and tells the reactor of what it has done after that: whoever
 * hears that a job is done finds its thread idle (R252). */
#include <reactor/pool.h>

#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <string.h>

#include <base/alloc.h>
#include <base/options.h>
#include <base/sys.h>
#include <reactor/blocking.h>

#define SPIN       (30 * FATE_MICROSECOND)
#define TRUST_MAX  8
#define NAME_BYTES 16 /* what Linux keeps of a thread's name */

struct worker {
    struct fate__link link;
    struct fate_pool *pool;
    pthread_t thread;
    sem_t wake;            /* it has been given a job, or is to end */
    struct fate__job *job; /* what it has been given; NULL: the end */
    bool is_looking;
    int trust; /* below 0 it has waited too long of late to look for work first */
};

/* ---- What a thread does ---- */

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __asm__ volatile("pause");
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void sleep_until_woken(struct worker *worker)
{
    while (sem_wait(&worker->wake) < 0)
        ;
}

/* Whoever has not had to wait for long looks for a while before it sleeps, so that the next job costs no
 * system call; one at a time, and only while that goes well. */
static bool look_for_a_while(struct worker *worker)
{
    fate_time end = fate__monotonic() + SPIN;

    do
        for (unsigned i = 0; i < 32; i++) {
            if (sem_trywait(&worker->wake) == 0)
                return true;
            relax();
        }
    while (fate__monotonic() < end);
    return false;
}

static int new_trust(int trust, bool has_found)
{
    if (has_found)
        return trust < TRUST_MAX ? trust + 1 : TRUST_MAX;
    return trust > 1 ? trust / 2 : -TRUST_MAX;
}

static struct fate__job *wait_for_job(struct worker *worker)
{
    bool has_found = false;

    if (worker->is_looking) {
        has_found = look_for_a_while(worker);
        atomic_fetch_sub_explicit(&worker->pool->n_looking, 1, memory_order_relaxed);
        worker->trust = new_trust(worker->trust, has_found);
    }
    if (!has_found)
        sleep_until_woken(worker);
    return worker->job;
}

static void begin(struct fate__job *job, fate_time now)
{
    job->since = now;
    atomic_store_explicit(&job->state, FATE__JOB_BEGUN, memory_order_relaxed);
}

static struct fate__job *take_oldest(struct fate_pool *pool)
{
    if (fate__list_is_empty(&pool->line))
        return NULL;
    struct fate__job *job = fate_container_of(pool->line.next, struct fate__job, link);
    fate_time now = fate__coarse(), waited = now - job->since;
    begin(job, now);
    if (waited > pool->longest_wait)
        pool->longest_wait = waited;
    fate__list_remove(&job->link);
    pool->n_waiting--;
    return job;
}

static void move_to(struct fate__link *list, struct worker *worker)
{
    fate__list_remove(&worker->link);
    fate__list_add_first(list, &worker->link);
}

static struct worker *hand_over(struct fate_pool *pool, struct fate__job *job)
{
    struct worker *worker = fate_container_of(pool->idle.next, struct worker, link);

    move_to(&pool->busy, worker);
    pool->n_idle--;
    pool->n_coming++;
    worker->job = job;
    return worker;
}

/* A thread has woken up with its job. */
static void arrive(struct fate_pool *pool)
{
    struct worker *next = NULL;

    pthread_mutex_lock(&pool->lock);
    pool->n_coming--;
    if (!fate__list_is_empty(&pool->idle) && !fate__list_is_empty(&pool->line))
        next = hand_over(pool, take_oldest(pool));
    pthread_mutex_unlock(&pool->lock);
    if (next)
        sem_post(&next->wake);
}

static void become_idle(struct fate_pool *pool, struct worker *worker)
{
    pool->n_idle++;
    if (worker->trust < 0)
        worker->trust++;
    worker->is_looking = pool->may_spin && worker->trust >= 0 &&
                         atomic_load_explicit(&pool->n_looking, memory_order_relaxed) == 0;
    fate__list_remove(&worker->link);
    if (worker->is_looking) {
        atomic_fetch_add_explicit(&pool->n_looking, 1, memory_order_relaxed);
        fate__list_add_first(&pool->idle, &worker->link);
    } else {
        fate__list_add_last(&pool->idle, &worker->link);
    }
}

static void leave(struct fate_pool *pool, struct worker *worker)
{
    pool->n_threads--;
    move_to(&pool->ended, worker);
}

/* What comes after a job: another, NULL with *ret_leaves: the end, or NULL: to be idle. */
static struct fate__job *next_job(struct fate_pool *pool, struct worker *worker, bool *ret_leaves)
{
    struct fate__job *job = NULL;

    pthread_mutex_lock(&pool->lock);
    pool->n_done++;
    bool is_surplus = pool->n_threads > pool->threads_max && !pool->is_closed;
    if (!is_surplus)
        job = take_oldest(pool);
    *ret_leaves = !job && (is_surplus || pool->is_closed);
    if (*ret_leaves)
        leave(pool, worker);
    else if (!job)
        become_idle(pool, worker);
    pthread_mutex_unlock(&pool->lock);
    return job;
}

/* Does the job and those in line behind it; false: the thread is to end. */
static bool do_jobs(struct worker *worker, struct fate__job *job)
{
    bool leaves = false;

    arrive(worker->pool);
    while (job) {
        fate__job_do(job);
        struct fate__job *next = next_job(worker->pool, worker, &leaves);
        fate__job_tell(job);
        job = next;
    }
    return !leaves;
}

/* A thread that is woken does not push the reactor's off its processor, which has more to hand out; unless
 * the program has asked for a schedule of its own. */
static void set_up_thread(const struct fate_pool *pool)
{
    struct sched_param param;
    char name[NAME_BYTES];
    int policy;

    strncpy(name, pool->name, sizeof name - 1);
    name[sizeof name - 1] = '\0';
    pthread_setname_np(pthread_self(), name);
    if (pthread_getschedparam(pthread_self(), &policy, &param) == 0 && policy == SCHED_OTHER)
        pthread_setschedparam(pthread_self(), SCHED_BATCH, &param);
}

/* Of a thread of a pool. */
static _Thread_local fate_pool *own_pool;

fate_pool *fate__this_pool(void)
{
    return own_pool;
}

static void *work(void *arg)
{
    struct worker *worker = arg;
    struct fate__job *job;

    set_up_thread(worker->pool);
    own_pool = worker->pool;
    do
        job = wait_for_job(worker);
    while (job && do_jobs(worker, job));
    return NULL;
}

/* ---- Making and joining threads ---- */

static void free_worker(struct worker *worker)
{
    sem_destroy(&worker->wake);
    fate__free(worker);
}

/* Threads that have ended, or are about to, are joined. */
static void join_ended(struct fate_pool *pool)
{
    struct fate__link ended;

    fate__list_init(&ended);
    pthread_mutex_lock(&pool->lock);
    while (!fate__list_is_empty(&pool->ended))
        move_to(&ended, fate_container_of(pool->ended.next, struct worker, link));
    pthread_mutex_unlock(&pool->lock);
    while (!fate__list_is_empty(&ended)) {
        struct worker *worker = fate_container_of(ended.next, struct worker, link);
        fate__list_remove(&worker->link);
        pthread_join(worker->thread, NULL);
        free_worker(worker);
    }
}

static struct worker *new_worker(struct fate_pool *pool)
{
    struct worker *worker = fate__zalloc(sizeof *worker);

    if (!worker)
        return NULL;
    worker->pool = pool;
    sem_init(&worker->wake, 0, 0);
    fate__list_init(&worker->link);
    return worker;
}

/* Counts a thread before it is made; with the oldest job of the line, if there is one. */
static void enlist(struct fate_pool *pool, struct worker *worker)
{
    pthread_mutex_lock(&pool->lock);
    worker->job = take_oldest(pool);
    pool->n_threads++;
    pool->n_idle += !worker->job;
    pool->n_coming += worker->job != NULL;
    fate__list_add_last(worker->job ? &pool->busy : &pool->idle, &worker->link);
    pthread_mutex_unlock(&pool->lock);
    if (worker->job)
        sem_post(&worker->wake);
}

/* It could not be made.  Meanwhile another thread may have found the line empty and gone to sleep: that one
 * gets the job, since nobody else would wake it. */
static void strike_out(struct fate_pool *pool, struct worker *worker)
{
    struct fate__job *job = worker->job;
    struct worker *other = NULL;

    pthread_mutex_lock(&pool->lock);
    pool->n_threads--;
    pool->n_idle -= !job;
    pool->n_coming -= job != NULL;
    fate__list_remove(&worker->link);
    if (job) {
        atomic_store(&job->state, FATE__JOB_WAITS);
        fate__list_add_first(&pool->line, &job->link);
        pool->n_waiting++;
        if (!pool->n_coming && !fate__list_is_empty(&pool->idle))
            other = hand_over(pool, take_oldest(pool));
    }
    pthread_mutex_unlock(&pool->lock);
    if (other)
        sem_post(&other->wake);
    free_worker(worker);
}

/* 0 or an errno. */
static int add_thread(struct fate_pool *pool)
{
    join_ended(pool);
    struct worker *worker = new_worker(pool);
    if (!worker)
        return ENOMEM;
    enlist(pool, worker);
    int why = fate__thread_create(&worker->thread, work, worker);
    if (why)
        strike_out(pool, worker);
    return why;
}

static bool lacks_threads(struct fate_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    unsigned n = pool->n_threads;
    bool is_needed = n < pool->threads_min || pool->n_waiting > 0;
    bool may_have = n < pool->threads_max || (pool->is_closed && n == 0);
    pthread_mutex_unlock(&pool->lock);
    return is_needed && may_have;
}

static bool has_nobody(struct fate_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    bool has = pool->n_threads == 0;
    pthread_mutex_unlock(&pool->lock);
    return has;
}

/* As many as are wanted and can be made.  0; an errno: there is none at all. */
static int add_threads(struct fate_pool *pool)
{
    int why = 0;

    while (why == 0 && lacks_threads(pool))
        why = add_thread(pool);
    return why && has_nobody(pool) ? why : 0;
}

/* ---- Jobs ---- */

static void line_up(struct fate_pool *pool, struct fate__job *job)
{
    atomic_store_explicit(&job->state, FATE__JOB_WAITS, memory_order_relaxed);
    job->since = fate__coarse();
    fate__list_add_last(&pool->line, &job->link);
    pool->n_waiting++;
}

int fate__pool_give(fate_pool *pool, struct fate__job *job)
{
    struct worker *worker = NULL;

    pthread_mutex_lock(&pool->lock);
    bool has_idle = !fate__list_is_empty(&pool->idle);
    if (has_idle && !pool->n_coming) {
        begin(job, fate__coarse());
        worker = hand_over(pool, job);
    } else {
        line_up(pool, job);
    }
    bool may_add = !has_idle && pool->has_started && pool->n_threads < pool->threads_max;
    pthread_mutex_unlock(&pool->lock);
    if (worker)
        sem_post(&worker->wake);
    int why = may_add ? add_threads(pool) : 0;
    return why && fate__pool_take_back(job) ? why : 0;
}

bool fate__pool_take_back(struct fate__job *job)
{
    struct fate_pool *pool = job->pool;

    /* It does not come back to this state, and once it has left it the pool may be gone. */
    if (atomic_load_explicit(&job->state, memory_order_relaxed) != FATE__JOB_WAITS)
        return false;
    pthread_mutex_lock(&pool->lock);
    bool waits = atomic_load_explicit(&job->state, memory_order_relaxed) == FATE__JOB_WAITS;
    if (waits) {
        fate__list_remove(&job->link);
        pool->n_waiting--;
        atomic_store_explicit(&job->state, FATE__JOB_OVER, memory_order_relaxed);
    }
    pthread_mutex_unlock(&pool->lock);
    return waits;
}

bool fate__pool_is_full(fate_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    size_t n_given = pool->n_threads - pool->n_idle + pool->n_waiting;
    size_t room = pool->threads_max;
    pthread_mutex_unlock(&pool->lock);
    return n_given >= room && n_given - room >= pool->waiting_max;
}

/* Nobody will do what is in line. */
static void refuse_all(struct fate_pool *pool, int why, void (*refuse)(struct fate__job *job, int why))
{
    while (!fate__list_is_empty(&pool->line)) {
        struct fate__job *job = fate_container_of(pool->line.next, struct fate__job, link);
        fate__pool_take_back(job);
        refuse(job, why);
    }
}

/* The same for a pool that stays for now: whoever hears of it at once might free it. */
static void refuse_all_later(struct fate_pool *pool, int why)
{
    refuse_all(pool, why, fate__job_refuse_later);
}

/* ---- Life ---- */

static bool has_several_processors(void)
{
    cpu_set_t processors;

    CPU_ZERO(&processors);
    return sched_getaffinity(0, sizeof processors, &processors) == 0 && CPU_COUNT(&processors) > 1;
}

static size_t count_line(struct fate_pool *pool)
{
    size_t n = 0;
    for (struct fate__link *link = pool->line.next; link != &pool->line; link = link->next)
        n++;
    return n;
}

void fate__pool_start(fate_pool *pool)
{
    if (pool->has_started)
        return;
    pool->has_started = true;
    pool->may_spin = has_several_processors();
    fate__pool_reactor(pool)->n_outside += count_line(pool);
    int why = add_threads(pool);
    if (why)
        refuse_all_later(pool, why);
}

/* Idle threads end, until there are no more than n. */
static void dismiss_idle(struct fate_pool *pool, unsigned n)
{
    pthread_mutex_lock(&pool->lock);
    while (pool->n_threads > n && !fate__list_is_empty(&pool->idle)) {
        struct worker *worker = fate_container_of(pool->idle.prev, struct worker, link);
        pool->n_idle--;
        leave(pool, worker);
        worker->job = NULL;
        sem_post(&worker->wake);
    }
    pthread_mutex_unlock(&pool->lock);
}

/* One that has ended or will; it stays where it can be found until it has been joined. */
static struct worker *any_left(struct fate_pool *pool)
{
    struct fate__link *link = NULL;

    pthread_mutex_lock(&pool->lock);
    if (!fate__list_is_empty(&pool->ended))
        link = pool->ended.next;
    else if (!fate__list_is_empty(&pool->busy))
        link = pool->busy.next;
    pthread_mutex_unlock(&pool->lock);
    return link ? fate_container_of(link, struct worker, link) : NULL;
}

static void join_all(struct fate_pool *pool)
{
    struct worker *worker;

    while ((worker = any_left(pool))) {
        pthread_join(worker->thread, NULL);
        pthread_mutex_lock(&pool->lock);
        fate__list_remove(&worker->link);
        pthread_mutex_unlock(&pool->lock);
        free_worker(worker);
    }
}

/* No more is taken in; busy threads end when the line is empty. */
static void shut(struct fate_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->is_closed = true;
    pool->threads_min = 0;
    pthread_mutex_unlock(&pool->lock);
}

void fate__pool_stop(fate_pool *pool)
{
    if (pool->is_closed)
        return;
    shut(pool);
    if (!pool->has_started)
        return;
    fate__blocking_refuse_pool(fate__pool_reactor(pool), pool);
    int why = add_threads(pool); /* there may be none, by fate_pool_resize */
    if (why)
        refuse_all_later(pool, why);
    dismiss_idle(pool, 0);
    join_all(pool);
}

static void destroy(struct fate__owned *owned)
{
    struct fate_pool *pool = (struct fate_pool *)owned;

    fate__pool_stop(pool);
    refuse_all(pool, ECANCELED, fate__job_refuse);
    fate__list_remove(&pool->link);
    fate__disown(owned);
    pthread_mutex_destroy(&pool->lock);
    fate__free(pool);
}

static void check_limits(unsigned threads_min, unsigned threads_max, const char *what, const char *site)
{
    if (threads_min > threads_max)
        fate__stop(site, "%s was given a threads_min of %u and a threads_max of %u, which is less (R247).",
                   what, threads_min, threads_max);
}

static struct fate_pool *make(fate_reactor *reactor, const fate_pool_options *options, const char *site)
{
    unsigned threads_max = options->threads_max ? options->threads_max : 10;

    check_limits(options->threads_min, threads_max, "fate_pool_new_with", site);
    if (fate__threads_need_jobs(reactor) < 0)
        return (struct fate_pool *)&reactor->turns.no_memory_thing;
    struct fate_pool *pool = fate__own(reactor, sizeof *pool, destroy, "fate_pool_new");
    if (pool->owned.is_no_memory)
        return pool;
    pool->owned.site = site;
    pool->name = options->name ? options->name : "fate";
    pool->waiting_max = options->waiting_max ? options->waiting_max : SIZE_MAX;
    pool->threads_min = options->threads_min;
    pool->threads_max = threads_max;
    atomic_init(&pool->is_closed, reactor->threads.has_stopped);
    pthread_mutex_init(&pool->lock, NULL);
    fate__list_init(&pool->line);
    fate__list_init(&pool->idle);
    fate__list_init(&pool->busy);
    fate__list_init(&pool->ended);
    pool->owned.look = fate__pool_look;
    fate__list_add_last(&reactor->threads.pools, &pool->link);
    if (reactor->threads.has_started && !pool->is_closed)
        fate__pool_start(pool);
    return pool;
}

fate_pool *fate_pool_new_at(fate_reactor *reactor, const fate_pool_options *given, const char *site)
{
    fate_pool_options options = { 0 };

    fate__check_reactor(reactor, "fate_pool_new", site);
    fate__take_options(&options, sizeof options, given, "fate_pool_new_with", site);
    return make(reactor, &options, site);
}

fate_pool *(fate_pool_new_with)(fate_reactor *reactor, const fate_pool_options *options)
{
    return fate_pool_new_at(reactor, options, "fate_pool_new_with");
}

fate_pool *(fate_pool_new)(fate_reactor *reactor)
{
    return fate_pool_new_at(reactor, NULL, "fate_pool_new");
}

/* The functions that take a pool. */
static bool check(const fate_pool *pool, const char *what)
{
    if (!pool)
        fate__stop(NULL, "%s was given a NULL pool. No function of libfate returns one: was it ever set?",
                   what);
    fate__check_reactor(fate__reactor(pool->owned.turns), what, NULL);
    return !pool->owned.is_no_memory;
}

void fate_pool_free(fate_pool *pool)
{
    if (!pool || !check(pool, "fate_pool_free"))
        return;
    if (fate__pool_reactor(pool)->threads.own == pool)
        fate__stop(NULL, "fate_pool_free was given the reactor's own pool, which goes with the reactor.");
    destroy(&pool->owned);
}

fate_pool *fate_reactor_pool(fate_reactor *reactor)
{
    fate__check_reactor(reactor, "fate_reactor_pool", NULL);
    if (!reactor->threads.own) {
        const fate_pool_options options = { .name = reactor->options.name,
                                            .threads_max = reactor->options.threads_max };
        struct fate_pool *pool = make(reactor, &options, "");
        if (pool->owned.is_no_memory)
            return pool;
        reactor->threads.own = pool;
    }
    return reactor->threads.own;
}

int fate_pool_resize(fate_pool *pool, unsigned threads_min, unsigned threads_max)
{
    if (!check(pool, "fate_pool_resize"))
        return -ENOMEM;
    check_limits(threads_min, threads_max, "fate_pool_resize", NULL);
    pthread_mutex_lock(&pool->lock);
    pool->threads_min = pool->is_closed ? 0 : threads_min;
    pool->threads_max = threads_max;
    pthread_mutex_unlock(&pool->lock);
    if (!pool->has_started)
        return 0;
    dismiss_idle(pool, threads_max);
    join_ended(pool);
    return -add_threads(pool);
}

/* ---- Looking ---- */

fate_pool *fate__pool_of(struct fate__link *link)
{
    return fate_container_of(link, struct fate_pool, link);
}

bool fate__pool_has_started(const fate_pool *pool)
{
    return pool->has_started;
}

bool fate__pool_is_closed(fate_pool *pool)
{
    return pool->is_closed;
}

bool fate__pool_is_no_memory(const fate_pool *pool)
{
    return pool->owned.is_no_memory;
}

fate_reactor *fate__pool_reactor(const fate_pool *pool)
{
    return fate__reactor(pool->owned.turns);
}
