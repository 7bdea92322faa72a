/* Comparing, without recursion: pairs that have still to be compared wait on a list. */
#include <value/failure.h>

#include <string.h>

#include <base/alloc.h>

#define PAIRS_INSIDE 64

/* Two containers of one kind and size, compared up to their i-th item. */
struct pair {
    const fate_value *a, *b;
    size_t i;
};

struct comparison {
    struct pair *pairs;
    size_t n, room;
    struct pair inside[PAIRS_INSIDE];
};

static bool push(struct comparison *c, const fate_value *a, const fate_value *b)
{
    if (c->n == c->room) {
        bool is_inside = c->pairs == c->inside;
        struct pair *pairs = fate__realloc(is_inside ? NULL : c->pairs, c->room * 2 * sizeof *pairs);
        if (!pairs)
            return false;
        if (is_inside)
            memcpy(pairs, c->inside, sizeof c->inside);
        c->pairs = pairs;
        c->room *= 2;
    }
    c->pairs[c->n++] = (struct pair){ a, b, 0 };
    return true;
}

static bool are_same_strings(const struct fate__string *a, const struct fate__string *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static bool are_same_texts(const struct fate__failure *a, const struct fate__failure *b)
{
    return a->class == b->class && a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static size_t count_items(const fate_value *v)
{
    return fate_is_failure(v) ? 2 : fate_count(v);
}

/* Is all equal but what lies in them, which is put on the list? */
static bool are_alike(struct comparison *c, const fate_value *a, const fate_value *b)
{
    fate_kind kind = fate_kind_of(a);
    if (kind != fate_kind_of(b))
        return false;
    switch (kind) {
    case FATE_KIND_NONE:
        return true;
    case FATE_KIND_FLOAT:
        return a->as.f == b->as.f || (a->as.f != a->as.f && b->as.f != b->as.f);
    case FATE_KIND_BOOL:
    case FATE_KIND_INT:
    case FATE_KIND_DATETIME:
        return a->as.i == b->as.i;
    case FATE_KIND_TEXT:
    case FATE_KIND_BYTES:
        return are_same_strings(a->as.p, b->as.p);
    case FATE_KIND_FAILURE:
        if (!are_same_texts(a->as.p, b->as.p))
            return false;
        return a->as.p == b->as.p || push(c, a, b);
    case FATE_KIND_LIST:
    case FATE_KIND_DICT:
        if (a->as.p == b->as.p)
            return true;
        return count_items(a) == count_items(b) && push(c, a, b);
    default:
        return a->type->plain == b->type->plain && a->as.p == b->as.p;
    }
}

static const fate_value *item_of_failure(const fate_value *v, size_t i)
{
    const struct fate__failure *f = fate__failure_in(v);
    return i == 0 ? &f->payload : &f->cause;
}

/* The i-th items of two containers; false: there is none in b. */
static bool get_items(const struct pair *pair, const fate_value **ret_a, const fate_value **ret_b)
{
    switch (fate_kind_of(pair->a)) {
    case FATE_KIND_LIST:
        *ret_a = fate_at(pair->a, pair->i);
        *ret_b = fate_at(pair->b, pair->i);
        return true;
    case FATE_KIND_DICT:
        *ret_a = fate_dict_at(pair->a, pair->i);
        *ret_b = fate_dict_get(pair->b, fate_dict_key(pair->a, pair->i));
        return *ret_b != NULL;
    default:
        *ret_a = item_of_failure(pair->a, pair->i);
        *ret_b = item_of_failure(pair->b, pair->i);
        return true;
    }
}

static bool compare(struct comparison *c)
{
    while (c->n) {
        struct pair *pair = &c->pairs[c->n - 1];
        if (pair->i == count_items(pair->a)) {
            c->n--;
            continue;
        }
        const fate_value *a, *b;
        if (!get_items(pair, &a, &b))
            return false;
        pair->i++;
        if (!are_alike(c, a, b))
            return false;
    }
    return true;
}

bool fate_equal(const fate_value *a, const fate_value *b)
{
    struct comparison c;
    if (!a || !b)
        return a == b;
    c.pairs = c.inside;
    c.n = 0;
    c.room = PAIRS_INSIDE;

    bool are_equal = are_alike(&c, a, b) && compare(&c);
    if (c.pairs != c.inside)
        fate__free(c.pairs);
    return are_equal;
}
