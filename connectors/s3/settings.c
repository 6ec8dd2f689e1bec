/* From a checked configuration to struct settings, and what no option alone can tell. */
#include "connectors/s3/settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "connectors/s3/classes.h"
#include "connectors/s3/partitioner.h"
#include "lib/aws/uri.h"

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

enum format_kind format_kind_of(const char *class_name)
{
    static const struct {
        const char *name;
        enum format_kind kind;
    } names[] = {{"JsonFormat", FORMAT_JSON},   {"ByteArrayFormat", FORMAT_BYTES},
                 {"StringFormat", FORMAT_STRING}, {"AvroFormat", FORMAT_AVRO},
                 {"ParquetFormat", FORMAT_PARQUET}};
    static const char *const packages[] = {"io.confluent.connect.s3.format.json.",
                                           "io.confluent.connect.s3.format.bytearray.",
                                           "io.confluent.connect.s3.format.avro.",
                                           "io.confluent.connect.s3.format.parquet.", "sluice.s3."};
    const char *simple = class_name;
    for (size_t i = 0; i < sizeof(packages) / sizeof(packages[0]); i++) {
        if (strncmp(class_name, packages[i], strlen(packages[i])) == 0) {
            simple = class_name + strlen(packages[i]);
        }
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(simple, names[i].name) == 0) {
            return names[i].kind;
        }
    }
    return FORMAT_NONE;
}

enum partitioner_kind partitioner_kind_of(const char *class_name)
{
    static const char package[] = "io.confluent.connect.storage.partitioner.";
    static const struct {
        const char *name;
        enum partitioner_kind kind;
    } names[] = {{"DefaultPartitioner", PARTITIONER_DEFAULT}, {"FieldPartitioner", PARTITIONER_FIELD},
                 {"TimeBasedPartitioner", PARTITIONER_TIME},  {"DailyPartitioner", PARTITIONER_DAILY},
                 {"HourlyPartitioner", PARTITIONER_HOURLY}};
    const char *simple = strncmp(class_name, package, sizeof(package) - 1) == 0
                             ? class_name + sizeof(package) - 1
                             : class_name;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(simple, names[i].name) == 0) {
            return names[i].kind;
        }
    }
    return PARTITIONER_NONE;
}

enum extractor_kind extractor_kind_of(const char *name)
{
    static const char prefix[] = "io.confluent.connect.storage.partitioner.TimeBasedPartitioner$";
    char simple[64];
    if (strncmp(name, prefix, sizeof(prefix) - 1) == 0 && ends_with(name, "TimestampExtractor")) {
        snprintf(simple, sizeof(simple), "%.*s",
                 (int)(strlen(name) - sizeof(prefix) + 1 - strlen("TimestampExtractor")),
                 name + sizeof(prefix) - 1);
        name = simple;
    }
    return strcmp(name, "Wallclock") == 0     ? EXTRACT_WALLCLOCK
           : strcmp(name, "Record") == 0      ? EXTRACT_RECORD
           : strcmp(name, "RecordField") == 0 ? EXTRACT_FIELD
                                              : EXTRACT_NONE;
}

bool credentials_class(const char *class_name, enum aws_source *ret_source, bool *ret_role)
{
    static const char package[] = "software.amazon.awssdk.auth.credentials.";
    static const struct {
        const char *name;
        enum aws_source source;
    } names[] = {
        {"DefaultCredentialsProvider", AWS_SOURCE_DEFAULT},
        {"AwsCredentialsProviderChain", AWS_SOURCE_DEFAULT},
        {"EnvironmentVariableCredentialsProvider", AWS_SOURCE_ENVIRONMENT},
        {"ProfileCredentialsProvider", AWS_SOURCE_PROFILE},
        {"WebIdentityTokenFileCredentialsProvider", AWS_SOURCE_WEB_IDENTITY},
        {"ContainerCredentialsProvider", AWS_SOURCE_CONTAINER},
        {"InstanceProfileCredentialsProvider", AWS_SOURCE_INSTANCE},
        {"AnonymousCredentialsProvider", AWS_SOURCE_ANONYMOUS},
    };
    *ret_role = strcmp(class_name, ROLE_CLASS) == 0;
    *ret_source = AWS_SOURCE_DEFAULT;
    if (*ret_role) {
        return true;
    }
    if (strncmp(class_name, package, sizeof(package) - 1) != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(class_name + sizeof(package) - 1, names[i].name) == 0) {
            *ret_source = names[i].source;
            return true;
        }
    }
    return false;
}

