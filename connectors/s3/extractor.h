/* Times of records, which time-based partitioners and rotation need. [task thread] */
#ifndef S3_EXTRACTOR_H
#define S3_EXTRACTOR_H

#include <sluice/plugin.h>

#include "connectors/s3/fault.h"
#include "connectors/s3/field_path.h"
#include "connectors/s3/settings.h"

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
