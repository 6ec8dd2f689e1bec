/* Endpoint, credentials and signatures; see s3_access.h. */
#include "connectors/s3/s3_access.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE_SIZE = 8192, CLOCK_NOTED_S = 60 };

/* -- addresses -- */

static int set_endpoint(struct s3_access *access, const char *region, char *message, size_t size)
{
    const struct settings *settings = access->settings;
    const char *china = strncmp(region, "cn-", 3) == 0 ? ".cn" : "";
    char text[600];
    snprintf(access->region, sizeof(access->region), "%s", region);
    if (settings->store_url) {
        snprintf(text, sizeof(text), "%s%s", strstr(settings->store_url, "://") ? "" : "https://",
                 settings->store_url);
    } else if (settings->wan_mode) {
        snprintf(text, sizeof(text), "https://s3-accelerate.amazonaws.com");
    } else {
        snprintf(text, sizeof(text), "https://s3.%s.amazonaws.com%s", region, china);
    }
    if (!aws_url_parse(text, &access->endpoint)) {
        snprintf(message, size, "%s is no address of an S3 service (store.url, s3.region)", text);
        return -1;
    }
    /* A name with dots does not match a certificate's wildcard. */
    bool path_style = settings->path_style ||
                      (access->endpoint.tls && strchr(settings->bucket, '.') != NULL);
    if (path_style) {
        snprintf(access->host_name, sizeof(access->host_name), "%s", access->endpoint.authority);
        struct buffer path;
        buffer_init(&path, sizeof(access->base_path) - 1);
        (void)buffer_printf(&path, "%s/", access->endpoint.path);
        aws_uri_encode(&path, settings->bucket, strlen(settings->bucket), false);
        snprintf(access->base_path, sizeof(access->base_path), "%s", path.data ? path.data : "");
        buffer_finish(&path);
    } else {
        snprintf(access->host_name, sizeof(access->host_name), "%.100s.%s", settings->bucket,
                 access->endpoint.authority);
        snprintf(access->base_path, sizeof(access->base_path), "%s", access->endpoint.path);
    }
    sigv4_signer_finish(&access->signer);
    sigv4_signer_init(&access->signer, region, "s3");
    return 0;
}

int s3_access_move(struct s3_access *access, const char *region, char *message, size_t size)
{
    char copy[sizeof(access->region)];
    if (strcmp(region, access->region) == 0) {
        return 0;
    }
    access->host->log(access->host, SLUICE_WARN, "The bucket %s is in region %s, not in %s: set s3.region",
                      access->settings->bucket, region, access->region);
    snprintf(copy, sizeof(copy), "%s", region);
    return set_endpoint(access, copy, message, size);
}

void s3_access_set_clock(struct s3_access *access, int64_t server_time)
{
    int64_t offset = server_time - time(NULL), change = offset - access->clock_offset;
    access->clock_offset = offset;
    if (change >= -CLOCK_NOTED_S && change <= CLOCK_NOTED_S) {
        return; /* requests that were under way say it again */
    }
    access->host->log(access->host, SLUICE_WARN,
                      "This machine's clock is %" PRId64 " s off S3's, which is used from now on",
                      -access->clock_offset);
}

const char *s3_access_text(const struct s3_access *access, const char *key, char *text, size_t size)
{
    snprintf(text, size, "%s://%s%s%s%.300s", access->endpoint.tls ? "https" : "http",
             access->host_name, access->base_path, key ? "/" : "", key ? key : "");
    return text;
}

struct http_options s3_access_http(const struct s3_access *access, size_t connections_max)
{
    const struct settings *settings = access->settings;
    return (struct http_options){
        .connections_max = connections_max,
        .proxy = settings->proxy[0] ? settings->proxy : NULL,
        .proxy_user = settings->proxy_user,
        .proxy_password = settings->proxy_password,
        .ca_file = getenv("AWS_CA_BUNDLE"),
    };
}

/* -- signed requests -- */

static void add(struct s3_draft *draft, const char *name, const char *value)
{
    draft->headers[draft->header_count++] = (struct sigv4_pair){name, value};
}

void s3_signed_finish(struct s3_signed *ready)
{
    for (size_t i = 0; i < ready->count; i++) {
        explicit_bzero(ready->lines[i], strlen(ready->lines[i])); /* invariant 7: tokens, keys */
        free(ready->lines[i]);
    }
    free(ready->url);
    *ready = (struct s3_signed){0};
}

static bool add_line(struct s3_signed *ready, const char *name, const char *value)
{
    if (asprintf(&ready->lines[ready->count], "%s: %s", name, value) < 0) {
        return false;
    }
    ready->lines[++ready->count] = NULL;
    return true;
}

static bool sign(struct s3_access *access, const struct aws_credentials *credentials,
                 const struct s3_draft *draft, const char *path, int64_t now, struct s3_signed *ready)
{
    struct buffer authorization;
    buffer_init(&authorization, LINE_SIZE);
    struct sigv4_request to_sign = {
        .method = draft->method,
        .path = path,
        .query = draft->query,
        .query_count = draft->query_count,
        .headers = draft->headers,
        .header_count = draft->header_count,
        .payload_hash = draft->payload_hash,
        .time = now,
    };
    bool good = sigv4_sign(&access->signer, credentials->access_key, credentials->secret_key,
                           &to_sign, &authorization, NULL) == 0 &&
                add_line(ready, "Authorization", authorization.data);
    buffer_finish(&authorization);
    return good;
}

