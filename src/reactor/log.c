/* The log: entries, from any thread, and who is told of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <base/alloc.h>
#include <base/sys.h>
#include <reactor/reactor.h>

_Static_assert((int)FATE__LOG_WARNING == FATE_LOG_WARNING && (int)FATE__LOG_ERROR == FATE_LOG_ERROR,
               "the turns' levels are those of the log");

/* ---- Levels ---- */

static const char *const level_names[] = { "debug", "info", "notice", "warning", "error" };

const char *fate_log_level_name(int level)
{
    return level >= FATE_LOG_DEBUG && level <= FATE_LOG_ERROR ? level_names[level] : "log";
}

static int default_level(void)
{
    const char *name = getenv("FATE_LOG_LEVEL");

    if (!name)
        return FATE_LOG_INFO;
    for (int level = FATE_LOG_DEBUG; level <= FATE_LOG_ERROR; level++)
        if (strcmp(name, level_names[level]) == 0)
            return level;
    return strcmp(name, "off") == 0 ? INT_MAX : FATE_LOG_INFO;
}

/* ---- Observers ---- */

struct fate__observer {
    struct fate__watched watched;
    struct fate__link link;
    int level_min;
    fate_log_observer *observe;
    fate_value arg;
    uint64_t since;  /* the entry during which it came, which it does not see */
    bool is_stopped; /* while it is being called: it is freed afterwards */
};

static struct fate__observer *observer_at(struct fate__link *link)
{
    return fate_container_of(link, struct fate__observer, link);
}

static void update_level(struct fate__log *log)
{
    int level_min = fate__list_is_empty(&log->observers) ? log->default_level : INT_MAX;

    for (struct fate__link *at = log->observers.next; at != &log->observers; at = at->next)
        if (observer_at(at)->level_min < level_min)
            level_min = observer_at(at)->level_min;
    atomic_store_explicit(&log->level_min, level_min, memory_order_relaxed);
}

static void stop(fate_reactor *reactor, struct fate__watched *watched)
{
    struct fate__observer *observer = (struct fate__observer *)watched;
    struct fate__log *log = &reactor->log;

    if (log->next == observer)
        log->next = observer_at(observer->link.next);
    fate__list_remove(&observer->link);
    update_level(log);
    if (log->current == observer) {
        observer->is_stopped = true;
        return;
    }
    fate_drop(observer->arg);
    fate__free(observer);
}

const struct fate__watch_kind fate__observer_kind = { "observer", stop, NULL };

static fate_watch open_observer(fate_reactor *reactor, const struct fate__observer *wanted, const char *site)
{
    struct fate__observer *observer = fate__is_no_memory(&wanted->arg) ? NULL : fate__alloc(sizeof *observer);

    if (!observer)
        return (fate_watch){ reactor, -ENOMEM };
    *observer = *wanted;
    fate_watch watch = fate__watch_open(reactor, &observer->watched, &fate__observer_kind, site);
    if (watch.id < 0) {
        fate__free(observer);
        return watch;
    }
    fate__list_add_last(&reactor->log.observers, &observer->link);
    update_level(&reactor->log);
    return watch;
}

fate_watch fate_log_observe_at(fate_reactor *reactor, int level_min, fate_log_observer *observe,
                               fate_value arg, const char *site)
{
    fate__check_reactor(reactor, "fate_log_observe", site);
    fate__check_given(&arg, "fate_log_observe", site);
    if (!observe)
        fate__stop(site, "fate_log_observe was given a NULL observer. To go back to the default, stop the "
                         "observers that there are with fate_unwatch.");
    const struct fate__observer wanted = {
        .level_min = level_min, .observe = observe, .arg = arg, .since = reactor->log.n_entries
    };
    bool is_ending = reactor->turns.is_ending;
    fate_watch watch =
        is_ending ? (fate_watch){ reactor, -ESHUTDOWN } : open_observer(reactor, &wanted, site);
    if (watch.id < 0)
        fate_drop(arg);
    return watch;
}

fate_watch(fate_log_observe)(fate_reactor *reactor, int level_min, fate_log_observer *observer,
                             fate_value arg)
{
    return fate_log_observe_at(reactor, level_min, observer, arg, "fate_log_observe");
}

/* ---- The default observer ---- */

/* systemd tells in $JOURNAL_STREAM which file is the connection to the journal (sd_journal_print(3)). */
static bool journal_has_standard_error(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat file;

    if (!stream || sscanf(stream, "%llu:%llu", &device, &inode) != 2)
        return false;
    return fate__sys->fstat(fileno(stderr), &file) == 0 && file.st_dev == device && file.st_ino == inode;
}

void fate__log_by_default(const fate_log_entry *entry)
{
    fate_value arg = fate_none();

    if (journal_has_standard_error())
        fate_log_to_journal(entry, &arg);
    else
        fate_log_to_text(entry, &arg);
}

