/* Entry of http.so: a source that polls servers and a sink that posts to them. */
#include "connectors/http/plugin.h"

static const char *const sink_aliases[] = {"io.aiven.kafka.connect.http.HttpSinkConnector",
                                           "HttpSinkConnector", "HttpSink", NULL};
static const char *const source_aliases[] = {"io.confluent.connect.http.HttpSourceConnector",
                                             "HttpSourceConnector", "HttpSource", NULL};

static const struct sluice_descriptor sink = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_SINK,
    .class_name = "sluice.http.HttpSinkConnector",
    .aliases = sink_aliases,
    .version = SLUICE_VERSION,
    .doc = "Sends records to an HTTP server, one by one or in batches.",
    .options = http_sink_options,
    .vtable = &http_sink,
};

static const struct sluice_descriptor source = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_SOURCE,
    .class_name = "sluice.http.HttpSourceConnector",
    .aliases = source_aliases,
    .version = SLUICE_VERSION,
    .doc = "Asks an HTTP server again and again, page by page, and makes records of the answers.",
    .options = http_source_options,
    .vtable = &http_source,
};

static const struct sluice_descriptor *const descriptors[] = {&sink, &source, NULL};

SLUICE_PLUGIN(descriptors)
