/* The option table of the S3 sink: every key of the original with its defaults, and ours. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "connectors/s3/classes.h"
#include "connectors/s3/joda.h"
#include "connectors/s3/settings.h"
#include "lib/schedule/runs.h"
#include "lib/util/refuse_value.h"

#define OPTION(option_name, option_type) \
    .size = sizeof(struct sluice_option), .name = (option_name), \
    .type = SLUICE_OPTION_##option_type

static const char *const compatibilities[] = {"NONE", "BACKWARD", "FORWARD", "FULL", NULL};
static const char *const compressions[] = {"none", "gzip", NULL};
static const char *const own_compressions[] = {"none", "zstd", NULL};
static const char *const avro_codecs[] = {"null", "deflate", "snappy", "bzip2", NULL};
static const char *const parquet_codecs[] = {"none", "snappy", "gzip", "lzo", "brotli",
                                             "lz4", "zstd", "lz4_raw", NULL};
static const char *const decimals[] = {"BASE64", "NUMERIC", NULL};
static const char *const null_behaviors[] = {"fail", "ignore", "write", NULL};
static const char *const tagging_behaviors[] = {"ignore", "fail", NULL};
static const char *const affixes[] = {"NONE", "PREFIX", "SUFFIX", NULL};
static const char *const signings[] = {"auto", "signed", "unsigned", NULL};
static const char *const checksums[] = {"none", "crc32c", NULL};
static const char *const storage_classes[] = {"io.confluent.connect.s3.storage.S3Storage", NULL};
static const char *const storage_values[] = {"io.confluent.connect.s3.storage.S3Storage",
                                             "S3Storage", NULL};
static const char *const formats[] = {"io.confluent.connect.s3.format.json.JsonFormat",
                                      "io.confluent.connect.s3.format.bytearray.ByteArrayFormat",
                                      STRING_FORMAT_CLASS, NULL};
static const char *const partitioners[] = {
    "io.confluent.connect.storage.partitioner.DefaultPartitioner",
    "io.confluent.connect.storage.partitioner.HourlyPartitioner",
    "io.confluent.connect.storage.partitioner.DailyPartitioner",
    "io.confluent.connect.storage.partitioner.TimeBasedPartitioner",
    "io.confluent.connect.storage.partitioner.FieldPartitioner", NULL};
static const char *const extractors[] = {"Wallclock", "Record", "RecordField", NULL};
static const char *const acls[] = {"private", "public-read", "public-read-write",
                                   "authenticated-read", "aws-exec-read", "bucket-owner-read",
                                   "bucket-owner-full-control", NULL};
static const char *const object_classes[] = {"STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA",
                                             "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER",
                                             "DEEP_ARCHIVE", "GLACIER_IR", NULL};

static const char AVRO_REASON[] = "it belongs to the Avro and Parquet formats, which are not here yet";

/* A null (an option that is required and missing) has been reported already. */
static bool check_format(const char *name, const char *value, char *message, size_t size)
{
    enum format_kind kind = value ? format_kind_of(value) : FORMAT_JSON;
    if (kind == FORMAT_NONE) {
        return refuse_value(name, value, "no such format; JsonFormat, ByteArrayFormat and StringFormat are",
                      message, size);
    }
    /* Avro and Parquet are refused by validate() where such files are wanted; bytes as headers.format.class
     * by the first record, as the original does. */
    return true;
}

static bool check_partitioner(const char *name, const char *value, char *message, size_t size)
{
    if (value && partitioner_kind_of(value) == PARTITIONER_NONE) {
        return refuse_value(name, value,
                      "no such partitioner; Default, Field, TimeBased, Daily and HourlyPartitioner are",
                      message, size);
    }
    return true;
}

/* Of size bytes from text on, those that are no blanks around. */
static struct sluice_span trimmed(const char *text, size_t size)
{
    size_t blank = strspn(text, " \t\r\n");
    text += blank < size ? blank : size;
    size -= blank < size ? blank : size;
    while (size > 0 && strchr(" \t\r\n", text[size - 1])) {
        size--;
    }
    return (struct sluice_span){text, size};
}

/* Names without an empty part between dots; dots at the end do not count. "" is no list. */
static bool check_fields(const char *name, const char *value, char *message, size_t size)
{
    for (const char *p = value && trimmed(value, strlen(value)).size > 0 ? value : NULL; p;) {
        size_t length = strcspn(p, ",");
        struct sluice_span field = trimmed(p, length);
        char shown[200];
        snprintf(shown, sizeof(shown), "%.*s", (int)field.size, field.data);
        if (field.size == 0) {
            return refuse_value(name, shown, "a field's name cannot be empty", message, size);
        }
        while (field.size > 0 && field.data[field.size - 1] == '.') {
            field.size--;
        }
        for (const char *end = field.data + field.size, *part = field.data; part < end;) {
            size_t part_size = 0;
            while (part + part_size < end && part[part_size] != '.') {
                part_size++;
            }
            if (trimmed(part, part_size).size == 0) {
                return refuse_value(name, shown, "a part of a field's path cannot be empty", message, size);
            }
            part += part_size + 1;
        }
        p = p[length] ? p + length + 1 : NULL;
    }
    return true;
}

