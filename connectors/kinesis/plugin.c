/* Entry of kinesis.so: a source that reads Kinesis data streams and a sink that writes them. */
#include "connectors/kinesis/plugin.h"

#include "connectors/kinesis/settings.h"

static const char *const sink_aliases[] = {"KinesisSinkConnector", "KinesisSink", NULL};

static const struct sluice_descriptor sink = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_SINK,
    .class_name = "sluice.kinesis.KinesisSinkConnector",
    .aliases = sink_aliases,
    .version = SLUICE_VERSION,
    .doc = "Writes records into Kinesis data streams, in order for each partition key.",
    .options = kinesis_sink_options,
    .vtable = &kinesis_sink,
};

static const char *const source_aliases[] = {"KinesisSourceConnector", "KinesisSource", NULL};

static const struct sluice_descriptor source = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_SOURCE,
    .class_name = "sluice.kinesis.KinesisSourceConnector",
    .aliases = source_aliases,
    .version = SLUICE_VERSION,
    .doc = "Reads records out of Kinesis data streams: all shards, over splits and merges.",
    .options = kinesis_source_options,
    .vtable = &kinesis_source,
};

static const struct sluice_descriptor *const descriptors[] = {&sink, &source, NULL};

SLUICE_PLUGIN(descriptors)
