#include "core/base/json_text.h"
#include "core/host/resolve.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/config_provider.h>

#include "core/config/framework.h"
#include "core/host/process.h"
#include "lib/util/buffer.h"

enum {
    VALUE_MOST = 8 << 20,
    HIDDEN_LEAST = 6, /* shorter ones are in every other text by chance */
    HIDDEN_MOST = 4096,
};

struct provider {
    char *name;
    struct plugin_instance *instance;
};

struct resolver {
    struct provider *providers;
    size_t count;
    int64_t time_to_live;
};

/* -- what is not to be seen -- */

static pthread_mutex_t hidden_lock = PTHREAD_MUTEX_INITIALIZER;
static char *hidden[HIDDEN_MOST];
static size_t hidden_count;

static void hide(const char *value)
{
    size_t size = strlen(value);
    if (size < HIDDEN_LEAST) {
        return;
    }
    pthread_mutex_lock(&hidden_lock);
    bool known = false;
    for (size_t i = 0; i < hidden_count && !known; i++) {
        known = strcmp(hidden[i], value) == 0;
    }
    char *copy = !known && hidden_count < HIDDEN_MOST ? strdup(value) : NULL;
    if (copy) { /* the longest first, so that a part of one does not betray the rest */
        size_t at = 0;
        while (at < hidden_count && strlen(hidden[at]) >= size) {
            at++;
        }
        memmove(&hidden[at + 1], &hidden[at], (hidden_count - at) * sizeof(*hidden));
        hidden[at] = copy;
        hidden_count++;
    }
    pthread_mutex_unlock(&hidden_lock);
}

char *resolve_hide(const char *text)
{
    char *result = strdup(text);
    pthread_mutex_lock(&hidden_lock);
    for (size_t i = 0; result && i < hidden_count; i++) {
        char *at = strstr(result, hidden[i]);
        if (!at) {
            continue;
        }
        struct buffer clean;
        buffer_init(&clean, 2 * strlen(result) + 16 * strlen(result) / strlen(hidden[i]) + 64);
        const char *from = result;
        for (; at; at = strstr(from, hidden[i])) {
            (void)buffer_append(&clean, from, (size_t)(at - from));
            (void)buffer_append_text(&clean, "[hidden]");
            from = at + strlen(hidden[i]);
        }
        (void)buffer_append_text(&clean, from);
        free(result);
        result = buffer_take(&clean);
    }
    pthread_mutex_unlock(&hidden_lock);
    return result;
}

/* -- providers -- */

static int make_provider(struct resolver *resolver, const struct plugin_environment *environment,
                         const struct properties *worker, const struct framework_item *item,
                         struct error *error)
{
    struct provider *provider = &resolver->providers[resolver->count++];
    provider->name = strndup(item->text, item->size);
    char *key = NULL, *prefix = NULL;
    if (!provider->name || asprintf(&key, "config.providers.%s.class", provider->name) < 0 ||
        asprintf(&prefix, "config.providers.%s.param.", provider->name) < 0) {
        abort();
    }
    const char *class_name = properties_get(worker, key);
    struct properties parameters = {0};
    int result =
        class_name ? plugin_instance_create(environment, SLUICE_CONFIG_PROVIDER, class_name,
                                            &provider->instance, error)
                   : error_set_class(error, ERROR_CONFIG, SLUICE_CONFIG_EXCEPTION,
                                     "Missing required configuration \"%s\" which has no default "
                                     "value.",
                                     key);
    properties_copy_prefixed(&parameters, worker, prefix);
    result = result == 0 ? plugin_instance_configure(provider->instance, &parameters, error) : result;
    if (result == 0) {
        const struct sluice_config_provider *vtable = provider->instance->descriptor->vtable;
        plugin_failure_reset();
        enum sluice_result outcome =
            vtable->configure
                ? vtable->configure(provider->instance->self, provider->instance->config)
                : SLUICE_OK;
        if (outcome != SLUICE_OK) {
            struct plugin_failure failure = {0};
            plugin_failure_take(&failure, outcome, provider->instance, "configure");
            *error = failure.error;
            result = -1;
        }
    }
    properties_finish(&parameters);
    free(key);
    free(prefix);
    return result;
}

