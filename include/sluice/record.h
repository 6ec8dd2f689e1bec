/*
 * Records and batches (ConnectRecord, SinkRecord, SourceRecord).
 *
 * A batch holds records, an arena for what they are made of, and a reference count. Whoever needs a
 * batch after the call that handed it over retains it: an asynchronous sink until its upload is
 * done, a source until its client was answered. What is retained counts against the task's memory
 * budget and pauses its consumer, so release as soon as you can.
 *
 * Found as host->records. Strings are owned by the record and live as long as its batch.
 *
 * Threads. [one thread per batch at a time], but for retain() and release().
 */
#ifndef SLUICE_RECORD_H
#define SLUICE_RECORD_H

#include <sluice/data.h>

struct sluice_record;

#define SLUICE_NO_PARTITION (-1)
#define SLUICE_NO_OFFSET (-1)
/** No timestamp (Connect's null). */
#define SLUICE_NO_TIMESTAMP INT64_MIN

enum sluice_timestamp_type {
    SLUICE_TIMESTAMP_NONE,
    SLUICE_TIMESTAMP_CREATE,
    SLUICE_TIMESTAMP_LOG_APPEND,
};

struct sluice_records {
    uint32_t size;

    /* -- batches -- */

    size_t (*count)(const struct sluice_batch *batch);
    struct sluice_record *(*at)(const struct sluice_batch *batch, size_t i);
    /** [any thread] */
    struct sluice_batch *(*retain)(struct sluice_batch *batch);
    /** [any thread] The last release frees every record and value in it. NULL is fine. */
    void (*release)(struct sluice_batch *batch);
    struct sluice_batch *(*batch_of)(const struct sluice_record *record);
    /** Bytes from the batch's arena, aligned to 16, freed with it. [one thread per batch at a time] */
    void *(*alloc)(struct sluice_batch *batch, size_t size);

    /* -- reading -- */

    const char *(*topic)(const struct sluice_record *record);
    int32_t (*partition)(const struct sluice_record *record); /**< or SLUICE_NO_PARTITION */
    int64_t (*timestamp)(const struct sluice_record *record); /**< ms since 1970 or SLUICE_NO_TIMESTAMP */
    enum sluice_timestamp_type (*timestamp_type)(const struct sluice_record *record);
    const struct sluice_schema *(*key_schema)(const struct sluice_record *record);
    const struct sluice_value *(*key)(const struct sluice_record *record);
    const struct sluice_schema *(*value_schema)(const struct sluice_record *record);
    const struct sluice_value *(*value)(const struct sluice_record *record);
    size_t (*header_count)(const struct sluice_record *record);
    const char *(*header)(const struct sluice_record *record, size_t i,
                          const struct sluice_schema **ret_schema,
                          const struct sluice_value **ret_value);

    /** Sink records: where it was read, whatever transforms did to the topic since (KIP-793). */
    const char *(*original_topic)(const struct sluice_record *record);
    int32_t (*original_partition)(const struct sluice_record *record);
    int64_t (*offset)(const struct sluice_record *record); /**< or SLUICE_NO_OFFSET (source records) */
    /** Sink records: key and value bytes as read from the topic, before any conversion. */
    struct sluice_span (*original_key)(const struct sluice_record *record);
    struct sluice_span (*original_value)(const struct sluice_record *record);

    /* -- changing (transforms, and sources while they fill a batch) -- */

    void (*set_topic)(struct sluice_record *record, const char *topic); /**< copies */
    void (*set_partition)(struct sluice_record *record, int32_t partition);
    void (*set_timestamp)(struct sluice_record *record, int64_t timestamp);
    void (*set_key)(struct sluice_record *record, const struct sluice_schema *schema,
                    const struct sluice_value *key);
    void (*set_value)(struct sluice_record *record, const struct sluice_schema *schema,
                      const struct sluice_value *value);
    void (*header_add)(struct sluice_record *record, const char *name,
                       const struct sluice_schema *schema, const struct sluice_value *value);
    void (*header_remove)(struct sluice_record *record, const char *name);

    /* -- sources -- */

    /**
     * Adds an empty record at the end of the batch given to poll(). topic NULL: nothing is written,
     * transforms do not see it, and its source offset is stored as if it had been delivered.
     */
    struct sluice_record *(*add)(struct sluice_batch *batch, const char *topic);
    /**
     * Where this record came from and how far that source is read once it is delivered; both maps of
     * primitive values (Connect's sourcePartition, sourceOffset). Without them nothing is stored.
     */
    void (*set_source)(struct sluice_record *record, const struct sluice_value *source_partition,
                       const struct sluice_value *source_offset);
    /** A pointer of the plugin's own, handed back in record_done(). */
    void (*set_context)(struct sluice_record *record, void *context);
    void *(*context)(const struct sluice_record *record);
    /** What set_source() gave; NULL where it was not called. */
    const struct sluice_value *(*source_partition)(const struct sluice_record *record);
    const struct sluice_value *(*source_offset)(const struct sluice_record *record);
};

#endif
