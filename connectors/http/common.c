/* What source and sink share. */
#include "connectors/http/common.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#include "lib/util/refuse_value.h"

enum { BACKOFF_MAX_MS = 60000, RETRY_AFTER_MAX_S = 3600, SHOWN = 200 };

/* A status at *at, which moves behind it; -1: none. */
static int read_status(const char **at)
{
    char *end;
    long value = isdigit((unsigned char)**at) ? strtol(*at, &end, 10) : -1;
    if (value < 100 || value > 599) {
        return -1;
    }
    *at = end;
    return (int)value;
}

int statuses_parse(const char *text, struct statuses *statuses, char *message, size_t size)
{
    statuses->count = 0;
    for (const char *at = text + strspn(text, " ,"); *at; at += strspn(at, " ,")) {
        int from = read_status(&at), to = from;
        if (from > 0 && *at == '-') {
            at++;
            to = *at && *at != ',' && *at != ' ' ? read_status(&at) : 599;
        }
        if (from < 0 || to < from || (*at && *at != ',' && *at != ' ') ||
            statuses->count == STATUS_RANGES_MAX) {
            snprintf(message, size, "'%.100s' is no list of status codes: numbers from 100 to 599 and "
                                    "ranges like 500-599 or 500-, at most %d",
                     text, STATUS_RANGES_MAX);
            return -1;
        }
        statuses->ranges[statuses->count].from = from;
        statuses->ranges[statuses->count++].to = to;
    }
    return 0;
}

bool statuses_has(const struct statuses *statuses, int status)
{
    for (size_t i = 0; i < statuses->count; i++) {
        if (status >= statuses->ranges[i].from && status <= statuses->ranges[i].to) {
            return true;
        }
    }
    return false;
}

bool http_check_statuses(const char *name, const char *value, char *message, size_t size)
{
    struct statuses statuses;
    char why[200];
    return !value || statuses_parse(value, &statuses, why, sizeof(why)) == 0 ||
           refuse_value(name, value, why, message, size);
}

bool http_check_url(const char *name, const char *value, char *message, size_t size)
{
    if (!value) {
        return true;
    }
    bool good = strncasecmp(value, "http://", 7) == 0 || strncasecmp(value, "https://", 8) == 0;
    return (good && !strpbrk(value, " \r\n\t")) ||
           refuse_value(name, value, "a URL begins with http:// or https:// and has no blanks", message, size);
}

void headers_free(char *headers[HEADERS_MAX + 1])
{
    for (size_t i = 0; headers[i]; i++) {
        free(headers[i]);
        headers[i] = NULL;
    }
}

/* Whether it reads `Name: value, Name: value`, as a list of Aiven's: a comma may also be in a value. */
static bool is_comma_list(const char *text)
{
    for (;; text++) {
        text += strspn(text, " ");
        size_t name = 0;
        while (isalnum((unsigned char)text[name]) || (text[name] && strchr("!#$%&'*+-.^_`~", text[name]))) {
            name++;
        }
        if (name == 0 || text[name] != ':') {
            return false;
        }
        text += strcspn(text, ",|");
        if (*text != ',') {
            return !*text;
        }
    }
}

int headers_parse(const char *text, bool commas, char *headers[HEADERS_MAX + 1], char *message, size_t size)
{
    size_t count = 0;
    memset(headers, 0, (HEADERS_MAX + 1) * sizeof(*headers));
    const char *separators = commas && text && is_comma_list(text) ? "," : "|";
    while (text && *text) {
        text += strspn(text, *separators == ',' ? " ," : " |");
        size_t length = strcspn(text, separators);
        while (length > 0 && text[length - 1] == ' ') {
            length--;
        }
        const char *colon = memchr(text, ':', length);
        if (length > 0) {
            char *header = strndup(text, length);
            if (!header || !colon || colon == text || count == HEADERS_MAX || strpbrk(header, "\r\n")) {
                free(header);
                headers_free(headers);
                snprintf(message, size, "'%.*s' is no header: Name: value, separated by |, at most %d",
                         (int)(length < 80 ? length : 80), text, HEADERS_MAX);
                return -1;
            }
            headers[count++] = header;
        }
        text += strcspn(text, separators);
    }
    return 0;
}

