/*
 * Where tokens of SASL/OAUTHBEARER come from; inside core/broker only. Fetching blocks (files, HTTP)
 * and happens on librdkafka's background thread of the client.
 */
#ifndef CORE_BROKER_KAFKA_TOKEN_H
#define CORE_BROKER_KAFKA_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/config/properties.h"
#include "lib/java/jaas.h"

struct kafka_aws; /* credentials that all clients with the same options share */

enum token_kind {
    TOKEN_MSK_IAM,   /* made here of AWS credentials */
    TOKEN_OIDC,      /* client credentials at sasl.oauthbearer.token.endpoint.url */
    TOKEN_FILE,      /* the same, where that is a file: URL */
    TOKEN_UNSECURED, /* made here, unsigned: for tests of brokers */
};

struct token_source {
    enum token_kind kind;
    struct jaas jaas;
    char *servers;     /* bootstrap.servers */
    char *endpoint;    /* URL */
    char *subject;     /* sasl.oauthbearer.sub.claim.name */
    char *ca_pem;      /* of the endpoint; NULL: the system's */
    bool encode;       /* sasl.oauthbearer.header.urlencode */
    int connect_ms, read_ms;
    struct kafka_aws *aws;
};

struct kafka_token {
    char *text;         /* owned; a secret */
    int64_t expires_ms; /* since 1970 */
    char principal[256];
};

/** Takes jaas over in any case. Errors name the key. */
int token_source_init(struct token_source *source, const struct properties *properties,
                      const char *servers, struct jaas *jaas, bool msk,
                      struct error *error) CHECKED;
void token_source_finish(struct token_source *source);
/** -1 with a sentence in message. */
int token_fetch(struct token_source *source, struct kafka_token *ret, char *message,
                size_t size) CHECKED;
void kafka_token_finish(struct kafka_token *token);

/* -- kafka_aws.c -- */

/** One per process for the same options: credentials are fetched once. */
struct kafka_aws *kafka_aws_acquire(const struct jaas *jaas, const char *servers);
void kafka_aws_release(struct kafka_aws *aws);
int kafka_aws_token(struct kafka_aws *aws, struct kafka_token *ret, char *message, size_t size);

/* -- kafka_jwt.c: claims are read without looking at the signature, which is the broker's business -- */

/** expires_ms 0: the token has no `exp`. False: it is no JWT. */
bool kafka_jwt_read(const char *text, const char *subject, int64_t *ret_expires_ms, char *principal,
                    size_t size);
/** An unsigned one of the options unsecuredLogin*; NULL: message says why. */
char *kafka_jwt_unsecured(const struct jaas *jaas, int64_t now, int64_t *ret_expires_ms,
                          char *principal, size_t principal_size, char *message, size_t size);

#endif
