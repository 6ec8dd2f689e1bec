/* What `sluice transform` reads beside its lines. [main thread] */
#ifndef CORE_HOST_OFFLINE_FILE_H
#define CORE_HOST_OFFLINE_FILE_H

#include "core/base/error.h"
#include "core/config/properties.h"

/** .properties, or JSON: a flat object, or {name, config}. -1 with the error set. */
int offline_file_load(const char *path, struct properties *properties, struct error *error) CHECKED;

#endif