bool s3_access_sign(struct s3_access *access, struct s3_draft *draft, struct s3_signed *ret_signed,
                    char *message, size_t size)
{
    struct aws_credentials credentials = {0};
    struct buffer path, query;
    char date[SIGV4_DATE_SIZE];
    struct s3_signed *ready = ret_signed;
    *ready = (struct s3_signed){0};
    buffer_init(&path, 16 << 10);
    buffer_init(&query, 16 << 10);
    snprintf(message, size, "out of memory");
    bool good = !access->credentials ||
                aws_provider_get(access->credentials, &credentials, message, size);
    if (!good) {
        goto clean_up;
    }
    (void)buffer_append_text(&path, access->base_path);
    if (draft->key) {
        (void)buffer_append_char(&path, '/');
        aws_uri_encode(&path, draft->key, strlen(draft->key), true);
    } else if (path.size == 0) {
        (void)buffer_append_char(&path, '/');
    }
    /* One look at the clock: a date header of another second than the signature's is refused. */
    int64_t now = time(NULL) + access->clock_offset;
    sigv4_date(now, date);
    if (access->credentials) {
        add(draft, "x-amz-date", date);
        add(draft, "x-amz-content-sha256", draft->payload_hash);
        if (credentials.token[0]) {
            add(draft, "x-amz-security-token", credentials.token);
        }
    }
    for (size_t i = 0; i < draft->header_count && good; i++) {
        good = add_line(ready, draft->headers[i].name, draft->headers[i].value);
    }
    if (access->credentials) {
        add(draft, "host", access->host_name);
        good = good && !path.failed && sign(access, &credentials, draft, path.data, now, ready);
    }
    good = good && sigv4_query(draft->query, draft->query_count, &query) == 0 && !path.failed &&
           asprintf(&ready->url, "%s://%s%s%s%s", access->endpoint.tls ? "https" : "http",
                    access->host_name, path.data, query.size > 0 ? "?" : "",
                    query.size > 0 ? query.data : "") >= 0;
clean_up:
    explicit_bzero(&credentials, sizeof(credentials));
    buffer_finish(&path);
    buffer_finish(&query);
    if (!good) {
        s3_signed_finish(ready);
    }
    return good;
}

/* -- begin and end -- */

static int make_credentials(struct s3_access *access, char *message, size_t size)
{
    const struct aws_credentials_options *options = &access->settings->credentials;
    char why[900];
    if (options->source == AWS_SOURCE_ANONYMOUS) {
        return 0;
    }
    access->credentials = aws_provider_create(options, why, sizeof(why));
    if (!access->credentials) {
        snprintf(message, size, "No credentials for S3: %.600s. Set aws.access.key.id and "
                                "aws.secret.access.key, or one of these sources", why);
        return -1;
    }
    access->host->log(access->host, SLUICE_INFO, "Credentials from %s",
                      aws_provider_name(access->credentials));
    return 0;
}

int s3_access_open(struct s3_access *access, const struct settings *settings,
                   const struct sluice_host *host, char *message, size_t size)
{
    access->settings = settings;
    access->host = host;
    return set_endpoint(access, settings->region, message, size) != 0 ||
                   make_credentials(access, message, size) != 0
               ? -1
               : 0;
}

void s3_access_finish(struct s3_access *access)
{
    aws_provider_destroy(access->credentials);
    access->credentials = NULL;
    sigv4_signer_finish(&access->signer);
}

/* A bucket that answers anything but 404 is there; who may do what shows with the first object. */
int s3_access_probe(struct s3_access *access, char *message, size_t size)
{
    char why[500], address[400];
    for (int try = 0; try < 2; try++) {
        struct s3_draft draft = {.method = "HEAD", .payload_hash = SIGV4_EMPTY_PAYLOAD};
        struct s3_signed ready;
        struct http_reply reply = {0};
        struct aws_fault fault;
        if (!s3_access_sign(access, &draft, &ready, why, sizeof(why))) {
            snprintf(message, size, "S3 cannot be asked for the bucket %s: %s",
                     access->settings->bucket, why);
            return -1;
        }
        struct http_request http = {.method = "HEAD", .url = ready.url, .total_timeout_ms = 30000,
                                    .headers = (const char *const *)ready.lines};
        struct http_options options = s3_access_http(access, 1);
        http_fetch(&options, &http, &reply);
        s3_signed_finish(&ready);
        aws_classify(&reply, false, &fault);
        aws_fault_text(&fault, why, sizeof(why));
        http_reply_finish(&reply);
        s3_access_text(access, NULL, address, sizeof(address));
        if (fault.class == AWS_MISSING) {
            snprintf(message, size, "There is no bucket %s at %s (s3.bucket.name, store.url)",
                     access->settings->bucket, address);
            return -1;
        }
        if (fault.class == AWS_REFUSED && fault.status == 0) {
            const char *url = access->settings->store_url;
            snprintf(message, size, "%s cannot be reached: %s%s", address, why,
                     url && !strstr(url, "://") ? ". store.url names no scheme, so https is taken; write "
                                                  "http:// where the server has no TLS"
                                                : "");
            return -1;
        }
        if (fault.class == AWS_TRANSIENT || fault.class == AWS_THROTTLED) {
            access->host->log(access->host, SLUICE_WARN, "%s does not answer yet: %s", address, why);
        } else if (fault.region[0] && strcmp(fault.region, access->region) != 0) {
            if (s3_access_move(access, fault.region, message, size) != 0) {
                return -1;
            }
            continue;
        }
        break;
    }
    return 0;
}
