/* Dates of HTTP: RFC 9110, 5.6.7.  Pure functions; whoever wants the time of day reads the clock. */
#ifndef FATE_SRC_HTTP_DATE_H
#define FATE_SRC_HTTP_DATE_H

#include <http/bytes.h>

/* "Sun, 06 Nov 1994 08:49:37 GMT" and a NUL. */
#define FATE__HTTP_DATE_BYTES 30

/* Seconds since 1970, of the years 0 to 9999; others are taken for the nearest of these. */
void fate__http_date_text(int64_t seconds, char to[FATE__HTTP_DATE_BYTES]);

/* All three forms: IMF-fixdate, that of RFC 850, and asctime's.  now, in seconds since 1970, is for the two
 * digits of the second one's years: a date more than 50 years ahead is of the last century that had it.  The
 * day of the week must be a name of one and is not compared with the date.  False: it is no date. */
bool fate__http_date_parse(struct fate__http_slice text, int64_t now, int64_t *ret_seconds);

#endif
