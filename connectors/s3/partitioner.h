/*
 * Partitioners: which directory below a topic's a record belongs to (Connect's "encoded partition").
 * And the time of a record, which time-based ones and rotation need.
 */
#ifndef S3_PARTITIONER_H
#define S3_PARTITIONER_H

#include <sluice/plugin.h>

#include "connectors/s3/fault.h"
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

/** A field by its path: the whole text as a name first, then each dot as a step down. */
struct field_path;
struct field_path *field_path_create(const struct sluice_host *host, const char *path);
void field_path_destroy(struct field_path *path);
/** NULL: there is none; a null member is a value of type NULL. */
const struct sluice_value *field_path_find(const struct field_path *path,
                                           const struct sluice_value *value);

/** Times of records; see timestamp.extractor. */
struct extractor {
    enum extractor_kind kind;
    const struct sluice_host *host;
    const char *field;
    struct field_path *path;
};

/** -1: out of memory. */
int extractor_init(struct extractor *extractor, const struct sluice_host *host,
                   const struct settings *settings);
void extractor_finish(struct extractor *extractor);
/** Milliseconds since 1970. now: of this call to put(). -1 with fault. */
int extractor_time(const struct extractor *extractor, const struct sluice_record *record, int64_t now,
                   int64_t *ret_time, struct fault *fault);

#endif
