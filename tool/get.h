/* What the files of `fate get` do for one another. */
#ifndef FATE_TOOL_GET_H
#define FATE_TOOL_GET_H

#include <commands.h>
#include <fate/http_client.h>
#include <report.h>
#include <screen.h>

struct fate__host;

struct fate__page {
    struct fate__get *get;
    struct fate__host *host;
    struct fate__page *next;      /* of the same host, that is to be begun after it */
    struct fate__outcome outcome; /* with the URL as it may be shown */
    const char *url;
    char *shown_url;      /* where that is not url */
    char *own_file;       /* where outcome.file is not an argument: */
    size_t n_name_bytes;  /* so many of it are the name in the URL; */
    unsigned file_number; /* and this stands behind them; 0: nothing */
    uint32_t file_hash;
    fate_time begun;
    fate_value sink;    /* of the file, while a try is under way; none */
    fate_value failure; /* whose text outcome.error is; none */
    uint64_t total;     /* 0: nobody knows */
    int bar;
    fate_deferred *d; /* while it is under way: held */
};

/* Pages whose URLs have the same host and port. */
struct fate__host {
    const char *name; /* in a URL */
    size_t name_len;
    uint32_t hash;
    size_t n_running;
    struct fate__page *first, *last; /* that are to be begun */
};

struct fate__get {
    const struct fate__get_settings *settings;
    fate_reactor *reactor;
    fate_agent *agent;
    fate_header *headers; /* ends with { 0 } */
    struct fate__page *pages;
    struct fate__host *hosts;
    size_t n, n_hosts, n_running;
    struct fate__sums sums;
    struct fate__screen screen;
    fate_time begun;
    fate_deferred *all; /* fires when the last page has ended */
    bool is_beginning, is_ending, has_hung_up;
    int error; /* the errno of what could not be written */
};

/* ---- get_plan.c: what is to be done ---- */

/* Pages with their files and hosts, and the headers.  0; -ENOMEM; -EINVAL with the reason.  fate__get_done
 * must follow. */
int fate__get_plan(struct fate__get *get, size_t n, const char *const *urls, struct fate__why *why);
void fate__get_done(struct fate__get *get);
/* The page that is to be begun next, taken out of its line; NULL: none may be begun now. */
struct fate__page *fate__get_next(struct fate__get *get);
/* A file's name out of a URL: its last part, "index.html" where that is empty.  NULL: no memory. */
char *fate__get_file_name(const char *url);
/* The URL with stars in the place of its password; NULL: it has none, or there is no memory, which
 * *ret_is_no_memory says. */
char *fate__get_shown_url(const char *url, bool *ret_is_no_memory);

/* ---- get_page.c: one page ---- */

/* Begins it; fate__get_ended is called when it has ended, at once perhaps. */
void fate__page_begin(struct fate__page *page);

/* ---- get.c: all of them ---- */

void fate__get_ended(struct fate__page *page);

#endif
