/*
 * See instance.h. The services may be called by any thread of the plugin; an error belongs to the
 * thread that said it.
 */
#include "core/plugin/instance.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/config/config.h"
#include "core/data/batch.h"

/* What host->error() left on this thread, for plugin_failure_take(). */
static _Thread_local struct plugin_failure current = {.record = -1, .retry_after = -1};

static const struct plugin_instance *instance_of(const struct sluice_host *host)
{
    return host->host_data;
}

/* -- services -- */

static void host_log(const struct sluice_host *host, enum sluice_log_level level,
                     const char *format, ...)
{
    const struct plugin_instance *instance = instance_of(host);
    if (!log_enabled_for((enum log_level)level, instance->descriptor->class_name)) {
        return;
    }
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int size = vasprintf(&text, format, args);
    va_end(args);
    if (size >= 0) {
        log_line((enum log_level)level, instance->descriptor->class_name,
                 instance->environment->log_context, "%s", text);
        free(text);
    }
}

static bool host_log_enabled(const struct sluice_host *host, enum sluice_log_level level)
{
    return log_enabled_for((enum log_level)level, instance_of(host)->descriptor->class_name);
}

/* What a plugin says goes into messages and answers: what is longer ends in `..`. NULL: out of memory. */
static char *said(const char *format, va_list args)
{
    enum { TEXT_MAX = 64 << 10 };
    char *text = NULL;
    int size = vasprintf(&text, format, args);
    if (size < 0) {
        return NULL;
    }
    if (size > TEXT_MAX) {
        size = TEXT_MAX - 4;
        while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80) {
            size--;
        }
        memcpy(text + size, " ..", 4);
    }
    return text;
}

static enum sluice_result host_error(const struct sluice_host *host, enum sluice_result result,
                                     const char *java_class, const char *format, ...)
{
    (void)host;
    va_list args;
    va_start(args, format);
    char *text = said(format, args);
    va_end(args);
    (void)error_set_class(&current.error, ERROR_PLUGIN_FAILED, java_class, "%s", text ? text : "");
    free(text);
    return result;
}

static void host_error_cause(const struct sluice_host *host, const char *java_class,
                             const char *format, ...)
{
    (void)host;
    va_list args;
    va_start(args, format);
    char *text = said(format, args);
    va_end(args);
    error_add_cause(&current.error, java_class, text ? text : "");
    free(text);
}

static void host_error_record(const struct sluice_host *host, size_t index)
{
    (void)host;
    current.record = (ptrdiff_t)index;
}

static void host_retry_after(const struct sluice_host *host, int64_t milliseconds)
{
    (void)host;
    current.retry_after = milliseconds;
}

static struct sluice_metric *host_metric(const struct sluice_host *host, const char *name,
                                         enum sluice_metric_kind kind)
{
    struct metrics_page *page = instance_of(host)->environment->page;
    return page ? (struct sluice_metric *)metrics_slot(page, name, kind == SLUICE_COUNTER ? 1 : 2)
                : NULL;
}

static void host_metric_add(struct sluice_metric *metric, int64_t amount)
{
    if (metric) {
        atomic_fetch_add_explicit(&((struct metrics_slot *)metric)->value, amount,
                                  memory_order_relaxed);
    }
}

static void host_metric_set(struct sluice_metric *metric, int64_t value)
{
    if (metric) {
        atomic_store_explicit(&((struct metrics_slot *)metric)->value, value, memory_order_relaxed);
    }
}

static const void *host_extension(const struct sluice_host *host, const char *id)
{
    const struct plugin_environment *environment = instance_of(host)->environment;
    return environment->extension ? environment->extension(environment->user, id) : NULL;
}

/* -- plugins made by plugins -- */

struct made {
    struct plugin_instance *instance;
    struct made *next;
};

static void *host_make_plugin(const struct sluice_host *host, const char *kind,
                              const char *class_name, const struct sluice_config *config,
                              const char *prefix, const void **ret_vtable)
{
    struct plugin_instance *owner = host->host_data;
    struct plugin_instance *instance = NULL;
    struct error error = {0};
    struct properties own = {0};
    struct made *made = calloc(1, sizeof(*made));
    int result =
        made ? plugin_instance_create(owner->environment, kind, class_name, &instance, &error)
             : error_set(&error, ERROR_NO_MEMORY, "Out of memory for %s", class_name);
    if (result == 0) {
        properties_copy_prefixed(&own, config_properties(config), prefix ? prefix : "");
        result = plugin_instance_configure(instance, &own, &error);
        properties_finish(&own);
    }
    if (result != 0) {
        error_clear(&current.error);
        current.error = error;
        plugin_instance_destroy(instance);
        free(made);
        return NULL;
    }
    *made = (struct made){instance, owner->made};
    owner->made = made;
    *ret_vtable = instance->descriptor->vtable;
    return instance->self;
}

