/*
 * The keys that the framework itself has for connectors: ConnectorConfig, SourceConnectorConfig and
 * SinkConnectorConfig, in their order. Documentation texts are Kafka's (Apache-2.0), because the
 * admin API answers with them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/framework.h"

#define SIZE .size = sizeof(struct sluice_option)

static const char *const reload_actions[] = {"none", "restart", NULL};
static const char *const tolerances[] = {"none", "all", NULL};
/* in the order Java's hash sets print them */
static const char *const exactly_once[] = {"REQUIRED", "REQUESTED", NULL};
static const char *const boundaries[] = {"INTERVAL", "POLL", "CONNECTOR", NULL};

/** NonEmptyStringWithoutControlChars; null is told as a missing key. */
static bool check_name(const char *name, const char *value, char *message, size_t size)
{
    if (!value) {
        return true;
    }
    char codes[128] = "";
    size_t used = 0;
    for (const char *p = value; *p && used < sizeof(codes) - 8; p++) {
        unsigned char c = (unsigned char)*p;
        bool c1 = c == 0xC2 && (unsigned char)p[1] >= 0x80 && (unsigned char)p[1] < 0xA0;
        if (c < 0x20 || c == 0x7F || c1) {
            used += (size_t)snprintf(codes + used, sizeof(codes) - used, "%s%d", used ? ", " : "",
                                     c1 ? (unsigned char)p[1] : c);
        }
    }
    if (*value && !used) {
        return true;
    }
    snprintf(message, size, "Invalid value %s for configuration %s: %s%s", value, name,
             used ? "String may not contain control sequences but had the following ASCII chars: "
                  : "String may not be empty",
             codes);
    return false;
}

/** A list without an item twice. */
static bool check_aliases(const char *name, const char *value, char *message, size_t size)
{
    if (!value) {
        snprintf(message, size, "Invalid value null for configuration %s: entry must be non null", name);
        return false;
    }
    if (!*value) {
        return true;
    }
    bool twice = false;
    char shown[512] = "";
    size_t used = 0;
    struct framework_item item, other;
    bool first = true;
    for (const char *p = value; framework_next_item(&p, &item); first = false) {
        used += used < sizeof(shown)
                    ? (size_t)snprintf(shown + used, sizeof(shown) - used, "%s%.*s",
                                       first ? "" : ", ", (int)item.size, item.text)
                    : 0;
        for (const char *q = p; framework_next_item(&q, &other);) {
            twice =
                twice || (item.size == other.size && memcmp(item.text, other.text, item.size) == 0);
        }
    }
    if (twice) {
        snprintf(message, size,
                 "Invalid value [%s] for configuration %s: Duplicate alias provided.", shown, name);
    }
    return !twice;
}

/** At least 0, or null. */
static bool check_interval(const char *name, const char *value, char *message, size_t size)
{
    if (!value || strtoll(value, NULL, 10) >= 0) {
        return true;
    }
    snprintf(message, size, "Invalid value %s for configuration %s: Value must be at least 0",
             value, name);
    return false;
}

