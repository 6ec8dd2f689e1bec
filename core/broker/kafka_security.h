/*
 * How a client of librdkafka proves who it is and whom it trusts; inside core/broker only.
 *   kafka_security.c  security.protocol, key stores, SASL mechanisms
 *   kafka_token.c     SASL/OAUTHBEARER: where tokens come from, refreshing them
 *   kafka_diagnose.c  what a failed connection is really about
 */
#ifndef CORE_BROKER_KAFKA_SECURITY_H
#define CORE_BROKER_KAFKA_SECURITY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/broker/kafka_config.h"
#include "lib/java/jaas.h"

#define CONFIG_EXCEPTION "org.apache.kafka.common.config.ConfigException"

struct kafka_tokens;

struct kafka_security {
    bool tls, sasl;
    char *trust;    /* where trusted certificates come from, for messages; owned */
    char *identity; /* where our own certificate comes from; NULL: none; owned */
    char *host;     /* first of bootstrap.servers, with its port; owned */
    struct kafka_tokens *tokens; /* NULL: the mechanism needs none */

    /* DER digests of trusted certificates: one of them ends a chain, as in Java, though it be no root. */
    unsigned char (*anchors)[32];
    size_t anchor_count;

    pthread_mutex_t lock;
    char certificate_fault[400]; /* of the last handshake; under lock */
    int probes;                  /* how often the port was asked; under lock, as the next */
    int64_t probed_at;           /* monotonic ms */
    char port_fault[480];        /* security.protocol and the port do not go together; under lock */
};

/** Sets what the properties say on config->conf, config->security. */
int kafka_security_build(struct kafka_config *config, const struct properties *properties,
                         struct error *error) CHECKED;
void kafka_security_destroy(struct kafka_security *security);

/* -- kafka_token.c -- */

/** Takes the module's options over (jaas is empty then). Sets callbacks on config->conf. */
int kafka_tokens_create(struct kafka_config *config, const struct properties *properties,
                        struct jaas *jaas, bool msk, struct kafka_tokens **ret,
                        struct error *error) CHECKED;
void kafka_tokens_destroy(struct kafka_tokens *tokens);
/** A token that is still good is there. [any thread] */
bool kafka_tokens_good(struct kafka_tokens *tokens);

/* -- kafka_diagnose.c -- */

/** Certificates are verified by OpenSSL; this notes why one is refused. */
void kafka_diagnose_prepare(struct kafka_config *config);

/* One rd_kafka_conf_set() with an error that names the Java key. */
int kafka_config_set(struct kafka_config *config, const char *key, const char *name,
                     const char *value, struct error *error) CHECKED;

#endif
