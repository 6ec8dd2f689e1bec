/* Requests to S3: addresses, headers, signatures. */
#include "connectors/s3/s3_store.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { HEADERS_MAX = 24, LINE_SIZE = 8192, CHUNK = 64 << 10, ASK_FROM = 1 << 20 };

/* -- addresses -- */

int s3_endpoint(struct s3_store *store, const char *region, char *message, size_t size)
{
    const struct settings *settings = store->settings;
    const char *china = strncmp(region, "cn-", 3) == 0 ? ".cn" : "";
    char text[600];
    snprintf(store->region, sizeof(store->region), "%s", region);
    if (settings->store_url) {
        snprintf(text, sizeof(text), "%s%s", strstr(settings->store_url, "://") ? "" : "https://",
                 settings->store_url);
    } else if (settings->wan_mode) {
        snprintf(text, sizeof(text), "https://s3-accelerate.amazonaws.com");
    } else {
        snprintf(text, sizeof(text), "https://s3.%s.amazonaws.com%s", region, china);
    }
    if (!aws_url_parse(text, &store->endpoint)) {
        snprintf(message, size, "%s is no address of an S3 service (store.url, s3.region)", text);
        return -1;
    }
    /* A name with dots does not match a certificate's wildcard. */
    bool path_style = settings->path_style ||
                      (store->endpoint.tls && strchr(settings->bucket, '.') != NULL);
    if (path_style) {
        snprintf(store->host_name, sizeof(store->host_name), "%s", store->endpoint.authority);
        struct buffer path;
        buffer_init(&path, sizeof(store->base_path) - 1);
        (void)buffer_printf(&path, "%s/", store->endpoint.path);
        aws_uri_encode(&path, settings->bucket, strlen(settings->bucket), false);
        snprintf(store->base_path, sizeof(store->base_path), "%s", path.data ? path.data : "");
        buffer_finish(&path);
    } else {
        snprintf(store->host_name, sizeof(store->host_name), "%.100s.%s", settings->bucket,
                 store->endpoint.authority);
        snprintf(store->base_path, sizeof(store->base_path), "%s", store->endpoint.path);
    }
    sigv4_signer_finish(&store->signer);
    sigv4_signer_init(&store->signer, region, "s3");
    return 0;
}

const char *s3_request_text(const struct s3_request *request, char *text, size_t size)
{
    const struct s3_store *store = request->store;
    snprintf(text, size, "%s://%s%s%s%.300s", store->endpoint.tls ? "https" : "http",
             store->host_name, store->base_path, request->object ? "/" : "",
             request->object ? request->object->upload->key : "");
    return text;
}

/* -- bodies -- */

static size_t read_body(void *user, char *into, size_t size)
{
    struct s3_request *request = user;
    return chain_read(&request->reader, into, size);
}

static void rewind_body(void *user)
{
    struct s3_request *request = user;
    chain_rewind(&request->reader, request->store->memory, &request->piece->chain);
}

/* Digest of the body by name; false: no memory, or the spill file cannot be read. */
static bool digest(struct s3_request *request, const EVP_MD *kind, unsigned char out[EVP_MAX_MD_SIZE],
                   unsigned *size)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    char *chunk = malloc(CHUNK);
    bool good = context && chunk && EVP_DigestInit_ex(context, kind, NULL) == 1;
    if (good && request->piece) {
        size_t left = request->piece->chain.size;
        rewind_body(request);
        while (good && left > 0) {
            size_t got = chain_read(&request->reader, chunk, CHUNK);
            good = got > 0 && EVP_DigestUpdate(context, chunk, got) == 1;
            left -= got;
        }
    } else if (good && request->body.size > 0) {
        good = EVP_DigestUpdate(context, request->body.data, request->body.size) == 1;
    }
    good = good && EVP_DigestFinal_ex(context, out, size) == 1;
    EVP_MD_CTX_free(context);
    free(chunk);
    return good;
}

static bool hash_payload(struct s3_request *request)
{
    const struct settings *settings = request->store->settings;
    bool has_data = request->piece != NULL;
    bool signed_too = settings->signing == SIGN_SIGNED ||
                      (settings->signing == SIGN_AUTO && !request->store->endpoint.tls);
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (!request->payload_hash[0]) {
        if (has_data && !signed_too) {
            snprintf(request->payload_hash, sizeof(request->payload_hash), "%s",
                     SIGV4_UNSIGNED_PAYLOAD);
        } else if (!digest(request, EVP_sha256(), out, &size)) {
            return false;
        } else {
            for (unsigned i = 0; i < size; i++) {
                snprintf(request->payload_hash + (size_t)2 * i, 3, "%02x", out[i]);
            }
        }
    }
    bool wants_md5 = (settings->send_digest && has_data) || request->kind == S3_TAG;
    if (wants_md5 && !request->md5[0]) {
        if (!digest(request, EVP_md5(), out, &size)) {
            return false;
        }
        EVP_EncodeBlock((unsigned char *)request->md5, out, (int)size);
    }
    return true;
}

