#include "core/host/validate_clients.h"

#include <stdlib.h>
#include <string.h>

#include "core/config/client_properties.h"
#include "core/config/value.h"

static bool is_given(const struct properties *connector, const char *name)
{
    const char *value = properties_get(connector, name);
    return value && value[strspn(value, " \t\r\n\f\v")];
}

static bool has_topic_creation(const struct properties *connector)
{
    for (size_t i = 0; i < connector->count; i++) {
        if (strncmp(connector->items[i].name, "topic.creation.", 15) == 0) {
            return true;
        }
    }
    return false;
}

/* Connect looks at the overrides of those clients only that the connector will have. */
static bool uses(const struct properties *connector, bool sink, unsigned client)
{
    bool dead_letters = sink && is_given(connector, "errors.deadletterqueue.topic.name");
    switch (client) {
    case CLIENT_PRODUCER:
        return !sink || dead_letters;
    case CLIENT_CONSUMER:
        return sink;
    default:
        return sink ? dead_letters : has_topic_creation(connector);
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

char *validate_overrides(const struct properties *worker, const struct properties *connector,
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
    for (size_t c = 0; c < sizeof(clients) / sizeof(clients[0]); c++) {
        const char *prefix = client_override_prefix(clients[c]);
        size_t size = strlen(prefix);
        for (size_t i = 0; i < connector->count && uses(connector, sink, clients[c]); i++) {
            const char *full = connector->items[i].name, *text = connector->items[i].value;
            if (strncmp(full, prefix, size) != 0 || !full[size]) {
                continue;
            }
            const struct client_key *key = client_key_find(full + size);
            if (key && !(key->clients & clients[c])) {
                key = NULL; /* not in that client's ConfigDef */
            }
            char *shown = NULL;
            if (key) {
                struct value read = {0};
                char *wrong = value_parse(&read, key->option.type, full + size, text);
                shown = wrong ? NULL : config_value_text(&read, key->option.type);
                value_finish(&read);
                if (wrong) {
                    return wrong;
                }
            }
            json_t *errors = json_array();
            if (!client_policy_allows(policy, allowed, full + size)) {
                json_array_append_new(errors, refusal(policy, full + size));
            }
            add(user, key ? define(key, clients[c], full) : NULL, full,
                json_string(shown ? shown : key ? "" : text), errors);
            free(shown);
        }
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
