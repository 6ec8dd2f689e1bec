/*
 * TopicNameMatches, HasHeaderKey, RecordIsTombstone (KIP-585; kafka-connect.md §3.13). Owned by the
 * chain; [task thread].
 */
#include <sluice/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/java/regex.h"
#include "plugins/predicates/field_matches.h"

#define PACKAGE "org.apache.kafka.connect.transforms.predicates."
#define OPTION(...)                                                                                \
    {                                                                                              \
        .size = sizeof(struct sluice_option), __VA_ARGS__                                          \
    }

struct predicate {
    const struct sluice_host *host;
    const char *name;    /* HasHeaderKey; owned by the configuration */
    struct regex *regex; /* TopicNameMatches */
    char *last_topic;    /* most records have the topic of the one before; owned */
    bool last_matches;
};

static void *create(const struct sluice_host *host)
{
    struct predicate *predicate = calloc(1, sizeof(*predicate));
    if (predicate) {
        predicate->host = host;
    }
    return predicate;
}

static void destroy(void *self)
{
    struct predicate *predicate = self;
    if (predicate) {
        regex_destroy(predicate->regex);
        free(predicate->last_topic);
        free(predicate);
    }
}

/* -- TopicNameMatches -- */

static enum sluice_result configure_topic(void *self, const char *class_name,
                                          const struct sluice_config *config)
{
    (void)class_name;
    struct predicate *predicate = self;
    const struct sluice_host *host = predicate->host;
    const char *pattern = host->config->get_string(config, "pattern");
    struct regex_error error;
    if (regex_create(pattern, &predicate->regex, &error) != 0) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION,
                           "Invalid value %s for configuration pattern: Invalid regex: %s", pattern,
                           error.message);
    }
    return SLUICE_OK;
}

static enum sluice_result test_topic(void *self, const struct sluice_record *record,
                                     bool *ret_matches)
{
    struct predicate *predicate = self;
    const struct sluice_host *host = predicate->host;
    const char *topic = host->records->topic(record);
    if (!predicate->last_topic || strcmp(predicate->last_topic, topic) != 0) {
        enum regex_result result = regex_matches(predicate->regex, topic, strlen(topic));
        if (result != REGEX_YES && result != REGEX_NO) {
            return host->error(
                host, SLUICE_BAD_RECORD, SLUICE_CONNECT_EXCEPTION,
                "The pattern takes too many steps on topic %s; make it less ambiguous", topic);
        }
        free(predicate->last_topic);
        predicate->last_topic = strdup(topic); /* without memory the next record is matched anew */
        predicate->last_matches = result == REGEX_YES;
    }
    *ret_matches = predicate->last_matches;
    return SLUICE_OK;
}

/* Connect's validator: not empty, then a pattern; of null it says what the JVM does. */
static bool check_pattern(const char *name, const char *value, char *message, size_t size)
{
    if (value && !*value) {
        snprintf(message, size, "Invalid value  for configuration %s: String must be non-empty",
                 name);
        return false;
    }
    struct regex *regex = NULL;
    struct regex_error error = {
        .message = "Cannot invoke \"String.isEmpty()\" because \"this.pattern\" is null"};
    if (!value || regex_create(value, &regex, &error) != 0) {
        snprintf(message, size, "Invalid value %s for configuration %s: Invalid regex: %s",
                 value ? value : "null", name, error.message);
        return false;
    }
    regex_destroy(regex);
    return true;
}

static const struct sluice_option topic_options[] = {
    OPTION(.name = "pattern", .type = SLUICE_OPTION_STRING, .required = true,
           .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_CUSTOM, .check = check_pattern,
           .doc = "A Java regular expression for matching against the name of a record's topic."),
    {.name = NULL},
};

static const struct sluice_predicate topic_functions = {
    .size = sizeof(struct sluice_predicate),
    .create = create,
    .destroy = destroy,
    .configure = configure_topic,
    .test = test_topic,
};

static const struct sluice_descriptor topic_name_matches = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_PREDICATE,
    .class_name = PACKAGE "TopicNameMatches",
    .version = KAFKA_VERSION,
    .doc = "True for records whose topic matches a regular expression as a whole.",
    .options = topic_options,
    .vtable = &topic_functions,
};

/* -- HasHeaderKey -- */

static enum sluice_result configure_header(void *self, const char *class_name,
                                           const struct sluice_config *config)
{
    (void)class_name;
    struct predicate *predicate = self;
    predicate->name = predicate->host->config->get_string(config, "name");
    return SLUICE_OK;
}

static enum sluice_result test_header(void *self, const struct sluice_record *record,
                                      bool *ret_matches)
{
    const struct predicate *predicate = self;
    const struct sluice_records *records = predicate->host->records;
    size_t count = records->header_count(record);
    *ret_matches = false;
    for (size_t i = 0; i < count && !*ret_matches; i++) {
        const struct sluice_schema *schema;
        const struct sluice_value *value;
        *ret_matches = strcmp(records->header(record, i, &schema, &value), predicate->name) == 0;
    }
    return SLUICE_OK;
}

static const struct sluice_option header_options[] = {
    OPTION(.name = "name", .type = SLUICE_OPTION_STRING, .required = true,
           .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_NON_EMPTY, .doc = "The header name."),
    {.name = NULL},
};

static const struct sluice_predicate header_functions = {
    .size = sizeof(struct sluice_predicate),
    .create = create,
    .destroy = destroy,
    .configure = configure_header,
    .test = test_header,
};

static const struct sluice_descriptor has_header_key = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_PREDICATE,
    .class_name = PACKAGE "HasHeaderKey",
    .version = KAFKA_VERSION,
    .doc = "True for records with at least one header of this name.",
    .options = header_options,
    .vtable = &header_functions,
};

/* -- RecordIsTombstone -- */

static enum sluice_result configure_nothing(void *self, const char *class_name,
                                            const struct sluice_config *config)
{
    (void)self;
    (void)class_name;
    (void)config;
    return SLUICE_OK;
}

static enum sluice_result test_tombstone(void *self, const struct sluice_record *record,
                                         bool *ret_matches)
{
    const struct sluice_host *host = ((const struct predicate *)self)->host;
    *ret_matches = host->data->type(host->records->value(record)) == SLUICE_NULL;
    return SLUICE_OK;
}

static const struct sluice_option no_options[] = {{.name = NULL}};

static const struct sluice_predicate tombstone_functions = {
    .size = sizeof(struct sluice_predicate),
    .create = create,
    .destroy = destroy,
    .configure = configure_nothing,
    .test = test_tombstone,
};

static const struct sluice_descriptor record_is_tombstone = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_PREDICATE,
    .class_name = PACKAGE "RecordIsTombstone",
    .version = KAFKA_VERSION,
    .doc = "True for records whose value is null.",
    .options = no_options,
    .vtable = &tombstone_functions,
};

static const struct sluice_descriptor *const descriptors[] = {&topic_name_matches, &has_header_key,
                                                              &record_is_tombstone,
                                                              &field_matches_key,
                                                              &field_matches_value, NULL};

SLUICE_PLUGIN(descriptors)
