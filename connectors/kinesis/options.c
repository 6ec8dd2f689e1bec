/* Option tables; see settings.h. */
#include <stdio.h>
#include <string.h>

#include "connectors/kinesis/settings.h"
#include "lib/aws/uri.h"

#define OPTION(option_name, option_type) \
    .size = sizeof(struct sluice_option), .name = (option_name), .type = SLUICE_OPTION_##option_type

static bool check_endpoint(const char *name, const char *value, char *message, size_t size)
{
    struct aws_url url;
    if (!value || !value[0] || aws_url_parse(value, &url)) {
        return true;
    }
    snprintf(message, size, "Invalid value %s for configuration %s: write http://host:port or "
                            "https://host:port", value, name);
    return false;
}

/* Comma separated pairs a:b. */
static bool check_map(const char *name, const char *value, char *message, size_t size)
{
    for (const char *at = value; at && *at;) {
        size_t length = strcspn(at, ",");
        const char *colon = memchr(at, ':', length);
        if (!colon || colon == at || colon + 1 == at + length) {
            snprintf(message, size, "Invalid value %s for configuration %s: write pairs, from:to,from:to",
                     value, name);
            return false;
        }
        at += length + (at[length] == ',' ? 1 : 0);
    }
    return true;
}

#define ACCESS_OPTIONS                                                                              \
    {OPTION("kinesis.region", STRING), .default_value = "", .importance = SLUICE_HIGH,              \
     .group = "Kinesis",                                                                            \
     .doc = "AWS region, for example us-east-1; empty: AWS_REGION, AWS_DEFAULT_REGION, the profile's " \
            "or the instance's."},                                                                  \
        {OPTION("kinesis.endpoint", STRING), .importance = SLUICE_MEDIUM, .group = "Kinesis",       \
         .valid = SLUICE_VALID_CUSTOM, .check = check_endpoint,                             \
         .doc = "http://host:port or https://host:port of another server that speaks the API; by "  \
                "default https://kinesis.REGION.amazonaws.com."},                                   \
        {OPTION("aws.access.key.id", STRING), .default_value = "", .importance = SLUICE_HIGH,       \
         .group = "Credentials",                                                                    \
         .doc = "With aws.secret.access.key: these credentials and no others. Without: environment, " \
                "web identity, profile, container, instance, in this order."},                      \
        {OPTION("aws.secret.access.key", PASSWORD), .default_value = "", .importance = SLUICE_HIGH, \
         .group = "Credentials", .doc = "Secret of aws.access.key.id."},                            \
        {OPTION("aws.session.token", PASSWORD), .default_value = "", .importance = SLUICE_MEDIUM,   \
         .group = "Credentials", .doc = "Session token of temporary keys."},                        \
        {OPTION("kinesis.credentials.profile", STRING), .importance = SLUICE_LOW,                   \
         .group = "Credentials", .doc = "Profile of the shared files; by default AWS_PROFILE."},    \
        {OPTION("kinesis.credentials.role.arn", STRING), .default_value = "",                       \
         .importance = SLUICE_LOW, .group = "Credentials",                                          \
         .doc = "The credentials are used to assume this role."},                                   \
        {OPTION("kinesis.credentials.role.session.name", STRING), .default_value = "sluice",        \
         .importance = SLUICE_LOW, .group = "Credentials", .doc = "Name of the role's session."},   \
        {OPTION("kinesis.credentials.role.external.id", STRING), .default_value = "",               \
         .importance = SLUICE_LOW, .group = "Credentials", .doc = "External id of the role."},      \
        {OPTION("retry.backoff.ms", LONG), .default_value = "100", .importance = SLUICE_LOW,        \
         .group = "Limits", .valid = SLUICE_VALID_RANGE, .min = 1, .max = 600000,                   \
         .doc = "First wait before a request is repeated; doubled each time, with jitter."},        \
        {OPTION("retry.backoff.max.ms", LONG), .default_value = "10000", .importance = SLUICE_LOW,  \
         .group = "Limits", .valid = SLUICE_VALID_RANGE, .min = 1, .max = 600000,                   \
         .doc = "Longest such wait."}