/* -- headers and query -- */

struct draft {
    struct sigv4_pair headers[HEADERS_MAX];
    size_t header_count;
    struct sigv4_pair query[4];
    size_t query_count;
    char date[SIGV4_DATE_SIZE], part[16], customer_md5[32];
};

static void add(struct draft *draft, const char *name, const char *value)
{
    draft->headers[draft->header_count++] = (struct sigv4_pair){name, value};
}

static void add_encryption(struct s3_request *request, struct draft *draft)
{
    const struct settings *settings = request->store->settings;
    bool begins = request->kind == S3_PUT || request->kind == S3_CREATE;
    if (settings->sse_customer_key[0] && strcasecmp(settings->sse, "AES256") == 0) {
        unsigned char key[64], hash[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        if (begins || request->kind == S3_PART || request->kind == S3_HEAD) {
            EVP_DecodeBlock(key, (const unsigned char *)settings->sse_customer_key, 44);
            EVP_Digest(key, 32, hash, &size, EVP_md5(), NULL);
            EVP_EncodeBlock((unsigned char *)draft->customer_md5, hash, (int)size);
            explicit_bzero(key, sizeof(key)); /* invariant 7 */
            add(draft, "x-amz-server-side-encryption-customer-algorithm", "AES256");
            add(draft, "x-amz-server-side-encryption-customer-key", settings->sse_customer_key);
            add(draft, "x-amz-server-side-encryption-customer-key-MD5", draft->customer_md5);
        }
    } else if (begins && settings->sse[0]) {
        add(draft, "x-amz-server-side-encryption", settings->sse);
        if (strncasecmp(settings->sse, "aws:kms", 7) == 0 && settings->sse_kms_key[0]) {
            add(draft, "x-amz-server-side-encryption-aws-kms-key-id", settings->sse_kms_key);
        }
    }
}

static void add_attributes(struct s3_request *request, struct draft *draft)
{
    const struct settings *settings = request->store->settings;
    const struct upload *upload = request->object ? request->object->upload : NULL;
    if (request->kind == S3_PUT || request->kind == S3_CREATE) {
        if (settings->acl[0]) {
            add(draft, "x-amz-acl", settings->acl);
        }
        if (settings->storage_class[0]) {
            add(draft, "x-amz-storage-class", settings->storage_class);
        }
    }
    if (request->kind == S3_PUT && upload->tags && !request->untagged) {
        add(draft, "x-amz-tagging", upload->tags);
    }
    if ((request->kind == S3_PUT || request->kind == S3_COMPLETE) && upload->conditional) {
        add(draft, "If-None-Match", "*");
    }
    if (request->kind == S3_TAG || request->kind == S3_COMPLETE) {
        add(draft, "Content-Type", "application/xml");
    }
    if (request->md5[0]) {
        add(draft, "Content-MD5", request->md5);
    }
    add_encryption(request, draft);
}

static void add_query(struct s3_request *request, struct draft *draft)
{
    struct s3_object *object = request->object;
    switch (request->kind) {
    case S3_CREATE:
        draft->query[draft->query_count++] = (struct sigv4_pair){"uploads", ""};
        break;
    case S3_PART:
        snprintf(draft->part, sizeof(draft->part), "%d", request->part);
        draft->query[draft->query_count++] = (struct sigv4_pair){"partNumber", draft->part};
        draft->query[draft->query_count++] = (struct sigv4_pair){"uploadId", object->upload_id};
        break;
    case S3_COMPLETE:
    case S3_ABORT:
        draft->query[draft->query_count++] = (struct sigv4_pair){"uploadId", object->upload_id};
        break;
    case S3_TAG:
        draft->query[draft->query_count++] = (struct sigv4_pair){"tagging", ""};
        break;
    default:
        break;
    }
}

static const char *const methods[] = {
    [S3_PUT] = "PUT",   [S3_CREATE] = "POST",  [S3_PART] = "PUT",  [S3_COMPLETE] = "POST",
    [S3_ABORT] = "DELETE", [S3_TAG] = "PUT", [S3_HEAD] = "HEAD", [S3_HEAD_BUCKET] = "HEAD"};

/* What http wants, made of a draft; lines and url are to be freed. */
struct ready {
    char *url;
    char *lines[HEADERS_MAX + 2];
    size_t count;
};

static void ready_finish(struct ready *ready)
{
    for (size_t i = 0; i < ready->count; i++) {
        explicit_bzero(ready->lines[i], strlen(ready->lines[i])); /* invariant 7: tokens, keys */
        free(ready->lines[i]);
    }
    free(ready->url);
}

static bool ready_line(struct ready *ready, const char *name, const char *value)
{
    if (asprintf(&ready->lines[ready->count], "%s: %s", name, value) < 0) {
        return false;
    }
    ready->lines[++ready->count] = NULL;
    return true;
}

static bool sign(struct s3_request *request, const struct aws_credentials *credentials,
                 struct draft *draft, const char *path, struct ready *ready)
{
    struct s3_store *store = request->store;
    struct buffer authorization;
    buffer_init(&authorization, LINE_SIZE);
    struct sigv4_request to_sign = {
        .method = methods[request->kind],
        .path = path,
        .query = draft->query,
        .query_count = draft->query_count,
        .headers = draft->headers,
        .header_count = draft->header_count,
        .payload_hash = request->payload_hash,
        .time = time(NULL) + store->clock_offset,
    };
    bool good = sigv4_sign(&store->signer, credentials->access_key, credentials->secret_key, &to_sign,
                           &authorization, NULL) == 0 &&
                ready_line(ready, "Authorization", authorization.data);
    buffer_finish(&authorization);
    return good;
}

static bool make_ready(struct s3_request *request, struct ready *ready, char *message, size_t size)
{
    struct s3_store *store = request->store;
    struct draft draft = {0};
    struct aws_credentials credentials = {0};
    struct buffer path, query;
    *ready = (struct ready){0};
    buffer_init(&path, 16 << 10);
    buffer_init(&query, 16 << 10);
    snprintf(message, size, "out of memory");
    bool good = hash_payload(request);
    if (good && store->credentials) {
        good = aws_provider_get(store->credentials, &credentials, message, size);
    }
    if (!good) {
        goto clean_up;
    }
    (void)buffer_append_text(&path, store->base_path);
    if (request->object) {
        const char *key = request->object->upload->key;
        (void)buffer_append_char(&path, '/');
        aws_uri_encode(&path, key, strlen(key), true);
    } else if (path.size == 0) {
        (void)buffer_append_char(&path, '/');
    }
    add_query(request, &draft);
    add_attributes(request, &draft);
    sigv4_date(time(NULL) + store->clock_offset, draft.date);
    for (size_t i = 0; i < draft.header_count && good; i++) {
        good = ready_line(ready, draft.headers[i].name, draft.headers[i].value);
    }
    if (store->credentials) {
        add(&draft, "x-amz-date", draft.date);
        add(&draft, "x-amz-content-sha256", request->payload_hash);
        if (credentials.token[0]) {
            add(&draft, "x-amz-security-token", credentials.token);
        }
        for (size_t i = ready->count; i < draft.header_count && good; i++) {
            good = ready_line(ready, draft.headers[i].name, draft.headers[i].value);
        }
        add(&draft, "host", store->host_name);
        good = good && !path.failed && sign(request, &credentials, &draft, path.data, ready);
    }
    good = good && sigv4_query(draft.query, draft.query_count, &query) == 0 && !path.failed &&
           asprintf(&ready->url, "%s://%s%s%s%s", store->endpoint.tls ? "https" : "http",
                    store->host_name, path.data, query.size > 0 ? "?" : "",
                    query.size > 0 ? query.data : "") >= 0;
clean_up:
    explicit_bzero(&credentials, sizeof(credentials));
    buffer_finish(&path);
    buffer_finish(&query);
    if (!good) {
        ready_finish(ready);
        *ready = (struct ready){0};
    }
    return good;
}

static struct http_request to_http(struct s3_request *request, const struct ready *ready)
{
    struct http_request http = {
        .method = methods[request->kind],
        .url = ready->url,
        .headers = (const char *const *)ready->lines,
        .body = request->body.data,
        .body_size = request->body.size,
    };
    if (request->piece) {
        const struct chain *chain = &request->piece->chain;
        http.body_size = chain->size;
        http.body = chain_contiguous(chain);
        http.expect_continue =
            request->store->settings->expect_continue && chain->size >= ASK_FROM;
        if (!http.body && chain->size > 0) {
            http.read = read_body;
            http.rewind = rewind_body;
            http.read_user = request;
            rewind_body(request);
        }
    }
    return http;
}

bool s3_request_start(struct s3_request *request,
                      void (*done)(void *user, struct http_reply *reply), char *message, size_t size)
{
    struct ready ready;
    if (!make_ready(request, &ready, message, size)) {
        return false;
    }
    struct http_request http = to_http(request, &ready);
    request->call = http_client_start(request->store->http, &http, done, request);
    ready_finish(&ready);
    return request->call != NULL;
}

bool s3_request_fetch(struct s3_request *request, struct http_reply *ret_reply, char *message,
                      size_t size)
{
    const struct settings *settings = request->store->settings;
    struct ready ready;
    if (!make_ready(request, &ready, message, size)) {
        return false;
    }
    struct http_request http = to_http(request, &ready);
    http.total_timeout_ms = 30000;
    struct http_options options = {.proxy = settings->proxy[0] ? settings->proxy : NULL,
                                   .proxy_user = settings->proxy_user,
                                   .proxy_password = settings->proxy_password,
                                   .ca_file = getenv("AWS_CA_BUNDLE")};
    http_fetch(&options, &http, ret_reply);
    ready_finish(&ready);
    return true;
}