bool http_check_headers(const char *name, const char *value, char *message, size_t size)
{
    char *headers[HEADERS_MAX + 1], why[200];
    (void)name;
    if (headers_parse(value, false, headers, why, sizeof(why)) != 0) {
        /* Headers may hold secrets: the whole value is not repeated. */
        snprintf(message, size, "Invalid value for configuration %s: %s", name, why);
        return false;
    }
    headers_free(headers);
    return true;
}

int64_t http_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

int64_t http_backoff(int64_t base_ms, int attempt)
{
    int64_t most = base_ms << (attempt < 16 ? attempt - 1 : 15);
    int64_t limit = base_ms < BACKOFF_MAX_MS ? BACKOFF_MAX_MS : base_ms;
    most = most < limit ? most : limit;
    uint32_t random = 0;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random)) {
        random = (uint32_t)http_now_ms() * 2654435761u;
    }
    return most / 2 + (most > 1 ? (int64_t)(random % (uint64_t)(most / 2 + 1)) : 0);
}

int64_t http_retry_after_text(const char *value, int64_t now_s)
{
    char *end;
    int64_t seconds = strtol(value, &end, 10);
    if (!isdigit((unsigned char)*value) || *end) {
        struct tm date;
        memset(&date, 0, sizeof(date));
        end = strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &date);
        if (!end || *end) {
            return -1;
        }
        seconds = timegm(&date) - now_s;
    }
    seconds = seconds < 0 ? 0 : seconds > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : seconds;
    return seconds * 1000;
}

int64_t http_retry_after(const struct http_reply *reply)
{
    char value[64];
    return http_reply_header(reply, "Retry-After", value, sizeof(value))
               ? http_retry_after_text(value, time(NULL))
               : -1;
}

void http_describe(const struct http_reply *reply, char *to, size_t size)
{
    if (reply->failure != HTTP_FINE) {
        snprintf(to, size, "%s", reply->message);
        return;
    }
    size_t shown = reply->body.size < SHOWN ? reply->body.size : SHOWN;
    char location[300];
    if (reply->status >= 300 && reply->status < 400 &&
        http_reply_header(reply, "Location", location, sizeof(location))) {
        snprintf(to, size, "the server answered %d and sends us on to %s, which is not followed", reply->status,
                 location);
        return;
    }
    snprintf(to, size, "the server answered %d%s%.*s", reply->status, shown ? ": " : "", (int)shown,
             reply->body.data ? reply->body.data : "");
    for (char *c = to; *c; c++) {
        *c = *c == '\n' || *c == '\r' ? ' ' : *c;
    }
}

int http_settings_read(const struct sluice_host *host, const struct sluice_config *config,
                       struct http_settings *settings, char *message, size_t size)
{
    const struct sluice_config_api *api = host->config;
    memset(settings, 0, sizeof(*settings));
    settings->timeout_ms = api->get_long(config, "http.timeout.ms");
    settings->options.connect_timeout_ms = (int)api->get_long(config, "http.connect.timeout.ms");
    settings->options.proxy = api->get_string(config, "http.proxy.url");
    settings->options.ca_file = api->get_string(config, "http.ssl.ca.location");
    settings->max_retries = api->get_long(config, "max.retries");
    settings->retry_backoff_ms = api->get_long(config, "retry.backoff.ms");
    if (statuses_parse(api->get_string(config, "retry.on.status.codes"), &settings->retry_on, message,
                       size) != 0) {
        return -1;
    }
    return auth_read(host, config, &settings->auth, message, size);
}

void http_settings_finish(struct http_settings *settings)
{
    auth_finish(&settings->auth);
}