static const char *const positions[] = {"earliest", "latest", "timestamp", "TRIM_HORIZON", "LATEST",
                                        "AT_TIMESTAMP", NULL};
static const char *const values[] = {"bytes", "string", "json", NULL};
static const char *const behaviors[] = {"fail", "ignore", "log", NULL};

const struct sluice_option kinesis_source_options[] = {
    {OPTION("kinesis.stream", LIST), .required = true, .importance = SLUICE_HIGH, .group = "Kinesis",
     .valid = SLUICE_VALID_NON_EMPTY_LIST, .doc = "Names of the streams to read."},
    {OPTION("kafka.topic", STRING), .default_value = "${stream}", .importance = SLUICE_HIGH,
     .group = "Kinesis", .valid = SLUICE_VALID_NON_EMPTY,
     .doc = "Topic of the records; ${stream} is the stream's name."},
    {OPTION("kafka.topic.map", LIST), .default_value = "", .importance = SLUICE_MEDIUM,
     .group = "Kinesis", .valid = SLUICE_VALID_CUSTOM, .check = check_map,
     .doc = "Pairs stream:topic; other streams go by kafka.topic."},
    ACCESS_OPTIONS,
    {OPTION("kinesis.position", STRING), .default_value = "TRIM_HORIZON", .importance = SLUICE_MEDIUM,
     .group = "Kinesis", .valid = SLUICE_VALID_ONE_OF_ANY_CASE, .values = positions,
     .recommended = positions,
     .doc = "Where a stream that was not read before begins: earliest (TRIM_HORIZON), latest (LATEST) or "
            "timestamp (AT_TIMESTAMP, see kinesis.timestamp)."},
    {OPTION("kinesis.timestamp", LONG), .importance = SLUICE_LOW, .group = "Kinesis",
     .doc = "kinesis.position=timestamp: milliseconds since 1970."},
    {OPTION("kinesis.value.format", STRING), .default_value = "bytes", .importance = SLUICE_MEDIUM,
     .group = "Kinesis", .valid = SLUICE_VALID_ONE_OF_ANY_CASE, .values = values, .recommended = values,
     .doc = "What a record's data becomes: bytes, a string, or the value that its JSON text stands for."},
    {OPTION("kinesis.headers", BOOLEAN), .default_value = "false", .importance = SLUICE_LOW,
     .group = "Kinesis",
     .doc = "Add headers kinesis.stream, kinesis.shard, kinesis.sequence.number, kinesis.subsequence.number "
            "(aggregates) and kinesis.arrival.timestamp."},
    {OPTION("kinesis.deaggregate", BOOLEAN), .default_value = "true", .importance = SLUICE_LOW,
     .group = "Kinesis", .doc = "Split records that the Kinesis Producer Library packed into one."},
    {OPTION("behavior.on.error", STRING), .default_value = "fail", .importance = SLUICE_MEDIUM,
     .group = "Kinesis", .valid = SLUICE_VALID_ONE_OF_ANY_CASE, .values = behaviors,
     .recommended = behaviors,
     .doc = "Data that is no text or JSON as kinesis.value.format says: fail the task, leave the record "
            "out, or leave it out with a warning."},
    {OPTION("kinesis.record.limit", INT), .default_value = "1000", .importance = SLUICE_LOW,
     .group = "Limits", .valid = SLUICE_VALID_RANGE, .min = 1, .max = 10000,
     .doc = "Most records of a shard fetched at once."},
    {OPTION("kinesis.poll.interval.ms", LONG), .default_value = "1000", .importance = SLUICE_LOW,
     .group = "Limits", .valid = SLUICE_VALID_RANGE, .min = 10, .max = 600000,
     .doc = "How often a shard is asked when it was read to its end. A shard answers five times a second, "
            "all its readers together."},
    {OPTION("kinesis.shard.discovery.interval.ms", LONG), .default_value = "30000",
     .importance = SLUICE_LOW, .group = "Limits", .valid = SLUICE_VALID_RANGE, .min = 100, .max = 3600000,
     .doc = "How often new shards are looked for; also done when a shard ends."},
    {OPTION("sluice.task.number", INT), .default_value = "0", .internal = true},
    {OPTION("sluice.task.count", INT), .default_value = "1", .internal = true},
    {.name = NULL},
};

