/*
 * The last log lines of each connector. Bounded: TAIL_BYTES a connector, TAIL_CONNECTORS of them;
 * the one that was quiet for longest gives way. The caller keeps calls apart.
 */
#ifndef CORE_BASE_LOG_TAIL_H
#define CORE_BASE_LOG_TAIL_H

#include <jansson.h>

/** Whose line it is by its context (`[lake|task-0] `, `[lake|worker] `): name of the connector, owned by
 * the caller, and task, -1: none. NULL: of no connector. */
char *log_context_parse(const char *context, int *ret_task);

void log_tail_add(const char *connector, int task, const char *time, const char *level,
                  const char *logger, const char *text);
/** See log_output_lines(). */
json_t *log_tail_lines(const char *connector, int64_t after, int most);
void log_tail_forget(const char *connector);
void log_tail_clear(void);

#endif
