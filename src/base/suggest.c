/* Distances between words, as Damerau and Levenshtein count them, and the nearest of several. */
#include <base/suggest.h>

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define LETTERS_MAX  64 /* longer words are nobody's mistyped name */
#define MISTAKES_MAX 3
#define BEGINNING    3 /* letters that make a beginning of a word worth naming */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Three rows of the table are alive: two letters back is where a swap comes from. */
struct rows {
    unsigned char before_last[LETTERS_MAX + 1], last[LETTERS_MAX + 1], row[LETTERS_MAX + 1];
};

/* The row of the i-th letter of a. */
static void fill_row(struct rows *rows, const char *a, size_t i, const char *b, size_t b_len)
{
    rows->row[0] = (unsigned char)i;
    for (size_t j = 1; j <= b_len; j++) {
        unsigned differs = lower(a[i - 1]) != lower(b[j - 1]);
        unsigned cost = least(rows->last[j], rows->row[j - 1]) + 1u;
        cost = least(cost, rows->last[j - 1] + differs);
        if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
            cost = least(cost, rows->before_last[j - 2] + 1u);
        rows->row[j] = (unsigned char)cost;
    }
}

static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    struct rows rows;

    for (size_t j = 0; j <= b_len; j++)
        rows.last[j] = (unsigned char)j;
    memcpy(rows.before_last, rows.last, sizeof rows.last);
    for (size_t i = 1; i <= a_len; i++) {
        fill_row(&rows, a, i, b, b_len);
        memcpy(rows.before_last, rows.last, b_len + 1);
        memcpy(rows.last, rows.row, b_len + 1);
    }
    return rows.last[b_len];
}

/* Whether the shorter one is how the longer one begins. */
static bool is_beginning(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t len = a_len < b_len ? a_len : b_len, i = 0;

    while (i < len && lower(a[i]) == lower(b[i]))
        i++;
    return i == len && len >= BEGINNING;
}

/* How many mistakes make the word of the name; more than MISTAKES_MAX: it was not meant. */
static unsigned mistakes(const char *word, size_t word_len, const char *name)
{
    size_t len = strlen(name), longer = len > word_len ? len : word_len;

    if (len > LETTERS_MAX)
        return UINT32_MAX;
    unsigned n = distance(word, word_len, name, len);
    if (n <= MISTAKES_MAX && n <= longer / 3)
        return n;
    return is_beginning(word, word_len, name, len) ? MISTAKES_MAX : UINT32_MAX;
}

const char *fate__suggest(const char *word, const char *const names[], size_t n)
{
    const char *nearest = NULL;
    unsigned fewest = MISTAKES_MAX + 1;
    size_t len = strlen(word);

    for (size_t i = 0; i < n && len <= LETTERS_MAX; i++) {
        unsigned count = mistakes(word, len, names[i]);
        if (count < fewest) {
            fewest = count;
            nearest = names[i];
        }
    }
    return nearest;
}
