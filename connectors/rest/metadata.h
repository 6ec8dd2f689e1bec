/* GET requests about topics, answered from what the host says of the cluster. [task thread] */
#ifndef CONNECTORS_REST_METADATA_H
#define CONNECTORS_REST_METADATA_H

#include <sluice/source.h>

#include "connectors/rest/request.h"

/**
 * Fills request->answer or request->fault. allowed tells which topics may be seen. Blocks at most
 * timeout_ms for each question to the broker.
 */
void rest_metadata(struct rest_request *request, const struct sluice_host *host,
                   const struct sluice_source_context *context, struct sluice_batch *batch,
                   bool (*allowed)(void *user, const char *topic), void *user, int timeout_ms);

#endif
