/* fate_on_signal.
 *
 * A handler may come at any instruction and in any thread.  It only notes the signal, for each reactor that
 * asked for it, and wakes that.  The process's table of reactors is read by handlers and written under a
 * lock; before a reactor goes, it waits until no handler is inside. */
#include <reactor/signal.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <base/alloc.h>
#include <base/list.h>
#include <base/sys.h>
#include <reactor/reactor.h>

#define SIGNALS_MAX  64
#define REACTORS_MAX 256

struct fate__signals {
    struct fate__posts *posts;     /* whom to wake */
    atomic_ullong wanted, arrived; /* a bit for each signal */
    struct fate__link watches;     /* in order of asking */
    struct signal_watch *next;     /* whose turn is next, while signals are delivered */
    bool has_due;                  /* some watches have still to be called */
    unsigned place;                /* in the table */
};

struct signal_watch {
    struct fate__watched watched;
    struct fate__link link;
    fate_action *action;
    fate_value arg;
    int signo;
    bool is_due; /* its signal had come when the loop looked */
};

/* The process's. */
static struct {
    pthread_mutex_t lock;
    _Atomic(struct fate__signals *) reactors[REACTORS_MAX];
    atomic_int n_inside; /* handlers that look at the table */
    struct {
        struct sigaction before;
        unsigned n_watches;
    } signals[SIGNALS_MAX + 1];
} process = { .lock = PTHREAD_MUTEX_INITIALIZER };

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The child of a fork finds the table whole, and none of the other threads that were inside a handler. */
static void lock_before_fork(void)
{
    pthread_mutex_lock(&process.lock);
}

static void unlock_in_parent(void)
{
    pthread_mutex_unlock(&process.lock);
}

static void unlock_in_child(void)
{
    atomic_store(&process.n_inside, 0);
    pthread_mutex_unlock(&process.lock);
}

static void watch_forks(void)
{
    (void)pthread_atfork(lock_before_fork, unlock_in_parent, unlock_in_child);
}

static unsigned long long bit(int signo)
{
    return 1ull << (signo - 1);
}

/* ---- In the handler ---- */

static void note(int signo)
{
    atomic_fetch_add(&process.n_inside, 1);
    for (unsigned i = 0; i < REACTORS_MAX; i++) {
        struct fate__signals *signals = atomic_load(&process.reactors[i]);
        if (!signals || !(atomic_load(&signals->wanted) & bit(signo)))
            continue;
        atomic_fetch_or(&signals->arrived, bit(signo));
        fate__posts_wake(signals->posts);
    }
    atomic_fetch_sub(&process.n_inside, 1);
}

/* ---- The process's handlers ---- */

static int install(int signo)
{
    struct sigaction action = { .sa_handler = note, .sa_flags = SA_RESTART };

    if (process.signals[signo].n_watches++ > 0)
        return 0;
    sigfillset(&action.sa_mask);
    if (fate__sys->sigaction(signo, &action, &process.signals[signo].before) == 0)
        return 0;
    process.signals[signo].n_watches--;
    return -errno;
}

/* The handler of before comes back, unless somebody else has put another in the place of ours. */
static void uninstall(int signo)
{
    struct sigaction now;

    if (--process.signals[signo].n_watches > 0)
        return;
    if (fate__sys->sigaction(signo, NULL, &now) == 0 && now.sa_handler == note)
        fate__sys->sigaction(signo, &process.signals[signo].before, NULL);
}

static int enter_table(struct fate__signals *signals)
{
    for (unsigned i = 0; i < REACTORS_MAX; i++)
        if (!atomic_load(&process.reactors[i])) {
            signals->place = i;
            atomic_store(&process.reactors[i], signals);
            return 0;
        }
    return -EMFILE;
}

/* ---- A reactor's part ---- */

static struct fate__signals *signals_of(fate_reactor *reactor)
{
    if (reactor->signals)
        return reactor->signals;
    struct fate__signals *signals = fate__zalloc(sizeof *signals);
    if (!signals)
        return NULL;
    signals->posts = &reactor->posts;
    fate__list_init(&signals->watches);
    if (enter_table(signals) < 0) {
        fate__free(signals);
        return NULL;
    }
    return reactor->signals = signals;
}

/* What the child's own handlers were comes back, and its signals wake the parent no longer. */
void fate__signals_leave(fate_reactor *reactor)
{
    struct fate__signals *signals = reactor->signals;

    if (!signals)
        return;
    pthread_mutex_lock(&process.lock);
    for (const struct fate__link *at = signals->watches.next; at != &signals->watches; at = at->next)
        uninstall(fate_container_of(at, struct signal_watch, link)->signo);
    pthread_mutex_unlock(&process.lock);
    fate__signals_done(reactor);
}

void fate__signals_done(fate_reactor *reactor)
{
    struct fate__signals *signals = reactor->signals;

    if (!signals)
        return;
    atomic_store(&process.reactors[signals->place], NULL);
    while (atomic_load(&process.n_inside) > 0)
        ;
    fate__free(signals);
    reactor->signals = NULL;
}

static bool is_wanted(const struct fate__signals *signals, int signo)
{
    for (const struct fate__link *at = signals->watches.next; at != &signals->watches; at = at->next)
        if (fate_container_of(at, struct signal_watch, link)->signo == signo)
            return true;
    return false;
}

