/* A file being written: one object of values, and those of its keys and headers. [task thread] */
#ifndef S3_FILE_H
#define S3_FILE_H

#include "connectors/s3/sink.h"

/** S3 allows keys of 1,024 bytes. */
enum { FILE_PATH_MAX = 1024 };

/** The directory of a record, with the schema's where wanted, or the tombstones'. */
int file_path(struct sink *sink, const struct sluice_record *record, bool tombstone, int64_t time,
              char path[FILE_PATH_MAX], struct fault *fault);
uint64_t file_hash(const char *path);
/** Whether value, key and headers can be written. */
int file_check(struct sink *sink, const struct sluice_record *record, bool tombstone,
               struct fault *fault);

/** offset: of the first record, and in the names. NULL with fault. */
struct file *file_create(struct sink *sink, struct ticket *ticket, const char *path, uint64_t hash,
                         int64_t offset, bool tombstones, struct fault *fault);
int file_write(struct sink *sink, struct file *file, struct sluice_batch *batch,
               const struct sluice_record *record, struct fault *fault);
/** Completes its objects; the file stays, for file_destroy(). */
int file_finish(struct sink *sink, struct file *file, struct fault *fault);
/** Gives up what is not completed; ticket: whose it is. NULL is fine for a finished one. */
void file_destroy(struct sink *sink, struct file *file, struct ticket *ticket);

#endif
