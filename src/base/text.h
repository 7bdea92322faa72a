/* A text that grows, for messages and printed forms. */
#ifndef FATE_SRC_BASE_TEXT_H
#define FATE_SRC_BASE_TEXT_H

#include <base/shared.h>

/* Zeroed is empty.  When memory runs out it stays as it was, and has_failed. */
struct fate__text {
    char *bytes; /* ends with a NUL once anything has been added */
    size_t len, room;
    bool has_failed;
};

FATE__SHARED void fate__text_add(struct fate__text *text, const char *s);
FATE__SHARED void fate__text_add_n(struct fate__text *text, const char *s, size_t len);
FATE__SHARED void fate__text_format(struct fate__text *text, const char *fmt, ...) FATE_PRINTF(2, 3);
FATE__SHARED void fate__text_format_v(struct fate__text *text, const char *fmt, va_list args)
    FATE_PRINTF(2, 0);
/* A call site without its folders: "got_key src/client.c:12" as "got_key client.c:12". */
void fate__text_add_site(struct fate__text *text, const char *site);
FATE__SHARED void fate__text_done(struct fate__text *text);

#define FATE__SPAN_BYTES 32
/* A time for people: "350 ms", "1.2 s", "5 min", "3 h", "2 days"; returns to. */
const char *fate__span_text(fate_time t, char to[FATE__SPAN_BYTES]);

/* The same site in room for n bytes; returns to. */
const char *fate__site_short(const char *site, char *to, size_t n);

#endif
