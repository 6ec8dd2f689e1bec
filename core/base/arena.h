/*
 * Arena: memory for what lives and dies together (a batch of records). Bump allocation out of chunks;
 * reset() keeps the chunks, so a steady state allocates nothing. Where memory runs out, arena_alloc()
 * calls the out-of-memory handler, which does not return: in a host it ends the task with a trace.
 * Not thread-safe.
 */
#ifndef CORE_BASE_ARENA_H
#define CORE_BASE_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
    char *next, *end;           /* free part of the current chunk */
    struct arena_chunk *chunks; /* current first */
    struct arena_chunk *spare;  /* emptied by reset, used again */
    size_t held;                /* bytes in all chunks */
};

/** Takes over when memory is out; shall not return. NULL restores the default (message, exit 3). */
void arena_on_exhaustion(void (*handler)(size_t wanted));

/** A zeroed struct arena is a valid empty one. */
void arena_finish(struct arena *arena);
/** Forgets everything; keeps at most keep bytes of chunks for the next use. */
void arena_reset(struct arena *arena, size_t keep);
void *arena_alloc_slow(struct arena *arena, size_t size);

/** size bytes aligned to 16, not zeroed, never NULL; at most PTRDIFF_MAX. */
static inline void *arena_alloc(struct arena *arena, size_t size)
{
    size_t rounded = (size + 15 + (size == 0)) & ~(size_t)15; /* nothing has an address too */
    if (rounded >= size && rounded <= (size_t)(arena->end - arena->next)) {
        void *result = arena->next;
        arena->next += rounded;
        return result;
    }
    return arena_alloc_slow(arena, size);
}

void *arena_copy(struct arena *arena, const void *data, size_t size);
/** Copy of a NUL-terminated text. */
char *arena_strdup(struct arena *arena, const char *text);

#endif