const struct sluice_option framework_connector[] = {
    {SIZE, .name = "name", .type = SLUICE_OPTION_STRING, .required = true,
     .importance = SLUICE_HIGH, .valid = SLUICE_VALID_CUSTOM, .check = check_name,
     .group = "Common", .order = 1, .width = SLUICE_WIDTH_MEDIUM, .display_name = "Connector name",
     .doc = "Globally unique name to use for this connector."},
    {SIZE, .name = "connector.class", .type = SLUICE_OPTION_STRING, .required = true,
     .importance = SLUICE_HIGH, .group = "Common", .order = 2, .width = SLUICE_WIDTH_LONG,
     .display_name = "Connector class",
     .doc = "Name or alias of the class for this connector. Must be a subclass of "
            "org.apache.kafka.connect.connector.Connector. If the connector is "
            "org.apache.kafka.connect.file.FileStreamSinkConnector, you can either specify this"
            " full name,  or use \"FileStreamSink\" or \"FileStreamSinkConnector\" to make the "
            "configuration a bit shorter"},
    {SIZE, .name = "tasks.max", .type = SLUICE_OPTION_INT, .default_value = "1",
     .importance = SLUICE_HIGH, .valid = SLUICE_VALID_RANGE, .min = 1, .max = INT64_MAX,
     .group = "Common", .order = 3, .width = SLUICE_WIDTH_SHORT, .display_name = "Tasks max",
     .doc = "Maximum number of tasks to use for this connector."},
    {SIZE, .name = "tasks.max.enforce", .type = SLUICE_OPTION_BOOLEAN, .default_value = "true",
     .importance = SLUICE_LOW, .group = "Common", .order = 4, .width = SLUICE_WIDTH_SHORT,
     .display_name = "Enforce tasks max",
     .doc = "(Deprecated) Whether to enforce that the tasks.max property is respected by the "
            "connector. By default, connectors that generate too many tasks will fail, and "
            "existing sets of tasks that exceed the tasks.max property will also be failed. If "
            "this property is set to false, then connectors will be allowed to generate more "
            "than the maximum number of tasks, and existing sets of tasks that exceed the "
            "tasks.max property will be allowed to run. This property is deprecated and will be"
            " removed in an upcoming major release."},
    {SIZE, .name = "key.converter", .type = SLUICE_OPTION_CLASS, .importance = SLUICE_LOW,
     .group = "Common", .order = 5, .width = SLUICE_WIDTH_SHORT,
     .display_name = "Key converter class",
     .doc = "Converter class used to convert between Kafka Connect format and the serialized "
            "form that is written to Kafka. This controls the format of the keys in messages "
            "written to or read from Kafka, and since this is independent of connectors it "
            "allows any connector to work with any serialization format. Examples of common "
            "formats include JSON and Avro."},
    {SIZE, .name = "value.converter", .type = SLUICE_OPTION_CLASS, .importance = SLUICE_LOW,
     .group = "Common", .order = 6, .width = SLUICE_WIDTH_SHORT,
     .display_name = "Value converter class",
     .doc = "Converter class used to convert between Kafka Connect format and the serialized "
            "form that is written to Kafka. This controls the format of the values in messages "
            "written to or read from Kafka, and since this is independent of connectors it "
            "allows any connector to work with any serialization format. Examples of common "
            "formats include JSON and Avro."},
    {SIZE, .name = "header.converter", .type = SLUICE_OPTION_CLASS, .importance = SLUICE_LOW,
     .group = "Common", .order = 7, .width = SLUICE_WIDTH_SHORT,
     .display_name = "Header converter class",
     .doc = "HeaderConverter class used to convert between Kafka Connect format and the "
            "serialized form that is written to Kafka. This controls the format of the header "
            "values in messages written to or read from Kafka, and since this is independent of"
            " connectors it allows any connector to work with any serialization format. "
            "Examples of common formats include JSON and Avro. By default, the "
            "SimpleHeaderConverter is used to serialize header values to strings and "
            "deserialize them by inferring the schemas."},
    {SIZE, .name = "transforms", .type = SLUICE_OPTION_LIST, .default_value = "",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_CUSTOM, .check = check_aliases,
     .group = "Transforms", .order = 8, .width = SLUICE_WIDTH_LONG, .display_name = "Transforms",
     .doc = "Aliases for the transformations to be applied to records."},
    {SIZE, .name = "predicates", .type = SLUICE_OPTION_LIST, .default_value = "",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_CUSTOM, .check = check_aliases,
     .group = "Predicates", .order = 9, .width = SLUICE_WIDTH_LONG, .display_name = "Predicates",
     .doc = "Aliases for the predicates used by transformations."},
    {SIZE, .name = "config.action.reload", .type = SLUICE_OPTION_STRING, .default_value = "restart",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_ONE_OF, .values = reload_actions,
     .group = "Common", .order = 10, .width = SLUICE_WIDTH_MEDIUM, .display_name = "Reload Action",
     .doc = "The action that Connect should take on the connector when changes in external "
            "configuration providers result in a change in the connector's configuration "
            "properties. A value of 'none' indicates that Connect will do nothing. A value of "
            "'restart' indicates that Connect should restart/reload the connector with the "
            "updated configuration properties.The restart may actually be scheduled in the "
            "future if the external configuration provider indicates that a configuration value"
            " will expire in the future."},
    {SIZE, .name = "errors.retry.timeout", .type = SLUICE_OPTION_LONG, .default_value = "0",
     .importance = SLUICE_MEDIUM, .group = "Error Handling", .order = 1,
     .width = SLUICE_WIDTH_MEDIUM, .display_name = "Retry Timeout for Errors",
     .doc = "The maximum duration in milliseconds that a failed operation will be reattempted. "
            "The default is 0, which means no retries will be attempted. Use -1 for infinite "
            "retries."},
    {SIZE, .name = "errors.retry.delay.max.ms", .type = SLUICE_OPTION_LONG,
     .default_value = "60000", .importance = SLUICE_MEDIUM, .group = "Error Handling", .order = 2,
     .width = SLUICE_WIDTH_MEDIUM, .display_name = "Maximum Delay Between Retries for Errors",
     .doc = "The maximum duration in milliseconds between consecutive retry attempts. Jitter "
            "will be added to the delay once this limit is reached to prevent thundering herd "
            "issues."},
    {SIZE, .name = "errors.tolerance", .type = SLUICE_OPTION_STRING, .default_value = "none",
     .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_ONE_OF, .values = tolerances,
     .group = "Error Handling", .order = 3, .width = SLUICE_WIDTH_SHORT,
     .display_name = "Error Tolerance",
     .doc = "Behavior for tolerating errors during connector operation. 'none' is the default "
            "value and signals that any error will result in an immediate connector task "
            "failure; 'all' changes the behavior to skip over problematic records."},
    {SIZE, .name = "errors.log.enable", .type = SLUICE_OPTION_BOOLEAN, .default_value = "false",
     .importance = SLUICE_MEDIUM, .group = "Error Handling", .order = 4,
     .width = SLUICE_WIDTH_SHORT, .display_name = "Log Errors",
     .doc = "If true, write each error and the details of the failed operation and problematic "
            "record to the Connect application log. This is 'false' by default, so that only "
            "errors that are not tolerated are reported."},
    {SIZE, .name = "errors.log.include.messages", .type = SLUICE_OPTION_BOOLEAN,
     .default_value = "false", .importance = SLUICE_MEDIUM, .group = "Error Handling", .order = 5,
     .width = SLUICE_WIDTH_SHORT, .display_name = "Log Error Details",
     .doc = "Whether to include in the log the Connect record that resulted in a failure. For "
            "sink records, the topic, partition, offset, and timestamp will be logged. For "
            "source records, the key and value (and their schemas), all headers, and the "
            "timestamp, Kafka topic, Kafka partition, source partition, and source offset will "
            "be logged. This is 'false' by default, which will prevent record keys, values, and"
            " headers from being written to log files."},
    {.name = NULL},
};

