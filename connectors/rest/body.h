/*
 * Body of a produce request: {"records":[{"key":..,"value":..,"partition":n},..]} to values in a batch.
 * Keys and values stay spans of the text; only the envelope is split here. [task thread]
 */
#ifndef CONNECTORS_REST_BODY_H
#define CONNECTORS_REST_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/host.h>

#include "connectors/rest/route.h"

struct rest_record {
    const struct sluice_value *key;   /* NULL: null */
    const struct sluice_value *value; /* NULL: null */
    int32_t partition;                /* or -1 */
};

enum { REST_NEGATIVE = -2 }; /* of a partition, while parsing: below zero */

/** Records of the request parsed last; its memory is used again for the next. */
struct rest_body {
    struct rest_record *records;
    size_t count;
    size_t capacity;
    size_t max; /* most records a request may have */
};

void rest_body_init(struct rest_body *body, size_t max);
void rest_body_finish(struct rest_body *body);

/**
 * Parses and converts a whole request, or nothing of it: -1 with a fault in REST Proxy's words.
 * text shall live as long as the batch. BINARY: keys and values are base64 texts and become BYTES; JSON:
 * they stay what they are. The others end in a fault, as there is no Schema Registry.
 * partitioned: the path named the partition (the Proxy counts the body's parameter differently then).
 */
int rest_body_parse(struct rest_body *body, const struct sluice_host *host,
                    struct sluice_batch *batch, const char *text, size_t size,
                    enum rest_format format, bool partitioned, struct rest_fault *fault) SLUICE_CHECKED;

#endif
