/*
 * What a broker's port speaks, found by asking: for telling why connections end without a word, which is
 * all that a broker does when a client speaks the wrong protocol. Inside core/broker only.
 */
#ifndef CORE_BROKER_KAFKA_PROBE_H
#define CORE_BROKER_KAFKA_PROBE_H

#include <stdbool.h>

enum kafka_port {
    KAFKA_PORT_UNKNOWN,   /* nobody there, or neither of the below */
    KAFKA_PORT_TLS,
    KAFKA_PORT_PLAINTEXT, /* Kafka without TLS */
    KAFKA_PORT_SASL,      /* Kafka without TLS that wants SASL first */
};

/** Blocks for at most about 4 s. address: host:port. [any thread] */
enum kafka_port kafka_probe(const char *address, bool want_tls);

#endif
