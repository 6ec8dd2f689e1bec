/*
 * From a Java client's properties to a configuration of librdkafka. One table maps every key; what
 * librdkafka has no key for, or no way to honour, ends here: kept in the struct below for the code
 * that does honour it, or named in a warning. Security (stores, SASL, tokens) is decided here too.
 *
 * The configuration outlives the client that is made from it, as callbacks of librdkafka (token
 * refresh) find their state through it. Its order of life: kafka_config_build(), rd_kafka_new(),
 * kafka_config_started(), .., rd_kafka_destroy(), kafka_config_destroy().
 */
#ifndef CORE_BROKER_KAFKA_CONFIG_H
#define CORE_BROKER_KAFKA_CONFIG_H

#include <librdkafka/rdkafka.h>

#include "core/base/error.h"
#include "core/config/properties.h"

struct kafka_security;

enum kafka_client { KAFKA_PRODUCER, KAFKA_CONSUMER, KAFKA_ADMIN };

/** What the opaque of every librdkafka client of ours begins with. */
struct kafka_opaque {
    struct kafka_config *config;
};

struct kafka_config {
    enum kafka_client kind;
    rd_kafka_conf_t *conf;   /* rd_kafka_new() takes it: set to NULL then */
    char *group_id;          /* NULL: none */
    int heartbeat_ms;        /* of a consumer: heartbeat.interval.ms */
    char *client_id;
    char *servers;           /* bootstrap.servers, for messages */
    int64_t buffer_memory;   /* buffer.memory: bytes of a producer's unacknowledged records */
    int64_t max_request;     /* max.request.size */
    int64_t metadata_max_age; /* metadata.max.age.ms */
    bool from_beginning;     /* auto.offset.reset */
    bool no_reset;           /* auto.offset.reset=none */
    struct kafka_security *security; /* of kafka_security.c and its callbacks */
};

/**
 * Bad values are an error that names the key; keys that cannot be honoured are a warning in the log
 * that names them and why. Secrets are in neither.
 */
int kafka_config_build(const struct properties *properties, enum kafka_client kind,
                       struct kafka_config **ret, struct error *error) CHECKED;
/** Right after rd_kafka_new(), whose opaque begins with a struct kafka_opaque. */
int kafka_config_started(struct kafka_config *config, rd_kafka_t *rk, struct error *error) CHECKED;
/**
 * What a fault that librdkafka reports (error_cb) is really about: writes a text that names the cause,
 * and gives the code that it should have. NO_ERROR: it is of no consequence. May look at the broker's
 * port once, for up to 2 s. *ret_final: trying again will not help.
 */
rd_kafka_resp_err_t kafka_config_fault(struct kafka_config *config, rd_kafka_resp_err_t code,
                                       const char *reason, char *text, size_t size,
                                       bool *ret_final);
/** Is a log line of librdkafka's (facility FAIL) about a broker that hung up before anything was done? */
bool kafka_config_closed_early(const char *text);
/** After rd_kafka_destroy(); NULL is fine. */
void kafka_config_destroy(struct kafka_config *config);

#endif
