/* Names of the objects that the sink wrote, taken apart. Pure functions: [any thread]. */
#ifndef S3_SOURCE_NAME_H
#define S3_SOURCE_NAME_H

#include "connectors/s3/source.h"

struct name_parts {
    const char *topic, *folder, *name, *extension; /* into the key; extension is its end */
    size_t topic_size, folder_size;
    int32_t partition;
    int64_t offset;
    enum { OBJECT_VALUES, OBJECT_KEYS, OBJECT_HEADERS } kind;
    size_t base_size; /* of the key, up to the extension */
};

/**
 * TOPIC DELIM FOLDERS DELIM TOPIC + PARTITION + OFFSET EXTENSION, behind prefix bytes of the key. A topic may
 * have either delimiter in its name: it is what stands at both ends, the longest such text. False: no name of
 * the sink's, or of a kind that is not read.
 */
bool source_name_parse(const struct source_settings *settings, const char *key, size_t prefix,
                       struct name_parts *parts);

/** Where `what` stands for the last time in a text; NULL: nowhere. */
const char *source_find_last(const char *text, size_t size, const char *what);

#endif