static const struct sluice_config *host_made_config(const struct sluice_host *host,
                                                    const void *self)
{
    const struct plugin_instance *owner = host->host_data;
    for (const struct made *made = owner->made; made; made = made->next) {
        if (made->instance->self == self) {
            return made->instance->config;
        }
    }
    return NULL;
}

static void host_drop_plugin(const struct sluice_host *host, void *self)
{
    struct plugin_instance *owner = host->host_data;
    for (struct made **link = (struct made **)&owner->made; *link; link = &(*link)->next) {
        struct made *made = *link;
        if (made->instance->self == self) {
            *link = made->next;
            plugin_instance_destroy(made->instance);
            free(made);
            return;
        }
    }
}

/* -- instances -- */

/*
 * Where each kind keeps create() and destroy(): every vtable begins {size, create, destroy}, those
 * of connectors' own kinds too (include/sluice/plugin.h).
 */
struct common_vtable {
    uint32_t size;
    void *(*create)(const struct sluice_host *host);
    void (*destroy)(void *self);
};

int plugin_instance_create(const struct plugin_environment *environment, const char *kind,
                           const char *class_name, struct plugin_instance **ret_instance,
                           struct error *error)
{
    const struct sluice_descriptor *descriptor =
        registry_find(environment->registry, kind, class_name, error);
    if (!descriptor) {
        return -1;
    }
    struct plugin_instance *instance = calloc(1, sizeof(*instance));
    if (!instance) {
        return error_set(error, ERROR_NO_MEMORY, "Out of memory for %s", class_name);
    }
    instance->descriptor = descriptor;
    instance->environment = environment;
    instance->host = (struct sluice_host){
        .size = sizeof(struct sluice_host),
        .name = "sluice",
        .version = SLUICE_VERSION,
        .data = &data_api,
        .records = &records_api,
        .config = &config_api,
        .log = host_log,
        .log_enabled = host_log_enabled,
        .error = host_error,
        .error_cause = host_error_cause,
        .error_record = host_error_record,
        .retry_after = host_retry_after,
        .metric = host_metric,
        .metric_add = host_metric_add,
        .metric_set = host_metric_set,
        .make_plugin = host_make_plugin,
        .drop_plugin = host_drop_plugin,
        .extension = host_extension,
        .host_data = instance,
        .made_config = host_made_config,
    };
    const struct common_vtable *vtable = descriptor->vtable;
    instance->self = vtable->create ? vtable->create(&instance->host) : NULL;
    if (!instance->self) {
        free(instance);
        return error_set(error, ERROR_PLUGIN_FAILED, "create() of %s returned NULL",
                         descriptor->class_name);
    }
    *ret_instance = instance;
    return 0;
}

void plugin_instance_destroy(struct plugin_instance *instance)
{
    if (!instance) {
        return;
    }
    const struct common_vtable *vtable = instance->descriptor->vtable;
    if (vtable->destroy) {
        vtable->destroy(instance->self);
    }
    while (instance->made) {
        struct made *made = instance->made;
        instance->made = made->next;
        plugin_instance_destroy(made->instance);
        free(made);
    }
    config_destroy(instance->config);
    free(instance);
}

int plugin_instance_configure(struct plugin_instance *instance, const struct properties *properties,
                              struct error *error)
{
    const struct sluice_option *const tables[] = {instance->descriptor->options, NULL};
    struct sluice_config *config = NULL;
    if (config_create(tables, properties, &config, error) != 0) {
        return -1;
    }
    config_destroy(instance->config);
    instance->config = config;
    return 0;
}

/* -- failures -- */

void plugin_failure_reset(void)
{
    if (current.error.code != ERROR_NONE) {
        error_clear(&current.error);
    }
    current.record = -1;
    current.retry_after = -1;
}

void plugin_failure_take(struct plugin_failure *ret_failure, enum sluice_result result,
                         const struct plugin_instance *instance, const char *what)
{
    *ret_failure = current;
    current = (struct plugin_failure){.record = -1, .retry_after = -1};
    if (ret_failure->error.code == ERROR_NONE) {
        (void)error_set_class(
            &ret_failure->error, ERROR_PLUGIN_FAILED, SLUICE_CONNECT_EXCEPTION,
            "%s of %s failed (result %d) without saying why: the plugin did not call "
            "host->error()",
            what, instance ? instance->descriptor->class_name : "the plugin", (int)result);
    }
    ret_failure->error.retriable = result == SLUICE_RETRY;
}