/* -- checks across keys -- */

/* Where a finding goes: into a report, or as the first one into a message. */
struct findings {
    const struct sluice_report *report;
    const char **ret_key;
    char *message;
    size_t size;
    bool at_start; /* also what the original's validation does not tell */
    bool any;
};

__attribute__((format(printf, 3, 4))) static void find(struct findings *findings, const char *key,
                                                       const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (findings->report) {
        findings->report->invalid(findings->report, key, "%s", text);
    } else if (!findings->any) {
        *findings->ret_key = key;
        snprintf(findings->message, findings->size, "%s", text);
    }
    findings->any = true;
}

static const char *text_of(const struct sluice_config_api *api, const struct sluice_config *config,
                           const char *name)
{
    const char *text = api->get_string(config, name);
    return text ? text : "";
}

static void check_formats(struct findings *findings, const struct sluice_config_api *api,
                          const struct sluice_config *config)
{
    bool gzip = strcmp(text_of(api, config, "s3.compression.type"), "gzip") == 0;
    bool keys = api->get_boolean(config, "store.kafka.keys");
    bool headers = api->get_boolean(config, "store.kafka.headers");
    const struct {
        const char *key;
        const char *wanted; /* the key that wants such files */
        bool used;
    } formats[] = {{"format.class", NULL, true}, {"keys.format.class", "store.kafka.keys", keys},
                   {"headers.format.class", "store.kafka.headers", headers}};
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        enum format_kind kind = format_kind_of(text_of(api, config, formats[i].key));
        bool container = kind == FORMAT_AVRO || kind == FORMAT_PARQUET;
        if (!formats[i].used || !container) {
            continue;
        }
        if (gzip) {
            find(findings, "s3.compression.type",
                 "Compressed output is only possible for JsonFormat, ByteArrayFormat and "
                 "StringFormat, but %s is %s.", formats[i].key,
                 text_of(api, config, formats[i].key));
            if (formats[i].wanted) {
                find(findings, formats[i].wanted, "s3.compression.type=gzip cannot be had for %s=%s.",
                     formats[i].key, text_of(api, config, formats[i].key));
            }
        }
        find(findings, formats[i].key,
             "Invalid value %s for configuration %s: %s files are not available yet; JsonFormat, "
             "ByteArrayFormat and StringFormat are", text_of(api, config, formats[i].key),
             formats[i].key, kind == FORMAT_AVRO ? "Avro" : "Parquet");
    }
    if (strcasecmp(text_of(api, config, "behavior.on.null.values"), "write") == 0 && !keys) {
        find(findings, "behavior.on.null.values",
             "behavior.on.null.values=write needs store.kafka.keys=true: a null value leaves "
             "nothing but its key.");
        find(findings, "store.kafka.keys",
             "store.kafka.keys must be true with behavior.on.null.values=write.");
    }
}

static void check_partitioner_keys(struct findings *findings, const struct sluice_config_api *api,
                                   const struct sluice_config *config)
{
    enum partitioner_kind kind = partitioner_kind_of(text_of(api, config, "partitioner.class"));
    const char *const *fields = NULL;
    size_t count = api->get_list(config, "partition.field.name", &fields);
    if (kind == PARTITIONER_FIELD && count == 0) {
        find(findings, "partition.field.name", "FieldPartitioner needs at least one field.");
    }
    /* Found out when the task starts, and not by validation: as the original does. */
    if (findings->at_start && api->get_long(config, "filename.offset.zero.pad.width") == 0) {
        find(findings, "filename.offset.zero.pad.width",
             "A width of 0 makes no name there either; 1 is without padding.");
    }
    const char *extractor = text_of(api, config, "timestamp.extractor");
    bool by_time = kind == PARTITIONER_TIME || kind == PARTITIONER_DAILY || kind == PARTITIONER_HOURLY;
    if (findings->at_start && by_time && extractor_kind_of(extractor) == EXTRACT_NONE) {
        find(findings, "timestamp.extractor",
             "Invalid timestamp extractor: %s. Wallclock, Record and RecordField are available", extractor);
    }
    if (findings->at_start && api->get_long(config, "rotate.schedule.interval.ms") > 0 &&
        !text_of(api, config, "timezone")[0]) {
        find(findings, "timezone",
             "timezone configuration must be set when using rotate.schedule.interval.ms");
    }
}

