/*
 * What a client is told when a request is refused: HTTP status, REST Proxy's error_code, message.
 * A plain value, owned by whoever declares it. (s3-sink-and-rest-proxy.md §4.1)
 */
#ifndef CONNECTORS_REST_FAULT_H
#define CONNECTORS_REST_FAULT_H

#include <sluice/version.h>

enum {
    REST_UNAUTHENTICATED = 40101,
    REST_FORBIDDEN = 40301,
    REST_BAD_REQUEST = 40002,
    REST_PARTITION_NOT_FOUND = 40402,
    REST_UNKNOWN_TOPIC = 40403,
    REST_STREAM_EXISTS = 40901, /* never shown: answers about streams have names for codes */
    REST_PAYLOAD = 42206,
    REST_SERIALIZATION = 42207,
    REST_THROTTLED = 42901,
    REST_KAFKA_ERROR = 50002,
    REST_KAFKA_RETRIABLE = 50003,
    REST_MESSAGE_MAX = 512,
};

struct rest_fault {
    int status; /* 0: none */
    int code;   /* error_code in the body */
    char message[REST_MESSAGE_MAX];
};

/** Fills a fault; the message is cut at its size, at a whole character. Returns -1. */
int rest_fault_set(struct rest_fault *fault, int status, int code, const char *format, ...)
    SLUICE_PRINTF(4, 5);
/** The answer for a plain HTTP status as the Proxy words it: `HTTP 404 Not Found`. Returns -1. */
int rest_fault_status(struct rest_fault *fault, int status);

#endif
