/* The parts of an SVG picture: texts, lines and heads of arrows. */
#include <diagram/svg.h>

#include <stdlib.h>
#include <string.h>

#include <base/utf8.h>

/* ---- Characters ---- */

static const char REPLACEMENT[] = "\xef\xbf\xbd";

/* A character of XML 1.0 (2.2) that is not ASCII? */
static bool is_allowed(const char *s, size_t len)
{
    return len > 1 && strncmp(s, "\xef\xbf\xbe", len) != 0 && strncmp(s, "\xef\xbf\xbf", len) != 0;
}

static const char *entity_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\n':
    case '\t':
    case '\r':
        return " ";
    default:
        return (unsigned char)c < 0x20 || c == 0x7f || (unsigned char)c >= 0x80 ? REPLACEMENT : NULL;
    }
}

/* The character at s, as it is written; returns its length. */
static size_t add_character(struct fate__text *svg, const char *s, size_t n)
{
    size_t len = fate__utf8_len(s, n);

    if (is_allowed(s, len)) {
        fate__text_add_n(svg, s, len);
        return len;
    }
    const char *entity = len > 1 ? REPLACEMENT : entity_of(*s);
    if (entity)
        fate__text_add(svg, entity);
    else
        fate__text_add_n(svg, s, 1);
    return len ? len : 1;
}

static void add_escaped_n(struct fate__text *svg, const char *s, size_t len)
{
    for (size_t i = 0; i < len;)
        i += add_character(svg, s + i, len - i);
}

void fate__svg_add_escaped(struct fate__text *svg, const char *s)
{
    add_escaped_n(svg, s, strlen(s));
}

/* ---- Widths ---- */

/* In hundredths of the size: as wide as the widest of the usual sans-serif fonts. */
static int width_of(const char *s, size_t len)
{
    if (len > 2)
        return 105;
    if (len == 2)
        return 75;
    if (strchr("iljI|!.,:;'`()[] ft/\\", *s))
        return 40;
    if (strchr("mwMW@%", *s))
        return 97;
    return (*s >= 'A' && *s <= 'Z') || strchr("<>=+~#&", *s) ? 77 : 64;
}

int fate__svg_width(const char *s, int size)
{
    size_t len = strlen(s);
    int width = 0;

    for (size_t i = 0; i < len;) {
        size_t n = fate__utf8_len(s + i, len - i);
        n = n ? n : 1;
        width += width_of(s + i, n);
        i += n;
    }
    return (width * size + 99) / 100;
}

/* How many bytes of s may stand before three dots; all of them if they fit. */
static size_t fitting(const char *s, int size, int width)
{
    size_t len = strlen(s), i = 0;
    int room = (width - fate__svg_width("...", size)) * 100 / size;

    if (width == 0 || fate__svg_width(s, size) <= width)
        return len;
    for (size_t n; i < len; i += n) {
        n = fate__utf8_len(s + i, len - i);
        n = n ? n : 1;
        room -= width_of(s + i, n);
        if (room < 0)
            break;
    }
    return i;
}

void fate__svg_text(struct fate__text *svg, const struct fate__svg_text *how, const char *s)
{
    size_t n = fitting(s, how->size, how->width);

    fate__text_format(svg, "<text class=\"%s\" x=\"%d\" y=\"%d\" font-size=\"%d\"", how->class, how->x,
                      how->y, how->size);
    if (strcmp(how->anchor, "start") != 0)
        fate__text_format(svg, " text-anchor=\"%s\"", how->anchor);
    fate__text_add(svg, ">");
    add_escaped_n(svg, s, n);
    fate__text_add(svg, s[n] ? "...</text>\n" : "</text>\n");
}

/* ---- Lines ---- */

#define CROSSING_HEIGHT 38
#define CORNER          10

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

void fate__svg_down(struct fate__text *svg, const char *class, struct fate__point a, struct fate__point b)
{
    int crossed = smaller(a.y + CROSSING_HEIGHT, b.y), middle = (a.y + crossed) / 2;

    fate__text_format(svg, "<path class=\"%s\" d=\"M%d %d", class, a.x, a.y);
    if (a.x != b.x)
        fate__text_format(svg, "C%d %d %d %d %d %d", a.x, middle, b.x, middle, b.x, crossed);
    if (a.x == b.x || crossed < b.y)
        fate__text_format(svg, "V%d", b.y);
    fate__text_add(svg, "\"/>\n");
}

/* A quarter of a circle from where the pen is: the corner, then the way that goes on. */
static void add_corner(struct fate__text *svg, struct fate__point corner, int dx, int dy)
{
    fate__text_format(svg, "Q%d %d %d %d", corner.x, corner.y, corner.x + dx, corner.y + dy);
}

void fate__svg_around(struct fate__text *svg, const char *class, struct fate__point a, int y, int x,
                      struct fate__point b)
{
    int first = x < a.x ? -1 : 1, last = b.x < x ? -1 : 1;
    int down = smaller(CORNER, y - a.y), further = smaller(CORNER, (b.y - y) / 2);

    fate__text_format(svg, "<path class=\"%s\" d=\"M%d %d", class, a.x, a.y);
    if (down > 0) {
        fate__text_format(svg, "V%d", y - down);
        add_corner(svg, (struct fate__point){ a.x, y }, first * down, 0);
    }
    fate__text_format(svg, "H%d", x - first * further);
    add_corner(svg, (struct fate__point){ x, y }, 0, further);
    fate__text_format(svg, "V%d", b.y - further);
    add_corner(svg, (struct fate__point){ x, b.y }, last * further, 0);
    fate__text_format(svg, "H%d\"/>\n", b.x);
}

void fate__svg_head(struct fate__text *svg, const char *class, struct fate__point at,
                    enum fate__heading heading)
{
    static const char *const shapes[] = { "l-5 -10h10z", "l10 -5v10z", "l-10 -5v10z" };

    fate__text_format(svg, "<path class=\"%s\" d=\"M%d %d%s\"/>\n", class, at.x, at.y, shapes[heading]);
}
