/* What clients and servers of HTTP share: the classes of their failures.  They are part of libfate-web. */
#ifndef FATE_HTTP_H
#define FATE_HTTP_H

#include <fate/failure.h>

FATE_BEGIN

/* The root of what goes wrong over HTTP; "HttpError". */
FATE_API extern const fate_class FATE_HTTP_ERROR;
/* "HttpStatus": an answer that says no.  Its payload is a dict with "status", an int; what a client gets has
 * besides "url", "headers", a dict whose names are in small letters, and "page", the text that came with it.
 */
FATE_API extern const fate_class FATE_HTTP_STATUS;
/* "HttpProtocolError": the peer does not speak HTTP as the RFCs want it. */
FATE_API extern const fate_class FATE_HTTP_PROTOCOL;
/* "HttpShortBody": a body was cut before its end. */
FATE_API extern const fate_class FATE_HTTP_SHORT_BODY;
/* "HttpTooLarge": there was more than one of the limits allows. */
FATE_API extern const fate_class FATE_HTTP_TOO_LARGE;
/* "HttpRedirectError": redirected too often, to what is not HTTP, or with a body that cannot be sent again.
 */
FATE_API extern const fate_class FATE_HTTP_REDIRECT;
/* "HttpTimeout", of FATE_TIMEOUT. */
FATE_API extern const fate_class FATE_HTTP_TIMEOUT;

FATE_END

#endif
