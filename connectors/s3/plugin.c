/* Entry of s3.so: the S3 sink under the class name of the one it stands for. */
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

static const struct sluice_descriptor *const descriptors[] = {&sink, NULL};

SLUICE_PLUGIN(descriptors)
