/* JSON out of a database whose functions block, and which has a thread of its own: curl
 * localhost:8080/users/1
 *
 * With the argument "demo" it asks itself, for a user whom there is and for one whom there is not. */
#include "demo.h"

#include <fate/http_client.h>
#include <fate/http_server.h>
#include <sqlite3.h>
#include <stdio.h>

/* Opened before anybody can be held up by that; from then on the thread's alone. */
static sqlite3 *users;

static bool open_users(void)
{
    static const char tables[] = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);"
                                 "INSERT INTO users VALUES (1, 'Guy Fawkes'), (2, 'Robert Catesby');";

    return sqlite3_open(":memory:", &users) == SQLITE_OK &&
           sqlite3_exec(users, tables, NULL, NULL, NULL) == SQLITE_OK;
}

/* In the thread: a name, or none. */
static fate_value find_user(fate_value *id)
{
    fate_value name = fate_none();
    sqlite3_stmt *query = NULL;

    sqlite3_prepare_v2(users, "SELECT name FROM users WHERE id = ?", -1, &query, NULL);
    sqlite3_bind_int64(query, 1, fate_as_int(id));
    int found = sqlite3_step(query);
    if (found == SQLITE_ROW)
        name = fate_str((const char *)sqlite3_column_text(query, 0));
    else if (found != SQLITE_DONE)
        name = fate_raise(&FATE_RUNTIME_ERROR, "%s", sqlite3_errmsg(users));
    sqlite3_finalize(query);
    return name;
}

static fate_value as_json(fate_value *name, fate_value *id)
{
    if (fate_is_none(name))
        return fate_http_raise(404, "there is no user %lld", (long long)fate_as_int(id));
    return fate_dict_of({ "id", fate_take(id) }, { "name", fate_take(name) });
}

static fate_value show_user(fate_request *request, fate_value *thread)
{
    int64_t id = fate_request_int(request, "id");
    fate_deferred *name = fate_defer_to_pool(fate_as_ptr(thread), find_user, fate_int(id));

    return fate_follow(fate_add_callback(name, as_json, fate_int(id)));
}

static const fate_route routes[] = { { "GET /users/{id:int}", show_user }, { 0 } };

static fate_value print_page_of(fate_value *refusal, fate_value *arg)
{
    printf("%s", fate_as_str(fate_dict_get(fate_payload(refusal), "page")));
    return fate_none();
}

static fate_deferred *ask(fate_reactor *reactor)
{
    fate_deferred *users_asked[] = { fate_get_page(reactor, "http://localhost:8080/users/1"),
                                     fate_get_page(reactor, "http://localhost:8080/users/99") };

    for (size_t i = 0; i < 2; i++) {
        fate_add_callback(users_asked[i], fate_print, fate_none());
        fate_add_trap(users_asked[i], &FATE_HTTP_STATUS, print_page_of, fate_none());
    }
    return fate_gather(reactor, 2, users_asked);
}

static fate_deferred *start(fate_reactor *reactor, int argc, char **argv)
{
    if (!open_users())
        return fate_fail(reactor, fate_raise(&FATE_RUNTIME_ERROR, "%s", sqlite3_errmsg(users)));
    fate_pool *thread = fate_pool_new_with(reactor, .name = "sqlite", .threads_max = 1);
    fate_deferred *serving = fate_serve_routes(reactor, "tcp:8080", routes, fate_ptr(thread));

    return is_demo(argc, argv) ? serve_until(serving, ask(reactor)) : serving;
}

int main(int argc, char **argv)
{
    int status = fate_main(start, argc, argv);

    sqlite3_close(users);
    return status;
}
