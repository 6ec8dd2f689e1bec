/* Blocks, their limit, and the spill file; see memory.h. */
#include "connectors/s3/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CLASSES = 4, SPILLED_CLASS = CLASSES };

/* A small object fits into the first, a large one reaches the last after three steps. */
static const uint32_t class_size[CLASSES] = {1 << 10, 4 << 10, 32 << 10, 128 << 10};

struct memory {
    size_t limit;
    const char *spill_folder;
    atomic_size_t used;
    pthread_mutex_t lock;
    pthread_cond_t given;
    uint64_t gives;                /* counts, so that a wait sees one that came before it */
    struct block *free[CLASSES];   /* kept for the next take */
    size_t kept;
    int spill_fd;                  /* -1: none yet */
    int64_t spill_end;
};

struct memory *memory_create(size_t limit, const char *spill_folder)
{
    struct memory *memory = calloc(1, sizeof(*memory));
    if (!memory) {
        return NULL;
    }
    memory->limit = limit;
    memory->spill_folder = spill_folder;
    memory->spill_fd = -1;
    pthread_mutex_init(&memory->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&memory->given, &attributes);
    pthread_condattr_destroy(&attributes);
    return memory;
}

void memory_destroy(struct memory *memory)
{
    if (!memory) {
        return;
    }
    for (size_t i = 0; i < CLASSES; i++) {
        while (memory->free[i]) {
            struct block *next = memory->free[i]->next;
            free(memory->free[i]);
            memory->free[i] = next;
        }
    }
    if (memory->spill_fd >= 0) {
        close(memory->spill_fd);
    }
    pthread_cond_destroy(&memory->given);
    pthread_mutex_destroy(&memory->lock);
    free(memory);
}

bool memory_full(struct memory *memory)
{
    /* invariant 5: one limit for all that is open and on its way */
    return atomic_load_explicit(&memory->used, memory_order_relaxed) >= memory->limit;
}

size_t memory_used(struct memory *memory)
{
    return atomic_load_explicit(&memory->used, memory_order_relaxed);
}

void memory_wait(struct memory *memory, int timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&memory->lock);
    uint64_t gives = memory->gives;
    while (memory_full(memory) && memory->gives == gives) {
        if (pthread_cond_timedwait(&memory->given, &memory->lock, &until) == ETIMEDOUT) {
            break;
        }
    }
    pthread_mutex_unlock(&memory->lock);
}

/* -- blocks -- */

static struct block *block_take(struct memory *memory, uint32_t class)
{
    pthread_mutex_lock(&memory->lock);
    struct block *block = memory->free[class];
    if (block) {
        memory->free[class] = block->next;
        memory->kept -= class_size[class];
    }
    pthread_mutex_unlock(&memory->lock);
    if (!block) {
        block = malloc(sizeof(*block) + class_size[class]);
        if (!block) {
            return NULL;
        }
        block->capacity = class_size[class];
        block->class = class;
        block->data = (char *)(block + 1);
    }
    block->next = NULL;
    block->size = 0;
    block->spilled = -1;
    atomic_fetch_add_explicit(&memory->used, block->capacity, memory_order_relaxed);
    return block;
}

/* With the lock held. */
static void block_give(struct memory *memory, struct block *block)
{
    if (block->class == SPILLED_CLASS) {
        /* The space goes back to the file system; where it cannot, it does when the task ends. */
        (void)fallocate(memory->spill_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                        block->spilled, block->size);
        free(block);
        return;
    }
    atomic_fetch_sub_explicit(&memory->used, block->capacity, memory_order_relaxed);
    if (memory->kept + block->capacity <= memory->limit / 2) {
        memory->kept += block->capacity;
        block->next = memory->free[block->class];
        memory->free[block->class] = block;
    } else {
        free(block);
    }
}

void chain_free(struct memory *memory, struct chain *chain)
{
    if (!chain->first) {
        return;
    }
    pthread_mutex_lock(&memory->lock);
    while (chain->first) {
        struct block *next = chain->first->next;
        block_give(memory, chain->first);
        chain->first = next;
    }
    memory->gives++;
    pthread_cond_broadcast(&memory->given);
    pthread_mutex_unlock(&memory->lock);
    *chain = (struct chain){0};
}

