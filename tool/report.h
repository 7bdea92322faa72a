/* What `fate get` says of pages: for people, and in JSON. */
#ifndef FATE_TOOL_REPORT_H
#define FATE_TOOL_REPORT_H

#include <base/text.h>

/* How it went with a page. */
struct fate__outcome {
    const char *url;
    const char *file;  /* to which it was written; NULL: to none */
    const char *error; /* why it has failed; NULL: it has come */
    const char *error_class;
    int status; /* of the answer; 0: there was none */
    unsigned tries;
    uint64_t bytes;
    fate_time took;
};

/* Of all pages. */
struct fate__sums {
    size_t n, n_come, n_failed; /* those that are neither were not begun */
    uint64_t bytes;
    fate_time took;
    fate_time took_in_turn; /* the times of all, one after another */
};

/* "Successfully downloaded `URL`: 12.0 KiB in 350 ms (34.2 KiB/s).", or "Failed to download `URL`: " and why;
 * without the end of its line. */
void fate__report_page(struct fate__text *to, const struct fate__outcome *outcome);
/* An object on a line: url, file, status, bytes, seconds, tries, ok, error, error_class. */
void fate__report_page_json(struct fate__text *to, const struct fate__outcome *outcome);

/* Lines about all of them; nothing for one page alone. */
void fate__report_all(struct fate__text *to, const struct fate__sums *sums);
/* An object on a line: pages, downloaded, failed, bytes, seconds, seconds_one_after_another. */
void fate__report_all_json(struct fate__text *to, const struct fate__sums *sums);

#endif