const struct sluice_option framework_source[] = {
    {SIZE, .name = "topic.creation.groups", .type = SLUICE_OPTION_LIST, .default_value = "",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_CUSTOM, .check = check_aliases,
     .group = "Topic Creation", .order = 1, .width = SLUICE_WIDTH_LONG,
     .display_name = "Topic Creation Groups",
     .doc = "Groups of configurations for topics created by source connectors"},
    {SIZE, .name = "exactly.once.support", .type = SLUICE_OPTION_STRING,
     .default_value = "requested", .importance = SLUICE_MEDIUM,
     .valid = SLUICE_VALID_ONE_OF_ANY_CASE, .values = exactly_once, .group = "Exactly Once Support",
     .order = 2, .width = SLUICE_WIDTH_SHORT, .display_name = "Exactly once support",
     .doc = "Permitted values are requested, required. If set to \"required\", forces a "
            "preflight check for the connector to ensure that it can provide exactly-once "
            "semantics with the given configuration. Some connectors may be capable of "
            "providing exactly-once semantics but not signal to Connect that they support this;"
            " in that case, documentation for the connector should be consulted carefully "
            "before creating it, and the value for this property should be set to "
            "\"requested\". Additionally, if the value is set to \"required\" but the worker "
            "that performs preflight validation does not have exactly-once support enabled for "
            "source connectors, requests to create or validate the connector will fail."},
    {SIZE, .name = "transaction.boundary", .type = SLUICE_OPTION_STRING, .default_value = "poll",
     .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_ONE_OF_ANY_CASE, .values = boundaries,
     .group = "Exactly Once Support", .order = 3, .width = SLUICE_WIDTH_SHORT,
     .display_name = "Transaction Boundary",
     .doc = "Permitted values are: poll, interval, connector. If set to 'poll', a new producer "
            "transaction will be started and committed for every batch of records that each "
            "task from this connector provides to Connect. If set to 'connector', relies on "
            "connector-defined transaction boundaries; note that not all connectors are capable"
            " of defining their own transaction boundaries, and in that case, attempts to "
            "instantiate a connector with this value will fail. Finally, if set to 'interval', "
            "commits transactions only after a user-defined time interval has passed."},
    {SIZE, .name = "transaction.boundary.interval.ms", .type = SLUICE_OPTION_LONG,
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_CUSTOM, .check = check_interval,
     .group = "Exactly Once Support", .order = 4, .width = SLUICE_WIDTH_SHORT,
     .display_name = "Transaction boundary interval",
     .doc = "If 'transaction.boundary' is set to 'interval', determines the interval for "
            "producer transaction commits by connector tasks. If unset, defaults to the value "
            "of the worker-level 'offset.flush.interval.ms' property. It has no effect if a "
            "different transaction.boundary is specified."},
    {SIZE, .name = "offsets.storage.topic", .type = SLUICE_OPTION_STRING, .importance = SLUICE_LOW,
     .valid = SLUICE_VALID_NON_EMPTY, .group = "offsets.topic", .order = 1,
     .width = SLUICE_WIDTH_LONG, .display_name = "Offsets topic",
     .doc = "The name of a separate offsets topic to use for this connector. If empty or not "
            "specified, the worker’s global offsets topic name will be used. If specified, the "
            "offsets topic will be created if it does not already exist on the Kafka cluster "
            "targeted by this connector (which may be different from the one used for the "
            "worker's global offsets topic if the bootstrap.servers property of the connector's"
            " producer has been overridden from the worker's). Only applicable in distributed "
            "mode; in standalone mode, setting this property will have no effect."},
    {.name = NULL},
};

