/*
 * From method, path and two headers to what is asked for; no connection, no memory, any thread.
 * Paths and media types are REST Proxy's v2 API (s3-sink-and-rest-proxy.md §4.1, §4.2).
 */
#ifndef CONNECTORS_REST_ROUTE_H
#define CONNECTORS_REST_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "connectors/rest/fault.h"

enum rest_kind {
    REST_ROOT,
    REST_OPTIONS,       /* answered from the path alone */
    REST_PRODUCE,
    REST_TOPICS,
    REST_TOPIC,
    REST_PARTITIONS,
    REST_PARTITION,
    REST_OFFSETS,
    REST_BROKERS,
    /* below /streams, see streams.h */
    REST_STREAMS,
    REST_STREAM,
    REST_STREAM_CREATE,
    REST_STREAM_DELETE,
    REST_STREAM_RECORD,
    REST_STREAM_RECORDS,
};

/** Embedded format of a produce request; those from AVRO on need a Schema Registry. */
enum rest_format {
    REST_FORMAT_JSON,
    REST_FORMAT_BINARY,
    REST_FORMAT_AVRO,
    REST_FORMAT_JSON_SCHEMA,
    REST_FORMAT_PROTOBUF,
};

enum { REST_TOPIC_MAX = 249 }; /* Kafka's Topic.MAX_NAME_LENGTH */

struct rest_route {
    enum rest_kind kind;
    enum rest_format format;          /* of REST_PRODUCE */
    bool partitioned;                 /* the path names a partition */
    int32_t partition;                /* of the path, or -1 */
    const char *type;                 /* Content-Type of the answer; static */
    const char *allow;                /* methods of the path, for OPTIONS; static */
    char topic[REST_TOPIC_MAX + 2];   /* percent-decoded; cut names are not valid ones */
};

/**
 * Finds what is asked for; path is the target as sent, without its query. content_type and accept
 * may be NULL. 0, or -1 with a fault; route->type is set in both cases.
 */
int rest_route_find(const char *method, const char *path, const char *content_type,
                    const char *accept, struct rest_route *route, struct rest_fault *fault)
    SLUICE_CHECKED;

/**
 * The same for paths below /streams (streams.h). 1: it is one, or -1 with a fault; 0: it is none, and nothing
 * was touched.
 */
int rest_route_streams(const char *method, const char *path, struct rest_route *route,
                       struct rest_fault *fault) SLUICE_CHECKED;

/**
 * The path behind the first of these prefixes (each `/name` or `/name/name`) that it begins with, segment
 * by segment; the path itself where there is none. A view of path.
 */
const char *rest_route_below(const char *path, const char *const *prefixes, size_t count);

/** Kafka's rule for topic names: 1 to 249 of [a-zA-Z0-9._-], neither `.` nor `..`. */
bool rest_topic_valid(const char *topic);

#endif
