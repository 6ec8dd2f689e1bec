/* Reading a bucket of S3: GetObject by ranges, ListObjectsV2; see reader.h. [reader's thread] */
#include "connectors/s3/reader.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "connectors/s3/s3_access.h"
#include "lib/aws/xml.h"

enum { CONNECTIONS = 32, THROTTLED_MS = 1000, LIST_MAX = 8 << 20, KEY_MAX = 4096 };

struct s3_reader {
    struct reader base;
    struct s3_access access;
    struct http_client *http;
};

/* -- lists -- */

/* 2026-11-24T02:00:00.000Z */
static int64_t parse_time(const char *text)
{
    struct tm utc = {0};
    return strptime(text, "%Y-%m-%dT%H:%M:%S", &utc) ? timegm(&utc) : 0;
}

static bool read_list(struct fetch *fetch, const struct http_reply *reply)
{
    const char *xml = reply->body.data ? reply->body.data : "", *content = NULL;
    size_t size = reply->body.size, cursor = 0, content_size = 0;
    char text[64], etag[ETAG_MAX], modified[64], token[2048], encoding[16];
    bool encoded = aws_xml_text(xml, size, "EncodingType", encoding, sizeof(encoding)) &&
                   strcmp(encoding, "url") == 0;
    while (aws_xml_next(xml, size, &cursor, "Contents", &content, &content_size)) {
        char *key = malloc(KEY_MAX);
        if (!key || !aws_xml_text(content, content_size, "Key", key, KEY_MAX)) {
            free(key);
            return false;
        }
        if (encoded) {
            aws_uri_decode(key);
        }
        aws_xml_text(content, content_size, "Size", text, sizeof(text));
        aws_xml_text(content, content_size, "ETag", etag, sizeof(etag));
        aws_xml_text(content, content_size, "LastModified", modified, sizeof(modified));
        char *fitting = realloc(key, strlen(key) + 1);
        if (!fetch_add(fetch, fitting ? fitting : key, strtoull(text, NULL, 10), parse_time(modified),
                       etag)) {
            return false;
        }
    }
    if (aws_xml_text(xml, size, "IsTruncated", text, sizeof(text)) && strcmp(text, "true") == 0) {
        aws_xml_text(xml, size, "NextContinuationToken", token, sizeof(token));
        fetch->next_token = strdup(token);
        return fetch->next_token != NULL && token[0];
    }
    return true;
}

/* -- answers -- */

static void on_fine(struct s3_reader *reader, struct fetch *fetch, struct http_reply *reply)
{
    if (fetch->list) {
        if (read_list(fetch, reply)) {
            fetch_end(&reader->base, fetch, FETCH_DONE);
        } else {
            snprintf(fetch->message, sizeof(fetch->message),
                     "The list of %s cannot be understood", reader->access.settings->bucket);
            fetch_end(&reader->base, fetch, FETCH_FAILED);
        }
    } else if (reply->body.size != fetch->size) {
        /* A service that ignores the range, or the object was cut. */
        if (reply->status == 200 && reply->body.size >= fetch->offset + fetch->size) {
            buffer_reset(&fetch->body);
            buffer_append(&fetch->body, reply->body.data + fetch->offset, fetch->size);
            fetch_end(&reader->base, fetch, fetch->body.failed ? FETCH_FAILED : FETCH_DONE);
        } else {
            fetch_end(&reader->base, fetch, FETCH_GONE);
        }
    } else {
        /* Taken over: the body of the reply is as large as the range. */
        struct buffer body = fetch->body;
        fetch->body = reply->body;
        reply->body = body;
        fetch_end(&reader->base, fetch, FETCH_DONE);
    }
}

static void on_reply(void *user, struct http_reply *reply)
{
    struct fetch *fetch = user;
    struct s3_reader *reader = fetch->reader;
    struct s3_access *access = &reader->access;
    struct aws_fault fault;
    char why[500], address[500], message[300];
    fetch->call = NULL;
    aws_classify(reply, false, &fault);
    if (fault.class == AWS_FINE) {
        on_fine(reader, fetch, reply);
        return;
    }
    aws_fault_text(&fault, why, sizeof(why));
    int64_t least = fault.retry_after_ms > 0 ? fault.retry_after_ms : 0;
    switch (fault.class) {
    case AWS_TRANSIENT:
        fetch_again(&reader->base, fetch, why, least);
        return;
    case AWS_THROTTLED:
        fetch_again(&reader->base, fetch, why, least > THROTTLED_MS ? least : THROTTLED_MS);
        return;
    case AWS_SKEWED:
        if (fault.server_time != 0 && fetch->attempts == 0) {
            s3_access_set_clock(access, fault.server_time);
            fetch_again(&reader->base, fetch, why, 0);
            return;
        }
        break;
    case AWS_EXPIRED:
        if (access->credentials && fetch->attempts <= access->settings->part_retries) {
            aws_provider_refresh(access->credentials);
            fetch_again(&reader->base, fetch, why, THROTTLED_MS);
            return;
        }
        break;
    case AWS_REDIRECTED:
        if (fault.region[0] && fetch->attempts <= access->settings->part_retries &&
            s3_access_move(access, fault.region, message, sizeof(message)) == 0) {
            fetch_again(&reader->base, fetch, why, 0);
            return;
        }
        break;
    case AWS_CONDITION:
        fetch_end(&reader->base, fetch, FETCH_GONE);
        return;
    case AWS_MISSING:
        if (!fetch->list) {
            fetch_end(&reader->base, fetch, FETCH_GONE);
            return;
        }
        break;
    default:
        break;
    }
    snprintf(fetch->message, sizeof(fetch->message), "%s cannot be read: %s%s",
             s3_access_text(access, fetch->list ? NULL : fetch->key, address, sizeof(address)), why,
             fault.class == AWS_DENIED
                 ? ". Check the credentials, and that s3:GetObject and s3:ListBucket are allowed"
                 : "");
    fetch_end(&reader->base, fetch, FETCH_FAILED);
}

