/* A header's value as text, as Connect's Values.convertToString writes it. [task thread] */
#ifndef S3_HEADER_TEXT_H
#define S3_HEADER_TEXT_H

#include "connectors/s3/sink.h"

/** Lives as long as the batch. */
struct sluice_span header_text(struct sink *sink, struct sluice_batch *batch,
                               const struct sluice_value *value);

#endif
