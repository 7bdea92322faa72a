/* fate_workers: a program on several threads.
 *
 * The reactors are made, and freed, in the thread that has called it; so each may be posted to as long as any
 * of them runs.  That thread is the first worker, and the one that hears of signals.  What the workers tell
 * one another are posts that were made at the beginning, so that it cannot fail. */
#include <net/workers.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/alloc.h>
#include <base/sys.h>
#include <reactor/reactor.h>

#define WORKERS_MAX 1024
#define NAME_BYTES  24

static const char own_site[] = FATE__OWN_SITE("fate_workers");

struct fate__worker {
    struct fate__crew *crew;
    unsigned i;
    fate_reactor *reactor;
    pthread_t thread;
    bool has_thread;
    fate_deferred *d; /* main's, held */
    int status;
    bool must_end; /* main's deferred has been cancelled, or will be */
    bool is_over;  /* its reactor has stopped: what its end does to d concerns nobody */
    /* Prepared; NULL once they have been posted. */
    struct fate__post *order, *news; /* to end, to this one; that this one has ended, to the first */
    atomic_bool was_told;
    char name[NAME_BYTES];
};

struct fate__crew {
    fate_main_fn *start;
    int argc;
    char **argv;
    unsigned n, n_running; /* n_running belongs to the first worker's thread */
    atomic_int signo;      /* the one that has ended it; 0: none */
    pthread_mutex_t lock;
    struct fate__link common;   /* under the lock */
    struct sigaction before[2]; /* of SIGINT and SIGTERM */
    struct fate__worker workers[];
};

/* ---- Ending ---- */

/* From any worker's thread. */
static void tell_all_to_end(struct fate__crew *crew)
{
    for (unsigned i = 0; i < crew->n; i++) {
        struct fate__worker *worker = &crew->workers[i];
        if (atomic_exchange(&worker->was_told, true))
            continue;
        fate__post_prepared(&worker->reactor->posts, worker->order);
    }
}

/* The order has come. */
static void end_main(fate_value *arg)
{
    struct fate__worker *worker = fate_as_ptr(arg);

    worker->must_end = true;
    fate_stop(worker->reactor);
    if (worker->d)
        fate_cancel(worker->d);
}

/* What main's deferred does when it is cancelled may take time, and the shutdown waits for it. */
static fate_value wait_for_main(fate_value *arg)
{
    const struct fate__worker *worker = fate_as_ptr(arg);

    if (!worker->d || !worker->must_end || fate_state(worker->d) == FATE_DONE)
        return fate_none();
    return fate_follow(worker->d);
}

/* The first one's reactor hears of signals, and so goes on until all others have ended. */
static void one_has_ended(struct fate__crew *crew)
{
    if (--crew->n_running == 0)
        fate_stop(crew->workers[0].reactor);
}

static void has_news(fate_value *arg)
{
    one_has_ended(fate_as_ptr(arg));
}

static void note_failure(struct fate__worker *worker, const fate_value *why)
{
    int signo = worker->crew->signo;

    if (worker->must_end && fate_is(why, &FATE_CANCELLED)) {
        worker->status = signo ? 128 + signo : 0;
        return;
    }
    fate_value copy = fate_copy(why);
    fate_value none = fate_none();
    fate_drop(fate_log_failure(&copy, &none));
    fate_drop(copy);
    worker->status = EXIT_FAILURE;
    tell_all_to_end(worker->crew);
}

static void main_is_over(struct fate__worker *worker)
{
    if (worker->i > 0)
        fate_stop(worker->reactor);
    else
        one_has_ended(worker->crew);
}

static fate_deferred *main_has_ended(fate_deferred *d, struct fate__level *level)
{
    struct fate__worker *worker = level->arg.as.p;

    if (fate_is_failure(&d->result)) {
        if (!worker->is_over)
            note_failure(worker, &d->result);
        fate__become(d, fate_none(), "fate_workers");
    }
    if (!worker->is_over)
        main_is_over(worker);
    return NULL;
}

/* It will never be: nobody can end it any more. */
static void main_will_not_end(struct fate__level *level)
{
    struct fate__worker *worker = level->arg.as.p;

    if (!worker->is_over)
        main_is_over(worker);
}

static const struct fate__native end_level = { "fate_workers", main_has_ended, main_will_not_end };

/* ---- Signals, of the first worker ---- */

/* The second: whoever gave it does not want to wait. */
static void end_at_once(int signo)
{
    _exit(128 + signo);
}

static void has_come(struct fate__crew *crew, int signo)
{
    struct sigaction second = { .sa_handler = end_at_once };

    if (crew->signo)
        end_at_once(signo);
    crew->signo = signo;
    fate__sys->sigaction(SIGINT, &second, NULL);
    fate__sys->sigaction(SIGTERM, &second, NULL);
    tell_all_to_end(crew);
}

static void interrupted(fate_value *arg)
{
    has_come(fate_as_ptr(arg), SIGINT);
}

static void terminated(fate_value *arg)
{
    has_come(fate_as_ptr(arg), SIGTERM);
}