static const char *const key_sources[] = {"key", "field", "fixed", "random", NULL};
static const char *const orders[] = {"key", "none", NULL};
static const char *const null_behaviors[] = {"fail", "ignore", NULL};

const struct sluice_option kinesis_sink_options[] = {
    {OPTION("kinesis.stream", STRING), .default_value = "${topic}", .importance = SLUICE_HIGH,
     .group = "Kinesis", .valid = SLUICE_VALID_NON_EMPTY,
     .doc = "Stream of the records; ${topic} is the topic's name."},
    {OPTION("kinesis.stream.map", LIST), .default_value = "", .importance = SLUICE_MEDIUM,
     .group = "Kinesis", .valid = SLUICE_VALID_CUSTOM, .check = check_map,
     .doc = "Pairs topic:stream; other topics go by kinesis.stream."},
    ACCESS_OPTIONS,
    {OPTION("kinesis.partition.key", STRING), .default_value = "key", .importance = SLUICE_MEDIUM,
     .group = "Kinesis", .valid = SLUICE_VALID_ONE_OF_ANY_CASE, .values = key_sources,
     .recommended = key_sources,
     .doc = "Partition key: the record's key, a field of its value (kinesis.partition.key.field), always the "
            "same (kinesis.partition.key.value), or random. Records without one get a random one."},
    {OPTION("kinesis.partition.key.field", STRING), .default_value = "", .importance = SLUICE_LOW,
     .group = "Kinesis", .doc = "kinesis.partition.key=field: name of the field."},
    {OPTION("kinesis.partition.key.value", STRING), .default_value = "", .importance = SLUICE_LOW,
     .group = "Kinesis", .doc = "kinesis.partition.key=fixed: the key."},
    {OPTION("kinesis.ordering", STRING), .default_value = "key", .importance = SLUICE_MEDIUM,
     .group = "Kinesis", .valid = SLUICE_VALID_ONE_OF, .values = orders, .recommended = orders,
     .doc = "key: a call of PutRecords has one record of a partition key at most, as Kinesis may refuse some of "
            "a call and take others; a key's records stay in order whatever fails. none: calls are filled, "
            "which is faster for few keys, and refused records come later than those behind them."},
    {OPTION("behavior.on.null.values", STRING), .default_value = "fail", .importance = SLUICE_LOW,
     .group = "Kinesis", .valid = SLUICE_VALID_ONE_OF_ANY_CASE, .values = null_behaviors,
     .recommended = null_behaviors,
     .doc = "Records without value: an error (the reporter's, where errors are tolerated), or left out."},
    {OPTION("kinesis.batch.records", INT), .default_value = "500", .importance = SLUICE_LOW,
     .group = "Limits", .valid = SLUICE_VALID_RANGE, .min = 1, .max = 500,
     .doc = "Most records of a call of PutRecords."},
    {OPTION("kinesis.batch.bytes", INT), .default_value = "5242880", .importance = SLUICE_LOW,
     .group = "Limits", .valid = SLUICE_VALID_RANGE, .min = 1024, .max = 10485760,
     .doc = "Most bytes of a call, data and partition keys."},
    {OPTION("kinesis.record.bytes", INT), .default_value = "1048576", .importance = SLUICE_LOW,
     .group = "Limits", .valid = SLUICE_VALID_RANGE, .min = 1, .max = 10485760,
     .doc = "Most bytes of a record, data and partition key; larger ones are errors. A stream may be set up "
            "for more than the usual MiB."},
    {OPTION("kinesis.stream.create", BOOLEAN), .default_value = "false", .importance = SLUICE_LOW,
     .group = "Kinesis", .doc = "Make a stream that is not there."},
    {OPTION("kinesis.stream.create.shards", INT), .default_value = "1", .importance = SLUICE_LOW,
     .group = "Kinesis", .valid = SLUICE_VALID_RANGE, .min = 1, .max = 10000,
     .doc = "With so many shards."},
    {.name = NULL},
};
