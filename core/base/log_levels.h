/* Levels of loggers as JSON: how a worker tells its hosts. {"root":"INFO","sluice.host":"DEBUG"} [any thread] */
#ifndef CORE_BASE_LOG_LEVELS_H
#define CORE_BASE_LOG_LEVELS_H

#include <jansson.h>

/** Every level that is set. New reference. */
json_t *log_levels_json(void);
/** From now on these and no others; what is no level is left out. Borrows. */
void log_levels_take(json_t *levels);

#endif