static void check_store(struct findings *findings, const struct sluice_config_api *api,
                        const struct sluice_config *config)
{
    if (api->get_boolean(config, "s3.wan.mode") &&
        api->get_boolean(config, "s3.path.style.access.enabled")) {
        find(findings, "s3.wan.mode", "S3 has no accelerated endpoint for path style: set one of "
                                      "s3.wan.mode and s3.path.style.access.enabled to false.");
        find(findings, "s3.path.style.access.enabled",
             "s3.path.style.access.enabled must be false with s3.wan.mode=true: S3 has no "
             "accelerated endpoint for path style.");
    }
    const char *url = api->get_string(config, "store.url");
    struct aws_url parts;
    if (url && strncmp(url, "file:", 5) == 0) {
        if (!url[5]) {
            find(findings, "store.url", "store.url=file: needs a folder behind it: file:/var/lake");
        }
    } else if (url && *url) {
        char full[1024];
        snprintf(full, sizeof(full), "%s%s", strstr(url, "://") ? "" : "https://", url);
        if (!aws_url_parse(full, &parts)) {
            /* Without the value: it may hold a password. */
            find(findings, "store.url", "store.url is neither http://HOST[:PORT], "
                                        "https://HOST[:PORT] nor file:PATH.");
        }
    }
    const char *bucket = text_of(api, config, "s3.bucket.name");
    if (findings->at_start && !bucket[0]) {
        find(findings, "s3.bucket.name", "Invalid value  for configuration s3.bucket.name: String must be non-empty");
    } else if (strchr(bucket, '/') || strcmp(bucket, ".") == 0 || strcmp(bucket, "..") == 0) {
        find(findings, "s3.bucket.name",
             "Invalid value %s for configuration s3.bucket.name: cannot be the name of a bucket",
             bucket);
    }
    const char *key = text_of(api, config, "s3.sse.customer.key");
    if (key[0] && (strlen(key) != 44 || strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                                    "0123456789+/=") != 44)) {
        find(findings, "s3.sse.customer.key",
             "s3.sse.customer.key must be the base64 text of 32 bytes.");
    }
}

static void check_all(struct findings *findings, const struct sluice_host *host,
                      const struct sluice_config *config)
{
    check_formats(findings, host->config, config);
    check_partitioner_keys(findings, host->config, config);
    check_store(findings, host->config, config);
}

/* -- reading -- */

static void read_formats(struct settings *s, const struct sluice_config_api *api,
                         const struct sluice_config *config)
{
    s->format = format_kind_of(text_of(api, config, "format.class"));
    s->key_format = api->get_boolean(config, "store.kafka.keys")
                        ? format_kind_of(text_of(api, config, "keys.format.class"))
                        : FORMAT_NONE;
    s->header_format = api->get_boolean(config, "store.kafka.headers")
                           ? format_kind_of(text_of(api, config, "headers.format.class"))
                           : FORMAT_NONE;
    s->zstd = strcmp(text_of(api, config, "sluice.s3.compression.type"), "zstd") == 0;
    s->gzip = !s->zstd && strcmp(text_of(api, config, "s3.compression.type"), "gzip") == 0;
    s->compression_level = (int)api->get_long(config, "s3.compression.level");
    s->decimal_numeric = strcasecmp(text_of(api, config, "json.decimal.format"), "NUMERIC") == 0;
    s->bytes_extension = text_of(api, config, "format.bytearray.extension");
    const char *separator = api->original(config, "format.bytearray.separator");
    s->bytes_separator = separator ? separator : "\n";
    const char *nulls = text_of(api, config, "behavior.on.null.values");
    s->nulls = strcasecmp(nulls, "ignore") == 0  ? NULL_IGNORE
               : strcasecmp(nulls, "write") == 0 ? NULL_WRITE
                                                 : NULL_FAIL;
    s->report_nulls = api->get_boolean(config, "report.null.values.to.dlq");
    s->tombstone_partition = text_of(api, config, "tombstone.encoded.partition");
    s->original_faults = api->get_boolean(config, "sluice.s3.original.faults");
}

