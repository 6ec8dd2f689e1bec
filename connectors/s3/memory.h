/*
 * The task's memory for data on its way: blocks of four sizes under one limit, and the spill file
 * where blocks go when the limit is near and nothing can be sent yet. Bytes of an object are a chain
 * of blocks, each in memory or on disk.
 *
 * The task thread takes blocks, the store's thread gives them back.
 */
#ifndef S3_MEMORY_H
#define S3_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory;

struct block {
    struct block *next;
    uint32_t size, capacity;
    uint32_t class;
    int64_t spilled;  /* where in the spill file; -1: in data */
    char *data;       /* NULL when spilled */
};

struct chain {
    struct block *first, *last;
    size_t size;      /* bytes, wherever they are */
    size_t resident;  /* capacity of blocks that are in memory */
};

/** spill_folder is not copied. NULL: out of memory. */
struct memory *memory_create(size_t limit, const char *spill_folder);
/** All chains must have been freed. NULL is fine. */
void memory_destroy(struct memory *memory);

/** True once the limit is reached. [any thread, cheap] */
bool memory_full(struct memory *memory);
/** Bytes taken now. [any thread] */
size_t memory_used(struct memory *memory);
/** Waits until memory_full() is false or something was given back, at most so long. [task thread] */
void memory_wait(struct memory *memory, int timeout_ms);

/**
 * Appends; the chain grows by ever larger blocks. -1: out of memory, part of it may have been
 * appended. Does not look at the limit: that is checked between records. [task thread]
 */
int chain_append(struct memory *memory, struct chain *chain, const void *data, size_t size);
/** Moves all blocks to the spill file. -1 with errno. [task thread] */
int chain_spill(struct memory *memory, struct chain *chain);
/** Gives all blocks back. [any thread] */
void chain_free(struct memory *memory, struct chain *chain);

/** Reads a chain from its beginning, any number of times. */
struct chain_reader {
    struct memory *memory;
    const struct chain *chain;
    const struct block *block;
    size_t offset;
};

void chain_rewind(struct chain_reader *reader, struct memory *memory, const struct chain *chain);
/** Next bytes, at most size; 0 at the end, or where the spill file cannot be read (errno). [any thread] */
size_t chain_read(struct chain_reader *reader, void *into, size_t size);
/** The bytes without a copy, where they lie in one block in memory; else NULL. */
const char *chain_contiguous(const struct chain *chain);

#endif
