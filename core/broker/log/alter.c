/*
 * Changing the configs of an embedded log's topic. [owner's one thread]
 */
#include <stdlib.h>
#include <string.h>

#include "core/broker/log/owner.h"

static bool among(const struct topic_change *changes, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(changes[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static char *append(char *at, const char *name, const char *value)
{
    at = stpcpy(at, name) + 1;
    return stpcpy(at, value) + 1;
}

/* The topic's pairs with the changes made; owned by the caller. */
static char *merge(const struct topic *topic, const struct topic_change *changes, size_t count,
                   size_t *ret_size)
{
    size_t size = topic->configs_size + 1;
    for (size_t i = 0; i < count; i++) {
        size += changes[i].value ? strlen(changes[i].name) + strlen(changes[i].value) + 2 : 0;
    }
    char *merged = malloc(size), *at = merged;
    const char *name = topic->configs, *end = topic->configs + topic->configs_size;
    while (merged && name < end) {
        const char *value = name + strlen(name) + 1;
        if (!among(changes, count, name)) {
            at = append(at, name, value);
        }
        name = value + strlen(value) + 1;
    }
    for (size_t i = 0; merged && i < count; i++) {
        if (changes[i].value) {
            at = append(at, changes[i].name, changes[i].value);
        }
    }
    *ret_size = merged ? (size_t)(at - merged) : 0;
    return merged;
}

static int write_configs(struct store *store, MDB_txn *txn, void *arg)
{
    const struct topic *topic = arg;
    return topic_put(store, txn, topic, topic->count);
}

int topic_alter(struct owner *owner, const char *name, const struct topic_change *changes,
                size_t count, struct error *error)
{
    struct topic *topic = topic_find(owner, name, strlen(name));
    if (!topic) {
        return topic_unknown(name, error);
    }
    struct topic_settings settings = owner->defaults.settings;
    for (size_t i = 0; i < count; i++) {
        if (changes[i].value &&
            topic_setting(&settings, changes[i].name, changes[i].value, error) != 0) {
            return -1;
        }
    }
    struct topic changed = *topic;
    changed.configs = merge(topic, changes, count, &changed.configs_size);
    settings = owner->defaults.settings;
    if (!changed.configs ||
        topic_configs_apply(changed.configs, changed.configs_size, &settings) != 0) {
        free(changed.configs);
        return error_set(error, ERROR_NO_MEMORY, "No memory for topic %s", name);
    }
    if (store_write(&owner->store, write_configs, &changed, error) != 0) {
        free(changed.configs);
        return -1;
    }
    free(topic->configs);
    topic->configs = changed.configs;
    topic->configs_size = changed.configs_size;
    topic->settings = settings;
    retention_soon(owner);
    return 0;
}
