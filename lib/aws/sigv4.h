/*
 * AWS Signature Version 4 (docs.aws.amazon.com, "Signature Version 4 signing process"), for headers
 * and for presigned queries. Written here because libcurl 7.88 signs real keys wrongly.
 * Pure: the clock is an argument. Not thread-safe per signer.
 */
#ifndef LIB_AWS_SIGV4_H
#define LIB_AWS_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/util/buffer.h"

#define SIGV4_UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD"
#define SIGV4_EMPTY_PAYLOAD "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

enum {
    SIGV4_HASH_SIZE = 65, /* hex and NUL */
    SIGV4_DATE_SIZE = 17, /* 20130524T000000Z and NUL */
    SIGV4_MAX_PAIRS = 48, /* headers or query parameters of one request */
};

struct sigv4_pair {
    const char *name;  /* query: decoded; header: any case */
    const char *value; /* query: decoded; NULL: empty */
};

struct sigv4_request {
    const char *method;
    const char *path;  /* percent-encoded, begins with a slash: taken as it is */
    const struct sigv4_pair *query;
    size_t query_count;
    const struct sigv4_pair *headers; /* those to sign; `host` must be among them */
    size_t header_count;
    const char *payload_hash; /* hex SHA-256, or SIGV4_UNSIGNED_PAYLOAD */
    int64_t time;             /* seconds since 1970 */
};

/** Signs for one region and service; keeps the key derived from the last secret and day. */
struct sigv4_signer {
    char region[64], service[32];
    char date[9];
    unsigned char secret_hash[32]; /* of the secret that key was derived from */
    unsigned char key[32];
    bool has_key;
};

void sigv4_signer_init(struct sigv4_signer *signer, const char *region, const char *service);
void sigv4_signer_finish(struct sigv4_signer *signer);

/** Hex SHA-256 of some bytes. */
void sigv4_hash(const void *data, size_t size, char hex[SIGV4_HASH_SIZE]);
/** 20130524T000000Z, the value of x-amz-date. */
void sigv4_date(int64_t time, char date[SIGV4_DATE_SIZE]);

/**
 * Writes the value of the Authorization header into *authorization (reset first). -1: too many pairs,
 * or no memory. canonical, if not NULL, takes the canonical request, for tests and diagnosis.
 */
int sigv4_sign(struct sigv4_signer *signer, const char *access_key, const char *secret_key,
               const struct sigv4_request *request, struct buffer *authorization,
               struct buffer *canonical);

/**
 * Writes the complete query string of a presigned request, X-Amz-Signature last. token NULL: none.
 * Headers are signed as given (`host` at least). -1 as above.
 */
int sigv4_presign(struct sigv4_signer *signer, const char *access_key, const char *secret_key,
                  const char *token, int expires_seconds, const struct sigv4_request *request,
                  struct buffer *ret_query);

/** Writes the canonical query string (encoded and sorted): what to send, too. */
int sigv4_query(const struct sigv4_pair *query, size_t count, struct buffer *ret_query);

#endif