static bool check_zone(const char *name, const char *value, char *message, size_t size)
{
    (void)name;
    struct zone *zone = NULL;
    if (!value || !*value) {
        return true;
    }
    if (joda_zone_open(value, &zone, message, size) != 0) {
        return false;
    }
    zone_close(zone);
    return true;
}

static bool check_sse(const char *name, const char *value, char *message, size_t size)
{
    if (!value || !*value || strcmp(value, "AES256") == 0 || strcmp(value, "aws:kms") == 0 ||
        strcmp(value, "aws:kms:dsse") == 0) {
        return true;
    }
    return refuse_value(name, value, "must be empty, AES256, aws:kms or aws:kms:dsse", message, size);
}

static bool check_credentials(const char *name, const char *value, char *message, size_t size)
{
    enum aws_source source;
    bool role;
    if (!value || credentials_class(value, &source, &role)) {
        return true;
    }
    return refuse_value(name, value,
                  strncmp(value, "com.amazonaws.auth.", 19) == 0
                      ? "a class of the AWS SDK for Java 1; use that of version 2, such as "
                        DEFAULT_CREDENTIALS_CLASS
                      : "no such credentials provider; " DEFAULT_CREDENTIALS_CLASS " and its like are",
                  message, size);
}

/* How a bucket is reached: what sink and source have in common. */
#define BUCKET_OPTIONS \
    {OPTION("store.url", STRING), .importance = SLUICE_HIGH, .group = "Storage", \
     .width = SLUICE_WIDTH_LONG, .display_name = "Store URL", \
     .doc = "Endpoint of an S3 service other than Amazon's (https is taken where no scheme is " \
            "given), or file:PATH for a folder, in which each bucket is a folder."}, \
    {OPTION("s3.bucket.name", STRING), .required = true, .importance = SLUICE_HIGH, .group = "S3", \
     .width = SLUICE_WIDTH_LONG, .display_name = "Bucket", \
     .doc = "The bucket."}, \
    {OPTION("s3.region", STRING), .default_value = "us-west-2", .importance = SLUICE_MEDIUM, \
     .group = "S3", .width = SLUICE_WIDTH_LONG, .display_name = "Region", \
     .doc = "Region of the bucket."}, \
    {OPTION("s3.part.retries", INT), .default_value = "3", .importance = SLUICE_MEDIUM, \
     .group = "S3", .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT32_MAX, \
     .width = SLUICE_WIDTH_LONG, .display_name = "Retries", \
     .doc = "How often a request is repeated before the task counts as in trouble and waits " \
            "retry.backoff.ms between tries."}, \
    {OPTION("s3.retry.backoff.ms", LONG), .default_value = "200", .importance = SLUICE_LOW, \
     .group = "S3", .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT64_MAX, \
     .width = SLUICE_WIDTH_SHORT, .display_name = "Retry backoff (ms)", \
     .doc = "First wait before a request is repeated; doubled each time, with full jitter."}, \
    {OPTION("s3.ssea.name", STRING), .default_value = "", .importance = SLUICE_LOW, .group = "S3", \
     .valid = SLUICE_VALID_CUSTOM, .check = check_sse, .width = SLUICE_WIDTH_LONG, \
     .display_name = "Server-side encryption", .doc = "AES256, aws:kms, or empty."}, \
    {OPTION("s3.sse.customer.key", PASSWORD), .importance = SLUICE_LOW, .group = "S3", \
     .width = SLUICE_WIDTH_LONG, .display_name = "Customer key", \
     .doc = "SSE-C: base64 of 32 bytes, with s3.ssea.name=AES256."}, \
    {OPTION("s3.wan.mode", BOOLEAN), .default_value = "false", .importance = SLUICE_MEDIUM, \
     .group = "S3", .width = SLUICE_WIDTH_LONG, .display_name = "Transfer acceleration", \
     .doc = "Use S3's accelerated endpoint; excludes path style."}, \
    {OPTION("s3.path.style.access.enabled", BOOLEAN), .default_value = "true", \
     .importance = SLUICE_LOW, .group = "S3", .width = SLUICE_WIDTH_SHORT, \
     .display_name = "Path style", .doc = "Bucket in the path, not in the host's name."}, \
    {OPTION("s3.proxy.url", STRING), .default_value = "", .importance = SLUICE_LOW, .group = "S3", \
     .width = SLUICE_WIDTH_LONG, .display_name = "Proxy", .doc = "Proxy for S3."}, \
    {OPTION("s3.proxy.user", STRING), .default_value = "", .importance = SLUICE_LOW, .group = "S3", \
     .width = SLUICE_WIDTH_LONG, .display_name = "Proxy user", .doc = "Its user."}, \
    {OPTION("s3.proxy.password", PASSWORD), .default_value = "", .importance = SLUICE_LOW, \
     .group = "S3", .width = SLUICE_WIDTH_LONG, .display_name = "Proxy password", \
     .doc = "Its password."}, \
    {OPTION("s3.credentials.provider.class", CLASS), .default_value = DEFAULT_CREDENTIALS_CLASS, \
     .importance = SLUICE_LOW, .group = "S3", .valid = SLUICE_VALID_CUSTOM, \
     .check = check_credentials, .width = SLUICE_WIDTH_LONG, .display_name = "Credentials provider", \
     .doc = "Where credentials come from, by the Java class names of the AWS SDK 2, or " ROLE_CLASS "."}, \
    {OPTION("s3.credentials.provider.*", STRING), .importance = SLUICE_LOW, .group = "S3", \
     .doc = "For " ROLE_CLASS ": sts.role.arn, sts.role.external.id, sts.role.session.name, " \
            "sts.region; profile for ProfileCredentialsProvider."}, \
    {OPTION("aws.access.key.id", STRING), .default_value = "", .importance = SLUICE_HIGH, \
     .group = "S3", .width = SLUICE_WIDTH_LONG, .display_name = "Access key", \
     .doc = "With aws.secret.access.key: these credentials and no others."}, \
    {OPTION("aws.secret.access.key", PASSWORD), .default_value = "", .importance = SLUICE_HIGH, \
     .group = "S3", .width = SLUICE_WIDTH_LONG, .display_name = "Secret key", \
     .doc = "Secret of aws.access.key.id."}, \
    {OPTION("retry.backoff.ms", LONG), .default_value = "5000", .importance = SLUICE_LOW, \
     .group = "Connector", .width = SLUICE_WIDTH_SHORT, .display_name = "Retry backoff (ms)", \
     .doc = "Wait before an upload that has used up s3.part.retries is tried again."}, \
    {OPTION("sluice.s3.buffer.memory", LONG), .default_value = "16777216", .importance = SLUICE_MEDIUM, \
     .group = "sluice", .valid = SLUICE_VALID_RANGE, .min = 1 << 20, .max = INT64_MAX, \
     .doc = "Bytes of memory for all objects of a task that are open or on their way."}