/* ---- Delivering, in the reactor's thread ---- */

static bool is_wanted(const fate_reactor *reactor, int level)
{
    const struct fate__log *log = &reactor->log;

    if (fate__is_own_thread(&reactor->turns) && log->is_logging)
        return level >= log->default_level;
    return level >= atomic_load_explicit(&log->level_min, memory_order_relaxed);
}

static void tell(struct fate__log *log, struct fate__observer *observer, const fate_log_entry *entry)
{
    fate_value arg = fate_copy(&observer->arg); /* the observer may take it */

    log->current = observer;
    observer->observe(entry, &arg);
    log->current = NULL;
    fate_drop(fate_take(&arg));
    if (observer->is_stopped) {
        fate_drop(observer->arg);
        fate__free(observer);
    }
}

static void tell_all(struct fate__log *log, const fate_log_entry *entry)
{
    uint64_t number = ++log->n_entries;
    struct fate__observer *observer = observer_at(log->observers.next);

    log->is_logging = true;
    for (; &observer->link != &log->observers; observer = log->next) {
        log->next = observer_at(observer->link.next);
        if (entry->level >= observer->level_min && observer->since < number)
            tell(log, observer, entry);
    }
    log->next = NULL;
    log->is_logging = false;
}

struct deliver_call {
    fate_reactor *reactor;
    const fate_log_entry *entry;
};

static void deliver_outside(void *arg);

static void deliver(fate_reactor *reactor, const fate_log_entry *entry)
{
    struct fate__log *log = &reactor->log;

    if (!is_wanted(reactor, entry->level))
        return;
    if (reactor->turns.outside) {
        struct deliver_call call = { reactor, entry };
        reactor->turns.outside(&reactor->turns, deliver_outside, &call);
    } else if (log->is_logging || fate__list_is_empty(&log->observers)) {
        fate__log_by_default(entry);
    } else {
        tell_all(log, entry);
    }
}

static void deliver_outside(void *arg)
{
    const struct deliver_call *call = arg;
    deliver(call->reactor, call->entry);
}

/* ---- Entries of other threads ---- */

struct posted {
    fate_reactor *reactor;
    fate_log_entry entry;
    fate_value fields;
    char *text;
    bool is_delivered;
};

/* NULL: none, or want of memory. */
static const fate_value *fields_in(const fate_value *fields)
{
    return fate_kind_of(fields) == FATE_KIND_DICT ? fields : NULL;
}

static void deliver_posted_entry(struct posted *posted)
{
    fate_reactor *reactor = posted->reactor;

    posted->is_delivered = true;
    posted->entry.fields = fields_in(&posted->fields);
    if (reactor->is_simulated)
        posted->entry.time = reactor->now;
    deliver(reactor, &posted->entry);
}

static void deliver_posted(fate_value *arg)
{
    deliver_posted_entry(fate_unbox(struct posted, arg));
}

/* One that could not be posted, or whose reactor goes before it came to it, is said all the same. */
static void drop_posted(void *data)
{
    struct posted *posted = data;

    if (!posted->is_delivered && fate__is_own_thread(&posted->reactor->turns)) {
        deliver_posted_entry(posted);
    } else if (!posted->is_delivered && posted->entry.level >= posted->reactor->log.default_level) {
        posted->entry.fields = fields_in(&posted->fields);
        fate__log_by_default(&posted->entry);
    }
    fate_drop(posted->fields);
    fate__free(posted->text);
}

/* The fields as texts, which can cross; without memory, fewer of them. */
static fate_value described(const fate_value *fields)
{
    fate_value texts = fate_dict();

    for (size_t i = 0; fate_kind_of(&texts) == FATE_KIND_DICT && i < fate_count(fields); i++)
        (void)fate_dict_set(&texts, fate_dict_key(fields, i), fate_describe(fate_dict_at(fields, i)));
    return texts;
}

static fate_value fit_to_cross(fate_value fields)
{
    if (fate_kind_of(&fields) != FATE_KIND_DICT || fate_detach(&fields) == 0)
        return fields;
    fate_value texts = described(&fields);
    fate_drop(fields);
    return texts;
}

static void post(fate_reactor *reactor, const fate_log_entry *entry, fate_value fields)
{
    struct posted posted = { .reactor = reactor, .entry = *entry, .fields = fit_to_cross(fields) };
    size_t bytes = strlen(entry->text) + 1;

    posted.text = fate__alloc(bytes);
    if (posted.text) {
        posted.entry.text = memcpy(posted.text, entry->text, bytes);
        fate_value box = fate_box_new("struct posted", sizeof posted, &posted, drop_posted);
        (void)fate__post(&reactor->posts, deliver_posted, box, "fate_log");
    } else {
        drop_posted(&posted);
    }
}

/* ---- Saying ---- */

