/* Rules of rotation that stand on their own: the schedule, and changes of schema. [task thread] */
#ifndef S3_ROTATION_H
#define S3_ROTATION_H

#include "connectors/s3/sink.h"

/** Next multiple of the interval after now, counted from local midnight, at most the next midnight. */
int64_t rotation_next(const struct zone *zone, int64_t interval, int64_t now);

/**
 * Whether a record's schema completes a file that is open in the same directory: 1 or 0.
 * -1 with fault: the schemas cannot be compared.
 */
int rotation_by_schema(struct sink *sink, const struct sluice_schema *of_file,
                       const struct sluice_schema *of_record, bool tombstone, struct fault *fault);
/** Makes a value of the file's schema of one of another version (SchemaProjector). */
int rotation_project(struct sink *sink, struct sluice_batch *batch,
                     const struct sluice_schema *of_file, const struct sluice_schema **schema,
                     const struct sluice_value **value, struct fault *fault);

#endif