static void resolver_destroy(struct resolver *resolver)
{
    if (!resolver) {
        return;
    }
    for (size_t i = 0; i < resolver->count; i++) {
        plugin_instance_destroy(resolver->providers[i].instance);
        free(resolver->providers[i].name);
    }
    free(resolver->providers);
    free(resolver);
}

/* Makes the providers that the worker's config.providers names. */
static int resolver_create(const struct plugin_environment *environment, const struct properties *worker,
                           struct resolver **ret_resolver, struct error *error)
{
    const char *names = properties_get(worker, "config.providers");
    struct resolver *resolver = calloc(1, sizeof(*resolver));
    struct provider *providers = calloc(strlen(names ? names : "") + 1, sizeof(*providers));
    struct framework_item item;
    int result = 0;
    if (!resolver || !providers) {
        abort();
    }
    resolver->providers = providers;
    resolver->time_to_live = -1;
    for (const char *next = names; result == 0 && framework_next_item(&next, &item);) {
        result = item.size > 0 ? make_provider(resolver, environment, worker, &item, error) : 0;
    }
    if (result != 0) {
        resolver_destroy(resolver);
        return result;
    }
    *ret_resolver = resolver;
    return 0;
}

/* The shortest time that a value is good for; -1: for ever. */
static int64_t resolver_time_to_live(const struct resolver *resolver)
{
    return resolver->time_to_live;
}

/* -- variables -- */

/* A variable in a text; parts are spans of it. */
struct variable {
    const char *begin, *end; /* "${" and behind "}" */
    const char *provider, *path, *key;
    size_t provider_size, path_size, key_size;
};

/* As the pattern `\$\{([^}]*?):(([^}]*?):)?([^}]*?)\}` finds it. */
static bool find_variable(const char *text, struct variable *ret)
{
    for (const char *begin = strstr(text, "${"); begin; begin = strstr(begin + 1, "${")) {
        const char *inner = begin + 2, *end = strchr(inner, '}');
        const char *first = end ? memchr(inner, ':', (size_t)(end - inner)) : NULL;
        if (!first) {
            continue;
        }
        const char *second = memchr(first + 1, ':', (size_t)(end - first - 1));
        const char *key = second ? second + 1 : first + 1;
        *ret = (struct variable){
            .begin = begin,
            .end = end + 1,
            .provider = inner,
            .provider_size = (size_t)(first - inner),
            .path = first + 1,
            .path_size = second ? (size_t)(second - first - 1) : 0,
            .key = key,
            .key_size = (size_t)(end - key),
        };
        return true;
    }
    return false;
}

static const struct provider *find_provider(const struct resolver *resolver,
                                            const struct variable *variable)
{
    for (size_t i = 0; i < resolver->count; i++) {
        const char *name = resolver->providers[i].name;
        if (strlen(name) == variable->provider_size &&
            memcmp(name, variable->provider, variable->provider_size) == 0) {
            return &resolver->providers[i];
        }
    }
    return NULL;
}

struct found {
    struct resolver *resolver;
    char *value;
};

static void on_value(const struct sluice_provided *provided, const char *key, const char *value)
{
    struct found *found = provided->host_data;
    (void)key;
    free(found->value);
    found->value = strdup(value);
}

static void on_time_to_live(const struct sluice_provided *provided, int64_t milliseconds)
{
    struct found *found = provided->host_data;
    int64_t *least = &found->resolver->time_to_live;
    *least = milliseconds >= 0 && (*least < 0 || milliseconds < *least) ? milliseconds : *least;
}

/* *ret_value: owned by the caller; NULL: there is none. */
static int look_up(struct resolver *resolver, const struct variable *variable, char **ret_value,
                   struct error *error)
{
    const struct provider *provider = find_provider(resolver, variable);
    *ret_value = NULL;
    if (!provider) {
        return 0;
    }
    char *path = strndup(variable->path, variable->path_size);
    char *key = strndup(variable->key, variable->key_size);
    struct found found = {.resolver = resolver};
    const struct sluice_provided provided = {
        .size = sizeof(provided),
        .value = on_value,
        .time_to_live = on_time_to_live,
        .host_data = &found,
    };
    const struct sluice_config_provider *vtable = provider->instance->descriptor->vtable;
    const char *const keys[] = {key};
    plugin_failure_reset();
    enum sluice_result result =
        path && key ? vtable->get(provider->instance->self, path, keys, 1, &provided) : SLUICE_FATAL;
    if (result != SLUICE_OK) {
        struct plugin_failure failure = {0};
        plugin_failure_take(&failure, result, provider->instance, "get");
        *error = failure.error;
        error->code = ERROR_PROVIDER;
        free(found.value);
        found.value = NULL;
    }
    *ret_value = found.value;
    free(path);
    free(key);
    return result == SLUICE_OK ? 0 : -1;
}

