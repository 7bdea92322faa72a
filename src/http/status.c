/* Status codes in words, and pages that say no. */
#include <http/status.h>

#include <stdlib.h>
#include <string.h>

#include <base/escape.h>

/* ---- Reasons ---- */

struct reason {
    int status;
    const char *text;
};

/* The registry of status codes that RFC 9110, 16.2 sets up; sorted. */
static const struct reason reasons[] = {
    { 100, "Continue" },
    { 101, "Switching Protocols" },
    { 102, "Processing" },
    { 103, "Early Hints" },
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 203, "Non-Authoritative Information" },
    { 204, "No Content" },
    { 205, "Reset Content" },
    { 206, "Partial Content" },
    { 207, "Multi-Status" },
    { 208, "Already Reported" },
    { 226, "IM Used" },
    { 300, "Multiple Choices" },
    { 301, "Moved Permanently" },
    { 302, "Found" },
    { 303, "See Other" },
    { 304, "Not Modified" },
    { 305, "Use Proxy" },
    { 307, "Temporary Redirect" },
    { 308, "Permanent Redirect" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 402, "Payment Required" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" },
    { 407, "Proxy Authentication Required" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 410, "Gone" },
    { 411, "Length Required" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" },
    { 416, "Range Not Satisfiable" },
    { 417, "Expectation Failed" },
    { 421, "Misdirected Request" },
    { 422, "Unprocessable Content" },
    { 423, "Locked" },
    { 424, "Failed Dependency" },
    { 425, "Too Early" },
    { 426, "Upgrade Required" },
    { 428, "Precondition Required" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 451, "Unavailable For Legal Reasons" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 502, "Bad Gateway" },
    { 503, "Service Unavailable" },
    { 504, "Gateway Timeout" },
    { 505, "HTTP Version Not Supported" },
    { 506, "Variant Also Negotiates" },
    { 507, "Insufficient Storage" },
    { 508, "Loop Detected" },
    { 511, "Network Authentication Required" },
};

static int compare(const void *key, const void *entry)
{
    return *(const int *)key - ((const struct reason *)entry)->status;
}

const char *fate__status_reason(int status)
{
    static const char *const classes[] = { "Unknown",     "Informational", "Successful",
                                           "Redirection", "Client Error",  "Server Error" };
    const struct reason *found =
        bsearch(&status, reasons, sizeof reasons / sizeof *reasons, sizeof *reasons, compare);

    if (found)
        return found->text;
    return classes[status >= 100 && status <= 599 ? status / 100 : 0];
}

/* ---- Pages ---- */

const char *fate__page_type(enum fate__page_kind kind)
{
    static const char *const types[] = { "text/html; charset=utf-8", "application/json",
                                         "text/plain; charset=utf-8" };

    return types[kind];
}

static void add_html_page(struct fate__text *to, int status, const char *reason, const char *detail)
{
    fate__text_format(to,
                      "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>%d %s</title>\n"
                      "<h1>%d %s</h1>\n",
                      status, reason, status, reason);
    size_t len = strlen(detail);
    bool has_lines = strcspn(detail, "\n") + 1 < len; /* a traceback has */
    if (len) {
        fate__text_add(to, has_lines ? "<pre>" : "<p>");
        fate__add_html(to, detail, len);
        fate__text_add(to, has_lines ? "</pre>\n" : "</p>\n");
    }
    fate__text_add(to, "</html>\n");
}

static void add_json_page(struct fate__text *to, int status, const char *reason, const char *detail)
{
    fate__text_format(to, "{\"status\":%d,\"error\":\"%s\"", status, reason);
    if (*detail) {
        fate__text_add(to, ",\"detail\":");
        fate__add_json_string(to, detail, strlen(detail));
    }
    fate__text_add(to, "}\n");
}

void fate__add_error_page(struct fate__text *to, enum fate__page_kind kind, int status, const char *detail)
{
    const char *reason = fate__status_reason(status);

    detail = detail ? detail : "";
    if (kind == FATE__PAGE_HTML)
        add_html_page(to, status, reason, detail);
    else if (kind == FATE__PAGE_JSON)
        add_json_page(to, status, reason, detail);
    else
        fate__text_format(to, "%d %s%s%s\n", status, reason, *detail ? ": " : "", detail);
}