static int watch_signals(struct fate__crew *crew)
{
    fate_reactor *reactor = crew->workers[0].reactor;

    fate__sys->sigaction(SIGINT, NULL, &crew->before[0]);
    fate__sys->sigaction(SIGTERM, NULL, &crew->before[1]);
    fate_watch one = fate_on_signal_at(reactor, SIGINT, interrupted, fate_ptr(crew), own_site);
    fate_watch other = fate_on_signal_at(reactor, SIGTERM, terminated, fate_ptr(crew), own_site);
    return one.id < 0 ? (int)one.id : other.id < 0 ? (int)other.id : 0;
}

static void restore_signals(const struct fate__crew *crew)
{
    if (!crew->signo)
        return; /* the reactor's end has */
    fate__sys->sigaction(SIGINT, &crew->before[0], NULL);
    fate__sys->sigaction(SIGTERM, &crew->before[1], NULL);
}

/* ---- One worker ---- */

static fate_value start_main(fate_value *arg)
{
    struct fate__worker *worker = fate_as_ptr(arg);
    const struct fate__crew *crew = worker->crew;
    fate_deferred *d = crew->start(worker->reactor, crew->argc, crew->argv);

    if (!d)
        fate__stop(NULL, "fate_workers: the main function returned NULL. It must return a deferred; "
                         "fate_succeed makes one that is done.");
    worker->d = fate_hold(d);
    if (!fate__is_no_memory_deferred(d) && fate__add_native(d, &end_level, worker, 0)) {
        if (worker->must_end)
            fate_cancel(d);
        return fate_none();
    }
    const fate_value why = fate__no_memory();
    note_failure(worker, &why);
    main_is_over(worker);
    return fate_none();
}

static void say_why(const char *what, int why)
{
    fprintf(stderr, "fate_workers could not %s: %s\n", what, strerror(-why));
}

static void run(struct fate__worker *worker)
{
    struct fate__crew *crew = worker->crew;

    fate__own_thread(&worker->reactor->turns);
    int why = fate_run(worker->reactor);
    worker->is_over = true;
    if (why < 0) {
        say_why("run", why);
        worker->status = EXIT_FAILURE;
    }
    if (why < 0 || worker->i == 0)
        tell_all_to_end(crew);
    if (worker->i > 0)
        fate__post_prepared(&crew->workers[0].reactor->posts, worker->news);
}

static void *run_in_thread(void *worker)
{
    run(worker);
    return NULL;
}

static struct fate__post *prepare_post(fate_reactor *reactor, fate_action *action, void *arg)
{
    struct fate__post *post = fate__post_prepare(&reactor->posts);

    if (!post)
        return NULL;
    post->action = action;
    post->arg = fate_ptr(arg);
    post->site = own_site;
    return post;
}

static int prepare(struct fate__crew *crew, struct fate__worker *worker)
{
    snprintf(worker->name, sizeof worker->name, "worker %u", worker->i);
    worker->reactor = fate_reactor_new_with(.name = worker->name, .keep_signals = true);
    if (!worker->reactor)
        return -errno;
    fate_reactor *reactor = worker->reactor;
    reactor->worker = worker;
    fate_value arg = fate_ptr(worker);
    fate_watch before =
        fate_add_trigger_at(reactor, FATE_BEFORE, FATE_SHUTDOWN, wait_for_main, arg, own_site);
    fate_watch running = fate_call_when_running_at(reactor, start_main, arg, own_site);
    worker->order = prepare_post(reactor, end_main, worker);
    worker->news = prepare_post(crew->workers[0].reactor, has_news, crew);
    return before.id < 0 || running.id < 0 || !worker->order || !worker->news ? -ENOMEM : 0;
}

/* ---- All of them ---- */

static unsigned count_processors(void)
{
    cpu_set_t set;
    int n =
        sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : (int)sysconf(_SC_NPROCESSORS_ONLN);

    return n > 0 ? (unsigned)n : 1;
}

static struct fate__crew *new_crew(unsigned n, fate_main_fn *start, int argc, char **argv)
{
    struct fate__crew *crew = fate__zalloc(sizeof *crew + n * sizeof crew->workers[0]);

    if (!crew)
        return NULL;
    crew->start = start;
    crew->argc = argc;
    crew->argv = argv;
    crew->n = crew->n_running = n;
    pthread_mutex_init(&crew->lock, NULL);
    fate__list_init(&crew->common);
    for (unsigned i = 0; i < n; i++) {
        crew->workers[i].crew = crew;
        crew->workers[i].i = i;
    }
    return crew;
}

static int prepare_all(struct fate__crew *crew)
{
    int why = 0;

    for (unsigned i = 0; i < crew->n && why == 0; i++)
        why = prepare(crew, &crew->workers[i]);
    return why < 0 ? why : watch_signals(crew);
}