/* *ret_text: owned by the caller; NULL: nothing was replaced. */
static int replace(struct resolver *resolver, const char *text, char **ret_text, struct error *error)
{
    struct buffer out;
    struct variable variable;
    bool any = false;
    buffer_init(&out, VALUE_MOST);
    *ret_text = NULL;
    while (find_variable(text, &variable)) {
        char *value;
        if (look_up(resolver, &variable, &value, error) != 0) {
            buffer_finish(&out);
            return -1;
        }
        (void)buffer_append(&out, text, (size_t)(variable.begin - text));
        if (value) {
            (void)buffer_append_text(&out, value);
            hide(value);
            any = true;
        } else {
            (void)buffer_append(&out, variable.begin, (size_t)(variable.end - variable.begin));
        }
        free(value);
        text = variable.end;
    }
    (void)buffer_append_text(&out, text);
    if (any) {
        char *taken = buffer_take(&out); /* NULL: empty */
        *ret_text = taken ? taken : strdup("");
    } else {
        buffer_finish(&out);
    }
    return 0;
}

/* Puts values in place of variables. A variable without a value stays as it is. */
static int resolver_apply(struct resolver *resolver, struct properties *properties, struct error *error)
{
    for (size_t i = 0; i < properties->count; i++) {
        const char *name = properties->items[i].name;
        char *text = NULL;
        if (strcmp(name, "plugin.path") == 0 || strncmp(name, "config.providers", 16) == 0) {
            continue;
        }
        if (replace(resolver, properties->items[i].value, &text, error) != 0) {
            return -1;
        }
        if (text) {
            properties_set(properties, name, text);
            free(text);
        }
    }
    return 0;
}

static bool has_variables(const struct properties *properties)
{
    struct variable variable;
    for (size_t i = 0; i < properties->count; i++) {
        if (find_variable(properties->items[i].value, &variable)) {
            return true;
        }
    }
    return false;
}

int resolve_configs(const struct plugin_environment *environment, struct properties *worker,
                    struct properties *config, int64_t *ret_ttl, struct error *error)
{
    struct resolver *resolver = NULL;
    if (ret_ttl) {
        *ret_ttl = -1;
    }
    const char *names = properties_get(worker, "config.providers");
    if (!names || !*names || (!has_variables(worker) && !has_variables(config))) {
        return 0;
    }
    int result = resolver_create(environment, worker, &resolver, error);
    if (result == 0) {
        result = resolver_apply(resolver, worker, error);
        result = result == 0 ? resolver_apply(resolver, config, error) : result;
        if (ret_ttl) {
            *ret_ttl = resolver_time_to_live(resolver);
        }
    }
    resolver_destroy(resolver);
    return result;
}

/* -- role "resolve": for the worker's own keys -- */

int host_resolve(struct host_process *process, json_t *first)
{
    struct error error = {0};
    struct properties worker = {0}, config = {0};
    const struct plugin_environment environment = {.registry = registry_create(),
                                                   .page = process->page};
    process_load_plugins(environment.registry, json_object_get(first, "plugin_path"));
    process_properties(&worker, json_object_get(first, "worker"));
    process_properties(&config, json_object_get(first, "config"));
    int result = resolve_configs(&environment, &worker, &config, NULL, &error);
    if (result == 0) {
        json_t *values = json_object();
        for (size_t i = 0; i < config.count; i++) {
            json_object_set_new(values, config.items[i].name, json_text(config.items[i].value));
        }
        process_send(process, json_pack("{s:s,s:o}", "type", "resolved", "values", values));
    } else {
        host_fail(process, &error);
    }
    properties_finish(&worker);
    properties_finish(&config);
    error_clear(&error);
    registry_destroy(environment.registry);
    return result == 0 ? 0 : 1;
}