const struct sluice_option s3_options[] = {
    /* -- Connector -- */
    {OPTION("format.class", CLASS), .required = true, .importance = SLUICE_HIGH,
     .group = "Connector", .width = SLUICE_WIDTH_LONG, .display_name = "Format class",
     .recommended = formats, .valid = SLUICE_VALID_CUSTOM, .check = check_format,
     .doc = "How values are written: JsonFormat (one JSON text per line), ByteArrayFormat (bytes "
            "as they are) or " STRING_FORMAT_CLASS " (text, unquoted)."},
    {OPTION("flush.size", INT), .required = true, .importance = SLUICE_HIGH, .group = "Connector",
     .width = SLUICE_WIDTH_LONG, .display_name = "Flush size",
     .doc = "Records of one topic partition after which all its open files are completed. 0 and "
            "less count as 1."},
    {OPTION("rotate.interval.ms", LONG), .default_value = "-1", .importance = SLUICE_HIGH,
     .group = "Connector", .width = SLUICE_WIDTH_MEDIUM, .display_name = "Rotate interval (ms)",
     .doc = "Span of record time one file may cover. Needs a time-based partitioner; looked at "
            "when a record comes. -1: off."},
    {OPTION("rotate.schedule.interval.ms", LONG), .default_value = "-1", .importance = SLUICE_MEDIUM,
     .group = "Connector", .width = SLUICE_WIDTH_MEDIUM, .display_name = "Rotate schedule (ms)",
     .doc = "Complete all open files at multiples of this interval, counted from local midnight of "
            "`timezone`, also without new records. -1: off."},
    {OPTION("rotate.file.on.partition.change", BOOLEAN), .default_value = "true",
     .importance = SLUICE_LOW, .group = "Connector", .width = SLUICE_WIDTH_SHORT,
     .display_name = "Rotate on partition change",
     .doc = "With rotate.interval.ms: complete all files when a record belongs to another "
            "directory than the one before."},
    {OPTION("schema.compatibility", STRING), .default_value = "NONE", .importance = SLUICE_HIGH,
     .group = "Connector", .width = SLUICE_WIDTH_SHORT, .display_name = "Schema compatibility",
     .recommended = compatibilities,
     .doc = "NONE: any change of schema completes the open files. BACKWARD, FULL: a newer version "
            "does. FORWARD: an older one does. Any other text acts as NONE."},
    {OPTION("filename.offset.zero.pad.width", INT), .default_value = "10", .importance = SLUICE_LOW,
     .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT64_MAX, .group = "Connector",
     .width = SLUICE_WIDTH_LONG, .display_name = "Offset width",
     .doc = "Least digits of the start offset in an object's name."},
    {OPTION("max.write.duration.ms", LONG), .default_value = "9223372036854775807",
     .importance = SLUICE_LOW, .group = "Connector",
     .doc = "Accepted; a slow store never holds the group's membership here, so nothing needs to be "
            "cut short."},
    {OPTION("schemas.cache.config", INT), .default_value = "1000", .importance = SLUICE_LOW,
     .group = "Connector", .doc = "Size of a schema cache.", .unavailable = AVRO_REASON},
    {OPTION("schemas.cache.size", INT), .default_value = "1000", .importance = SLUICE_LOW,
     .group = "Connector", .doc = "Size of a schema cache.", .unavailable = AVRO_REASON},
    {OPTION("connect.meta.data", BOOLEAN), .default_value = "true", .importance = SLUICE_LOW,
     .group = "Connector", .doc = "Connect's metadata in Avro schemas.", .unavailable = AVRO_REASON},
    {OPTION("enhanced.avro.schema.support", BOOLEAN), .default_value = "true",
     .importance = SLUICE_LOW, .group = "Connector", .doc = "Enums and packages of Avro schemas.",
     .unavailable = AVRO_REASON},
    {OPTION("allow.optional.map.keys", BOOLEAN), .default_value = "false", .importance = SLUICE_LOW,
     .group = "Connector", .doc = "Optional keys of Avro maps.", .unavailable = AVRO_REASON},
    {OPTION("avro.codec", STRING), .default_value = "null", .importance = SLUICE_LOW,
     .valid = SLUICE_VALID_ONE_OF, .values = avro_codecs, .recommended = avro_codecs,
     .group = "Connector", .doc = "Compression of Avro files.", .unavailable = AVRO_REASON},
    {OPTION("parquet.codec", STRING), .default_value = "snappy", .importance = SLUICE_LOW,
     .valid = SLUICE_VALID_ONE_OF, .values = parquet_codecs, .recommended = parquet_codecs,
     .group = "Connector", .doc = "Compression of Parquet files.", .unavailable = AVRO_REASON},
    {OPTION("shutdown.timeout.ms", LONG), .default_value = "3000", .importance = SLUICE_MEDIUM,
     .group = "Connector", .internal = true, .doc = "A number; the original does not use it either."},

    /* -- Storage -- */
    {OPTION("storage.class", CLASS), .required = true, .importance = SLUICE_HIGH, .group = "Storage",
     .width = SLUICE_WIDTH_LONG, .display_name = "Storage class", .recommended = storage_classes,
     .valid = SLUICE_VALID_ONE_OF, .values = storage_values,
     .doc = "io.confluent.connect.s3.storage.S3Storage; `store.url` says which store that is."},
    {OPTION("topics.dir", STRING), .default_value = "topics", .importance = SLUICE_HIGH,
     .group = "Storage", .width = SLUICE_WIDTH_LONG, .display_name = "Topics directory",
     .doc = "First part of every object's key; blank: none."},
    {OPTION("directory.delim", STRING), .default_value = "/", .importance = SLUICE_MEDIUM,
     .group = "Storage", .width = SLUICE_WIDTH_LONG, .display_name = "Directory delimiter",
     .doc = "Between the parts of an object's key."},
    {OPTION("file.delim", STRING), .default_value = "+", .importance = SLUICE_MEDIUM,
     .group = "Storage", .width = SLUICE_WIDTH_LONG, .display_name = "File delimiter",
     .doc = "Between topic, partition and offset in an object's name."},

    /* -- Partitioner -- */
    {OPTION("partitioner.class", CLASS),
     .default_value = "io.confluent.connect.storage.partitioner.DefaultPartitioner",
     .importance = SLUICE_HIGH, .group = "Partitioner", .width = SLUICE_WIDTH_LONG,
     .display_name = "Partitioner class", .recommended = partitioners,
     .valid = SLUICE_VALID_CUSTOM, .check = check_partitioner,
     .doc = "What the directories below a topic's are made of."},
    {OPTION("partition.field.name", LIST), .default_value = "", .importance = SLUICE_MEDIUM,
     .group = "Partitioner", .width = SLUICE_WIDTH_NONE, .display_name = "Partition fields",
     .valid = SLUICE_VALID_CUSTOM, .check = check_fields,
     .doc = "FieldPartitioner: the fields, nested ones with dots."},
    {OPTION("partition.duration.ms", LONG), .default_value = "-1", .importance = SLUICE_MEDIUM,
     .group = "Partitioner", .width = SLUICE_WIDTH_SHORT, .display_name = "Partition duration (ms)",
     .doc = "TimeBasedPartitioner: times are cut to multiples of this."},
    {OPTION("path.format", STRING), .default_value = "", .importance = SLUICE_MEDIUM,
     .group = "Partitioner", .width = SLUICE_WIDTH_LONG, .display_name = "Path format",
     .doc = "TimeBasedPartitioner: pattern of the directories, in Joda-Time's letters."},
    {OPTION("locale", STRING), .default_value = "", .importance = SLUICE_MEDIUM,
     .group = "Partitioner", .width = SLUICE_WIDTH_MEDIUM, .display_name = "Locale",
     .doc = "Language of month and day names, as Java names it (en, de); required by time-based partitioners."},
    {OPTION("timezone", STRING), .default_value = "", .importance = SLUICE_MEDIUM,
     .group = "Partitioner", .width = SLUICE_WIDTH_MEDIUM, .display_name = "Timezone",
     .valid = SLUICE_VALID_CUSTOM, .check = check_zone,
     .doc = "Zone of time-based partitioners and of the schedule: Europe/Berlin, UTC, +02:00."},
    {OPTION("timestamp.extractor", STRING), .default_value = "Wallclock", .importance = SLUICE_MEDIUM,
     .group = "Partitioner", .width = SLUICE_WIDTH_LONG, .display_name = "Timestamp extractor",
     .recommended = extractors,
     .doc = "Time of a record: when it is written (Wallclock), its own (Record), or a field's "
            "(RecordField)."},
    {OPTION("timestamp.field", STRING), .default_value = "timestamp", .importance = SLUICE_MEDIUM,
     .group = "Partitioner", .width = SLUICE_WIDTH_LONG, .display_name = "Timestamp field",
     .doc = "RecordField: the field, nested ones with dots. Milliseconds, or ISO 8601."},
    {OPTION("max.files.scan.limit", INT), .default_value = "100", .importance = SLUICE_LOW,
     .group = "Partitioner", .internal = true,
     .doc = "Accepted; names that are taken are found without scanning."},
    {OPTION("partitioner.max.open.files", INT), .default_value = "-1", .importance = SLUICE_LOW,
     .group = "Partitioner", .internal = true,
     .doc = "Complete all files of a topic partition before one more than this is open."},

    /* -- S3 -- */
    BUCKET_OPTIONS,
    {OPTION("s3.part.size", INT), .default_value = "26214400", .importance = SLUICE_HIGH,
     .group = "S3", .valid = SLUICE_VALID_RANGE, .min = 5242880, .max = INT32_MAX,
     .width = SLUICE_WIDTH_LONG, .display_name = "Part size",
     .doc = "Objects up to this size are written by one request, larger ones in parts of this size."},
    {OPTION("s3.compression.type", STRING), .default_value = "none", .importance = SLUICE_LOW,
     .group = "S3", .valid = SLUICE_VALID_ONE_OF, .values = compressions,
     .recommended = compressions, .width = SLUICE_WIDTH_LONG, .display_name = "Compression",
     .doc = "none or gzip. For zstd see sluice.s3.compression.type."},
    {OPTION("s3.compression.level", INT), .default_value = "-1", .importance = SLUICE_LOW,
     .group = "S3", .valid = SLUICE_VALID_RANGE, .min = -1, .max = 9, .width = SLUICE_WIDTH_LONG,
     .display_name = "Compression level", .doc = "0 to 9; -1: the usual one."},
    {OPTION("json.decimal.format", STRING), .default_value = "BASE64", .importance = SLUICE_MEDIUM,
     .group = "S3", .valid = SLUICE_VALID_ONE_OF_ANY_CASE, .values = decimals, .recommended = decimals,
     .display_name = "JSON decimals",
     .doc = "Decimals in JSON as base64 of their unscaled value, or as numbers."},
    {OPTION("s3.sse.kms.key.id", STRING), .default_value = "", .importance = SLUICE_LOW,
     .group = "S3", .width = SLUICE_WIDTH_LONG, .display_name = "KMS key",
     .doc = "Key for s3.ssea.name=aws:kms; empty: the bucket's own."},
    {OPTION("s3.acl.canned", STRING), .importance = SLUICE_LOW, .group = "S3",
     .valid = SLUICE_VALID_ONE_OF, .values = acls, .recommended = acls, .width = SLUICE_WIDTH_LONG,
     .display_name = "Canned ACL", .doc = "ACL of the objects."},
    {OPTION("s3.http.send.expect.continue", BOOLEAN), .default_value = "true",
     .importance = SLUICE_LOW, .group = "S3", .width = SLUICE_WIDTH_SHORT,
     .display_name = "Expect: 100-continue",
     .doc = "Ask before a part is sent. Small objects are sent without asking."},
    {OPTION("s3.object.tagging", BOOLEAN), .default_value = "false", .importance = SLUICE_LOW,
     .group = "S3", .width = SLUICE_WIDTH_LONG, .display_name = "Tag objects",
     .doc = "Tag objects with startOffset, endOffset and recordCount."},
    {OPTION("s3.object.tagging.key.value.pairs", LIST), .default_value = "", .importance = SLUICE_LOW,
     .group = "S3", .width = SLUICE_WIDTH_LONG, .display_name = "More tags",
     .doc = "More tags, each name:value."},
    {OPTION("s3.object.behavior.on.tagging.error", STRING), .default_value = "ignore",
     .importance = SLUICE_LOW, .group = "S3", .valid = SLUICE_VALID_ONE_OF_ANY_CASE,
     .values = tagging_behaviors, .recommended = tagging_behaviors, .width = SLUICE_WIDTH_SHORT,
     .display_name = "Tagging errors", .doc = "Whether an object that cannot be tagged fails the task."},
    {OPTION("s3.send.digest", BOOLEAN), .default_value = "false", .importance = SLUICE_LOW,
     .group = "S3", .width = SLUICE_WIDTH_SHORT, .display_name = "Send MD5",
     .doc = "Content-MD5 with every request that carries data, for buckets with object lock."},
    {OPTION("format.bytearray.extension", STRING), .default_value = ".bin", .importance = SLUICE_LOW,
     .group = "S3", .width = SLUICE_WIDTH_LONG, .display_name = "ByteArrayFormat extension",
     .doc = "Extension of ByteArrayFormat's objects."},
    {OPTION("format.bytearray.separator", STRING), .importance = SLUICE_LOW, .group = "S3",
     .width = SLUICE_WIDTH_LONG, .display_name = "ByteArrayFormat separator",
     .doc = "What follows each record; a line break by default. Blanks are kept."},
    {OPTION("behavior.on.null.values", STRING), .default_value = "fail", .importance = SLUICE_LOW,
     .group = "S3", .valid = SLUICE_VALID_ONE_OF_ANY_CASE, .values = null_behaviors,
     .recommended = null_behaviors, .width = SLUICE_WIDTH_SHORT, .display_name = "Null values",
     .doc = "fail the task, ignore the record, or write its key (needs store.kafka.keys)."},
    {OPTION("report.null.values.to.dlq", BOOLEAN), .default_value = "true",
     .importance = SLUICE_LOW, .group = "S3", .width = SLUICE_WIDTH_SHORT,
     .display_name = "Report nulls",
     .doc = "With behavior.on.null.values=ignore: send such records to the dead letter queue."},
    {OPTION("tombstone.encoded.partition", STRING), .default_value = "tombstone",
     .importance = SLUICE_LOW, .group = "S3", .width = SLUICE_WIDTH_SHORT,
     .display_name = "Directory of nulls",
     .doc = "With behavior.on.null.values=write: directory of the keys."},
    {OPTION("store.kafka.keys", BOOLEAN), .default_value = "false", .importance = SLUICE_LOW,
     .group = "Keys and headers", .width = SLUICE_WIDTH_SHORT, .display_name = "Store keys",
     .doc = "Write keys into objects of their own, beside the values'."},
    {OPTION("keys.format.class", CLASS),
     .default_value = "io.confluent.connect.s3.format.avro.AvroFormat", .importance = SLUICE_LOW,
     .group = "Keys and headers", .width = SLUICE_WIDTH_LONG, .display_name = "Format of keys",
     .recommended = formats, .valid = SLUICE_VALID_CUSTOM, .check = check_format,
     .doc = "Their format."},
    {OPTION("store.kafka.headers", BOOLEAN), .default_value = "false", .importance = SLUICE_LOW,
     .group = "Keys and headers", .width = SLUICE_WIDTH_SHORT, .display_name = "Store headers",
     .doc = "Write headers into objects of their own."},
    {OPTION("headers.format.class", CLASS),
     .default_value = "io.confluent.connect.s3.format.avro.AvroFormat", .importance = SLUICE_LOW,
     .group = "Keys and headers", .width = SLUICE_WIDTH_LONG, .display_name = "Format of headers",
     .recommended = formats, .valid = SLUICE_VALID_CUSTOM, .check = check_format,
     .doc = "Their format; JsonFormat."},
    {OPTION("s3.schema.partition.affix.type", STRING), .default_value = "NONE",
     .importance = SLUICE_LOW, .group = "S3", .valid = SLUICE_VALID_ONE_OF, .values = affixes,
     .recommended = affixes, .width = SLUICE_WIDTH_LONG, .display_name = "Schema directory",
     .doc = "Add a directory schema_name=NAME before or behind the others."},
    {OPTION("enable.conditional.writes", BOOLEAN), .default_value = "true",
     .importance = SLUICE_LOW, .group = "S3", .width = SLUICE_WIDTH_SHORT,
     .display_name = "Conditional writes",
     .doc = "With rotate.schedule.interval.ms, and neither keys nor headers stored: do not replace "
            "an object that is there already."},
    {OPTION("s3.elastic.buffer.enable", BOOLEAN), .default_value = "false", .importance = SLUICE_LOW,
     .group = "S3", .doc = "Accepted; buffers always grow with the data here."},
    {OPTION("s3.elastic.buffer.init.capacity", INT), .default_value = "131072",
     .importance = SLUICE_LOW, .group = "S3", .valid = SLUICE_VALID_RANGE, .min = 4096,
     .max = INT32_MAX, .doc = "Accepted; buffers always grow with the data here."},

    /* -- ours -- */
    {OPTION("sluice.spill.dir", STRING), .importance = SLUICE_LOW, .group = "sluice",
     .doc = "Folder for data of open objects that the memory has no room for; by default $TMPDIR "
            "or /tmp."},
    {OPTION("sluice.s3.uploads.max", INT), .default_value = "64", .importance = SLUICE_LOW,
     .group = "sluice", .valid = SLUICE_VALID_RANGE, .min = 1, .max = 1024,
     .doc = "Requests to S3 under way at once, each on a connection of its own."},
    {OPTION("sluice.s3.payload.signing", STRING), .default_value = "auto", .importance = SLUICE_LOW,
     .group = "sluice", .valid = SLUICE_VALID_ONE_OF, .values = signings, .recommended = signings,
     .doc = "Whether signatures cover the data; auto: over plain HTTP only."},
    {OPTION("sluice.s3.checksum", STRING), .default_value = "none", .importance = SLUICE_LOW,
     .group = "sluice", .valid = SLUICE_VALID_ONE_OF, .values = checksums, .recommended = checksums,
     .doc = "crc32c: send x-amz-checksum-crc32c with all data, which S3 checks and keeps."},
    {OPTION("sluice.s3.abort.orphans", BOOLEAN), .default_value = "true", .importance = SLUICE_LOW,
     .group = "sluice",
     .doc = "Abort multipart uploads that former owners of a topic partition left unfinished: those of "
            "the very keys this connector writes. Needs s3:ListBucketMultipartUploads."},
    {OPTION("sluice.s3.storage.class", STRING), .importance = SLUICE_LOW, .group = "sluice",
     .valid = SLUICE_VALID_ONE_OF, .values = object_classes, .recommended = object_classes,
     .doc = "Storage class of the objects."},
    {OPTION("sluice.s3.compression.type", STRING), .default_value = "none", .importance = SLUICE_LOW,
     .group = "sluice", .valid = SLUICE_VALID_ONE_OF, .values = own_compressions,
     .recommended = own_compressions, .doc = "zstd: instead of s3.compression.type; adds .zst."},
    {OPTION("sluice.s3.partition.maps", BOOLEAN), .default_value = "false",
     .importance = SLUICE_LOW, .group = "sluice",
     .doc = "FieldPartitioner takes values without schema, too; the original refuses them."},
    {OPTION("sluice.s3.rotate.bytes", LONG), .default_value = "0", .importance = SLUICE_LOW,
     .group = "sluice", .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT64_MAX,
     .doc = "Complete all files of a topic partition when one has so many bytes (before "
            "compression). 0: off."},
    {OPTION("sluice.s3.rotate.idle.ms", LONG), .default_value = "0", .importance = SLUICE_LOW,
     .group = "sluice", .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT64_MAX,
     .doc = "Complete all files of a topic partition when no record came for so long. 0: off."},
    {OPTION("sluice.s3.original.faults", BOOLEAN), .default_value = "false",
     .importance = SLUICE_LOW, .group = "sluice",
     .doc = "Be as the original where it is at fault: a topic with tombstone.encoded.partition in "
            "its name fails; with a schedule, the first record of an object whose name another one has "
            "is left out, instead of failing the task."},
    {OPTION("sluice.file.sync", BOOLEAN), .default_value = "true", .importance = SLUICE_LOW,
     .group = "sluice",
     .doc = "store.url=file: wait until objects are on the disk before their offsets count."},
    {.name = NULL},
};

