/* The host side of the interface: errors of a call, configuration, plugins made by plugins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/config/config.h"
#include "core/data/batch.h"
#include "core/plugin/instance.h"

static struct metrics_page page;
static struct plugin_environment environment = {.page = &page, .log_context = "[x|task-0] "};

static int load(void **state)
{
    (void)state;
    struct error error = {0};
    environment.registry = registry_create();
    return registry_load(environment.registry, TEMPLATES "/transform.so", &error) ||
           registry_load(environment.registry, TEMPLATES "/sink.so", &error);
}

static int unload(void **state)
{
    (void)state;
    registry_destroy(environment.registry);
    return 0;
}

static struct plugin_instance *make(const char *kind)
{
    struct plugin_instance *instance = NULL;
    struct error error = {0};
    assert_int_equal(plugin_instance_create(&environment, kind, "@CLASS@", &instance, &error), 0);
    return instance;
}

static void a_transform_works(void **state)
{
    (void)state;
    struct plugin_instance *instance = make(SLUICE_TRANSFORM);
    const struct sluice_transform *transform = instance->descriptor->vtable;
    struct properties properties = {0};
    struct error error = {0};
    assert_int_equal(plugin_instance_configure(instance, &properties, &error), -1);
    assert_non_null(strstr(error.message, "Missing required configuration \"field\""));
    error_clear(&error);
    properties_set(&properties, "field", "name");
    assert_int_equal(plugin_instance_configure(instance, &properties, &error), 0);
    assert_int_equal(transform->configure(instance->self, "@CLASS@", instance->config), SLUICE_OK);

    struct sluice_batch *batch = batch_new(NULL);
    static const char json[] = "{\"name\":\"Ada b\",\"n\":1}";
    struct sluice_value *value = NULL;
    struct sluice_json_error why = {.size = sizeof(why)};
    struct sluice_record *record =
        batch_add_sink(batch, "t", 0, 0, 0, SLUICE_TIMESTAMP_CREATE, (struct sluice_span){NULL, 0},
                       (struct sluice_span){json, sizeof(json) - 1});
    assert_int_equal(data_api.from_json(batch, json, sizeof(json) - 1, 0, &value, &why), SLUICE_OK);
    records_api.set_value(record, NULL, value);
    assert_int_equal(transform->apply(instance->self, record), SLUICE_OK);
    struct sluice_span text = data_api.to_json(batch, records_api.value(record));
    assert_memory_equal(text.data, "{\"name\":\"ADA B\",\"n\":1}", text.size);

    /* What it says of a bad record is told once, to who made the call. */
    plugin_failure_reset();
    records_api.set_value(record, NULL, data_api.new_boolean(batch, true));
    enum sluice_result result = transform->apply(instance->self, record);
    assert_int_equal(result, SLUICE_BAD_RECORD);
    struct plugin_failure failure = {0};
    plugin_failure_take(&failure, result, instance, "apply");
    assert_string_equal(failure.error.message, "The value of a record from topic t is no map");
    assert_string_equal(failure.error.java_class, SLUICE_DATA_EXCEPTION);
    error_clear(&failure.error);
    plugin_failure_take(&failure, result, instance, "apply");
    assert_non_null(strstr(failure.error.message, "did not call host->error()"));
    error_clear(&failure.error);

    records_api.release(batch);
    properties_finish(&properties);
    plugin_instance_destroy(instance);
}

