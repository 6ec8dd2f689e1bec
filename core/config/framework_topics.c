/*
 * topic.creation.*: Connect checks these keys when a source starts, not when it is validated, in the
 * order and the words of its TopicCreationConfig. Keys of groups that topic.creation.groups does not
 * name have no meaning. Pure functions: [any thread].
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/config/framework.h"
#include "core/config/memory.h"
#include "lib/java/regex.h"
#include "lib/util/buffer.h"

#define PREFIX "topic.creation."
#define SIZE .size = sizeof(struct sluice_option)

enum { GROUP_KEYS = 4, LIST_MOST = 64 << 10 };

static bool is_count(const char *value)
{
    return !value || strtol(value, NULL, 10) == -1 || strtol(value, NULL, 10) >= 1;
}

/* Validators of an embedded definition are told the name without its prefix. */
static bool check_factor(const char *name, const char *value, char *message, size_t size)
{
    (void)name;
    if (!is_count(value)) {
        (void)snprintf(message, size,
                       "Invalid value %s for configuration replication.factor: Replication factor "
                       "must be positive and not larger than the number of brokers in the Kafka "
                       "cluster, or -1 to use the broker's default",
                       value);
        return false;
    }
    return true;
}

static bool check_partitions(const char *name, const char *value, char *message, size_t size)
{
    (void)name;
    if (!is_count(value)) {
        (void)snprintf(message, size,
                       "Invalid value %s for configuration partitions: Number of partitions must be "
                       "positive, or -1 to use the broker's default",
                       value);
        return false;
    }
    return true;
}

/* As List.toString(). */
static void print_list(const char *text, struct buffer *out)
{
    struct framework_item item;
    buffer_init(out, LIST_MOST);
    (void)buffer_append_char(out, '[');
    for (const char *next = text; framework_next_item(&next, &item);) {
        (void)buffer_printf(out, "%s%.*s", out->size > 1 ? ", " : "", (int)item.size, item.text);
    }
    (void)buffer_append_char(out, ']');
}

static bool check_patterns(const char *name, const char *value, char *message, size_t size)
{
    const char *dot = strrchr(name, '.');
    struct framework_item item;
    for (const char *next = value; framework_next_item(&next, &item);) {
        char *pattern = memory_checked(strndup(item.text, item.size));
        struct regex *regex = NULL;
        struct regex_error why;
        bool good = regex_create(pattern, &regex, &why) == 0;
        regex_destroy(regex);
        free(pattern);
        if (!good) {
            struct buffer list;
            print_list(value, &list);
            char *shown = buffer_take(&list);
            (void)snprintf(message, size,
                           "Invalid value %s for configuration %s: Syntax error in regular "
                           "expression: %s",
                           shown ? shown : value, dot ? dot + 1 : name, why.message);
            free(shown);
            return false;
        }
    }
    return true;
}

const struct sluice_option framework_topic_creation[] = {
    {SIZE, .name = PREFIX "*.include", .type = SLUICE_OPTION_LIST, .valid = SLUICE_VALID_CUSTOM,
     .check = check_patterns,
     .doc = "Regular expressions of the topics that are in this group."},
    {SIZE, .name = PREFIX "*.exclude", .type = SLUICE_OPTION_LIST, .valid = SLUICE_VALID_CUSTOM,
     .check = check_patterns,
     .doc = "Regular expressions of topics that are not, whatever include says."},
    {SIZE, .name = PREFIX "*.replication.factor", .type = SLUICE_OPTION_SHORT,
     .valid = SLUICE_VALID_CUSTOM, .check = check_factor,
     .doc = "Replication factor of topics of this group; at least 1, or -1 for the broker's."},
    {SIZE, .name = PREFIX "*.partitions", .type = SLUICE_OPTION_INT, .valid = SLUICE_VALID_CUSTOM,
     .check = check_partitions,
     .doc = "Partitions of topics of this group; at least 1, or -1 for the broker's."},
    {SIZE, .name = PREFIX "*", .type = SLUICE_OPTION_STRING,
     .doc = "Further settings of the topics of this group, as Kafka names them."},
    {.name = NULL},
};

/* -- one group after the other -- */

/* Checks the four keys of a group, in their order; the default one must have its two numbers, and its
 * patterns are not looked at. */
static int check_group(const struct properties *connector, const char *alias, size_t size,
                       struct error *error)
{
    bool is_default = size == strlen("default") && strncmp(alias, "default", size) == 0;
    struct sluice_option table[GROUP_KEYS + 1] = {0};
    struct properties given = {0};
    struct sluice_config *config = NULL;
    for (size_t i = 0; i < GROUP_KEYS; i++) {
        const char *end = strchr(framework_topic_creation[i].name, '*') + 1;
        char *name = NULL;
        if (asprintf(&name, PREFIX "%.*s%s", (int)size, alias, end) < 0) {
            abort();
        }
        table[i] = framework_topic_creation[i];
        table[i].name = name;
        bool is_number = table[i].type != SLUICE_OPTION_LIST;
        table[i].required = is_default && is_number;
        table[i].valid = is_default && !is_number ? SLUICE_VALID_ANY : table[i].valid;
        const char *value = properties_get(connector, name);
        if (value) {
            properties_set(&given, name, value);
        }
    }
    const struct sluice_option *const tables[] = {table, NULL};
    int result = config_create(tables, &given, &config, error);
    if (result != 0) {
        error->code = ERROR_TOPIC_CREATION;
    }
    config_destroy(config);
    properties_finish(&given);
    for (size_t i = 0; i < GROUP_KEYS; i++) {
        free((char *)table[i].name);
    }
    return result;
}

static int check_groups(const struct properties *connector, struct error *error)
{
    struct framework_item item;
    int result = check_group(connector, "default", strlen("default"), error);
    const char *next = properties_get(connector, PREFIX "groups");
    while (result == 0 && framework_next_item(&next, &item)) {
        result = check_group(connector, item.text, item.size, error);
    }
    return result;
}

bool framework_makes_topics(const struct properties *connector, const struct properties *worker)
{
    const char *enable = properties_get(worker, PREFIX "enable");
    if (enable && strcasecmp(enable, "false") == 0) {
        return false;
    }
    for (size_t i = 0; i < connector->count; i++) {
        if (strncmp(connector->items[i].name, PREFIX, strlen(PREFIX)) == 0) {
            return true;
        }
    }
    return false;
}

int framework_check_topic_creation(const struct properties *connector,
                                   const struct properties *worker, struct error *error)
{
    return framework_makes_topics(connector, worker) ? check_groups(connector, error) : 0;
}
