/* Looking fields up by their names. */
#include <http/message.h>

const struct fate__http_field *fate__http_find(const struct fate__http_fields *fields,
                                               struct fate__http_slice name,
                                               const struct fate__http_field *after)
{
    for (size_t i = after ? (size_t)(after - fields->list) + 1 : 0; i < fields->n; i++) {
        const struct fate__http_field *field = &fields->list[i];
        if (field->name_len == name.len && fate__http_same(fate__http_field_name(fields, field), name))
            return field;
    }
    return NULL;
}
