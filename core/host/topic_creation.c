#include "core/host/topic_creation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sluice/host.h>

#include "core/base/log.h"
#include "core/config/config.h"
#include "core/config/framework.h"
#include "lib/java/regex.h"
#include "lib/util/buffer.h"

#define LOGGER "sluice.host.topics"
#define PREFIX "topic.creation."

enum { TEXT_MOST = 1 << 20 };

struct group {
    char *name;
    struct regex *include, *exclude; /* NULL: the default group takes all; nothing is excluded */
    int32_t partitions;
    int16_t replication_factor;
    struct properties configs;
    const char **pairs; /* key, value, .. of configs */
};

struct topic_creation {
    struct group *groups; /* in the order of topic.creation.groups, the default one last */
    size_t count;
    char **known; /* topics that are there */
    size_t known_count;
    size_t last; /* of known: most records go where the last one went */
};

/* -- configuration -- */

static char *key_of(const char *group, const char *name)
{
    char *key = NULL;
    if (asprintf(&key, PREFIX "%s.%s", group, name) < 0) {
        abort();
    }
    return key;
}

/* Of the group, else the fallback. Validated before. */
static long number_of(const struct properties *connector, const char *group, const char *name,
                      long fallback)
{
    char *key = key_of(group, name);
    const char *text = properties_get(connector, key);
    free(key);
    return text ? strtol(text, NULL, 10) : fallback;
}

/* Patterns are alternatives of one; a topic matches as a whole. */
static int patterns_of(const struct properties *connector, const char *group, const char *name,
                       struct regex **ret, struct error *error)
{
    char *key = key_of(group, name);
    const char *text = properties_get(connector, key);
    struct buffer joined;
    struct regex_error why;
    int result = 0;
    buffer_init(&joined, TEXT_MOST);
    for (const char *p = text ? text : ""; *p;) {
        size_t size = strcspn(p, ","), skipped = strspn(p, " \t");
        const char *from = p + (skipped < size ? skipped : size), *to = p + size;
        while (to > from && (to[-1] == ' ' || to[-1] == '\t')) {
            to--;
        }
        if (p != text) {
            (void)buffer_append_char(&joined, '|');
        }
        (void)buffer_append(&joined, from, (size_t)(to - from));
        p += size + (p[size] == ',');
    }
    if (text && regex_create(joined.data ? joined.data : "", ret, &why) != 0) {
        result = error_set_class(error, ERROR_CONFIG, SLUICE_CONFIG_EXCEPTION,
                                 "Invalid value %s for configuration %s: %s", text, key,
                                 why.message);
    }
    buffer_finish(&joined);
    free(key);
    return result;
}

