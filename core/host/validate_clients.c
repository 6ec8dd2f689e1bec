#include "core/host/validate_clients.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/client_properties.h"
#include "core/config/value.h"
#include "lib/java/hash_order.h"

#define BLANKS " \t\r\n\f\v"

static bool is_given(const struct properties *connector, const char *name)
{
    const char *value = properties_get(connector, name);
    return value && value[strspn(value, BLANKS)];
}

static bool has_topic_creation(const struct properties *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (strncmp(keys->items[i].name, "topic.creation.", 15) == 0) {
            return true;
        }
    }
    return false;
}

/* Connect looks at the overrides of those clients only that the connector will have. */
static bool uses(const struct properties *connector, const struct properties *nulls, bool sink,
                 unsigned client)
{
    bool dead_letters = sink && is_given(connector, "errors.deadletterqueue.topic.name");
    switch (client) {
    case CLIENT_PRODUCER:
        return !sink || dead_letters;
    case CLIENT_CONSUMER:
        return sink;
    default:
        return sink ? dead_letters : has_topic_creation(connector) || has_topic_creation(nulls);
    }
}

static json_t *define(const struct client_key *key, unsigned client, const char *name)
{
    static const char *const types[] = {"BOOLEAN", "STRING", "INT",   "SHORT",   "LONG",
                                        "DOUBLE",  "LIST",   "CLASS", "PASSWORD"};
    static const char *const importances[] = {"HIGH", "MEDIUM", "LOW"};
    const struct sluice_option as_client = client_key_option(key, client), *option = &as_client;
    return json_pack("{s:s,s:s,s:b,s:s?,s:s,s:s,s:n,s:s,s:s,s:[],s:i}", "name", name, "type",
                     types[option->type], "required", 0, "default_value", option->default_value,
                     "importance", importances[option->importance], "documentation",
                     key->note ? key->note : "", "group", "width", "NONE", "display_name",
                     option->name, "dependents", "order", -1);
}

static json_t *refusal(enum client_policy policy, const char *key)
{
    return json_sprintf("The '%s' policy does not allow '%s' to be overridden in the connector "
                        "configuration.",
                        client_policy_name(policy), key);
}

/* A class that the JVM's worker has, or one whose part is built in here. */
static bool has_class(const struct registry *registry, const char *text)
{
    static const char *const packages[] = {"java.", "javax.", "org.apache.kafka.",
                                           "software.amazon.msk."};
    char name[256];
    size_t size = snprintf(name, sizeof(name), "%s", text + strspn(text, BLANKS)) < 256
                      ? strcspn(name, BLANKS)
                      : 0;
    name[size] = '\0';
    for (size_t i = 0; i < sizeof(packages) / sizeof(packages[0]); i++) {
        if (strncmp(name, packages[i], strlen(packages[i])) == 0) {
            return true;
        }
    }
    struct error ignored = {0};
    bool found = registry_find(registry, NULL, name, &ignored) != NULL;
    error_clear(&ignored);
    return found;
}

/* The value as it is shown, or *ret_wrong: Connect's sentence. Owned by the caller. */
static char *read_value(const struct registry *registry, const struct client_key *key,
                        const char *text, char **ret_wrong)
{
    struct value read = {0};
    *ret_wrong = value_parse(&read, key->option.type, key->option.name, text);
    char *shown = *ret_wrong ? NULL : config_value_text(&read, key->option.type);
    value_finish(&read);
    if (shown && key->option.type == SLUICE_OPTION_CLASS && !has_class(registry, text) &&
        asprintf(ret_wrong, "Invalid value %s for configuration %s: Class %s could not be found.",
                 text, key->option.name, text) < 0) {
        abort();
    }
    return shown;
}

/* -- the order of Java's maps -- */

struct override {
    const char *name, *text; /* text NULL: given as null */
    uint32_t read, listed; /* buckets in the map that is read, and in the one made of it */
    uint32_t whole;        /* in the whole configuration */
};

