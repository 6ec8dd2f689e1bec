/* GET requests about topics, answered from what the host says of the cluster. [task thread] */
#ifndef CONNECTORS_REST_METADATA_H
#define CONNECTORS_REST_METADATA_H

#include <sluice/cluster.h>
#include <sluice/source.h>

#include "connectors/rest/request.h"

/** Whom to ask, and for which topics. */
struct rest_cluster {
    const struct sluice_host *host;
    const struct sluice_source_context *context;
    const struct sluice_cluster *reads; /* NULL: the host has none; then there is no answer */
    bool (*allowed)(void *user, const char *topic);
    void *user;
    int timeout_ms;                     /* of each question to the broker */
};

/** Fills request->answer or request->fault. */
void rest_metadata(const struct rest_cluster *cluster, struct rest_request *request,
                   struct sluice_batch *batch);

#endif
