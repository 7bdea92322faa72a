/* What a page asks its request. */
#include <http/server.h>

#include <errno.h>
#include <string.h>

#include <base/stop.h>

/* What is worked out when it is asked for first is no change that a page could see. */
static fate_request *changeable(const fate_request *request)
{
    return (fate_request *)(uintptr_t)request;
}

const char *fate_request_method(const fate_request *request)
{
    const struct fate__http_head *head = &request->parser.head;
    struct fate__http_slice method = fate__http_at(&head->fields, head->method_name);
    const char *copy = fate__http_copy(changeable(request), method.at, method.len);

    return copy ? copy : "";
}

/* Decoded as a route decodes what is left of a path.  NULL: it is no path, or there is no memory. */
static const char *decode_path(fate_request *request)
{
    struct fate__http_slice path = fate__http_target_path(request);
    char *room = fate__http_room(request, path.len + 2);
    struct fate__route_match match;

    if (!room)
        return NULL;
    fate__routes_match(request->site->any, fate__slice_of("GET"), (struct fate__slice){ path.at, path.len },
                       room + 1, &match);
    if (match.status != 200)
        return NULL;
    *room = '/';
    return room;
}

const char *fate_request_path(const fate_request *request)
{
    if (!request->path)
        changeable(request)->path = decode_path(changeable(request));
    return request->path;
}

const char *fate_request_target(const fate_request *request)
{
    const struct fate__http_head *head = &request->parser.head;
    struct fate__http_slice target = fate__http_at(&head->fields, head->target);
    const char *copy = fate__http_copy(changeable(request), target.at, target.len);

    return copy ? copy : "";
}

const char *fate_request_param(const fate_request *request, const char *name)
{
    const struct fate__route_param *param = fate__route_param(&request->match, name);

    return param ? param->value.s : NULL;
}

int64_t fate_request_int(const fate_request *request, const char *name)
{
    const struct fate__route_param *param = fate__route_param(&request->match, name);

    if (!param || !param->is_int)
        fate__stop(
            NULL,
            "fate_request_int was asked for \"%s\", and the route has no {%s:int}. Write that into its "
            "pattern, or use fate_request_param.",
            name, name);
    return param->number;
}

#define QUERY_FIELDS_MAX 1000

const char *fate_request_query(fate_request *request, const char *name)
{
    const struct fate__http_head *head = &request->parser.head;
    struct fate__http_slice target = fate__http_at(&head->fields, head->path);
    const char *query = target.len ? memchr(target.at, '?', target.len) : NULL;

    if (!query)
        return NULL;
    if (!request->has_query) {
        size_t len = target.len - (size_t)(query + 1 - target.at);
        if (fate__fields_parse(&request->query, query + 1, len, QUERY_FIELDS_MAX) < 0)
            return NULL;
        request->has_query = true;
    }
    const struct fate__field *field = fate__fields_find(&request->query, name);
    return field ? field->value.s : NULL;
}

/* Several fields of one name are one list: RFC 9110, 5.3.  Cookies, which a proxy may have had from HTTP/2
 * one by one, are listed in their own way: RFC 9113, 8.2.3. */
static const char *join(fate_request *request, struct fate__http_slice name, size_t room)
{
    const struct fate__http_fields *fields = &request->parser.head.fields;
    const char *between = fate__http_same(name, FATE__HTTP_SLICE("cookie")) ? "; " : ", ";
    char *all = fate__http_room(request, room + 1), *to = all;

    if (!all)
        return NULL;
    for (const struct fate__http_field *field = NULL; (field = fate__http_find(fields, name, field));) {
        struct fate__http_slice value = fate__http_field_value(fields, field);
        if (to != all) {
            memcpy(to, between, 2);
            to += 2;
        }
        memcpy(to, value.at, value.len);
        to += value.len;
    }
    *to = '\0';
    return all;
}

const char *fate_request_header(fate_request *request, const char *name)
{
    const struct fate__http_fields *fields = &request->parser.head.fields;
    struct fate__http_slice wanted = { name, strlen(name) };
    const struct fate__http_field *field = fate__http_find(fields, wanted, NULL);
    size_t room = 0;

    if (!field)
        return NULL;
    for (; field; field = fate__http_find(fields, wanted, field))
        room += field->value_len + 2;
    return join(request, wanted, room);
}

const fate_address *fate_request_peer(const fate_request *request)
{
    const struct fate__http_connection *connection = request->connection;

    return connection ? fate_peer(connection->base.transport) : &request->peer;
}

fate_reactor *fate_request_reactor(const fate_request *request)
{
    return request->site->reactor;
}

/* ---- Resources ---- */

static void free_resource(void *data)
{
    fate_resource *resource = data;

    fate_drop(resource->arg);
    fate_drop(resource->trouble);
}

fate_resource *fate__resource_new(fate_reactor *reactor, fate_page *page, fate_value arg, const char *where)
{
    const fate_resource made = { .reactor = reactor, .page = page, .arg = arg, .where = where };
    fate_value self;

    if (fate_is_failure(&arg)) {
        fate_drop(arg);
        return NULL;
    }
    self = fate_box_new("fate_resource", sizeof made, &made, free_resource);
    if (fate_is_failure(&self))
        return NULL;
    fate_resource *resource = fate_box_data("fate_resource", &self, where);
    resource->self = self;
    return fate_reactor_keep(reactor, self) < 0 ? NULL : resource;
}

fate_resource *fate_resource_new_at(fate_reactor *reactor, fate_page *page, fate_value arg, const char *where)
{
    fate_resource *resource = fate__resource_new(reactor, page, arg, where);

    return resource ? resource : fate__http_nothing(reactor);
}

fate_resource *(fate_resource_new)(fate_reactor *reactor, fate_page *page, fate_value arg)
{
    return fate_resource_new_at(reactor, page, arg, "fate_resource_new");
}