/* A long text is cut between two characters, and says so. */
static void a_long_text_is_cut(void **state)
{
    enum { LONG = 100000 };
    (void)state;
    struct plugin_instance *instance = make(SLUICE_TRANSFORM);
    const struct sluice_host *host = &instance->host;
    char *text = malloc(LONG + 1);
    for (size_t i = 0; i < LONG; i += 2) {
        memcpy(text + i, "\u00fc", 2);
    }
    text[LONG] = '\0';
    plugin_failure_reset();
    assert_int_equal(host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "%s", text), SLUICE_FATAL);
    host->error_cause(host, "java.io.IOException", "!%s", text);
    struct plugin_failure failure = {0};
    plugin_failure_take(&failure, SLUICE_FATAL, instance, "start");
    size_t size = strlen(failure.error.message);
    assert_in_range(size, 65000, 65536);
    assert_string_equal(failure.error.message + size - 5, "\u00fc ..");
    size = strlen(failure.error.cause->message);
    assert_in_range(size, 65000, 65536);
    assert_string_equal(failure.error.cause->message + size - 5, "\u00fc ..");
    error_clear(&failure.error);
    free(text);
    plugin_instance_destroy(instance);
}

static void what_a_call_says_belongs_to_it(void **state)
{
    (void)state;
    struct plugin_instance *instance = make(SLUICE_SINK);
    const struct sluice_host *host = &instance->host;
    assert_int_equal(host->error(host, SLUICE_RETRY, SLUICE_RETRIABLE_EXCEPTION, "no %s", "server"),
                     SLUICE_RETRY);
    host->error_cause(host, "java.io.IOException", "connection refused");
    host->error_record(host, 7);
    host->retry_after(host, 250);
    struct plugin_failure failure = {0};
    plugin_failure_take(&failure, SLUICE_RETRY, instance, "put");
    char *trace = error_trace(&failure.error);
    assert_string_equal(trace, SLUICE_RETRIABLE_EXCEPTION
                        ": no server\nCaused by: java.io.IOException: connection refused");
    assert_true(failure.error.retriable);
    assert_int_equal(failure.record, 7);
    assert_int_equal(failure.retry_after, 250);
    free(trace);
    error_clear(&failure.error);
    plugin_instance_destroy(instance);
}

static void metrics_are_on_the_page(void **state)
{
    (void)state;
    struct plugin_instance *instance = make(SLUICE_SINK);
    const struct sluice_host *host = &instance->host;
    struct sluice_metric *metric = host->metric(host, "lines-written", SLUICE_COUNTER);
    host->metric_add(metric, 3);
    host->metric_add(metric, 4);
    host->metric_add(NULL, 4);
    host->metric_set(NULL, 4);
    assert_int_equal(metrics_slot(&page, "lines-written", 1)->value, 7);
    plugin_instance_destroy(instance);
}

static void plugins_make_plugins(void **state)
{
    (void)state;
    struct plugin_instance *instance = make(SLUICE_SINK);
    const struct sluice_host *host = &instance->host;
    struct properties properties = {0};
    struct error error = {0};
    properties_set(&properties, "file", "/dev/null");
    properties_set(&properties, "inner.field", "f");
    assert_int_equal(plugin_instance_configure(instance, &properties, &error), 0);
    const void *vtable = NULL;
    void *made =
        host->make_plugin(host, SLUICE_TRANSFORM, "@CLASS@", instance->config, "inner.", &vtable);
    assert_non_null(made);
    assert_non_null(vtable);
    host->drop_plugin(host, made);
    assert_non_null(
        host->make_plugin(host, SLUICE_TRANSFORM, "@CLASS@", instance->config, "inner.", &vtable));

    plugin_failure_reset();
    assert_null(
        host->make_plugin(host, SLUICE_TRANSFORM, "no.Such", instance->config, "", &vtable));
    struct plugin_failure failure = {0};
    plugin_failure_take(&failure, SLUICE_FATAL, instance, "start");
    assert_non_null(strstr(failure.error.message, "no.Such"));
    error_clear(&failure.error);
    properties_finish(&properties);
    plugin_instance_destroy(instance); /* and with it the one that was made and not dropped */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transform_works),
        cmocka_unit_test(a_long_text_is_cut),
        cmocka_unit_test(what_a_call_says_belongs_to_it),
        cmocka_unit_test(metrics_are_on_the_page),
        cmocka_unit_test(plugins_make_plugins),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