/* If nobody asks for it any more, what has come before somebody asks again concerns nobody. */
static void want_no_longer(struct fate__signals *signals, int signo)
{
    if (is_wanted(signals, signo))
        return;
    atomic_fetch_and(&signals->wanted, ~bit(signo));
    atomic_fetch_and(&signals->arrived, ~bit(signo));
}

static void stop(fate_reactor *reactor, struct fate__watched *watched)
{
    struct signal_watch *watch = (struct signal_watch *)watched;
    struct fate__signals *signals = reactor->signals;

    if (signals->next == watch)
        signals->next = fate_container_of(watch->link.next, struct signal_watch, link);
    fate__list_remove(&watch->link);
    want_no_longer(signals, watch->signo);
    pthread_mutex_lock(&process.lock);
    uninstall(watch->signo);
    pthread_mutex_unlock(&process.lock);
    fate_drop(watch->arg);
    fate__free(watch);
}

static void describe(const struct fate__watched *watched, char *to, size_t n)
{
    const char *name = sigabbrev_np(((const struct signal_watch *)watched)->signo);
    snprintf(to, n, "SIG%s", name ? name : "RT");
}

static const struct fate__watch_kind kind = { "signal", stop, describe };

static int add(fate_reactor *reactor, struct signal_watch *watch, const char *site)
{
    struct fate__signals *signals = signals_of(reactor);

    if (!signals || fate__watch_open(reactor, &watch->watched, &kind, site).id < 0)
        return -ENOMEM;
    /* Before the handler is there: a signal that comes at once must not be lost. */
    fate__list_add_last(&signals->watches, &watch->link);
    atomic_fetch_or(&signals->wanted, bit(watch->signo));
    int why = install(watch->signo);
    if (why < 0) {
        fate__list_remove(&watch->link);
        want_no_longer(signals, watch->signo);
        fate__watch_close(reactor, &watch->watched);
    }
    return why;
}

/* What an instruction has caused would come again at once: it cannot wait for the loop. */
static bool can_be_event(int signo)
{
    bool is_fault = signo == SIGSEGV || signo == SIGBUS || signo == SIGFPE || signo == SIGILL;

    return signo >= 1 && signo <= SIGNALS_MAX && !is_fault;
}

static int watch_signal(fate_reactor *reactor, const struct signal_watch *wanted, const char *site,
                        int64_t *ret_id)
{
    if (fate__is_no_memory(&wanted->arg))
        return -ENOMEM;
    if (reactor->turns.is_ending)
        return -ESHUTDOWN;
    if (!can_be_event(wanted->signo))
        return -EINVAL;
    struct signal_watch *watch = fate__alloc(sizeof *watch);
    if (!watch)
        return -ENOMEM;
    *watch = *wanted;
    pthread_once(&once, watch_forks);
    pthread_mutex_lock(&process.lock);
    int why = add(reactor, watch, site);
    pthread_mutex_unlock(&process.lock);
    *ret_id = watch->watched.id;
    if (why < 0)
        fate__free(watch);
    return why;
}

fate_watch fate_on_signal_at(fate_reactor *reactor, int signo, fate_action *action, fate_value arg,
                             const char *site)
{
    const struct signal_watch wanted = { .action = action, .arg = arg, .signo = signo };
    int64_t id;

    fate__check_reactor(reactor, "fate_on_signal", site);
    fate__check_given(&arg, "fate_on_signal", site);
    if (!action)
        fate__stop(site, "fate_on_signal was given a NULL action.");
    int why = watch_signal(reactor, &wanted, site, &id);
    if (why < 0) {
        fate_drop(arg);
        return (fate_watch){ reactor, why };
    }
    return (fate_watch){ reactor, id };
}

fate_watch(fate_on_signal)(fate_reactor *reactor, int signo, fate_action *action, fate_value arg)
{
    return fate_on_signal_at(reactor, signo, action, arg, "fate_on_signal");
}

/* ---- Delivering ---- */

static void call(fate_reactor *reactor, struct signal_watch *watch)
{
    watch->is_due = false;
    fate__deliver(reactor, watch->action, fate_copy(&watch->arg), watch->watched.site);
}

/* In order of asking.  What a crash leaves is called by the next round. */
static void call_due(fate_reactor *reactor)
{
    struct fate__signals *signals = reactor->signals;
    struct fate__link *at = signals->watches.next;

    while (at != &signals->watches && !reactor->has_crashed) {
        struct signal_watch *watch = fate_container_of(at, struct signal_watch, link);
        signals->next = fate_container_of(at->next, struct signal_watch, link);
        if (watch->is_due)
            call(reactor, watch);
        at = &signals->next->link;
    }
    signals->next = NULL;
    signals->has_due = at != &signals->watches;
}

bool fate__signals_have_come(const fate_reactor *reactor)
{
    return reactor->signals && (reactor->signals->has_due || atomic_load(&reactor->signals->arrived));
}

/* Those who ask inside a call have not asked before the signal came, and are not called for it: else two who
 * ask again each time would keep each other going for ever. */
void fate__signals_deliver(fate_reactor *reactor)
{
    struct fate__signals *signals = reactor->signals;

    if (!fate__signals_have_come(reactor))
        return;
    unsigned long long arrived = atomic_exchange(&signals->arrived, 0);
    for (struct fate__link *at = signals->watches.next; at != &signals->watches; at = at->next) {
        struct signal_watch *watch = fate_container_of(at, struct signal_watch, link);
        watch->is_due |= (arrived & bit(watch->signo)) != 0;
    }
    call_due(reactor);
}
