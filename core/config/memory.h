/*
 * Memory for configurations. They are small and bounded by the readers of files and requests; where
 * even that is not there, the process ends the way an exhausted arena ends it, so callers need no
 * path for it. Freed with free(). [any thread]
 */
#ifndef CORE_CONFIG_MEMORY_H
#define CORE_CONFIG_MEMORY_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"

/** Gives back what an allocation gave; does not return for NULL. */
static inline void *memory_checked(void *memory)
{
    if (!memory) {
        struct arena none = {0};
        arena_alloc_slow(&none, SIZE_MAX); /* always refused: calls the exhaustion handler */
        abort();
    }
    return memory;
}

static inline void *memory_zeroed(size_t count, size_t size)
{
    return memory_checked(calloc(count ? count : 1, size));
}

/** count and size shall not overflow: both come from what is held in memory already. */
static inline void *memory_grown(void *memory, size_t count, size_t size)
{
    return memory_checked(realloc(memory, count * size));
}

static inline char *memory_text(const char *text)
{
    return memory_checked(strdup(text));
}

#endif
