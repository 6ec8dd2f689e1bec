/* `sluice check` on keys of Kafka's clients: core/config/client_keys.h under each prefix they may have. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/check.h"
#include "core/config/client_keys.h"
#include "core/config/framework.h"
#include "core/config/memory.h"

static const struct {
    const char *prefix;
    unsigned client;
} places[] = {
    /* longer ones first */
    {"producer.override.", CLIENT_PRODUCER}, {"consumer.override.", CLIENT_CONSUMER},
    {"admin.override.", CLIENT_ADMIN},       {"producer.", CLIENT_PRODUCER},
    {"consumer.", CLIENT_CONSUMER},          {"admin.", CLIENT_ADMIN},
};

/* Names of all keys, as a table that framework_nearest() takes. */
static const char *nearest(const char *name)
{
    static struct sluice_option names[200];
    if (!names[0].name) {
        for (size_t i = 0; client_keys[i].option.name && i + 1 < 200; i++) {
            names[i] = client_keys[i].option;
        }
    }
    const struct sluice_option *const tables[] = {names, NULL};
    return framework_nearest(name, tables);
}

const struct sluice_option *check_admin_keys(void)
{
    static struct sluice_option keys[200];
    size_t count = 0;
    for (const struct client_key *key = client_keys; key->option.name && count + 1 < 200; key++) {
        if (key->clients & CLIENT_ADMIN) {
            keys[count] = key->option;
            keys[count++].unavailable = key->way == CLIENT_KEY_NOT ? key->note : NULL;
        }
    }
    return keys;
}

static void check_unknown(struct check_file *file, const char *key, const char *prefix,
                          const char *name)
{
    const char *near = nearest(name);
    char *hint = NULL;
    if (near) {
        memory_checked(asprintf(&hint, "did you mean %s%s?", prefix, near) < 0 ? NULL : hint);
    }
    check_warning(file, key, hint, "no such key is known; it has no effect");
    free(hint);
}

/* ConfigDef's sentence, under the name that stands in the file. */
static void check_value(struct check_file *file, const char *key, const char *prefix,
                        const struct client_key *known, const char *value)
{
    char *wrong = client_key_check(known, value), *text = NULL;
    const char *name = wrong ? strstr(wrong, known->option.name) : NULL;
    if (name) {
        memory_checked(asprintf(&text, "%.*s%s%s", (int)(name - wrong), wrong, prefix, name) < 0
                           ? NULL
                           : text);
    }
    if (wrong) {
        check_error(file, key, known->note, "%s", text ? text : wrong);
    }
    free(text);
    free(wrong);
}

static void check_key(struct check_file *file, const struct property *item, const char *prefix,
                      unsigned client)
{
    const char *name = item->name + strlen(prefix);
    const struct client_key *known = client_key_find(name);
    if (!known) {
        if (strncmp(name, "sluice.", 7) != 0) {
            check_unknown(file, item->name, prefix, name);
        }
        return;
    }
    if (check_is_variable(item->value)) {
        return;
    }
    check_value(file, item->name, prefix, known, item->value);
    const char *reason = client_key_warning(known, client, item->value);
    if (reason) {
        check_warning(file, item->name, reason, "cannot be honoured");
    }
}

void check_clients(struct check_file *file)
{
    for (size_t i = 0; i < file->properties.count; i++) {
        const struct property *item = &file->properties.items[i];
        for (size_t at = 0; at < sizeof(places) / sizeof(places[0]); at++) {
            if (strncmp(item->name, places[at].prefix, strlen(places[at].prefix)) == 0) {
                if (strncmp(item->name, "admin.listeners", 15) != 0) { /* of the REST API */
                    check_key(file, item, places[at].prefix, places[at].client);
                }
                break;
            }
        }
    }
}

bool check_client_file(struct check_file *file)
{
    static const char *const marks[] = {"security.protocol", "sasl.mechanism", "sasl.jaas.config",
                                        "ssl.truststore.location"};
    static const char *const prefixes[] = {"", "client."};
    for (size_t p = 0; p < 2; p++) {
        bool is_one = false;
        for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
            char name[64];
            (void)snprintf(name, sizeof(name), "%s%s", prefixes[p], marks[i]);
            is_one = is_one || properties_get(&file->properties, name);
        }
        for (size_t i = 0; is_one && i < file->properties.count; i++) {
            const struct property *item = &file->properties.items[i];
            if (strncmp(item->name, prefixes[p], strlen(prefixes[p])) == 0) {
                check_key(file, item, prefixes[p], CLIENT_ANY);
            }
        }
        if (is_one) {
            file->type = CHECK_CLIENT;
            return true;
        }
    }
    return false;
}
