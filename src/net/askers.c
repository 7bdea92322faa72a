/* Threads that ask the system's resolver, which blocks, and may hang for minutes.
 *
 * They are a reactor's own, and not of a pool for the program's jobs: so names that hang keep only other
 * names waiting, and the reactor can go while they do.  What the threads share with it therefore goes with
 * the last of them; when they are closed, a thread that comes back late finds nobody to tell and cleans up.
 */
#include <net/resolve.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <base/alloc.h>
#include <base/stop.h>
#include <base/sys.h>
#include <reactor/reactor.h>

#define THREADS_MAX 4
#define PATIENCE    (200 * FATE_MILLISECOND)

struct asker {
    struct fate__link link;
    struct fate__askers *askers;
    pthread_t thread;
    bool has_ended;
};

struct fate__askers {
    pthread_mutex_t lock; /* for all that follows */
    pthread_cond_t wake;  /* there is a question, or the end */
    pthread_cond_t ended; /* a thread has, of those that are to */
    struct fate__posts *posts;
    struct fate__link line;    /* of questions, the oldest first */
    struct fate__link threads; /* of struct asker */
    unsigned n_threads, n_idle, n_line;
    bool is_closed;
    bool is_left; /* the reactor waits for the threads no more */
};

/* ---- In a thread ---- */

static void ask_system(struct fate__question *question)
{
    const struct addrinfo wanted = { .ai_flags = AI_ADDRCONFIG, .ai_socktype = SOCK_STREAM };

    question->found = NULL;
    question->code = fate__sys->getaddrinfo(question->name, NULL, &wanted, &question->found);
    question->error = question->code == EAI_SYSTEM ? errno : 0;
    if (question->code)
        question->found = NULL;
}

void fate__question_free(struct fate__question *question)
{
    if (question->found)
        freeaddrinfo(question->found);
    fate__free(question);
}

/* The next question, or NULL: the end.  Under the lock. */
static struct fate__question *wait_for_question(struct fate__askers *askers)
{
    askers->n_idle++;
    while (fate__list_is_empty(&askers->line) && !askers->is_closed)
        pthread_cond_wait(&askers->wake, &askers->lock);
    askers->n_idle--;
    if (askers->is_closed)
        return NULL;
    struct fate__question *question = fate_container_of(askers->line.next, struct fate__question, link);
    fate__list_remove(&question->link);
    askers->n_line--;
    question->state = FATE__QUESTION_BEGUN;
    return question;
}

/* Under the lock, so that the reactor does not go meanwhile. */
static void tell(struct fate__askers *askers, struct fate__question *question)
{
    if (!question->answered) {
        fate__question_free(question);
        return;
    }
    question->state = FATE__QUESTION_ANSWERED;
    fate__post_prepared(askers->posts, question->answered);
}

static void destroy(struct fate__askers *askers)
{
    pthread_cond_destroy(&askers->wake);
    pthread_cond_destroy(&askers->ended);
    pthread_mutex_destroy(&askers->lock);
    fate__free(askers);
}

/* Under the lock, which it lets go. */
static void end_thread(struct asker *asker)
{
    struct fate__askers *askers = asker->askers;
    bool is_left = askers->is_left, is_last = --askers->n_threads == 0;

    asker->has_ended = true;
    pthread_cond_signal(&askers->ended);
    if (is_left)
        fate__list_remove(&asker->link);
    pthread_mutex_unlock(&askers->lock);
    if (!is_left)
        return;
    fate__free(asker);
    if (is_last)
        destroy(askers);
}

static void *ask(void *arg)
{
    struct asker *asker = arg;
    struct fate__askers *askers = asker->askers;
    struct fate__question *question;

    pthread_setname_np(pthread_self(), "fate-names");
    pthread_mutex_lock(&askers->lock);
    while ((question = wait_for_question(askers))) {
        pthread_mutex_unlock(&askers->lock);
        ask_system(question);
        pthread_mutex_lock(&askers->lock);
        tell(askers, question);
    }
    end_thread(asker);
    return NULL;
}

/* ---- In the reactor's thread ---- */