static bool is_own(const char *name)
{
    static const char *const own[] = {"include", "exclude", "partitions", "replication.factor"};
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (strcmp(name, own[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void take_configs(struct group *group, const struct properties *connector)
{
    char *prefix = key_of(group->name, "");
    struct properties all = {0};
    properties_copy_prefixed(&all, connector, prefix);
    for (size_t i = 0; i < all.count; i++) {
        if (!is_own(all.items[i].name)) {
            properties_set(&group->configs, all.items[i].name, all.items[i].value);
        }
    }
    group->pairs = calloc(2 * group->configs.count + 1, sizeof(*group->pairs));
    if (!group->pairs) {
        abort();
    }
    for (size_t i = 0; i < group->configs.count; i++) {
        group->pairs[2 * i] = group->configs.items[i].name;
        group->pairs[2 * i + 1] = group->configs.items[i].value;
    }
    properties_finish(&all);
    free(prefix);
}

static int add_group(struct topic_creation *creation, const char *name, size_t size,
                     const struct properties *connector, struct error *error)
{
    struct group *grown = realloc(creation->groups, (creation->count + 1) * sizeof(*grown));
    char *copy = strndup(name, size);
    if (!grown || !copy) {
        abort();
    }
    creation->groups = grown;
    struct group *group = &grown[creation->count++];
    bool is_default = strcmp(copy, "default") == 0;
    *group = (struct group){
        .name = copy,
        .partitions =
            (int32_t)number_of(connector, copy, "partitions",
                               number_of(connector, "default", "partitions", -1)),
        .replication_factor =
            (int16_t)number_of(connector, copy, "replication.factor",
                               number_of(connector, "default", "replication.factor", -1)),
    };
    take_configs(group, connector);
    if (is_default) {
        return 0; /* takes all, whatever its include and exclude say */
    }
    return patterns_of(connector, copy, "include", &group->include, error) != 0 ||
                   patterns_of(connector, copy, "exclude", &group->exclude, error) != 0
               ? -1
               : 0;
}

int topic_creation_create(const struct properties *connector, const struct properties *worker,
                          struct topic_creation **ret, struct error *error)
{
    const char *names = properties_get(connector, PREFIX "groups");
    *ret = NULL;
    if (!framework_makes_topics(connector, worker)) {
        return 0;
    }
    if (framework_check_topic_creation(connector, worker, error) != 0) {
        return -1;
    }
    struct topic_creation *creation = calloc(1, sizeof(*creation));
    if (!creation) {
        return error_set(error, ERROR_NO_MEMORY, "Out of memory for topic creation");
    }
    int result = 0;
    for (const char *p = names ? names : ""; *p && result == 0;) {
        size_t size = strcspn(p, ","), from = strspn(p, " \t"), to = size;
        while (to > from && (p[to - 1] == ' ' || p[to - 1] == '\t')) {
            to--;
        }
        bool is_default = to - from == 7 && strncmp(p + from, "default", 7) == 0;
        if (to > from && !is_default) {
            result = add_group(creation, p + from, to - from, connector, error);
        }
        p += size + (p[size] == ',');
    }
    if (result == 0) {
        result = add_group(creation, "default", strlen("default"), connector, error);
    }
    if (result != 0) {
        topic_creation_destroy(creation);
        return -1;
    }
    *ret = creation;
    return 0;
}

void topic_creation_destroy(struct topic_creation *creation)
{
    if (!creation) {
        return;
    }
    for (size_t i = 0; i < creation->count; i++) {
        struct group *group = &creation->groups[i];
        regex_destroy(group->include);
        regex_destroy(group->exclude);
        properties_finish(&group->configs);
        free((void *)group->pairs);
        free(group->name);
    }
    for (size_t i = 0; i < creation->known_count; i++) {
        free(creation->known[i]);
    }
    free(creation->known);
    free(creation->groups);
    free(creation);
}

/* -- topics -- */

bool topic_creation_needed(struct topic_creation *creation, const char *topic)
{
    if (!creation) {
        return false;
    }
    for (size_t i = 0; i < creation->known_count; i++) {
        size_t at = (creation->last + i) % creation->known_count;
        if (strcmp(creation->known[at], topic) == 0) {
            creation->last = at;
            return false;
        }
    }
    return true;
}

static void remember(struct topic_creation *creation, const char *topic)
{
    char **grown = realloc(creation->known, (creation->known_count + 1) * sizeof(*grown));
    char *copy = strdup(topic);
    if (!grown || !copy) {
        abort();
    }
    creation->known = grown;
    creation->last = creation->known_count;
    creation->known[creation->known_count++] = copy;
}

static bool takes(const struct group *group, const char *topic)
{
    size_t size = strlen(topic);
    return !group->include || (regex_matches(group->include, topic, size) == REGEX_YES &&
                               (!group->exclude ||
                                regex_matches(group->exclude, topic, size) != REGEX_YES));
}

void topic_creation_spec(const struct topic_creation *creation, const char *topic,
                         struct broker_topic_spec *ret_spec, const char **ret_group)
{
    const struct group *group = creation->groups;
    while (!takes(group, topic)) { /* the default one takes all */
        group++;
    }
    *ret_group = group->name;
    *ret_spec = (struct broker_topic_spec){
        .name = topic,
        .partitions = group->partitions,
        .replication_factor = group->replication_factor,
        .configs = group->pairs,
        .config_count = group->configs.count,
    };
}

int topic_creation_ensure(struct topic_creation *creation, struct broker *broker, const char *topic,
                          int timeout_ms, const char *context, struct error *error)
{
    struct broker_topic_spec spec;
    const char *group;
    bool there;
    if (broker_topic_exists(broker, topic, timeout_ms, &there, error) != 0) {
        return -1;
    }
    if (!there) {
        topic_creation_spec(creation, topic, &spec, &group);
        if (broker_topic_create(broker, &spec, timeout_ms, error) == 0) {
            log_line(LOG_LEVEL_INFO, LOGGER, context,
                     "Created topic '%s' using creation group '%s' (%d partitions, replication "
                     "factor %d)",
                     topic, group, (int)spec.partitions, (int)spec.replication_factor);
        } else if (error->code == ERROR_TOPIC_EXISTS) {
            error_clear(error);
        } else if (error->retriable) {
            return -1;
        } else {
            return error_wrap(error, error->code, SLUICE_CONNECT_EXCEPTION,
                              "Task failed to create new topic (name=%s, numPartitions=%d, "
                              "replicationFactor=%d, group '%s'). Ensure that the task is authorized "
                              "to create topics or that the topic exists and restart the task",
                              topic, (int)spec.partitions, (int)spec.replication_factor, group);
        }
    }
    remember(creation, topic);
    return 0;
}
