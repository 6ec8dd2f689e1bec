/* AWS Signature Version 4; see sigv4.h. No globals, no clock. */
#include "lib/aws/sigv4.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "lib/aws/uri.h"

enum { CANONICAL_MAX = 256 << 10, ALGORITHM_SIZE = 16 };

static const char ALGORITHM[ALGORITHM_SIZE + 1] = "AWS4-HMAC-SHA256";

void sigv4_signer_init(struct sigv4_signer *signer, const char *region, const char *service)
{
    *signer = (struct sigv4_signer){0};
    snprintf(signer->region, sizeof(signer->region), "%s", region);
    snprintf(signer->service, sizeof(signer->service), "%s", service);
}

void sigv4_signer_finish(struct sigv4_signer *signer)
{
    if (signer) {
        OPENSSL_cleanse(signer, sizeof(*signer)); /* invariant 7 */
    }
}

static void to_hex(const unsigned char hash[32], char hex[SIGV4_HASH_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < 32; i++) {
        hex[2 * i] = digits[hash[i] >> 4];
        hex[2 * i + 1] = digits[hash[i] & 15];
    }
    hex[64] = '\0';
}

void sigv4_hash(const void *data, size_t size, char hex[SIGV4_HASH_SIZE])
{
    unsigned char hash[32];
    SHA256(data, size, hash);
    to_hex(hash, hex);
}

void sigv4_date(int64_t time, char date[SIGV4_DATE_SIZE])
{
    time_t seconds = (time_t)time;
    struct tm utc;
    gmtime_r(&seconds, &utc);
    strftime(date, SIGV4_DATE_SIZE, "%Y%m%dT%H%M%SZ", &utc);
}

static void hmac(const void *key, size_t key_size, const void *data, size_t size,
                 unsigned char out[32])
{
    unsigned int length = 32;
    HMAC(EVP_sha256(), key, (int)key_size, data, size, out, &length);
}

/* Deriving costs four HMACs; a day's key serves every request of that day. */
static void derive_key(struct sigv4_signer *signer, const char *secret_key, const char *date)
{
    unsigned char secret_hash[32];
    SHA256((const unsigned char *)secret_key, strlen(secret_key), secret_hash);
    if (signer->has_key && memcmp(signer->date, date, 8) == 0 &&
        CRYPTO_memcmp(secret_hash, signer->secret_hash, 32) == 0) {
        return;
    }
    char first[512];
    int size = snprintf(first, sizeof(first), "AWS4%s", secret_key);
    size = size < (int)sizeof(first) ? size : (int)sizeof(first) - 1;
    memcpy(signer->date, date, 8);
    signer->date[8] = '\0';
    unsigned char key[32];
    hmac(first, (size_t)size, signer->date, 8, key);
    hmac(key, 32, signer->region, strlen(signer->region), key);
    hmac(key, 32, signer->service, strlen(signer->service), key);
    hmac(key, 32, "aws4_request", 12, signer->key);
    memcpy(signer->secret_hash, secret_hash, 32);
    signer->has_key = true;
    OPENSSL_cleanse(first, sizeof(first));
    OPENSSL_cleanse(key, sizeof(key));
}

/* -- canonical query -- */

struct encoded {
    char *name, *value;
};

static int compare_encoded(const void *a, const void *b)
{
    const struct encoded *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    return order != 0 ? order : strcmp(left->value, right->value);
}

static char *encode(const char *text)
{
    if (!text || !*text) {
        return strdup("");
    }
    struct buffer buffer;
    buffer_init(&buffer, CANONICAL_MAX);
    aws_uri_encode(&buffer, text, strlen(text), false);
    if (buffer.failed) {
        buffer_finish(&buffer);
        return NULL;
    }
    return buffer_take(&buffer);
}