const struct sluice_option framework_sink[] = {
    {SIZE, .name = "topics", .type = SLUICE_OPTION_LIST, .default_value = "",
     .importance = SLUICE_HIGH, .group = "Common", .order = 4, .width = SLUICE_WIDTH_LONG,
     .display_name = "Topics", .doc = "List of topics to consume, separated by commas"},
    {SIZE, .name = "topics.regex", .type = SLUICE_OPTION_STRING, .default_value = "",
     .importance = SLUICE_HIGH, .valid = SLUICE_VALID_REGEX, .group = "Common", .order = 4,
     .width = SLUICE_WIDTH_LONG, .display_name = "Topics regex",
     .doc = "Regular expression giving topics to consume. Under the hood, the regex is compiled"
            " to a <code>java.util.regex.Pattern</code>. Only one of topics or topics.regex "
            "should be specified."},
    {SIZE, .name = "errors.deadletterqueue.topic.name", .type = SLUICE_OPTION_STRING,
     .default_value = "", .importance = SLUICE_MEDIUM, .group = "Error Handling", .order = 6,
     .width = SLUICE_WIDTH_MEDIUM, .display_name = "Dead Letter Queue Topic Name",
     .doc = "The name of the topic to be used as the dead letter queue (DLQ) for messages that "
            "result in an error when processed by this sink connector, or its transformations "
            "or converters. The topic name is blank by default, which means that no messages "
            "are to be recorded in the DLQ."},
    {SIZE, .name = "errors.deadletterqueue.topic.replication.factor", .type = SLUICE_OPTION_SHORT,
     .default_value = "3", .importance = SLUICE_MEDIUM, .group = "Error Handling", .order = 7,
     .width = SLUICE_WIDTH_MEDIUM, .display_name = "Dead Letter Queue Topic Replication Factor",
     .doc = "Replication factor used to create the dead letter queue topic when it doesn't "
            "already exist."},
    {SIZE, .name = "errors.deadletterqueue.context.headers.enable", .type = SLUICE_OPTION_BOOLEAN,
     .default_value = "false", .importance = SLUICE_MEDIUM, .group = "Error Handling", .order = 8,
     .width = SLUICE_WIDTH_MEDIUM, .display_name = "Enable Error Context Headers",
     .doc = "If true, add headers containing error context to the messages written to the dead "
            "letter queue. To avoid clashing with headers from the original record, all error "
            "context header keys, all error context header keys will start with "
            "<code>__connect.errors.</code>"},
    {.name = NULL},
};

const struct sluice_option framework_handed_on[] = {
    {SIZE, .name = "producer.override.*", .type = SLUICE_OPTION_STRING,
     .doc = "Settings of this connector's producer, as Kafka names them."},
    {SIZE, .name = "consumer.override.*", .type = SLUICE_OPTION_STRING,
     .doc = "Settings of this connector's consumer, as Kafka names them."},
    {SIZE, .name = "admin.override.*", .type = SLUICE_OPTION_STRING,
     .doc = "Settings of this connector's admin client, as Kafka names them."},
    {SIZE, .name = "key.converter.*", .type = SLUICE_OPTION_STRING,
     .doc = "Options of the connector's own key converter."},
    {SIZE, .name = "value.converter.*", .type = SLUICE_OPTION_STRING,
     .doc = "Options of the connector's own value converter."},
    {SIZE, .name = "header.converter.*", .type = SLUICE_OPTION_STRING,
     .doc = "Options of the connector's own header converter."},
    {.name = NULL},
};
