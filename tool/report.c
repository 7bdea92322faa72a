/* What `fate get` says of pages. */
#include <report.h>

#include <stdio.h>
#include <string.h>

#include <amount.h>
#include <base/escape.h>

/* "12.0 KiB in 350 ms (34.2 KiB/s)"; without a rate where no time has passed. */
static void add_amounts(struct fate__text *to, uint64_t bytes, fate_time took)
{
    char size[FATE__AMOUNT_BYTES], span[FATE__SPAN_BYTES];

    fate__text_format(to, "%s in %s", fate__size_text(bytes, size), fate__span_text(took, span));
    if (took <= 0)
        return;
    uint64_t rate = (uint64_t)((double)bytes * (double)FATE_SECOND / (double)took);
    fate__text_format(to, " (%s/s)", fate__size_text(rate, size));
}

void fate__report_page(struct fate__text *to, const struct fate__outcome *outcome)
{
    if (outcome->error) {
        fate__text_format(to, "Failed to download `%s`: %s", outcome->url, outcome->error);
    } else {
        fate__text_format(to, "Successfully downloaded `%s`: ", outcome->url);
        add_amounts(to, outcome->bytes, outcome->took);
        if (outcome->file && strcmp(outcome->file, "-") != 0)
            fate__text_format(to, ", to %s", outcome->file);
    }
    if (outcome->tries > 1)
        fate__text_format(to, ", after %u tries", outcome->tries);
    bool is_question = to->len && to->bytes[to->len - 1] == '?';
    fate__text_add(to, is_question ? "" : ".");
}

void fate__report_all(struct fate__text *to, const struct fate__sums *sums)
{
    char span[FATE__SPAN_BYTES];
    size_t n_left = sums->n - sums->n_come - sums->n_failed;

    if (sums->n < 2)
        return;
    fate__text_format(to, "%zu of %zu pages, ", sums->n_come, sums->n);
    add_amounts(to, sums->bytes, sums->took);
    if (sums->n_failed)
        fate__text_format(to, "; %zu failed", sums->n_failed);
    if (n_left)
        fate__text_format(to, "; %zu not begun", n_left);
    fate__text_format(to, ".\nOne after another they would have taken %s",
                      fate__span_text(sums->took_in_turn, span));
    if (sums->took > 0)
        fate__text_format(to, ", %.1f times as long", (double)sums->took_in_turn / (double)sums->took);
    fate__text_add(to, ".\n");
}

/* ---- JSON ---- */

static void add_text(struct fate__text *to, const char *name, const char *s)
{
    fate__text_format(to, ", \"%s\": ", name);
    if (s)
        fate__add_json_string(to, s, strlen(s));
    else
        fate__text_add(to, "null");
}

static double seconds(fate_time span)
{
    return (double)span / (double)FATE_SECOND;
}

void fate__report_page_json(struct fate__text *to, const struct fate__outcome *outcome)
{
    fate__text_add(to, "{\"url\": ");
    fate__add_json_string(to, outcome->url, strlen(outcome->url));
    fate__text_format(to, ", \"ok\": %s, \"status\": ", outcome->error ? "false" : "true");
    if (outcome->status)
        fate__text_format(to, "%d", outcome->status);
    else
        fate__text_add(to, "null");
    fate__text_format(to, ", \"bytes\": %llu, \"seconds\": %.6f, \"tries\": %u",
                      (unsigned long long)outcome->bytes, seconds(outcome->took), outcome->tries);
    add_text(to, "file", outcome->file);
    add_text(to, "error", outcome->error);
    add_text(to, "error_class", outcome->error ? outcome->error_class : NULL);
    fate__text_add(to, "}");
}

void fate__report_all_json(struct fate__text *to, const struct fate__sums *sums)
{
    fate__text_format(to,
                      "{\"pages\": %zu, \"downloaded\": %zu, \"failed\": %zu, \"bytes\": %llu, "
                      "\"seconds\": %.6f, \"seconds_one_after_another\": %.6f}\n",
                      sums->n, sums->n_come, sums->n_failed, (unsigned long long)sums->bytes,
                      seconds(sums->took), seconds(sums->took_in_turn));
}
