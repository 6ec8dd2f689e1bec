/* Bytes of a chain into a file, for the folder store. [store's thread] */
#ifndef S3_FILE_DATA_H
#define S3_FILE_DATA_H

#include "connectors/s3/memory.h"

enum { FILE_PIECE_SIZE = 1 << 20 };

struct file_data {
    struct memory *memory;
    char *direct; /* FILE_PIECE_SIZE bytes, aligned; NULL: no bypassing of the page cache here */
};

/** direct: large pieces may bypass the page cache, where the file system knows how. */
void file_data_init(struct file_data *data, struct memory *memory, bool direct);
void file_data_finish(struct file_data *data);
/** Writes a chain at an offset; may be repeated. -1 with errno. */
int file_data_write(struct file_data *data, int fd, const struct chain *chain, int64_t offset);

#endif