static void init_monotonic(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct fate__askers *fate__askers_new(struct fate__posts *posts)
{
    struct fate__askers *askers = fate__zalloc(sizeof *askers);

    if (!askers)
        return NULL;
    pthread_mutex_init(&askers->lock, NULL);
    pthread_cond_init(&askers->wake, NULL);
    init_monotonic(&askers->ended);
    fate__list_init(&askers->line);
    fate__list_init(&askers->threads);
    askers->posts = posts;
    return askers;
}

/* 0 or an errno. */
static int add_thread(struct fate__askers *askers)
{
    struct asker *asker = fate__zalloc(sizeof *asker);

    if (!asker)
        return ENOMEM;
    asker->askers = askers;
    pthread_mutex_lock(&askers->lock);
    fate__list_add_last(&askers->threads, &asker->link);
    askers->n_threads++;
    pthread_mutex_unlock(&askers->lock);
    int why = fate__thread_create(&asker->thread, ask, asker);
    if (why == 0)
        return 0;
    pthread_mutex_lock(&askers->lock);
    fate__list_remove(&asker->link);
    askers->n_threads--;
    pthread_mutex_unlock(&askers->lock);
    fate__free(asker);
    return why;
}

/* Threads that have been woken but have not come yet count as idle, and the line as theirs. */
int fate__askers_ask(struct fate__askers *askers, struct fate__question *question)
{
    pthread_mutex_lock(&askers->lock);
    question->state = FATE__QUESTION_WAITS;
    fate__list_add_last(&askers->line, &question->link);
    askers->n_line++;
    bool may_add = askers->n_line > askers->n_idle && askers->n_threads < THREADS_MAX;
    unsigned n_threads = askers->n_threads;
    pthread_cond_signal(&askers->wake);
    pthread_mutex_unlock(&askers->lock);
    int why = may_add ? add_thread(askers) : 0;
    return why && n_threads == 0 && fate__askers_take_back(askers, question) ? why : 0;
}

bool fate__askers_take_back(struct fate__askers *askers, struct fate__question *question)
{
    pthread_mutex_lock(&askers->lock);
    bool waits = question->state == FATE__QUESTION_WAITS;
    if (waits) {
        fate__list_remove(&question->link);
        askers->n_line--;
    }
    pthread_mutex_unlock(&askers->lock);
    return waits;
}

bool fate__askers_give_up(struct fate__askers *askers, struct fate__question *question)
{
    pthread_mutex_lock(&askers->lock);
    bool is_asked = question->state == FATE__QUESTION_BEGUN;
    struct fate__post *post = is_asked ? question->answered : NULL;
    if (is_asked)
        question->answered = NULL;
    pthread_mutex_unlock(&askers->lock);
    if (post)
        fate__post_give_up(post);
    return !is_asked;
}

/* ---- The end ---- */

/* Waits until all threads have ended, or their moment is over.  Under the lock. */
static void wait_for_threads(struct fate__askers *askers)
{
    struct timespec until;
    int why = 0;

    /* The clock of the condition itself, not one that a test may have moved. */
    fate__sys_real.clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += PATIENCE;
    until.tv_sec += until.tv_nsec / FATE_SECOND;
    until.tv_nsec %= FATE_SECOND;
    while (askers->n_threads > 0 && why == 0)
        why = pthread_cond_timedwait(&askers->ended, &askers->lock, &until);
}

/* Those that have ended go to a list, the others are on their own. Under the lock. */
static void part(struct fate__askers *askers, struct fate__link *ended)
{
    struct fate__link *link = askers->threads.next;

    while (link != &askers->threads) {
        struct asker *asker = fate_container_of(link, struct asker, link);
        link = link->next;
        if (asker->has_ended) {
            fate__list_remove(&asker->link);
            fate__list_add_last(ended, &asker->link);
        } else {
            pthread_detach(asker->thread);
        }
    }
}

void fate__askers_free(struct fate__askers *askers)
{
    struct fate__link ended;

    fate__list_init(&ended);
    pthread_mutex_lock(&askers->lock);
    fate__assert(fate__list_is_empty(&askers->line));
    askers->is_closed = true;
    pthread_cond_broadcast(&askers->wake);
    wait_for_threads(askers);
    part(askers, &ended);
    askers->is_left = true;
    bool is_last = askers->n_threads == 0;
    pthread_mutex_unlock(&askers->lock);
    while (!fate__list_is_empty(&ended)) {
        struct asker *asker = fate_container_of(ended.next, struct asker, link);
        fate__list_remove(&asker->link);
        pthread_join(asker->thread, NULL);
        fate__free(asker);
    }
    if (is_last)
        destroy(askers);
}