static void read_layout(struct settings *s, const struct sluice_config_api *api,
                        const struct sluice_config *config)
{
    s->topics_dir = text_of(api, config, "topics.dir");
    s->directory_delim = text_of(api, config, "directory.delim");
    s->file_delim = text_of(api, config, "file.delim");
    s->pad_width = (int)api->get_long(config, "filename.offset.zero.pad.width");
    s->partitioner = partitioner_kind_of(text_of(api, config, "partitioner.class"));
    s->field_maps = api->get_boolean(config, "sluice.s3.partition.maps");
    s->field_count = api->get_list(config, "partition.field.name", &s->field_names);
    s->partition_duration = api->get_long(config, "partition.duration.ms");
    s->path_format = text_of(api, config, "path.format");
    s->locale = text_of(api, config, "locale");
    s->timezone = text_of(api, config, "timezone");
    s->extractor = extractor_kind_of(text_of(api, config, "timestamp.extractor"));
    s->timestamp_field = text_of(api, config, "timestamp.field");
    const char *affix = text_of(api, config, "s3.schema.partition.affix.type");
    s->affix = strcmp(affix, "PREFIX") == 0   ? AFFIX_PREFIX
               : strcmp(affix, "SUFFIX") == 0 ? AFFIX_SUFFIX
                                              : AFFIX_NONE;
}

static void read_rotation(struct settings *s, const struct sluice_config_api *api,
                          const struct sluice_config *config)
{
    int64_t flush_size = api->get_long(config, "flush.size");
    s->flush_size = flush_size < 1 ? 1 : flush_size;
    s->rotate_interval = api->get_long(config, "rotate.interval.ms");
    s->rotate_schedule = api->get_long(config, "rotate.schedule.interval.ms");
    s->rotate_on_partition_change = api->get_boolean(config, "rotate.file.on.partition.change");
    s->max_open_files = api->get_long(config, "partitioner.max.open.files");
    s->rotate_bytes = api->get_long(config, "sluice.s3.rotate.bytes");
    s->rotate_idle = api->get_long(config, "sluice.s3.rotate.idle.ms");
    const char *compatibility = text_of(api, config, "schema.compatibility");
    s->compatibility = strcmp(compatibility, "BACKWARD") == 0  ? COMPATIBILITY_BACKWARD
                       : strcmp(compatibility, "FORWARD") == 0 ? COMPATIBILITY_FORWARD
                       : strcmp(compatibility, "FULL") == 0    ? COMPATIBILITY_FULL
                                                               : COMPATIBILITY_NONE;
}

static void read_bucket(struct settings *s, const struct sluice_config_api *api,
                        const struct sluice_config *config)
{
    s->bucket = text_of(api, config, "s3.bucket.name");
    s->region = text_of(api, config, "s3.region");
    const char *url = text_of(api, config, "store.url");
    s->file_path = strncmp(url, "file://", 7) == 0  ? url + 7
                   : strncmp(url, "file:", 5) == 0 ? url + 5
                                                   : NULL;
    s->store_url = *url && !s->file_path ? url : NULL;
    s->memory_limit = api->get_long(config, "sluice.s3.buffer.memory");
    s->part_retries = (int)api->get_long(config, "s3.part.retries");
    s->retry_backoff = api->get_long(config, "s3.retry.backoff.ms");
    s->task_backoff = api->get_long(config, "retry.backoff.ms");
    s->path_style = api->get_boolean(config, "s3.path.style.access.enabled");
    s->wan_mode = api->get_boolean(config, "s3.wan.mode");
    s->sse = text_of(api, config, "s3.ssea.name");
    s->sse_customer_key = text_of(api, config, "s3.sse.customer.key");
    s->proxy = text_of(api, config, "s3.proxy.url");
    s->proxy_user = text_of(api, config, "s3.proxy.user");
    s->proxy_password = text_of(api, config, "s3.proxy.password");
}

static void read_store(struct settings *s, const struct sluice_config_api *api,
                       const struct sluice_config *config)
{
    s->file_sync = api->get_boolean(config, "sluice.file.sync");
    s->part_size = api->get_long(config, "s3.part.size");
    s->uploads_max = api->get_long(config, "sluice.s3.uploads.max");
    s->expect_continue = api->get_boolean(config, "s3.http.send.expect.continue");
    s->send_digest = api->get_boolean(config, "s3.send.digest");
    s->conditional = api->get_boolean(config, "enable.conditional.writes") &&
                     s->rotate_schedule != -1 && s->key_format == FORMAT_NONE &&
                     s->header_format == FORMAT_NONE;
    const char *signing = text_of(api, config, "sluice.s3.payload.signing");
    s->signing = strcmp(signing, "signed") == 0     ? SIGN_SIGNED
                 : strcmp(signing, "unsigned") == 0 ? SIGN_UNSIGNED
                                                    : SIGN_AUTO;
    s->abort_orphans = api->get_boolean(config, "sluice.s3.abort.orphans");
    s->crc32c = strcmp(text_of(api, config, "sluice.s3.checksum"), "crc32c") == 0;
    s->sse_kms_key = text_of(api, config, "s3.sse.kms.key.id");
    s->acl = text_of(api, config, "s3.acl.canned");
    s->storage_class = text_of(api, config, "sluice.s3.storage.class");
    s->tagging = api->get_boolean(config, "s3.object.tagging");
    s->tagging_must_work =
        strcasecmp(text_of(api, config, "s3.object.behavior.on.tagging.error"), "fail") == 0;
    s->tag_pair_count = api->get_list(config, "s3.object.tagging.key.value.pairs", &s->tag_pairs);
    s->spill_folder = text_of(api, config, "sluice.spill.dir");
    if (!s->spill_folder[0]) {
        const char *folder = getenv("TMPDIR");
        s->spill_folder = folder && *folder ? folder : "/tmp";
    }
}

