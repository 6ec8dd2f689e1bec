/* Entry of s3.so: S3 sink and source under the class names of those they stand for. */
#include "connectors/s3/plugin.h"

#include "connectors/s3/settings.h"

static const char *const aliases[] = {"S3SinkConnector", "S3Sink", NULL};

static const struct sluice_descriptor sink = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_SINK,
    .class_name = "io.confluent.connect.s3.S3SinkConnector",
    .aliases = aliases,
    .version = SLUICE_VERSION,
    .doc = "Writes records into objects of an S3 bucket, or files of a folder.",
    .options = s3_options,
    .vtable = &s3_sink,
};

static const char *const source_aliases[] = {"S3SourceConnector", "S3Source", NULL};

static const struct sluice_descriptor source = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_SOURCE,
    .class_name = "io.confluent.connect.s3.source.S3SourceConnector",
    .aliases = source_aliases,
    .version = SLUICE_VERSION,
    .doc = "Reads records from objects of an S3 bucket, or files of a folder: what the S3 sink wrote, or "
           "any lines of JSON or text.",
    .options = s3_source_options,
    .vtable = &s3_source,
};

static const struct sluice_descriptor *const descriptors[] = {&sink, &source, NULL};

SLUICE_PLUGIN(descriptors)
