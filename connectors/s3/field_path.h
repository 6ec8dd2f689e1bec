/* Fields by dotted paths, as the original's DataUtils finds them. [task thread] */
#ifndef S3_FIELD_PATH_H
#define S3_FIELD_PATH_H

#include <sluice/plugin.h>

#include "connectors/s3/fault.h"

struct field_path;

/** Steps are split at dots; empty ones at the end do not count. NULL: out of memory. */
struct field_path *field_path_create(const struct sluice_host *host, const char *path);
void field_path_destroy(struct field_path *path);
const char *field_path_text(const struct field_path *path);

/**
 * The field's value in a struct or map: never a null, which is as good as absent there. NULL with the
 * original's fault: DataException with its cause, or ConnectException for an empty name. *ret_null: there
 * is a null; may be NULL.
 */
const struct sluice_value *field_path_find(const struct field_path *path,
                                           const struct sluice_value *value, bool *ret_null,
                                           struct fault *fault);
/** The same of a schema. NULL with the FieldPartitioner's fault. */
const struct sluice_schema *field_path_schema(const struct field_path *path,
                                              const struct sluice_schema *schema, struct fault *fault);

#endif
