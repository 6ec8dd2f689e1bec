/*
 * Partitioners: which directory below a topic's a record belongs to (Connect's "encoded partition").
 */
#ifndef S3_PARTITIONER_H
#define S3_PARTITIONER_H

#include <sluice/plugin.h>

#include "connectors/s3/extractor.h"
#include "connectors/s3/fault.h"
#include "connectors/s3/field_path.h"
#include "connectors/s3/settings.h"
#include "lib/util/buffer.h"

struct partitioner;

struct partitioner_vtable {
    /**
     * Appends a record's directory. timestamp: by the extractor; only of use to time-based ones.
     * -1 with fault. [task thread]
     */
    int (*encode)(struct partitioner *partitioner, const struct sluice_record *record,
                  int64_t timestamp, struct buffer *ret_path, struct fault *fault);
    void (*destroy)(struct partitioner *partitioner);
    bool time_based;
    bool constant;  /* the same for all records of a topic partition */
};

struct partitioner {
    const struct partitioner_vtable *vtable;
    const struct sluice_host *host;
    const struct settings *settings;
};

/** NULL with a sentence in message. */
struct partitioner *partitioner_create(const struct sluice_host *host,
                                       const struct settings *settings, char *message, size_t size);
void partitioner_destroy(struct partitioner *partitioner);

/** Of one kind each; partitioner_create() chooses. */
struct partitioner *default_partitioner_create(void);
struct partitioner *field_partitioner_create(const struct sluice_host *host,
                                             const struct settings *settings);
struct partitioner *time_partitioner_create(const struct settings *settings, char *message,
                                            size_t size);

typedef void partitioner_fault(void *user, const char *key, const char *text);
/** Tells everything that keeps a time-based partitioner from being created. */
void time_partitioner_check(const struct settings *settings, partitioner_fault *fault, void *user);

#endif
