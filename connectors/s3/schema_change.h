/*
 * schema.compatibility: when a record of another schema completes the file, and how its value is made one of
 * the file's schema where it does not. After the original's StorageSchemaCompatibility and SchemaProjector.
 * [task thread]
 */
#ifndef S3_SCHEMA_CHANGE_H
#define S3_SCHEMA_CHANGE_H

#include <sluice/plugin.h>

#include "connectors/s3/fault.h"
#include "connectors/s3/settings.h"

/**
 * Whether a record's schema completes a file that is open in the same directory: 1 or 0.
 * -1 with fault: the schemas cannot be compared.
 */
int schema_change_check(const struct sluice_data *data, enum compatibility compatibility,
                        const struct sluice_schema *of_file, const struct sluice_schema *of_record,
                        struct fault *fault);
/** Makes a value of the file's schema of one of another version. -1 with fault. */
int schema_change_project(const struct sluice_data *data, enum compatibility compatibility,
                          struct sluice_batch *batch, const struct sluice_schema *of_file,
                          const struct sluice_schema **schema, const struct sluice_value **value,
                          struct fault *fault);

#endif
