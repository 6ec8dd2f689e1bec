#include "core/base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE ((size_t)64 * 1024)

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;                   /* of data */
    _Alignas(16) char data[];
};

static void default_exhaustion(size_t wanted)
{
    fprintf(stderr, "sluice: out of memory (%zu bytes wanted)\n", wanted);
    exit(3);
}

static void (*on_exhaustion)(size_t) = default_exhaustion;

void arena_on_exhaustion(void (*handler)(size_t wanted))
{
    on_exhaustion = handler ? handler : default_exhaustion;
}

static void use_chunk(struct arena *arena, struct arena_chunk *chunk)
{
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    arena->next = chunk->data;
    arena->end = chunk->data + chunk->size;
}

void *arena_alloc_slow(struct arena *arena, size_t size)
{
    if (size > (size_t)PTRDIFF_MAX - 64) {
        on_exhaustion(size);
        abort();
    }
    size_t rounded = (size + 15 + (size == 0)) & ~(size_t)15;
    struct arena_chunk **link = &arena->spare;
    while (*link && (*link)->size < rounded) {
        link = &(*link)->next;
    }
    struct arena_chunk *chunk = *link;
    if (chunk) {
        *link = chunk->next;
    } else {
        size_t data = rounded > CHUNK_SIZE - sizeof(*chunk) ? rounded : CHUNK_SIZE - sizeof(*chunk);
        chunk = malloc(sizeof(*chunk) + data);
        if (!chunk) {
            on_exhaustion(size);
            abort();
        }
        chunk->size = data;
        arena->held += sizeof(*chunk) + data;
    }
    use_chunk(arena, chunk);
    void *result = arena->next;
    arena->next += rounded;
    return result;
}

void arena_reset(struct arena *arena, size_t keep)
{
    struct arena_chunk *chunk = arena->chunks;
    arena->chunks = NULL;
    arena->next = arena->end = NULL;
    while (chunk) {
        struct arena_chunk *next = chunk->next;
        chunk->next = arena->spare;
        arena->spare = chunk;
        chunk = next;
    }
    struct arena_chunk **link = &arena->spare;
    while (*link && arena->held > keep) {
        chunk = *link;
        *link = chunk->next;
        arena->held -= sizeof(*chunk) + chunk->size;
        free(chunk);
    }
}

void arena_finish(struct arena *arena)
{
    arena_reset(arena, 0);
}

void *arena_copy(struct arena *arena, const void *data, size_t size)
{
    void *copy = arena_alloc(arena, size);
    if (size > 0) {
        memcpy(copy, data, size);
    }
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_copy(arena, text, strlen(text) + 1);
}
