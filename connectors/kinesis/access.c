/* Calls of the Kinesis API; see access.h. */
#include "connectors/kinesis/access.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINES_MAX = 8, LINE_SIZE = 6000, CALL_TIMEOUT_MS = 60000, CONNECTIONS = 16 };

int64_t kinesis_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t kinesis_backoff(struct kinesis_access *access, int failures)
{
    int64_t limit = access->settings->backoff_ms;
    for (int i = 1; i < failures && limit < access->settings->backoff_max_ms; i++) {
        limit *= 2;
    }
    if (limit > access->settings->backoff_max_ms) {
        limit = access->settings->backoff_max_ms;
    }
    access->random = access->random * 6364136223846793005u + 1442695040888963407u;
    return limit / 2 + (int64_t)((access->random >> 20) % (uint64_t)(limit / 2 + 1));
}

void kinesis_append_json(struct buffer *buffer, const char *text)
{
    json_t *string = json_string(text);
    char *quoted = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
    if (!quoted) {
        buffer->failed = true;
    } else {
        (void)buffer_append_text(buffer, quoted);
    }
    free(quoted);
    json_decref(string);
}

/* -- begin and end -- */

int kinesis_access_open(struct kinesis_access *access, const struct kinesis_access_settings *settings,
                        const struct sluice_host *host, char *message, size_t size)
{
    char text[300], why[KINESIS_MESSAGE];
    const char *china = strncmp(settings->region, "cn-", 3) == 0 ? ".cn" : "";
    struct http_options options = {.connections_max = CONNECTIONS, .ca_file = getenv("AWS_CA_BUNDLE")};
    *access = (struct kinesis_access){.host = host, .settings = settings};
    snprintf(text, sizeof(text), "https://kinesis.%s.amazonaws.com%s", settings->region, china);
    if (!aws_url_parse(settings->endpoint ? settings->endpoint : text, &access->endpoint)) {
        snprintf(message, size, "%s is no address of a Kinesis service (kinesis.endpoint, kinesis.region)",
                 settings->endpoint ? settings->endpoint : text);
        return -1;
    }
    snprintf(access->path, sizeof(access->path), "%s/", access->endpoint.path);
    snprintf(access->url, sizeof(access->url), "%s://%s%s", access->endpoint.tls ? "https" : "http",
             access->endpoint.authority, access->path);
    sigv4_signer_init(&access->signer, settings->region, "kinesis");
    access->credentials = aws_provider_create(&settings->credentials, why, sizeof(why));
    if (!access->credentials) {
        snprintf(message, size, "No credentials for Kinesis: %.500s. Set aws.access.key.id and "
                                "aws.secret.access.key, or one of these sources", why);
        return -1;
    }
    access->http = http_client_create(&options);
    if (!access->http) {
        snprintf(message, size, "%s", http_client_problem());
        return -1;
    }
    access->random = (uint64_t)kinesis_now_ms() ^ (uintptr_t)access;
    host->log(host, SLUICE_INFO, "Kinesis at %s, credentials from %s", access->url,
              aws_provider_name(access->credentials));
    return 0;
}

void kinesis_access_finish(struct kinesis_access *access)
{
    http_client_destroy(access->http);
    aws_provider_destroy(access->credentials);
    sigv4_signer_finish(&access->signer);
    *access = (struct kinesis_access){0};
}

/* -- requests -- */