int sigv4_query(const struct sigv4_pair *query, size_t count, struct buffer *ret_query)
{
    struct encoded list[SIGV4_MAX_PAIRS];
    int result = 0;
    size_t made = 0;
    if (count > SIGV4_MAX_PAIRS) {
        return -1;
    }
    for (; made < count; made++) {
        list[made] = (struct encoded){encode(query[made].name), encode(query[made].value)};
        if (!list[made].name || !list[made].value) {
            result = -1;
            made++;
            goto clean_up;
        }
    }
    qsort(list, made, sizeof(list[0]), compare_encoded);
    for (size_t i = 0; i < made; i++) {
        (void)buffer_printf(ret_query, "%s%s=%s", i > 0 ? "&" : "", list[i].name, list[i].value);
    }
    result = ret_query->failed ? -1 : 0;
clean_up:
    for (size_t i = 0; i < made; i++) {
        free(list[i].name);
        free(list[i].value);
    }
    return result;
}

/* -- canonical headers -- */

static int compare_header(const void *a, const void *b)
{
    const struct sigv4_pair *const *left = a, *const *right = b;
    int order = strcasecmp((*left)->name, (*right)->name);
    /* Equal names keep the order they came in: pointers into one array. */
    return order != 0 ? order : (*left > *right) - (*left < *right);
}

static void append_lower(struct buffer *buffer, const char *text)
{
    for (; *text; text++) {
        (void)buffer_append_char(buffer, (char)tolower((unsigned char)*text));
    }
}

/* Blanks around are dropped, runs of blanks inside become one. */
static void append_value(struct buffer *buffer, const char *text)
{
    bool blank = false, begun = false;
    for (; text && *text; text++) {
        if (*text == ' ' || *text == '\t' || *text == '\n' || *text == '\r') {
            blank = true;
            continue;
        }
        if (blank && begun) {
            (void)buffer_append_char(buffer, ' ');
        }
        (void)buffer_append_char(buffer, *text);
        blank = false;
        begun = true;
    }
}

static int append_headers(const struct sigv4_request *request, struct buffer *canonical,
                          struct buffer *names)
{
    const struct sigv4_pair *sorted[SIGV4_MAX_PAIRS];
    if (request->header_count > SIGV4_MAX_PAIRS) {
        return -1;
    }
    for (size_t i = 0; i < request->header_count; i++) {
        sorted[i] = &request->headers[i];
    }
    qsort(sorted, request->header_count, sizeof(sorted[0]), compare_header);
    for (size_t i = 0; i < request->header_count; i++) {
        if (i > 0 && strcasecmp(sorted[i]->name, sorted[i - 1]->name) == 0) {
            (void)buffer_append_char(canonical, ',');
        } else {
            if (i > 0) {
                (void)buffer_append_char(canonical, '\n');
                (void)buffer_append_char(names, ';');
            }
            append_lower(canonical, sorted[i]->name);
            (void)buffer_append_char(canonical, ':');
            append_lower(names, sorted[i]->name);
        }
        append_value(canonical, sorted[i]->value);
    }
    return buffer_append_char(canonical, '\n');
}

/* -- signatures -- */

/* names: filled with the signed headers. */
static int build_canonical(const struct sigv4_request *request, const struct sigv4_pair *query,
                           size_t query_count, struct buffer *canonical, struct buffer *names)
{
    (void)buffer_printf(canonical, "%s\n%s\n", request->method, request->path);
    if (sigv4_query(query, query_count, canonical) != 0) {
        return -1;
    }
    (void)buffer_append_char(canonical, '\n');
    if (append_headers(request, canonical, names) != 0) {
        return -1;
    }
    (void)buffer_printf(canonical, "\n%s\n%s", names->size > 0 ? names->data : "",
                        request->payload_hash);
    return canonical->failed || names->failed ? -1 : 0;
}

