/* Requests to S3: bodies, digests, headers. */
#include "connectors/s3/s3_store.h"

#include <endian.h>
#include <isa-l/crc.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { CHUNK = 64 << 10, ASK_FROM = 1 << 20, LIST_MAX = 8 << 20 };

const char *s3_request_text(const struct s3_request *request, char *text, size_t size)
{
    return s3_access_text(&request->store->access, request->object->upload->key, text, size);
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

/* CRC-32C of the piece; false: the spill file cannot be read. */
static bool checksum(struct s3_request *request)
{
    char *chunk = malloc(CHUNK);
    size_t left = request->piece->chain.size;
    uint32_t crc = UINT32_MAX;
    rewind_body(request);
    while (chunk && left > 0) {
        size_t got = chain_read(&request->reader, chunk, CHUNK);
        if (got == 0) {
            break;
        }
        crc = crc32_iscsi((unsigned char *)chunk, (int)got, crc);
        left -= got;
    }
    bool good = chunk && left == 0;
    free(chunk);
    crc = htobe32(~crc);
    EVP_EncodeBlock((unsigned char *)request->crc32c, (const unsigned char *)&crc, sizeof(crc));
    return good;
}

static bool hash_payload(struct s3_request *request)
{
    const struct settings *settings = request->store->settings;
    bool has_data = request->piece != NULL;
    bool signed_too = settings->signing == SIGN_SIGNED ||
                      (settings->signing == SIGN_AUTO && !request->store->access.endpoint.tls);
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
    if (settings->crc32c && has_data && !request->crc32c[0] && !checksum(request)) {
        return false;
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

/* A draft, and texts it points to. */
struct draft {
    struct s3_draft base;
    char part[16], customer_md5[32];
};

static void add(struct draft *draft, const char *name, const char *value)
{
    draft->base.headers[draft->base.header_count++] = (struct sigv4_pair){name, value};
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
    const struct upload *upload = request->object->upload;
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
    if (request->crc32c[0]) {
        add(draft, "x-amz-checksum-crc32c", request->crc32c);
    } else if (request->kind == S3_CREATE && settings->crc32c) {
        add(draft, "x-amz-checksum-algorithm", "CRC32C");
    }
    add_encryption(request, draft);
}

static void add_query(struct s3_request *request, struct draft *draft)
{
    struct s3_object *object = request->object;
    switch (request->kind) {
    case S3_CREATE:
        draft->base.query[draft->base.query_count++] = (struct sigv4_pair){"uploads", ""};
        break;
    case S3_PART:
        snprintf(draft->part, sizeof(draft->part), "%d", request->part);
        draft->base.query[draft->base.query_count++] = (struct sigv4_pair){"partNumber", draft->part};
        draft->base.query[draft->base.query_count++] = (struct sigv4_pair){"uploadId", object->upload_id};
        break;
    case S3_COMPLETE:
    case S3_ABORT:
        draft->base.query[draft->base.query_count++] =
            (struct sigv4_pair){"uploadId", request->stray ? request->stray : object->upload_id};
        break;
    case S3_LIST:
    case S3_RECLAIM:
        draft->base.query[draft->base.query_count++] = (struct sigv4_pair){"uploads", ""};
        draft->base.query[draft->base.query_count++] = (struct sigv4_pair){"encoding-type", "url"};
        draft->base.query[draft->base.query_count++] = (struct sigv4_pair){"prefix", object->upload->key};
        if (object->reclaim) {
            s3_reclaim_query(object->reclaim, &draft->base);
        }
        break;
    case S3_TAG:
        draft->base.query[draft->base.query_count++] = (struct sigv4_pair){"tagging", ""};
        break;
    default:
        break;
    }
}

static const char *const methods[] = {
    [S3_PUT] = "PUT",   [S3_CREATE] = "POST",  [S3_PART] = "PUT",  [S3_COMPLETE] = "POST",
    [S3_ABORT] = "DELETE", [S3_TAG] = "PUT", [S3_HEAD] = "HEAD", [S3_LIST] = "GET",
    [S3_RECLAIM] = "GET"};

static bool make_ready(struct s3_request *request, struct s3_signed *ready, char *message, size_t size)
{
    bool lists = request->kind == S3_LIST || request->kind == S3_RECLAIM;
    struct draft draft = {.base = {.method = methods[request->kind],
                                   .key = lists ? NULL : request->object->upload->key,
                                   .payload_hash = request->payload_hash}};
    snprintf(message, size, "out of memory");
    *ready = (struct s3_signed){0};
    if (!hash_payload(request)) {
        return false;
    }
    add_query(request, &draft);
    add_attributes(request, &draft);
    return s3_access_sign(&request->store->access, &draft.base, ready, message, size);
}

static struct http_request to_http(struct s3_request *request, const struct s3_signed *ready)
{
    struct http_request http = {
        .method = methods[request->kind],
        .url = ready->url,
        .headers = (const char *const *)ready->lines,
        .body = request->body.data,
        .body_size = request->body.size,
        .reply_max = LIST_MAX,
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
    struct s3_signed ready;
    if (!make_ready(request, &ready, message, size)) {
        return false;
    }
    struct http_request http = to_http(request, &ready);
    request->call = http_client_start(request->store->http, &http, done, request);
    s3_signed_finish(&ready);
    return request->call != NULL;
}
