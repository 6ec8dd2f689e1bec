/* What the worker does for a request, as the answer to one that timed out says it (Connect's words). */
#ifndef CORE_WORKER_STAGE_H
#define CORE_WORKER_STAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct stage {
    const char *description;   /* static; NULL: none yet */
    int64_t began, completed;  /* ms since the epoch; completed 0: under way */
};

void stage_begin(struct stage *stage, const char *description);
void stage_complete(struct stage *stage);
/** A host has taken over the validation, or answered: the words are those of Connect's steps there. */
void stage_validation_begin(struct stage *stage);
void stage_validation_complete(struct stage *stage, bool sink, json_t *config);
/** "Request timed out" and what is known of the stage. Owned by the caller. */
char *stage_timed_out(const struct stage *stage);

#endif
