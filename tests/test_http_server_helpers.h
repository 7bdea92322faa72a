/* A site for tests, and one connection of it on a transport that only records. */
#ifndef FATE_TESTS_TEST_HTTP_SERVER_HELPERS_H
#define FATE_TESTS_TEST_HTTP_SERVER_HELPERS_H

#include <fate/fate.h>
#include <fate/http_server.h>
#include <fate/test.h>

#include "test.h"

extern fate_reactor *web_reactor;
extern fate_website *web_site;
extern fate_protocol *web_connection;

/* A site with these options, or NULL, and routes.  False: no memory. */
bool web_begin(const fate_site_options *options, const fate_route *routes);
/* A connection, which web_say and web_heard are about. */
bool web_connect(void);
void web_say(const char *bytes);
/* The client's address is that path, lent. */
void web_peer_is(const char *path);
/* All that has been answered since the last time; a text that is good until the next call. */
const char *web_heard(void);
/* What one connection answers to these bytes, given whole. */
const char *web_ask(const char *bytes);
/* The same byte by byte. */
const char *web_ask_slowly(const char *bytes);
/* The client half-closes, resets, reads no more. */
void web_end_of_peer(void);
void web_lose(void);
void web_block(bool is_blocked);
/* Has the server said that nothing more comes? */
bool web_has_ended(void);
/* The last entry of the log, with the traceback of its failure. */
const char *web_logged(void);
/* Frees the reactor; so is it after the test. */
void web_end(void);

#endif
