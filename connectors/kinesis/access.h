/*
 * How Kinesis is asked: endpoint, credentials, signatures, the clock, waits between tries. Used from one
 * thread at a time.
 */
#ifndef KINESIS_ACCESS_H
#define KINESIS_ACCESS_H

#include <jansson.h>

#include "connectors/kinesis/settings.h"
#include "lib/aws/reply.h"
#include "lib/aws/sigv4.h"
#include "lib/aws/uri.h"
#include "lib/http/client.h"

enum {
    KINESIS_MESSAGE = 700,
    KINESIS_REPLY_MAX = 20 << 20, /* GetRecords gives at most 10 MiB, in base64 */
};

struct kinesis_access {
    const struct sluice_host *host;
    const struct kinesis_access_settings *settings;
    struct aws_url endpoint;
    char url[900], path[520];
    struct aws_provider *credentials;
    struct sigv4_signer signer;
    int64_t clock_offset;
    struct http_client *http;
    uint64_t random;
};

/** -1: a sentence. finish() in any case. */
int kinesis_access_open(struct kinesis_access *access, const struct kinesis_access_settings *settings,
                        const struct sluice_host *host, char *message, size_t size) SLUICE_CHECKED;
void kinesis_access_finish(struct kinesis_access *access);

/**
 * Starts a call of the API (`GetRecords`); done() comes from http_client_run(access->http). body is
 * borrowed until then. NULL with a sentence: no credentials, no memory.
 */
struct http_call *kinesis_start(struct kinesis_access *access, const char *operation,
                                const struct buffer *body,
                                void (*done)(void *user, struct http_reply *reply), void *user,
                                char *message, size_t size);
/**
 * What a reply means; where trying again needs another clock or other credentials, those are seen to and
 * the class is AWS_TRANSIENT.
 */
void kinesis_classify(struct kinesis_access *access, const struct http_reply *reply,
                      struct aws_fault *ret_fault);
/** True where the same request may succeed later. */
bool kinesis_may_retry(const struct aws_fault *fault);
/**
 * One call, waited for. The reply's object, to be given back; NULL with the fault (its message is a
 * sentence in any case).
 */
json_t *kinesis_call(struct kinesis_access *access, const char *operation, const struct buffer *body,
                     struct aws_fault *ret_fault);
/** Appends a text as JSON, quotes included: what Kinesis gave for the next request (tokens, iterators). */
void kinesis_append_json(struct buffer *buffer, const char *text);
/** Wait before try number failures (1..), jittered. */
int64_t kinesis_backoff(struct kinesis_access *access, int failures);
int64_t kinesis_now_ms(void);

#endif