static fate_log_entry entry_of(const fate_reactor *reactor, int level, const char *site, const char *text)
{
    bool has_clock = reactor && reactor->is_simulated;

    return (fate_log_entry){
        .size = sizeof(fate_log_entry),
        .level = level,
        .text = text,
        .site = site ? site : "",
        .time = has_clock ? 0 : fate__wall_time(), /* a simulated one is read in the reactor's thread */
        .reactor = reactor ? reactor->options.name : "",
    };
}

/* fields are given. */
static void say(fate_reactor *reactor, fate_log_entry *entry, fate_value fields)
{
    if (!fate__is_own_thread(&reactor->turns)) {
        post(reactor, entry, fields);
        return;
    }
    if (reactor->is_simulated)
        entry->time = reactor->now;
    entry->fields = fields_in(&fields);
    deliver(reactor, entry);
    fate_drop(fields);
}

void fate__log_from_turns(struct fate__turns *turns, int level, const fate_value *failure, const char *site,
                          const char *text)
{
    fate_reactor *reactor = fate__reactor(turns);
    fate_log_entry entry = entry_of(reactor, level, site, text);

    /* What the loop says between two events is a turn, so that no observer can run it within itself. */
    bool is_between = reactor->is_iterating && !turns->is_inside;

    entry.failure = failure;
    if (is_between)
        fate__turn_enter(turns);
    say(reactor, &entry, fate_none());
    if (is_between)
        fate__turn_leave(turns);
}

/* Most lines need no memory; without memory, the beginning of a long one is what is said. */
void fate_log_v_at(fate_reactor *reactor, int level, const char *site, const char *fmt, va_list args)
{
    struct fate__text text = { 0 };
    char line[512];
    va_list again;

    fate__check_living(reactor, "fate_log", site);
    if (!is_wanted(reactor, level))
        return;
    va_copy(again, args);
    int len = vsnprintf(line, sizeof line, fmt, args);
    if (len >= (int)sizeof line)
        fate__text_format_v(&text, fmt, again);
    va_end(again);
    const char *said = text.bytes ? text.bytes : len >= 0 ? line : fmt;
    fate_log_entry entry = entry_of(reactor, level, site, said);
    say(reactor, &entry, fate_none());
    fate__text_done(&text);
}

void fate_log_v(fate_reactor *reactor, int level, const char *fmt, va_list args)
{
    fate_log_v_at(reactor, level, "", fmt, args);
}

void fate_log_at(fate_reactor *reactor, int level, const char *site, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fate_log_v_at(reactor, level, site, fmt, args);
    va_end(args);
}

void(fate_log)(fate_reactor *reactor, int level, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fate_log_v_at(reactor, level, "", fmt, args);
    va_end(args);
}

static bool are_fields(const fate_value *dict)
{
    fate_kind kind = fate_kind_of(dict);
    return kind == FATE_KIND_NONE || kind == FATE_KIND_DICT || fate__is_no_memory(dict);
}

void fate_log_fields_at(fate_reactor *reactor, int level, const char *text, fate_value dict, const char *site)
{
    fate__check_living(reactor, "fate_log_fields", site);
    fate__check_given(&dict, "fate_log_fields", site);
    if (!are_fields(&dict))
        fate__stop(site,
                   "fate_log_fields was given %s for its fields: they are a dict, as "
                   "fate_dict_of({ \"peer\", fate_str(name) }) makes it.",
                   dict.type->name);
    if (!is_wanted(reactor, level)) {
        fate_drop(dict);
        return;
    }
    fate_log_entry entry = entry_of(reactor, level, site, text);
    say(reactor, &entry, dict);
}

void(fate_log_fields)(fate_reactor *reactor, int level, const char *text, fate_value dict)
{
    fate_log_fields_at(reactor, level, text, dict, "");
}

fate_value fate_log_failure(fate_value *failure, fate_value *arg)
{
    fate_reactor *reactor = fate_is_none(arg) ? NULL : fate_as_ptr(arg);

    if (reactor)
        fate__check_reactor(reactor, "fate_log_failure", NULL);
    fate_log_entry entry = entry_of(reactor, FATE_LOG_ERROR, "", "Failure");
    entry.failure = failure;
    if (reactor)
        say(reactor, &entry, fate_none());
    else
        fate__log_by_default(&entry);
    return fate_none();
}

/* ---- Life ---- */

void fate__log_init(fate_reactor *reactor)
{
    struct fate__log *log = &reactor->log;

    fate__list_init(&log->observers);
    log->default_level = default_level();
    update_level(log);
}

void fate__log_end(fate_reactor *reactor)
{
    const struct fate__link *observers = &reactor->log.observers;

    while (!fate__list_is_empty(observers))
        fate_unwatch((fate_watch){ reactor, observer_at(observers->prev)->watched.id });
}