static int read_credentials(struct settings *s, const struct sluice_config_api *api,
                            const struct sluice_config *config, struct findings *findings)
{
    struct aws_credentials_options *to = &s->credentials;
    bool role = false;
    if (!credentials_class(text_of(api, config, "s3.credentials.provider.class"), &to->source,
                           &role)) {
        find(findings, "s3.credentials.provider.class", "no such credentials provider");
        return -1;
    }
    to->region = s->region;
    const char *access_key = text_of(api, config, "aws.access.key.id");
    const char *secret_key = text_of(api, config, "aws.secret.access.key");
    if (access_key[0] && secret_key[0]) {
        to->source = AWS_SOURCE_STATIC;
        to->access_key = access_key;
        to->secret_key = secret_key;
    }
    to->profile = api->get_string(config, "s3.credentials.provider.profile");
    if (!role) {
        return 0;
    }
    to->role_arn = text_of(api, config, "s3.credentials.provider.sts.role.arn");
    to->role_external_id = text_of(api, config, "s3.credentials.provider.sts.role.external.id");
    to->role_session_name = text_of(api, config, "s3.credentials.provider.sts.role.session.name");
    to->sts_endpoint = api->get_string(config, "s3.credentials.provider.sts.endpoint");
    const char *region = text_of(api, config, "s3.credentials.provider.sts.region");
    to->region = region[0] ? region : s->region;
    if (!to->role_arn[0] || !to->role_session_name[0]) {
        find(findings, "s3.credentials.provider.class",
             ROLE_CLASS " needs s3.credentials.provider.sts.role.arn and "
             "s3.credentials.provider.sts.role.session.name");
        return -1;
    }
    return 0;
}

static void on_partitioner_fault(void *user, const char *key, const char *text)
{
    find(user, key, "%s", text);
}

void settings_validate(const struct sluice_host *host, const struct sluice_config *config,
                       const struct sluice_report *report)
{
    struct findings findings = {
        .report = report, .at_start = host->extension && host->extension(host, SLUICE_CHECK)};
    check_all(&findings, host, config);
    struct settings settings = {0};
    read_layout(&settings, host->config, config);
    if (findings.at_start && (settings.partitioner == PARTITIONER_TIME ||
                              settings.partitioner == PARTITIONER_DAILY ||
                              settings.partitioner == PARTITIONER_HOURLY)) {
        time_partitioner_check(&settings, on_partitioner_fault, &findings);
    }
}

int settings_read(struct settings *settings, const struct sluice_host *host,
                  const struct sluice_config *config, const char **ret_key, char *message,
                  size_t size)
{
    struct findings findings = {
        .ret_key = ret_key, .message = message, .size = size, .at_start = true};
    *settings = (struct settings){0};
    check_all(&findings, host, config);
    if (findings.any) {
        return -1;
    }
    read_formats(settings, host->config, config);
    read_layout(settings, host->config, config);
    read_rotation(settings, host->config, config);
    read_bucket(settings, host->config, config);
    read_store(settings, host->config, config);
    return read_credentials(settings, host->config, config, &findings);
}

int settings_read_bucket(struct settings *settings, const struct sluice_host *host,
                         const struct sluice_config *config, const char **ret_key, char *message,
                         size_t size)
{
    struct findings findings = {.ret_key = ret_key, .message = message, .size = size};
    *settings = (struct settings){0};
    check_store(&findings, host->config, config);
    if (findings.any) {
        return -1;
    }
    read_bucket(settings, host->config, config);
    return read_credentials(settings, host->config, config, &findings);
}
