/*
 * Topics as Kinesis streams: what an API gateway in front of Kinesis offers below /streams. Off unless
 * sluice.streams.allow names streams. [task thread, but for the answers, which the http thread writes]
 *
 *   GET /streams                    ListStreams
 *   GET, POST, DELETE /streams/S    DescribeStream, CreateStream, DeleteStream
 *   PUT /streams/S/record           PutRecord   {"Data":any JSON,"PartitionKey":".."}
 *   PUT /streams/S/records          PutRecords  {"records":[{"data":any JSON,"partition-key":".."}]}
 */
#ifndef CONNECTORS_REST_STREAMS_H
#define CONNECTORS_REST_STREAMS_H

#include "connectors/rest/metadata.h"
#include "connectors/rest/request.h"

/** One record as posted. */
struct rest_stream_record {
    const struct sluice_schema *schema; /* of the value; NULL: JSON */
    const struct sluice_value *value;
    const struct sluice_value *key;     /* STRING */
};

/** True for requests of this API. */
bool rest_streams_is(const struct rest_route *route);
/**
 * Reads the body of a PUT: *ret_records in the batch's memory, views of the text. -1 with a fault; nothing
 * of it is written then.
 */
int rest_streams_parse(const struct sluice_host *host, struct sluice_batch *batch,
                       const struct rest_route *route, const char *text, size_t size, size_t records_max,
                       struct rest_stream_record **ret_records, size_t *ret_count,
                       struct rest_fault *fault) SLUICE_CHECKED;
/** Answers everything but PUT. may_delete: DELETE is not refused. */
void rest_streams_answer(const struct rest_cluster *cluster, struct rest_request *request,
                         struct sluice_batch *batch, bool may_delete);
/** Answer of a PUT whose records are done; the HTTP status. [http thread] */
int rest_streams_results(struct rest_request *request) SLUICE_CHECKED;
/** {"__type":..,"message":..}; the HTTP status. [http thread] */
int rest_streams_fault(struct buffer *answer, const struct rest_fault *fault) SLUICE_CHECKED;

#endif