/* -- requests -- */

static void add_customer_key(const struct settings *settings, struct s3_draft *draft, char md5[32])
{
    unsigned char key[64], hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (!settings->sse_customer_key[0] || strcasecmp(settings->sse, "AES256") != 0) {
        return;
    }
    EVP_DecodeBlock(key, (const unsigned char *)settings->sse_customer_key, 44);
    EVP_Digest(key, 32, hash, &size, EVP_md5(), NULL);
    EVP_EncodeBlock((unsigned char *)md5, hash, (int)size);
    explicit_bzero(key, sizeof(key)); /* invariant 7 */
    draft->headers[draft->header_count++] =
        (struct sigv4_pair){"x-amz-server-side-encryption-customer-algorithm", "AES256"};
    draft->headers[draft->header_count++] =
        (struct sigv4_pair){"x-amz-server-side-encryption-customer-key", settings->sse_customer_key};
    draft->headers[draft->header_count++] =
        (struct sigv4_pair){"x-amz-server-side-encryption-customer-key-MD5", md5};
}

static void begin(struct reader *base, struct fetch *fetch)
{
    struct s3_reader *reader = (struct s3_reader *)base;
    struct s3_draft draft = {.method = "GET", .payload_hash = SIGV4_EMPTY_PAYLOAD};
    struct s3_signed ready;
    char range[64], md5[32], message[500];
    if (fetch->list) {
        draft.query[draft.query_count++] = (struct sigv4_pair){"list-type", "2"};
        draft.query[draft.query_count++] = (struct sigv4_pair){"encoding-type", "url"};
        draft.query[draft.query_count++] = (struct sigv4_pair){"prefix", fetch->key};
        if (fetch->token) {
            draft.query[draft.query_count++] = (struct sigv4_pair){"continuation-token", fetch->token};
        }
        while (fetch->entry_count > 0) { /* of a try before */
            free(fetch->entries[--fetch->entry_count].key);
        }
    } else {
        draft.key = fetch->key;
        snprintf(range, sizeof(range), "bytes=%" PRIu64 "-%" PRIu64, fetch->offset,
                 fetch->offset + fetch->size - 1);
        draft.headers[draft.header_count++] = (struct sigv4_pair){"Range", range};
        if (fetch->etag[0]) {
            draft.headers[draft.header_count++] = (struct sigv4_pair){"If-Match", fetch->etag};
        }
        add_customer_key(base->settings, &draft, md5);
    }
    if (!s3_access_sign(&reader->access, &draft, &ready, message, sizeof(message))) {
        fetch_again(base, fetch, message, 0);
        return;
    }
    struct http_request request = {
        .method = "GET",
        .url = ready.url,
        .headers = (const char *const *)ready.lines,
        .reply_max = fetch->list ? LIST_MAX : fetch->size + (64 << 10),
    };
    fetch->call = http_client_start(reader->http, &request, on_reply, fetch);
    s3_signed_finish(&ready);
    if (!fetch->call) {
        fetch_again(base, fetch, "out of memory", 0);
    }
}

static void run(struct reader *base, int timeout_ms)
{
    http_client_run(((struct s3_reader *)base)->http, timeout_ms);
}

static void wake(struct reader *base)
{
    http_client_wake(((struct s3_reader *)base)->http);
}

static void destroy(struct reader *base)
{
    struct s3_reader *reader = (struct s3_reader *)base;
    http_client_destroy(reader->http);
    s3_access_finish(&reader->access);
    free(reader);
}

static const struct reader_vtable vtable = {
    .begin = begin, .run = run, .wake = wake, .destroy = destroy};

struct reader *s3_reader_create(const struct settings *settings, const struct sluice_host *host,
                                char *message, size_t size)
{
    struct s3_reader *reader = calloc(1, sizeof(*reader));
    if (!reader) {
        snprintf(message, size, "Out of memory");
        return NULL;
    }
    reader->base.vtable = &vtable;
    if (s3_access_open(&reader->access, settings, host, message, size) != 0 ||
        s3_access_probe(&reader->access, message, size) != 0) {
        destroy(&reader->base);
        return NULL;
    }
    struct http_options options = s3_access_http(&reader->access, CONNECTIONS);
    reader->http = http_client_create(&options);
    if (!reader->http) {
        snprintf(message, size, "%s", http_client_problem());
        destroy(&reader->base);
        return NULL;
    }
    return &reader->base;
}
