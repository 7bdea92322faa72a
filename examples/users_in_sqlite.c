/* Asks a database whose functions block: it has a pool of one thread, and so is used by one at a time.
 *
 * It is in none of the documents; the talk on Deferreds, 8 Defer to thread, names database APIs as "the most
 * popular offender". */
#include <sqlite3.h>

#include "helpers.h"

struct question {
    sqlite3 *db;
    int64_t id;
};

/* In the thread: opens a database in memory. */
static fate_value open_users(fate_value *ret_db)
{
    static const char tables[] = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);"
                                 "INSERT INTO users VALUES (1, 'Guy Fawkes'), (2, 'Robert Catesby');";
    sqlite3 **db = fate_as_ptr(ret_db);

    if (sqlite3_open(":memory:", db) != SQLITE_OK || sqlite3_exec(*db, tables, NULL, NULL, NULL) != SQLITE_OK)
        return fate_raise(&FATE_RUNTIME_ERROR, "%s", sqlite3_errmsg(*db));
    return fate_none();
}

/* In the thread. */
static fate_value find_user(fate_value *arg)
{
    struct question *asked = fate_unbox(struct question, arg);
    fate_value name = fate_raise(&FATE_KEY_ERROR, "there is no user %lld", (long long)asked->id);
    sqlite3_stmt *query = NULL;

    sqlite3_prepare_v2(asked->db, "SELECT name FROM users WHERE id = ?", -1, &query, NULL);
    sqlite3_bind_int64(query, 1, asked->id);
    if (sqlite3_step(query) == SQLITE_ROW) {
        fate_drop(name);
        name = fate_str((const char *)sqlite3_column_text(query, 0));
    }
    sqlite3_finalize(query);
    return name;
}

static fate_deferred *ask_for_user(fate_pool *pool, sqlite3 *db, int64_t id)
{
    return fate_defer_to_pool(pool, find_user, fate_box(struct question, db, id));
}

struct app {
    fate_reactor *reactor;
    fate_pool *pool;
    sqlite3 *db;
};

static fate_value ask_for_users(fate_value *opened, fate_value *arg)
{
    struct app *app = fate_as_ptr(arg);

    for (int64_t id = 1; id <= 3; id++) {
        fate_deferred *name = ask_for_user(app->pool, app->db, id);
        fate_add_callback(name, fate_print, fate_none());
        fate_add_errback(name, fate_log_failure, fate_ptr(app->reactor));
    }
    return fate_none();
}

int main(void)
{
    struct app app = { .reactor = fate_reactor_new() };

    print_log(app.reactor);
    app.pool = fate_pool_new_with(app.reactor, .name = "sqlite", .threads_max = 1);
    fate_deferred *opened = fate_defer_to_pool(app.pool, open_users, fate_ptr(&app.db));
    fate_add_callback(opened, ask_for_users, fate_ptr(&app));
    fate_add_errback(opened, fate_log_failure, fate_ptr(app.reactor));
    run_for(app.reactor, 1 * FATE_SECOND);
    sqlite3_close(app.db);
}
