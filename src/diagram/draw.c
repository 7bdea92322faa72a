/* The picture as a whole: what it is called, how it looks, the panels, and what its signs mean. */
#include <diagram/draw.h>

#include <errno.h>

#include <diagram/svg.h>

/* Green is solid and red is dashed, for those to whom they look alike. */
static const char STYLE[] =
    "<style>\n"
    "text{font-family:'Helvetica Neue',Helvetica,Arial,'Liberation Sans','DejaVu Sans',sans-serif}\n"
    ".page{fill:#fff}.panel{fill:#fff;stroke:#d0d7de}.column.green{fill:#f1faf3}.column.red{fill:#fff5f4}\n"
    ".name{font-weight:600;fill:#1f2328}.line,.key{fill:#57606a}.note{fill:#57606a;font-style:italic}\n"
    ".title{letter-spacing:.06em}.title.green{fill:#1a7f37}.title.red{fill:#cf222e}\n"
    ".way{fill:none;stroke-width:1.2}.way.green{stroke:#b4dfc0}.way.later{stroke:#d0d7de}\n"
    ".way.red{stroke:#f3bfbb;stroke-dasharray:5 3}.tip.green{fill:#b4dfc0}.tip.red{fill:#f3bfbb}\n"
    ".tip.later{fill:#d0d7de}.taken{fill:none;stroke-width:3}.taken.green{stroke:#1a7f37}\n"
    ".taken.red{stroke:#cf222e;stroke-dasharray:7 3}.head.green{fill:#1a7f37}.head.red{fill:#cf222e}\n"
    ".follow{fill:none;stroke:#6639ba;stroke-width:2}.head.follow{fill:#6639ba;stroke:none}\n"
    ".wait{fill:none;stroke:#8c959f;stroke-width:2;stroke-dasharray:1 5;stroke-linecap:round}\n"
    ".box rect{fill:#fff;stroke:#d0d7de}.box.green rect{stroke:#1a7f37;stroke-width:2}\n"
    ".box.red rect{stroke:#cf222e;stroke-width:2}.box.wide rect{stroke:#57606a;stroke-width:2}\n"
    ".box.idle .name,.box.later .name{fill:#6e7781;font-weight:400}.box.idle .line{fill:#6e7781}\n"
    ".box.later rect{fill:#f6f8fa;stroke-dasharray:3 3}.box.later .line{fill:#6e7781}\n"
    ".value.green rect{fill:#dafbe1;stroke:#1a7f37}.value.green text{fill:#0a4a1f}\n"
    ".value.red rect{fill:#ffebe9;stroke:#cf222e}.value.red text{fill:#82071e}\n"
    ".label{fill:#57606a;stroke:#fff;stroke-width:4px;paint-order:stroke}.beginning{fill:#1f2328}\n"
    "</style>\n";

/* ---- The key ---- */

enum { SIGN_WIDTH = 34, KEY_LINE = 26, KEY_SIZE = 12 };

static const struct sign {
    const char *shape; /* from the left end of its middle line */
    const char *meaning;
} signs[] = {
    { "<path class=\"taken green\" d=\"M0 0H26\"/><path class=\"head green\" d=\"M34 0l-10 -5v10z\"/>",
      "a value" },
    { "<path class=\"taken red\" d=\"M0 0H26\"/><path class=\"head red\" d=\"M34 0l-10 -5v10z\"/>",
      "a failure" },
    { "<path class=\"way green\" d=\"M0 -4H34\"/><path class=\"way red\" d=\"M0 4H34\"/>",
      "not taken (no box: passes through)" },
    { "<g class=\"box later\"><rect x=\"2\" y=\"-8\" width=\"30\" height=\"16\" rx=\"4\"/></g>",
      "not reached yet" },
    { "<path class=\"follow\" d=\"M0 0H26\"/><path class=\"head follow\" d=\"M34 0l-10 -5v10z\"/>",
      "follows that deferred" },
    { "<path class=\"wait\" d=\"M2 0H34\"/>", "waits" },
};

#define N_SIGNS (sizeof signs / sizeof *signs)

static int sign_width(const struct sign *sign)
{
    return SIGN_WIDTH + 8 + fate__svg_width(sign->meaning, KEY_SIZE) + 16;
}

/* Returns the y below it.  svg NULL: only that. */
static int draw_key(struct fate__text *svg, int y, int width)
{
    int x = FATE__MARGIN;

    y += KEY_LINE;
    for (const struct sign *sign = signs; sign < signs + N_SIGNS; sign++) {
        if (x > FATE__MARGIN && x + sign_width(sign) > width - FATE__MARGIN) {
            x = FATE__MARGIN;
            y += KEY_LINE;
        }
        if (svg) {
            fate__text_format(svg, "<g transform=\"translate(%d %d)\">%s</g>\n", x, y, sign->shape);
            fate__svg_text(svg,
                           &(struct fate__svg_text){ "key", "start", x + SIGN_WIDTH + 8, y + 4, KEY_SIZE, 0 },
                           sign->meaning);
        }
        x += sign_width(sign);
    }
    return y + KEY_LINE;
}

/* ---- The page ---- */

static void begin_page(struct fate__text *svg, const fate_diagram *diagram, int width, int height)
{
    struct fate__words words;

    fate__text_format(svg,
                      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
                      "viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"title desc\">\n",
                      width, height, width, height);
    fate__words_of_site(&words, diagram->first->site, "");
    fate__text_add(svg, "<title id=\"title\">The chain of the deferred made at ");
    fate__svg_add_escaped(svg, words.line);
    fate__text_add(svg, "</title>\n<desc id=\"desc\">");
    fate__describe_diagram(svg, diagram);
    fate__text_add(svg, "</desc>\n");
    fate__text_add(svg, STYLE);
    fate__text_add(svg, "<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n");
}

static int draw_missing(struct fate__text *svg, const fate_diagram *diagram, int y)
{
    if (!diagram->lacked_memory)
        return y;
    fate__svg_text(svg, &(struct fate__svg_text){ "note", "start", FATE__MARGIN, y + 24, KEY_SIZE, 0 },
                   "Memory ran out while this was recorded: something is missing.");
    return y + KEY_LINE;
}

int fate__draw(const fate_diagram *diagram, struct fate__text *svg)
{
    struct fate__layout layout;

    if (fate__layout_init(&layout, diagram) < 0)
        return -ENOMEM;
    int key_y = layout.height + (diagram->lacked_memory ? KEY_LINE : 0);
    begin_page(svg, diagram, layout.width, draw_key(NULL, key_y, layout.width));
    for (size_t i = 0; i < layout.n_panels; i++)
        fate__draw_frame(svg, &layout.panels[i]);
    for (size_t i = 0; i < layout.n_panels; i++)
        fate__draw_panel(svg, &layout, &layout.panels[i]);
    draw_key(svg, draw_missing(svg, diagram, layout.height), layout.width);
    fate__text_add(svg, "</svg>\n");
    fate__layout_done(&layout);
    return svg->has_failed ? -ENOMEM : 0;
}