/* -- source -- */

static const char *const modes[] = {"RESTORE_BACKUP", "GENERIC", NULL};
static const char *const error_behaviors[] = {"fail", "ignore", "log", NULL};

static const char NOT_NEEDED[] = "folders are found by listing them, however they were made";

const struct sluice_option s3_source_options[] = {
    {OPTION("mode", STRING), .default_value = "RESTORE_BACKUP", .importance = SLUICE_HIGH,
     .group = "Connector", .valid = SLUICE_VALID_ONE_OF_ANY_CASE, .values = modes, .recommended = modes,
     .doc = "RESTORE_BACKUP reads back what the S3 sink wrote, into topics and partitions of the same "
            "names. GENERIC reads any objects below topics.dir; topic.regex.list says into which topic."},
    {OPTION("topics.dir", STRING), .default_value = "topics", .importance = SLUICE_HIGH,
     .group = "Connector", .doc = "First part of the keys to be read; blank: the whole bucket."},
    {OPTION("topic.regex.list", LIST), .default_value = "", .importance = SLUICE_HIGH,
     .group = "Connector",
     .doc = "GENERIC: items TOPIC:REGEX. An object goes to the topic of the first expression that "
            "matches its whole key; objects that none matches are left alone."},
    {OPTION("format.class", CLASS), .default_value = "io.confluent.connect.s3.format.json.JsonFormat",
     .importance = SLUICE_HIGH, .group = "Connector", .recommended = formats,
     .valid = SLUICE_VALID_CUSTOM, .check = check_format,
     .doc = "How objects are read: JsonFormat (a JSON text per line), ByteArrayFormat (bytes between "
            "separators) or " STRING_FORMAT_CLASS " (a line of text). Objects ending in .gz or .zst are "
            "decompressed."},
    {OPTION("format.bytearray.extension", STRING), .default_value = ".bin", .importance = SLUICE_LOW,
     .group = "Connector", .doc = "Extension of ByteArrayFormat's objects."},
    {OPTION("format.bytearray.separator", STRING), .importance = SLUICE_LOW, .group = "Connector",
     .doc = "What ends each record; a line break by default. Blanks are kept."},
    {OPTION("s3.poll.interval.ms", LONG), .default_value = "60000", .importance = SLUICE_MEDIUM,
     .group = "Connector", .valid = SLUICE_VALID_RANGE, .min = 1, .max = INT64_MAX,
     .doc = "How often new objects are looked for."},
    {OPTION("record.batch.max.size", INT), .default_value = "1000", .importance = SLUICE_MEDIUM,
     .group = "Connector", .valid = SLUICE_VALID_RANGE, .min = 1, .max = 100000,
     .doc = "Most records handed on at once."},
    {OPTION("behavior.on.error", STRING), .default_value = "fail", .importance = SLUICE_MEDIUM,
     .group = "Connector", .valid = SLUICE_VALID_ONE_OF_ANY_CASE, .values = error_behaviors,
     .recommended = error_behaviors,
     .doc = "A record that cannot be read: fail the task, leave it out, or leave it out with a warning."},
    {OPTION("directory.delim", STRING), .default_value = "/", .importance = SLUICE_MEDIUM,
     .group = "Connector", .valid = SLUICE_VALID_NON_EMPTY, .doc = "Between the parts of an object's key."},
    {OPTION("file.delim", STRING), .default_value = "+", .importance = SLUICE_MEDIUM,
     .group = "Connector", .valid = SLUICE_VALID_NON_EMPTY,
     .doc = "RESTORE_BACKUP: between topic, partition and offset in an object's name."},
    {OPTION("store.kafka.keys", BOOLEAN), .default_value = "false", .importance = SLUICE_LOW,
     .group = "Connector", .doc = "RESTORE_BACKUP: read keys from the objects beside the values'."},
    {OPTION("keys.format.class", CLASS),
     .default_value = "io.confluent.connect.s3.format.json.JsonFormat", .importance = SLUICE_LOW,
     .group = "Connector", .recommended = formats, .valid = SLUICE_VALID_CUSTOM, .check = check_format,
     .doc = "Their format."},
    {OPTION("store.kafka.headers", BOOLEAN), .default_value = "false", .importance = SLUICE_LOW,
     .group = "Connector", .doc = "RESTORE_BACKUP: read headers from the objects beside the values'."},
    {OPTION("tombstone.encoded.partition", STRING), .default_value = "tombstone",
     .importance = SLUICE_LOW, .group = "Connector",
     .doc = "RESTORE_BACKUP with store.kafka.keys: directory of keys whose values are null."},
    {OPTION("file.discovery.starting.timestamp", LONG), .default_value = "0", .importance = SLUICE_LOW,
     .group = "Connector", .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT64_MAX,
     .doc = "Objects that were changed last before this (seconds since 1970) are left alone."},
    {OPTION("storage.class", CLASS), .default_value = "io.confluent.connect.s3.storage.S3Storage",
     .importance = SLUICE_LOW, .group = "Connector", .recommended = storage_classes,
     .valid = SLUICE_VALID_ONE_OF, .values = storage_values, .doc = "As of the sink."},
    {OPTION("partitioner.class", CLASS), .importance = SLUICE_LOW, .group = "Connector",
     .doc = "Of the sink that wrote the objects.", .unavailable = NOT_NEEDED},
    {OPTION("partition.field.name", LIST), .importance = SLUICE_LOW, .group = "Connector",
     .doc = "Of the sink that wrote the objects.", .unavailable = NOT_NEEDED},
    {OPTION("path.format", STRING), .importance = SLUICE_LOW, .group = "Connector",
     .doc = "Of the sink that wrote the objects.", .unavailable = NOT_NEEDED},
    {OPTION("task.batch.size", INT), .importance = SLUICE_LOW, .group = "Connector",
     .doc = "Objects a task is given at once.",
     .unavailable = "tasks share topic partitions, or folders, not single objects"},
    {OPTION("schema.cache.size", INT), .importance = SLUICE_LOW, .group = "Connector",
     .doc = "Size of a schema cache.", .unavailable = AVRO_REASON},
    {OPTION("confluent.*", STRING), .importance = SLUICE_LOW, .group = "Connector",
     .doc = "Licence of the original.", .unavailable = "nothing here needs a licence"},
    BUCKET_OPTIONS,
    SCHEDULE_OPTIONS,
    {OPTION("sluice.task.count", INT), .default_value = "1", .internal = true, .doc = "Of all tasks."},
    {.name = NULL},
};
