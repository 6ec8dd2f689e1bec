/*
 * The configuration as the sink uses it. Strings are the configuration's and live as long as the
 * instance.
 */
#ifndef S3_SETTINGS_H
#define S3_SETTINGS_H

#include <sluice/plugin.h>

#include "lib/aws/credentials.h"

extern const struct sluice_option s3_options[], s3_source_options[];

enum format_kind { FORMAT_NONE, FORMAT_JSON, FORMAT_BYTES, FORMAT_STRING, FORMAT_AVRO, FORMAT_PARQUET };
enum partitioner_kind {
    PARTITIONER_NONE,
    PARTITIONER_DEFAULT,
    PARTITIONER_FIELD,
    PARTITIONER_TIME,
    PARTITIONER_DAILY,
    PARTITIONER_HOURLY,
};
enum extractor_kind { EXTRACT_NONE, EXTRACT_WALLCLOCK, EXTRACT_RECORD, EXTRACT_FIELD };
enum null_behavior { NULL_FAIL, NULL_IGNORE, NULL_WRITE };
enum affix { AFFIX_NONE, AFFIX_PREFIX, AFFIX_SUFFIX };
enum compatibility {
    COMPATIBILITY_NONE,
    COMPATIBILITY_BACKWARD,
    COMPATIBILITY_FORWARD,
    COMPATIBILITY_FULL
};
enum signing { SIGN_AUTO, SIGN_SIGNED, SIGN_UNSIGNED };

struct settings {
    /* naming */
    const char *topics_dir, *directory_delim, *file_delim;
    int pad_width;

    /* formats */
    enum format_kind format, key_format, header_format; /* key, header: FORMAT_NONE where not stored */
    bool gzip, zstd;
    int compression_level;
    bool decimal_numeric;
    const char *bytes_extension, *bytes_separator;

    /* partitions of the bucket */
    enum partitioner_kind partitioner;
    const char *const *field_names;
    size_t field_count;
    bool field_maps;                  /* FieldPartitioner takes maps, too */
    int64_t partition_duration;
    const char *path_format, *locale, *timezone;
    enum extractor_kind extractor;
    const char *timestamp_field;
    enum affix affix;

    /* rotation */
    int64_t flush_size;
    int64_t rotate_interval, rotate_schedule; /* ms; <= 0: off */
    bool rotate_on_partition_change;
    int64_t max_open_files;                   /* < 1: no limit */
    int64_t rotate_bytes, rotate_idle;        /* ours; 0: off */
    enum compatibility compatibility;

    /* nulls */
    enum null_behavior nulls;
    bool report_nulls;
    const char *tombstone_partition;
    bool original_faults;             /* be as the original where it is at fault */

    /* store */
    const char *bucket, *region, *store_url;  /* store_url NULL: AWS */
    const char *file_path;                    /* store.url=file:PATH; else NULL */
    bool file_sync;
    int64_t part_size, memory_limit, uploads_max;
    int part_retries;
    int64_t retry_backoff, task_backoff;      /* ms: s3.retry.backoff.ms, retry.backoff.ms */
    bool path_style, wan_mode, expect_continue, send_digest, conditional, abort_orphans, crc32c;
    enum signing signing;
    const char *sse, *sse_kms_key, *sse_customer_key, *acl, *storage_class;
    bool tagging, tagging_must_work;
    const char *const *tag_pairs;
    size_t tag_pair_count;
    const char *proxy, *proxy_user, *proxy_password;
    const char *spill_folder;
    struct aws_credentials_options credentials;
};

/** Reads a checked configuration. -1: a sentence for the user in message, the key in *ret_key. */
int settings_read(struct settings *settings, const struct sluice_host *host,
                  const struct sluice_config *config, const char **ret_key, char *message,
                  size_t size);
/** Only how the bucket is reached, which the source has in common with the sink. As above. */
int settings_read_bucket(struct settings *settings, const struct sluice_host *host,
                         const struct sluice_config *config, const char **ret_key, char *message,
                         size_t size);
/** What no option alone can tell; for the connector's validate(). */
void settings_validate(const struct sluice_host *host, const struct sluice_config *config,
                       const struct sluice_report *report);

#endif