/* The next block is about as large as all before it together. */
static uint32_t next_class(const struct chain *chain, size_t wanted)
{
    size_t expected = chain->size + wanted;
    uint32_t class = 0;
    while (class < CLASSES - 1 && class_size[class] < expected) {
        class++;
    }
    return class;
}

int chain_append(struct memory *memory, struct chain *chain, const void *data, size_t size)
{
    const char *from = data;
    while (size > 0) {
        struct block *last = chain->last;
        if (!last || last->size == last->capacity) {
            last = block_take(memory, next_class(chain, size));
            if (!last) {
                return -1;
            }
            if (chain->last) {
                chain->last->next = last;
            } else {
                chain->first = last;
            }
            chain->last = last;
            chain->resident += last->capacity;
        }
        size_t room = last->capacity - last->size;
        size_t part = size < room ? size : room;
        memcpy(last->data + last->size, from, part);
        last->size += (uint32_t)part;
        chain->size += part;
        from += part;
        size -= part;
    }
    return 0;
}

/* -- spilling -- */

static int open_spill(struct memory *memory)
{
    if (memory->spill_fd >= 0) {
        return 0;
    }
    /* Without a name it is gone with the process, however that ends. */
    int fd = open(memory->spill_folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {
        char path[4096];
        snprintf(path, sizeof(path), "%s/sluice-spill-XXXXXX", memory->spill_folder);
        fd = mkostemp(path, O_CLOEXEC);
        if (fd < 0) {
            return -1;
        }
        unlink(path);
    }
    pthread_mutex_lock(&memory->lock);
    memory->spill_fd = fd;
    pthread_mutex_unlock(&memory->lock);
    return 0;
}

static int write_at(int fd, const char *data, size_t size, int64_t offset)
{
    while (size > 0) {
        ssize_t written = pwrite(fd, data, size, offset);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return -1;
        }
        data += written;
        size -= (size_t)written;
        offset += written;
    }
    return 0;
}

int chain_spill(struct memory *memory, struct chain *chain)
{
    if (open_spill(memory) != 0) {
        return -1;
    }
    struct block *previous = NULL;
    for (struct block *block = chain->first; block; previous = block, block = block->next) {
        if (block->spilled >= 0 || block->size == 0) {
            continue;
        }
        struct block *header = malloc(sizeof(*header));
        if (!header) {
            errno = ENOMEM;
            return -1;
        }
        if (write_at(memory->spill_fd, block->data, block->size, memory->spill_end) != 0) {
            free(header);
            return -1;
        }
        *header = (struct block){.next = block->next, .size = block->size, .capacity = block->size,
                                 .class = SPILLED_CLASS, .spilled = memory->spill_end};
        memory->spill_end += block->size;
        if (previous) {
            previous->next = header;
        } else {
            chain->first = header;
        }
        if (chain->last == block) {
            chain->last = header;
        }
        chain->resident -= block->capacity;
        pthread_mutex_lock(&memory->lock);
        block_give(memory, block);
        pthread_mutex_unlock(&memory->lock);
        block = header;
    }
    return 0;
}

/* -- reading -- */

void chain_rewind(struct chain_reader *reader, struct memory *memory, const struct chain *chain)
{
    *reader = (struct chain_reader){memory, chain, chain->first, 0};
}

size_t chain_read(struct chain_reader *reader, void *into, size_t size)
{
    size_t total = 0;
    while (total < size && reader->block) {
        const struct block *block = reader->block;
        size_t part = block->size - reader->offset;
        part = part < size - total ? part : size - total;
        if (part > 0 && block->spilled >= 0) {
            ssize_t got = pread(reader->memory->spill_fd, (char *)into + total, part,
                                block->spilled + (int64_t)reader->offset);
            if (got <= 0) {
                return 0;
            }
            part = (size_t)got;
        } else if (part > 0) {
            memcpy((char *)into + total, block->data + reader->offset, part);
        }
        total += part;
        reader->offset += part;
        if (reader->offset == block->size) {
            reader->block = block->next;
            reader->offset = 0;
        }
    }
    return total;
}

const char *chain_contiguous(const struct chain *chain)
{
    return chain->first && chain->first == chain->last && chain->first->spilled < 0
               ? chain->first->data
               : NULL;
}
