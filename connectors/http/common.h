/* What source and sink share: which answers are tried again and when, headers, how to connect. */
#ifndef HTTP_COMMON_H
#define HTTP_COMMON_H

#include "connectors/http/auth.h"

enum { STATUS_RANGES_MAX = 16, HEADERS_MAX = 32 };

/** `429,500-599,503-`. */
struct statuses {
    struct {
        int from, to;
    } ranges[STATUS_RANGES_MAX];
    size_t count;
};

int statuses_parse(const char *text, struct statuses *statuses, char *message, size_t size);
bool statuses_has(const struct statuses *statuses, int status);
bool http_check_statuses(const char *name, const char *value, char *message, size_t size);
bool http_check_url(const char *name, const char *value, char *message, size_t size);
bool http_check_headers(const char *name, const char *value, char *message, size_t size);

/**
 * Header templates of `Name: value|Name: value`, each to be freed; closed by NULL. commas: these
 * separate too, where there is no | and each part has a name. -1: malformed.
 */
int headers_parse(const char *text, bool commas, char *headers[HEADERS_MAX + 1], char *message, size_t size);
void headers_free(char *headers[HEADERS_MAX + 1]);

/**
 * How long to wait before try number `attempt` (from 1): at random from half of base_ms up to it, doubled
 * each time; a minute, or base_ms where that is more, is the end of it.
 */
int64_t http_backoff(int64_t base_ms, int attempt);
/** Retry-After of an answer in milliseconds; -1: it has none. At most an hour. */
int64_t http_retry_after(const struct http_reply *reply);
/** Of the header's value: seconds, or a date. */
int64_t http_retry_after_text(const char *value, int64_t now_s);
int64_t http_now_ms(void);
/** One line about an answer that was no success, with the beginning of its body. */
void http_describe(const struct http_reply *reply, char *to, size_t size);

struct http_settings {
    struct http_options options; /**< strings are the configuration's */
    struct statuses retry_on;
    int64_t max_retries, retry_backoff_ms, timeout_ms;
    struct auth auth;
};

#define HTTP_CONNECTION_OPTIONS                                                                    \
    {HTTP_OPTION("http.timeout.ms", INT), .default_value = "30000", .importance = SLUICE_MEDIUM,  \
     .valid = SLUICE_VALID_RANGE, .min = 1, .max = 3600000, .group = "Connection",                 \
     .doc = "How long a request may take."},                                                       \
        {HTTP_OPTION("http.connect.timeout.ms", INT), .default_value = "10000",                    \
         .importance = SLUICE_LOW, .valid = SLUICE_VALID_RANGE, .min = 1, .max = 600000,           \
         .group = "Connection", .doc = "How long to wait for a connection."},                      \
        {HTTP_OPTION("http.proxy.url", STRING), .importance = SLUICE_LOW, .group = "Connection",   \
         .doc = "A proxy; without it the environment's."},                                         \
        {HTTP_OPTION("http.ssl.ca.location", STRING), .importance = SLUICE_LOW,                    \
         .group = "Connection", .doc = "File of certificates to trust, instead of the system's."}, \
        {HTTP_OPTION("max.retries", INT), .default_value = "10", .importance = SLUICE_MEDIUM,      \
         .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT32_MAX, .group = "Retries",              \
         .doc = "How often a request that failed is tried again."},                                \
        {HTTP_OPTION("retry.backoff.ms", INT), .default_value = "3000",                            \
         .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT32_MAX,     \
         .group = "Retries",                                                                       \
         .doc = "Longest wait before the first of them; doubled each time, at random up to it. "   \
                "Where the server says Retry-After, that."},                                       \
        {HTTP_OPTION("retry.on.status.codes", STRING), .default_value = "408,425,429,500-",        \
         .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_CUSTOM, .check = http_check_statuses,  \
         .group = "Retries", .doc = "Answers that are tried again: numbers and ranges (500-599, 500-)."}

/** -1 with a sentence. */
int http_settings_read(const struct sluice_host *host, const struct sluice_config *config,
                       struct http_settings *settings, char *message, size_t size);
void http_settings_finish(struct http_settings *settings);

#endif
