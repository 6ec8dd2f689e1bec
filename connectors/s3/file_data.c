/* Bytes of a chain into a file, past the page cache where that pays; see file_data.h. */
#include "connectors/s3/file_data.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    PIECE_SIZE = FILE_PIECE_SIZE,
    DIRECT_FROM = 256 << 10, /* pieces from here on bypass the page cache */
    DIRECT_ALIGN = 4096,
    VECTORS = 64,
};

void file_data_init(struct file_data *data, struct memory *memory, bool direct)
{
    data->memory = memory;
    data->direct = direct ? aligned_alloc(DIRECT_ALIGN, PIECE_SIZE) : NULL;
}

void file_data_finish(struct file_data *data)
{
    free(data->direct);
    data->direct = NULL;
}

static int write_all(int fd, struct iovec *vectors, int count, int64_t offset)
{
    while (count > 0) {
        ssize_t written = pwritev(fd, vectors, count, offset);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            errno = written == 0 ? EIO : errno;
            return -1;
        }
        offset += written;
        while (count > 0 && (size_t)written >= vectors->iov_len) {
            written -= (ssize_t)vectors->iov_len;
            vectors++;
            count--;
        }
        if (count > 0) {
            vectors->iov_base = (char *)vectors->iov_base + written;
            vectors->iov_len -= (size_t)written;
        }
    }
    return 0;
}

/* Spilled blocks are copied, those in memory written where they lie. */
static int write_chain(struct file_data *data, int fd, const struct chain *chain, int64_t offset)
{
    struct iovec vectors[VECTORS];
    int count = 0;
    int64_t pending = 0;
    for (const struct block *block = chain->first; block; block = block->next) {
        if (block->spilled >= 0) {
            struct block alone = *block;
            alone.next = NULL;
            struct chain one = {&alone, &alone, block->size, 0};
            struct chain_reader reader;
            chain_rewind(&reader, data->memory, &one);
            char *copy = malloc(block->size);
            size_t got = copy ? chain_read(&reader, copy, block->size) : 0;
            struct iovec vector = {copy, got};
            int result = write_all(fd, vectors, count, offset);
            offset += pending;
            result = result == 0 && got == block->size ? write_all(fd, &vector, 1, offset) : -1;
            free(copy);
            if (result != 0) {
                return -1;
            }
            offset += block->size;
            count = 0;
            pending = 0;
            continue;
        }
        vectors[count++] = (struct iovec){block->data, block->size};
        pending += block->size;
        if (count == VECTORS) {
            if (write_all(fd, vectors, count, offset) != 0) {
                return -1;
            }
            offset += pending;
            count = 0;
            pending = 0;
        }
    }
    return write_all(fd, vectors, count, offset);
}

/*
 * Large pieces: copied together and written past the page cache, but for the odd bytes at the end. What
 * has to reach the disk anyway costs a fifth of the CPU this way.
 */
static int write_direct(struct file_data *data, int fd, const struct chain *chain, int64_t offset)
{
    struct chain_reader reader;
    chain_rewind(&reader, data->memory, chain);
    size_t left = chain->size;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_DIRECT) != 0) {
        return 1;
    }
    while (left > 0) {
        size_t part = left < PIECE_SIZE ? left : PIECE_SIZE, got = 0;
        while (got < part) {
            size_t more = chain_read(&reader, data->direct + got, part - got);
            if (more == 0) {
                errno = EIO;
                return -1;
            }
            got += more;
        }
        size_t even = part / DIRECT_ALIGN * DIRECT_ALIGN;
        struct iovec vector = {data->direct, even};
        if (even > 0 && write_all(fd, &vector, 1, offset) != 0) {
            return errno == EINVAL ? 1 : -1;
        }
        if (even < part) {
            vector = (struct iovec){data->direct + even, part - even};
            if (fcntl(fd, F_SETFL, flags) != 0 ||
                write_all(fd, &vector, 1, offset + (int64_t)even) != 0) {
                return -1;
            }
        }
        offset += (int64_t)part;
        left -= part;
    }
    return 0;
}

int file_data_write(struct file_data *data, int fd, const struct chain *chain, int64_t offset)
{
    if (data->direct && chain->size >= DIRECT_FROM && offset % DIRECT_ALIGN == 0) {
        int result = write_direct(data, fd, chain, offset);
        if (result <= 0) {
            return result;
        }
        /* A file system without it. */
        free(data->direct);
        data->direct = NULL;
        int flags = fcntl(fd, F_GETFL);
        if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_DIRECT) != 0) {
            return -1;
        }
    }
    return write_chain(data, fd, chain, offset);
}