struct http_call *kinesis_start(struct kinesis_access *access, const char *operation,
                                const struct buffer *body,
                                void (*done)(void *user, struct http_reply *reply), void *user,
                                char *message, size_t size)
{
    struct aws_credentials credentials = {0};
    struct http_call *call = NULL;
    char hash[SIGV4_HASH_SIZE], date[SIGV4_DATE_SIZE], target[100];
    int64_t now = time(NULL) + access->clock_offset;
    snprintf(message, size, "out of memory");
    if (body->failed || !aws_provider_get(access->credentials, &credentials, message, size)) {
        return NULL;
    }
    sigv4_hash(body->data ? body->data : "", body->size, hash);
    sigv4_date(now, date);
    snprintf(target, sizeof(target), "Kinesis_20131202.%s", operation);
    struct sigv4_pair headers[LINES_MAX] = {
        {"host", access->endpoint.authority},
        {"content-type", "application/x-amz-json-1.1"},
        {"x-amz-date", date},
        {"x-amz-target", target},
    };
    size_t count = 4;
    if (credentials.token[0]) {
        headers[count++] = (struct sigv4_pair){"x-amz-security-token", credentials.token};
    }
    struct sigv4_request to_sign = {.method = "POST", .path = access->path, .headers = headers,
                                    .header_count = count, .payload_hash = hash, .time = now};
    struct buffer authorization, text;
    const char *lines[LINES_MAX + 1] = {NULL};
    size_t starts[LINES_MAX];
    buffer_init(&authorization, LINE_SIZE);
    buffer_init(&text, 4 * LINE_SIZE);
    bool good = sigv4_sign(&access->signer, credentials.access_key, credentials.secret_key, &to_sign,
                           &authorization, NULL) == 0;
    if (good) {
        headers[0] = (struct sigv4_pair){"Authorization", authorization.data}; /* libcurl writes Host */
        for (size_t i = 0; i < count; i++) {
            starts[i] = text.size;
            (void)buffer_printf(&text, "%s: %s", headers[i].name, headers[i].value);
            (void)buffer_append_char(&text, '\0');
        }
        for (size_t i = 0; i < count && !text.failed; i++) {
            lines[i] = text.data + starts[i];
        }
        struct http_request request = {.method = "POST", .url = access->url, .headers = lines,
                                       .body = body->data, .body_size = body->size,
                                       .total_timeout_ms = CALL_TIMEOUT_MS,
                                       .reply_max = KINESIS_REPLY_MAX};
        call = text.failed ? NULL : http_client_start(access->http, &request, done, user);
    }
    if (text.data) {
        explicit_bzero(text.data, text.size); /* invariant 7: the token */
    }
    explicit_bzero(&credentials, sizeof(credentials));
    buffer_finish(&authorization);
    buffer_finish(&text);
    return call;
}

void kinesis_classify(struct kinesis_access *access, const struct http_reply *reply,
                      struct aws_fault *ret_fault)
{
    aws_classify(reply, false, ret_fault);
    if (ret_fault->class == AWS_EXPIRED) {
        aws_provider_refresh(access->credentials);
        ret_fault->class = AWS_TRANSIENT;
    } else if (ret_fault->class == AWS_SKEWED && ret_fault->server_time != 0) {
        access->clock_offset = ret_fault->server_time - time(NULL);
        access->host->log(access->host, SLUICE_WARN,
                          "This machine's clock is %" PRId64 " s off Kinesis', which is used from now on",
                          -access->clock_offset);
        ret_fault->class = AWS_TRANSIENT;
    }
}

bool kinesis_may_retry(const struct aws_fault *fault)
{
    return fault->class == AWS_TRANSIENT || fault->class == AWS_THROTTLED;
}

struct waited {
    struct kinesis_access *access;
    struct aws_fault *fault;
    json_t *object;
    bool done;
};

static void waited_done(void *user, struct http_reply *reply)
{
    struct waited *waited = user;
    waited->done = true;
    kinesis_classify(waited->access, reply, waited->fault);
    if (waited->fault->class != AWS_FINE) {
        return;
    }
    waited->object = reply->body.size > 0 ? json_loadb(reply->body.data, reply->body.size, 0, NULL)
                                          : json_object();
    if (!json_is_object(waited->object)) {
        json_decref(waited->object);
        waited->object = NULL;
        waited->fault->class = AWS_TRANSIENT;
        snprintf(waited->fault->message, sizeof(waited->fault->message), "The answer is no JSON object");
    }
}

json_t *kinesis_call(struct kinesis_access *access, const char *operation, const struct buffer *body,
                     struct aws_fault *ret_fault)
{
    struct waited waited = {.access = access, .fault = ret_fault};
    *ret_fault = (struct aws_fault){.class = AWS_TRANSIENT, .retry_after_ms = -1};
    if (!kinesis_start(access, operation, body, waited_done, &waited, ret_fault->message,
                       sizeof(ret_fault->message))) {
        return NULL;
    }
    while (!waited.done) {
        http_client_run(access->http, 1000);
    }
    return waited.object;
}
