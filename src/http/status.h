/* Status codes in words, and the pages that a server answers by itself. */
#ifndef FATE_SRC_HTTP_STATUS_H
#define FATE_SRC_HTTP_STATUS_H

#include <base/text.h>

/* "Not Found"; of a code that is not registered the meaning of its class (RFC 9110, 15), "Client Error";
 * never NULL. */
const char *fate__status_reason(int status);

enum fate__page_kind { FATE__PAGE_HTML, FATE__PAGE_JSON, FATE__PAGE_TEXT };

/* "text/html; charset=utf-8" */
const char *fate__page_type(enum fate__page_kind kind);
/* The body of an answer that says no: status, reason and, unless it is NULL or empty, the detail, which may
 * have been written by anybody. */
void fate__add_error_page(struct fate__text *to, enum fate__page_kind kind, int status, const char *detail);

#endif
