/* The parts of fault_s3 (main.c says what it is) and what they share. One thread. */
#ifndef TESTS_SUPPORT_FAULT_S3_H
#define TESTS_SUPPORT_FAULT_S3_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/aws/sigv4.h"
#include "lib/util/buffer.h"

enum { PART_MIN = 5 << 20, BODY_MAX = 256 << 20, PAIRS = 40 };

extern struct options {
    int port, delay, faults;
    bool discard;
    uint64_t random;
    const char *access, *secret;
} options;

extern struct counts {
    uint64_t requests, faults, puts, completes, objects, bytes;
    uint64_t errors; /* signatures and the like that were wrong */
    size_t uploads;
    char last_error[300];
} counts;

extern int64_t clock_skew; /* seconds: what --faults does to our clock */

struct connection {
    struct connection *next, *previous;
    int fd;
    struct buffer in, out;
    size_t sent;
    int64_t answer_at;      /* ms; 0: nothing waits */
    bool close, continued;
};

struct request {
    char *method, *path, *query, *headers;
    char *body;
    size_t body_size;
    char key[2048];         /* decoded, without the bucket */
    bool bucket_only;
    struct sigv4_pair pairs[PAIRS]; /* of the query, decoded */
    size_t pair_count;
};

/* -- main.c -- */

int64_t now_ms(void);

/* -- request.c -- */

/** The value of a header; NULL: it is not there. */
const char *header(const struct request *request, const char *name, char *value, size_t size);
/** The value of a parameter of the query; NULL: it is not there. */
const char *param(const struct request *request, const char *name);
/** Percent signs, in place. */
void decode(char *text);
void answer(struct connection *connection, const struct request *request, int status,
            const char *more_headers, const void *body, size_t size);
/** An error as S3 says it. */
void fail(struct connection *connection, const struct request *request, int status, const char *code,
          const char *why);
/** The same for what a good client never does: counted. */
void wrong(struct connection *connection, const struct request *request, int status, const char *code,
           const char *why);
void digest_hex(const EVP_MD *kind, const void *data, size_t size, char *hex);
/** False: answered. */
bool verify(struct connection *connection, const struct request *request);

/* -- service.c -- */

void serve(struct connection *connection, struct request *request);
/** What is below /_control/. */
void control(struct connection *connection, struct request *request);

/* -- faults.c -- */

uint64_t random_next(void);
void reset_connection(struct connection *connection);
/** True where it was the answer. */
bool disturb(struct connection *connection, struct request *request);

#endif
