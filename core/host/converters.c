#include "core/host/converters.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_HEADER_CONVERTER "org.apache.kafka.connect.storage.SimpleHeaderConverter"

static int create_one(struct converter *converter, struct task *task, const char *key,
                      const char *fallback, enum sluice_converter_role role, struct error *error)
{
    const struct properties *from = &task->config;
    const char *class_name = properties_get(from, key);
    if (!class_name) {
        from = &task->worker;
        class_name = properties_get(from, key);
    }
    if (!class_name) {
        class_name = fallback;
    }
    if (!class_name) {
        return error_set_class(error, ERROR_CONFIG, SLUICE_CONFIG_EXCEPTION,
                               "Missing required configuration \"%s\" which has no default value.",
                               key);
    }
    const char *kind = SLUICE_CONVERTER;
    if (role == SLUICE_CONVERT_HEADER) {
        const struct sluice_descriptor *descriptor =
            registry_find(task->registry, SLUICE_HEADER_CONVERTER, class_name, error);
        error_clear(error);
        kind = descriptor ? SLUICE_HEADER_CONVERTER : SLUICE_CONVERTER;
    }
    if (plugin_instance_create(&task->environment, kind, class_name, &converter->instance, error) !=
        0) {
        return error_wrap(error, ERROR_CONFIG, SLUICE_CONFIG_EXCEPTION,
                          "Invalid value %s for configuration %s: Class %s could not be found.",
                          class_name, key, class_name);
    }
    static const char *const types[] = {"key", "value", "header"};
    struct properties own = {0};
    char prefix[32];
    (void)snprintf(prefix, sizeof(prefix), "%s.", key);
    properties_copy_prefixed(&own, from, prefix);
    properties_set(&own, "converter.type", types[role]);
    int result = plugin_instance_configure(converter->instance, &own, error);
    properties_finish(&own);
    if (result != 0) {
        return -1;
    }
    converter->vtable = converter->instance->descriptor->vtable;
    converter->self = converter->instance->self;
    converter->class_name = converter->instance->descriptor->class_name;
    plugin_failure_reset();
    enum sluice_result outcome = converter->vtable->configure(converter->self, class_name,
                                                              converter->instance->config, role);
    if (outcome != SLUICE_OK) {
        struct plugin_failure failure = {0};
        plugin_failure_take(&failure, outcome, converter->instance, "configure");
        *error = failure.error;
        return -1;
    }
    return 0;
}

int converters_create(struct converters *converters, struct task *task, struct error *error)
{
    *converters = (struct converters){0};
    if (create_one(&converters->key, task, "key.converter", NULL, SLUICE_CONVERT_KEY, error) != 0 ||
        create_one(&converters->value, task, "value.converter", NULL, SLUICE_CONVERT_VALUE, error) !=
            0 ||
        create_one(&converters->header, task, "header.converter", DEFAULT_HEADER_CONVERTER,
                   SLUICE_CONVERT_HEADER, error) != 0) {
        converters_finish(converters);
        return -1;
    }
    return 0;
}

void converters_finish(struct converters *converters)
{
    plugin_instance_destroy(converters->key.instance);
    plugin_instance_destroy(converters->value.instance);
    plugin_instance_destroy(converters->header.instance);
    *converters = (struct converters){0};
}
