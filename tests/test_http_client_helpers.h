/* A scripted web server in the simulated network, for those who test the client. */
#ifndef FATE_TESTS_TEST_HTTP_CLIENT_HELPERS_H
#define FATE_TESTS_TEST_HTTP_CLIENT_HELPERS_H

#include <fate/http_client.h>
#include <fate/test.h>

#include "test.h"

enum web_then {
    WEB_KEEP,  /* waits for the next request */
    WEB_CLOSE, /* ends the connection */
    WEB_RESET,
};

/* What is said to a request; the script is for all connections together, in order. */
struct web_answer {
    const char *says; /* NULL: nothing; the script ends with says NULL and when NULL */
    const char *when; /* the request must contain this first; NULL: the end of its head */
    enum web_then then;
    fate_time after;      /* it is said that much later */
    size_t n_bytes;       /* of says; 0: it is a text */
    const char *and_says; /* at once behind it, again and again, so often: */
    size_t n_times;
    fate_time every; /* or with that much time between */
};

/* A simulated reactor whose host "web" listens on port 80 and answers by the script.  False: no memory. */
bool web_open(const struct web_answer *script);
/* Frees the reactor, on which nothing is left. */
void web_close(void);
/* Frees it with what there still is on it. */
void web_leave(void);

/* The server says that over the newest connection. */
void web_say_unasked(const char *bytes);

extern fate_reactor *client_reactor;
/* All that the server has heard, a line "--" before each connection; and how many there have been. */
const char *client_heard(void);
extern int web_connections;
/* How many times it has been said, in what the server has heard. */
int web_heard_times(const char *part);

/* Plays until d, given, has its result, an hour at most; returns that, and none when it has none. */
fate_value web_result(fate_deferred *d);
/* The same, and it is that text, or a failure of that class whose message contains the part. */
void web_expect_text(fate_deferred *d, const char *text);
void web_expect_failure(fate_deferred *d, const fate_class *c, const char *part);

#endif