static int compare(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

/* Within a bucket entries stay in the order of the map before: the configuration, its overrides
 * (which are as many as the listed ones), what is read. */
static int by_read(const void *left, const void *right)
{
    const struct override *a = left, *b = right;
    int order = compare(a->read, b->read);
    order = order != 0 ? order : compare(a->listed, b->listed);
    return order != 0 ? order : compare(a->whole, b->whole);
}

static int by_listed(const void *left, const void *right)
{
    const struct override *a = left, *b = right;
    int order = compare(a->listed, b->listed);
    return order != 0 ? order : by_read(a, b);
}

static size_t collect(const struct properties *from, bool null, const char *prefix, size_t buckets,
                      struct override *to)
{
    size_t size = strlen(prefix), count = 0;
    for (size_t i = 0; i < from->count; i++) {
        const char *full = from->items[i].name;
        if (strncmp(full, prefix, size) == 0 && full[size]) {
            uint32_t hash = java_string_hash(full, strlen(full));
            to[count++] = (struct override){.name = full,
                                            .text = null ? NULL : from->items[i].value,
                                            .whole = java_bucket_of(hash, buckets)};
        }
    }
    return count;
}

static struct override *overrides_of(const struct properties *connector,
                                     const struct properties *nulls, const char *prefix,
                                     size_t *ret_count)
{
    size_t all = connector->count + nulls->count, size = strlen(prefix);
    size_t buckets = java_buckets_at_once(all);
    struct override *found = calloc(all + 1, sizeof(*found));
    if (!found) {
        abort();
    }
    size_t count = collect(connector, false, prefix, buckets, found);
    count += collect(nulls, true, prefix, buckets, found + count);
    for (size_t i = 0; i < count; i++) {
        uint32_t hash = java_string_hash(found[i].name + size, strlen(found[i].name + size));
        found[i].read = java_bucket_of(hash, java_buckets_at_once(count));
        found[i].listed = java_bucket(hash, count);
    }
    *ret_count = count;
    return found;
}

/* -- checks -- */

static const struct client_key *find_key(const char *name, unsigned client)
{
    const struct client_key *key = client_key_find(name);
    return key && (key->clients & client) ? key : NULL; /* NULL: not in that client's ConfigDef */
}

char *validate_overrides(const struct registry *registry, const struct properties *worker,
                         const struct properties *connector, const struct properties *nulls,
                         bool sink, bool takes_client_keys,
                         void (*add)(void *user, json_t *definition, const char *name,
                                     json_t *value, json_t *errors),
                         void *user)
{
    static const unsigned clients[] = {CLIENT_PRODUCER, CLIENT_CONSUMER, CLIENT_ADMIN};
    const char *allowed =
        properties_get(worker, "connector.client.config.override.allowlist");
    enum client_policy policy =
        client_policy_of(properties_get(worker, "connector.client.config.override.policy"));
    char *wrong = NULL;
    for (size_t c = 0; c < sizeof(clients) / sizeof(clients[0]) && !wrong; c++) {
        if (!uses(connector, nulls, sink, clients[c])) {
            continue;
        }
        const char *prefix = client_override_prefix(clients[c]);
        size_t size = strlen(prefix), count;
        struct override *found = overrides_of(connector, nulls, prefix, &count);
        qsort(found, count, sizeof(*found), by_read);
        for (size_t i = 0; i < count && !wrong; i++) {
            const struct client_key *key = find_key(found[i].name + size, clients[c]);
            if (key && found[i].text) {
                free(read_value(registry, key, found[i].text, &wrong));
            }
        }
        qsort(found, count, sizeof(*found), by_listed);
        for (size_t i = 0; i < count && !wrong; i++) {
            const char *full = found[i].name, *name = full + size, *text = found[i].text;
            const struct client_key *key = find_key(name, clients[c]);
            char *shown = key && text ? read_value(registry, key, text, &wrong) : NULL;
            json_t *errors = json_array();
            if (!client_policy_allows(policy, allowed, name)) {
                json_array_append_new(errors, refusal(policy, name));
            }
            add(user, key ? define(key, clients[c], full) : NULL, full,
                text ? json_string(shown ? shown : key ? "" : text) : json_null(), errors);
            free(shown);
        }
        free(found);
    }
    if (wrong) {
        return wrong;
    }
    for (size_t i = 0; takes_client_keys && i < connector->count; i++) {
        const char *full = connector->items[i].name;
        if (strncmp(full, "client.", 7) == 0 && full[7] &&
            !client_policy_allows(policy, allowed, full + 7)) {
            const struct client_key *key = client_key_find(full + 7);
            bool secret = key && key->option.type == SLUICE_OPTION_PASSWORD;
            add(user, NULL, full, json_string(secret ? "[hidden]" : connector->items[i].value),
                json_pack("[o]", refusal(policy, full + 7)));
        }
    }
    return NULL;
}