static void sign_text(struct sigv4_signer *signer, const char *secret_key, const char *date,
                      const struct buffer *canonical, char signature[SIGV4_HASH_SIZE])
{
    char hash[SIGV4_HASH_SIZE], text[512];
    sigv4_hash(canonical->data, canonical->size, hash);
    int size = snprintf(text, sizeof(text), "%s\n%s\n%.8s/%s/%s/aws4_request\n%s", ALGORITHM, date,
                        date, signer->region, signer->service, hash);
    unsigned char out[32];
    derive_key(signer, secret_key, date);
    hmac(signer->key, 32, text, (size_t)size, out);
    to_hex(out, signature);
}

int sigv4_sign(struct sigv4_signer *signer, const char *access_key, const char *secret_key,
               const struct sigv4_request *request, struct buffer *authorization,
               struct buffer *canonical)
{
    struct buffer own, names;
    buffer_init(&own, CANONICAL_MAX);
    buffer_init(&names, CANONICAL_MAX);
    buffer_reset(authorization);
    int result = build_canonical(request, request->query, request->query_count, &own, &names);
    if (result == 0) {
        char date[SIGV4_DATE_SIZE], signature[SIGV4_HASH_SIZE];
        sigv4_date(request->time, date);
        sign_text(signer, secret_key, date, &own, signature);
        result = buffer_printf(authorization,
                               "%s Credential=%s/%.8s/%s/%s/aws4_request, SignedHeaders=%s, "
                               "Signature=%s",
                               ALGORITHM, access_key, date, signer->region, signer->service,
                               names.size > 0 ? names.data : "", signature);
        if (canonical) {
            (void)buffer_append(canonical, own.data, own.size);
        }
    }
    buffer_finish(&own);
    buffer_finish(&names);
    return result;
}

int sigv4_presign(struct sigv4_signer *signer, const char *access_key, const char *secret_key,
                  const char *token, int expires_seconds, const struct sigv4_request *request,
                  struct buffer *ret_query)
{
    struct sigv4_pair query[SIGV4_MAX_PAIRS];
    size_t count = request->query_count;
    if (count + 6 > SIGV4_MAX_PAIRS) {
        return -1;
    }
    struct buffer own, names;
    buffer_init(&own, CANONICAL_MAX);
    buffer_init(&names, CANONICAL_MAX);
    int result = append_headers(request, &own, &names); /* only for their names */
    buffer_reset(&own);
    char date[SIGV4_DATE_SIZE], expires[16], credential[512];
    sigv4_date(request->time, date);
    snprintf(expires, sizeof(expires), "%d", expires_seconds);
    snprintf(credential, sizeof(credential), "%s/%.8s/%s/%s/aws4_request", access_key, date,
             signer->region, signer->service);
    char *signed_names = result == 0 && names.size > 0 ? strdup(names.data) : NULL;
    buffer_reset(&names);
    if (!signed_names) {
        result = -1;
        goto clean_up;
    }
    if (count > 0) {
        memcpy(query, request->query, count * sizeof(query[0]));
    }
    query[count++] = (struct sigv4_pair){"X-Amz-Algorithm", ALGORITHM};
    query[count++] = (struct sigv4_pair){"X-Amz-Credential", credential};
    query[count++] = (struct sigv4_pair){"X-Amz-Date", date};
    query[count++] = (struct sigv4_pair){"X-Amz-Expires", expires};
    if (token && *token) {
        query[count++] = (struct sigv4_pair){"X-Amz-Security-Token", token};
    }
    query[count++] = (struct sigv4_pair){"X-Amz-SignedHeaders", signed_names};
    result = build_canonical(request, query, count, &own, &names);
    if (result == 0) {
        char signature[SIGV4_HASH_SIZE];
        sign_text(signer, secret_key, date, &own, signature);
        result = sigv4_query(query, count, ret_query);
        (void)buffer_printf(ret_query, "&X-Amz-Signature=%s", signature);
        result = result != 0 || ret_query->failed ? -1 : 0;
    }
clean_up:
    free(signed_names);
    buffer_finish(&own);
    buffer_finish(&names);
    return result;
}
