/* Drawing diagrams in tests, and looking into the pictures. */
#include "test_diagram_helpers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "test.h"

static char svg[1 << 20];

const char *test_svg(void)
{
    return svg;
}

/* ---- Is it XML? ---- */

static bool is_entity(const char *at)
{
    static const char *const entities[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };

    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
        if (strncmp(at, entities[i], strlen(entities[i])) == 0)
            return true;
    return false;
}

static bool is_plain_text(const char *s)
{
    for (; *s; s++)
        if (((unsigned char)*s < 0x20 && *s != '\n') || (*s == '&' && !is_entity(s)))
            return false;
    return true;
}

/* Is each element closed in its turn, each attribute quoted, each & an entity? */
static bool is_well_formed(const char *s)
{
    const char *open[32];
    size_t n = 0;

    if (!is_plain_text(s))
        return false;
    while ((s = strchr(s, '<'))) {
        const char *end = strchr(s, '>');
        if (!end || memchr(s + 1, '<', (size_t)(end - s - 1)))
            return false;
        size_t quotes = 0;
        for (const char *at = s; at < end; at++)
            quotes += *at == '"';
        size_t len = strcspn(s + 1, " />");
        if (s[1] == '/') {
            len = strcspn(s + 2, ">");
            if (n == 0 || strncmp(open[--n], s + 2, len) != 0)
                return false;
        } else if (quotes % 2 || len == 0 || n == 32) {
            return false;
        } else if (end[-1] != '/') {
            open[n++] = s + 1;
        }
        s = end;
    }
    return n == 0;
}

/* ---- Drawing ---- */

int test_draw(const fate_diagram *diagram)
{
    svg[0] = '\0';
    FILE *file = fmemopen(svg, sizeof svg - 1, "w");
    if (!file)
        return -errno;
    int status = fate_diagram_write(diagram, file);
    fclose(file);
    if (status == 0)
        EXPECT(is_well_formed(svg));
    return status;
}

const char *test_picture(void)
{
    const char *end = strstr(svg, "</style>");
    return end ? end : "";
}

bool test_has_in_order(const char *text, const char *const *parts)
{
    for (; *parts; parts++) {
        text = strstr(text, *parts);
        if (!text)
            return false;
        text += strlen(*parts);
    }
    return true;
}

size_t test_count(const char *text, const char *part)
{
    size_t n = 0;

    while ((text = strstr(text, part))) {
        text += strlen(part);
        n++;
    }
    return n;
}