/* Those for which there is no thread do not begin. */
static void start_threads(struct fate__crew *crew)
{
    for (unsigned i = 1; i < crew->n; i++) {
        struct fate__worker *worker = &crew->workers[i];
        int why = fate__thread_create(&worker->thread, run_in_thread, worker);
        worker->has_thread = why == 0;
        if (why == 0)
            continue;
        say_why("start a thread", -why);
        worker->status = EXIT_FAILURE;
        tell_all_to_end(crew);
    }
}

static int join_all(struct fate__crew *crew)
{
    int status = 0;

    for (unsigned i = 0; i < crew->n; i++) {
        if (crew->workers[i].has_thread)
            pthread_join(crew->workers[i].thread, NULL);
        int its = crew->workers[i].status;
        if (its == EXIT_FAILURE || status == 0)
            status = its;
    }
    return status;
}

/* A post that was made belongs to its reactor's posts, and one that was not to us. */
static void give_up_posts(struct fate__worker *worker, bool has_run)
{
    bool has_posted_news = has_run && worker->i > 0;

    if (worker->order && !atomic_load(&worker->was_told))
        fate__post_give_up(worker->order);
    if (worker->news && !has_posted_news)
        fate__post_give_up(worker->news);
}

static void free_worker(struct fate__worker *worker, bool has_run)
{
    worker->is_over = true;
    give_up_posts(worker, has_run);
    if (!worker->reactor)
        return;
    fate__own_thread(&worker->reactor->turns);
    if (worker->d)
        fate_release(worker->d);
    fate_reactor_free(worker->reactor);
}

static void free_common(struct fate__common *common)
{
    fate__list_remove(&common->link);
    fate__close(common->socket.fd);
    fate__free(common->text);
    fate__free(common);
}

static void free_all_common(const struct fate__link *all)
{
    while (!fate__list_is_empty(all))
        free_common(fate_container_of(all->next, struct fate__common, link));
}

/* The first one last: the others may still have posted to it. */
static void free_crew(struct fate__crew *crew)
{
    for (unsigned i = crew->n; i-- > 0;)
        free_worker(&crew->workers[i], crew->workers[i].has_thread);
    free_all_common(&crew->common);
    restore_signals(crew);
    pthread_mutex_destroy(&crew->lock);
    fate__free(crew);
}

int fate_workers(unsigned n, fate_main_fn *main_fn, int argc, char **argv)
{
    if (!main_fn)
        fate__stop(NULL, "fate_workers was given a NULL main function.");
    if (n > WORKERS_MAX)
        fate__stop(NULL,
                   "fate_workers was given %u workers. It takes up to %d; 0 for one for each processor.", n,
                   WORKERS_MAX);
    struct fate__crew *crew = new_crew(n ? n : count_processors(), main_fn, argc, argv);
    int why = crew ? prepare_all(crew) : -ENOMEM;
    int status = EXIT_FAILURE;
    if (why == 0) {
        start_threads(crew);
        run(&crew->workers[0]);
        status = join_all(crew);
    } else {
        say_why("begin", why);
    }
    if (crew)
        free_crew(crew);
    return status;
}

fate_reactor *fate_worker(const fate_reactor *reactor, unsigned i)
{
    fate__check_living(reactor, "fate_worker", NULL);
    if (!reactor->worker)
        return i == 0 ? (fate_reactor *)(uintptr_t)reactor : NULL;
    const struct fate__crew *crew = reactor->worker->crew;
    return i < crew->n ? crew->workers[i].reactor : NULL;
}

/* ---- What they share ---- */

void fate__common_lock(struct fate__worker *worker)
{
    pthread_mutex_lock(&worker->crew->lock);
}

void fate__common_unlock(struct fate__worker *worker)
{
    pthread_mutex_unlock(&worker->crew->lock);
}

struct fate__common *fate__common_take(struct fate__worker *worker, const char *text)
{
    const struct fate__link *all = &worker->crew->common;

    for (struct fate__link *link = all->next; link != all; link = link->next) {
        struct fate__common *common = fate_container_of(link, struct fate__common, link);
        if (common->taken[worker->i] || strcmp(common->text, text) != 0)
            continue;
        common->taken[worker->i] = true;
        common->n_users++;
        return common;
    }
    return NULL;
}

struct fate__common *fate__common_add(struct fate__worker *worker, const char *text)
{
    size_t len = strlen(text) + 1;
    struct fate__common *common = fate__zalloc(sizeof *common + worker->crew->n * sizeof common->taken[0]);
    char *copy = fate__alloc(len);

    if (!common || !copy) {
        fate__free(common);
        fate__free(copy);
        return NULL;
    }
    common->text = memcpy(copy, text, len);
    common->socket.fd = -1;
    common->n_users = 1;
    common->taken[worker->i] = true;
    fate__list_add_last(&worker->crew->common, &common->link);
    return common;
}

void fate__common_leave(struct fate__worker *worker, struct fate__common *common, const char *path)
{
    common->n_users--;
    if (common->is_chosen)
        return;
    common->taken[worker->i] = false;
    if (common->n_users)
        return;
    if (common->socket.has_file && path)
        fate__listen_unix_done(path, &common->socket);
    free_common(common);
}
