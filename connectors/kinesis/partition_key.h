/* The partition key of a record. [task thread] */
#ifndef KINESIS_PARTITION_KEY_H
#define KINESIS_PARTITION_KEY_H

#include "connectors/kinesis/settings.h"

struct partition_keys {
    const struct sluice_host *host;
    const struct kinesis_sink_settings *settings;
    const struct sluice_name *field;
    uint64_t random;
};

void partition_keys_init(struct partition_keys *keys, const struct sluice_host *host,
                         const struct kinesis_sink_settings *settings);
/**
 * Its text, which lives as long as the batch; *ret_json is the same as JSON, quotes included. A random one
 * where the record has none. -1 with a sentence: more than 256 characters.
 */
int partition_key_of(struct partition_keys *keys, struct sluice_batch *batch,
                     const struct sluice_record *record, struct sluice_span *ret_text,
                     struct sluice_span *ret_json, char *message, size_t size) SLUICE_CHECKED;

/** True where the bytes are UTF-8; *ret_characters: how many characters (may be NULL). */
bool kinesis_is_utf8(const char *data, size_t size, size_t *ret_characters);

#endif
