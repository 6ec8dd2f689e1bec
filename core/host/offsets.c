/*
 * Role "offsets": what an operator asks about a connector's offsets. The class has a say in changes
 * (SLUICE_ALTER_OFFSETS); a sink's offsets are those of its consumer group and are read and changed
 * here, a source's are the worker's. [main thread]
 */
#include <stdlib.h>
#include <string.h>

#include <sluice/plugin.h>

#include "core/config/framework.h"
#include "core/data/batch.h"
#include "core/data/value_api.h"
#include "core/host/process.h"
#include "core/host/resolve.h"
#include "core/host/task.h"

enum { BROKER_MS = 30000 };

/* What Connect adds where a group cannot be changed. */
#define STILL_MEMBERS                                                                              \
    "either because its tasks haven't stopped completely yet or the connector was resumed before " \
    "the request to %s its offsets could be successfully completed. If the connector is in a "     \
    "stopped state, this operation can be safely retried. If it doesn't eventually succeed, the "  \
    "Connect cluster may need to be restarted to get rid of the zombie sink tasks."

struct job {
    struct host_process *process;
    const char *name, *operation; /* list, alter, reset */
    json_t *offsets;              /* [{partition, offset}..]; owned */
    struct task task;             /* for task_client_properties() only */
    const struct sluice_descriptor *descriptor;
    struct plugin_environment environment;
    struct broker *broker; /* of a sink */
    char *group;
    bool handled;
};

/* -- the group of a sink -- */

static int open_broker(struct job *job, struct error *error)
{
    struct properties admin = {0}, consumer = {0};
    task_client_properties(&job->task, CLIENT_CONNECTOR_ADMIN, &admin);
    task_client_properties(&job->task, CLIENT_SINK_CONSUMER, &consumer);
    const char *group = properties_get(&consumer, "group.id");
    if (!(job->group = strdup(group))) {
        abort();
    }
    int result = broker_open(&admin, &job->broker, error);
    properties_finish(&admin);
    properties_finish(&consumer);
    return result;
}

static int list_group(struct job *job, json_t **ret_list, struct error *error)
{
    struct broker_offset *offsets = NULL;
    size_t count = 0;
    int result =
        broker_group_offsets(job->broker, job->group, BROKER_MS, &offsets, &count, error);
    if (result != 0 && error->code == ERROR_NOT_FOUND) { /* nobody has read yet */
        error_clear(error);
        result = 0;
    }
    *ret_list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(*ret_list,
                              json_pack("{s:{s:s,s:i},s:{s:I}}", "partition", "kafka_topic",
                                        offsets[i].topic, "kafka_partition", offsets[i].partition,
                                        "offset", "kafka_offset", (json_int_t)offsets[i].offset));
    }
    broker_group_offsets_free(offsets, count);
    return result;
}

static int alter_group(struct job *job, struct error *error)
{
    size_t count = json_array_size(job->offsets), i;
    struct broker_offset *offsets = calloc(count + 1, sizeof(*offsets));
    json_t *item;
    if (!offsets) {
        abort();
    }
    json_array_foreach(job->offsets, i, item)
    {
        json_t *partition = json_object_get(item, "partition"),
               *offset = json_object_get(item, "offset");
        offsets[i] = (struct broker_offset){
            .topic = process_text(partition, "kafka_topic"),
            .partition = (int32_t)json_integer_value(json_object_get(partition, "kafka_partition")),
            .offset = json_is_object(offset)
                          ? json_integer_value(json_object_get(offset, "kafka_offset"))
                          : -1,
        };
    }
    int result =
        broker_group_offsets_alter(job->broker, job->group, offsets, count, BROKER_MS, error);
    free(offsets);
    if (result != 0 && error->code == ERROR_NOT_FOUND) { /* nothing to forget */
        error_clear(error);
        result = 0;
    }
    return result;
}

static int change_group(struct job *job, struct error *error)
{
    bool reset = strcmp(job->operation, "reset") == 0;
    int result = reset ? broker_group_delete(job->broker, job->group, BROKER_MS, error)
                       : alter_group(job, error);
    if (result != 0 && error->code == ERROR_NOT_FOUND) {
        error_clear(error);
        result = 0;
    }
    if (result != 0) {
        bool members = error->code == ERROR_GROUP_NOT_EMPTY || error->code == ERROR_GENERATION;
        char *why = NULL;
        if (members && asprintf(&why, STILL_MEMBERS, job->operation) < 0) {
            abort();
        }
        result = error_wrap(error, error->code, SLUICE_CONNECT_EXCEPTION,
                            "Failed to %s consumer group offsets for connector %s%s%s",
                            job->operation, job->name, members ? " " : "", members ? why : "");
        free(why);
    }
    return result;
}

/* -- the class's say -- */

static const struct sluice_value *value_of(struct sluice_batch *batch, json_t *object)
{
    struct sluice_value *value = NULL;
    struct sluice_json_error why = {.size = sizeof(why)};
    char *text = json_is_object(object) ? json_dumps(object, JSON_COMPACT) : NULL;
    if (text) {
        size_t size = strlen(text);
        char *copy = records_api.alloc(batch, size);
        memcpy(copy, text, size);
        if (data_api.from_json(batch, copy, size, SLUICE_JSON_STRICT, &value, &why) != SLUICE_OK) {
            value = NULL;
        }
    }
    free(text);
    return value;
}

static int call(struct job *job, struct plugin_instance *instance,
                const struct sluice_alter_offsets *extension, struct error *error)
{
    struct batch_pool *pool = batch_pool_create(1, 1 << 20);
    struct sluice_batch *batch = batch_new(pool);
    size_t count = json_array_size(job->offsets), i;
    struct sluice_offset_change *changes =
        records_api.alloc(batch, (count + 1) * sizeof(*changes));
    json_t *item;
    json_array_foreach(job->offsets, i, item)
    {
        changes[i].partition = value_of(batch, json_object_get(item, "partition"));
        changes[i].offset = value_of(batch, json_object_get(item, "offset"));
    }
    plugin_failure_reset();
    host_phase(job->process, "alter_offsets", job->descriptor->class_name);
    enum sluice_result result =
        extension->alter(instance->self, instance->config, changes, count, &job->handled);
    host_phase(job->process, "", "");
    if (result != SLUICE_OK) {
        struct plugin_failure failure = {0};
        plugin_failure_take(&failure, result, instance, "alter_offsets");
        *error = failure.error;
    }
    records_api.release(batch);
    batch_pool_destroy(pool);
    return result == SLUICE_OK ? 0 : -1;
}

static int ask_class(struct job *job, struct error *error)
{
    struct plugin_instance *instance = NULL;
    bool sink = strcmp(job->descriptor->kind, SLUICE_SINK) == 0;
    host_phase(job->process, "create", job->descriptor->class_name);
    int result = plugin_instance_create(&job->environment, job->descriptor->kind,
                                        job->descriptor->class_name, &instance, error);
    const void *(*ask)(void *, const char *) =
        sink ? ((const struct sluice_sink *)job->descriptor->vtable)->extension
             : ((const struct sluice_source *)job->descriptor->vtable)->extension;
    const struct sluice_alter_offsets *extension =
        result == 0 && ask ? ask(instance->self, SLUICE_ALTER_OFFSETS) : NULL;
    if (extension) {
        host_phase(job->process, "configure", job->descriptor->class_name);
        result = plugin_instance_configure(instance, &job->task.config, error);
        result = result == 0 ? call(job, instance, extension, error) : result;
    }
    host_phase(job->process, "destroy", job->descriptor->class_name);
    plugin_instance_destroy(instance);
    host_phase(job->process, "", "");
    return result;
}

/* -- which -- */

static int run(struct job *job, json_t *first, struct error *error)
{
    if (resolve_configs(&job->environment, &job->task.worker, &job->task.config, NULL, error) != 0) {
        return -1;
    }
    job->descriptor =
        registry_find(job->environment.registry, NULL, process_text(first, "class"), error);
    if (!job->descriptor) {
        return -1;
    }
    bool sink = strcmp(job->descriptor->kind, SLUICE_SINK) == 0;
    if (sink ? open_broker(job, error) != 0
             : framework_check_topic_creation(&job->task.config, &job->task.worker, error) != 0) {
        return -1;
    }
    if (strcmp(job->operation, "list") == 0 && !sink) {
        return 0; /* the worker knows them, and that they may be shown */
    }
    if (strcmp(job->operation, "list") == 0) {
        json_decref(job->offsets);
        job->offsets = NULL;
        return list_group(job, &job->offsets, error);
    }
    if (sink && strcmp(job->operation, "reset") == 0) {
        json_t *item;
        size_t i;
        json_decref(job->offsets);
        if (list_group(job, &job->offsets, error) != 0) {
            return -1;
        }
        json_array_foreach(job->offsets, i, item)
        {
            json_object_set_new(item, "offset", json_null());
        }
    }
    int result = ask_class(job, error);
    return result == 0 && sink ? change_group(job, error) : result;
}

int host_offsets(struct host_process *process, json_t *first)
{
    static struct job job;
    struct error error = {0};
    job = (struct job){
        .process = process,
        .name = process_text(first, "name"),
        .operation = process_text(first, "operation"),
        .offsets = json_incref(json_object_get(first, "offsets")),
        .environment = {.registry = registry_create(), .page = process->page},
    };
    if (!(job.task.connector = strdup(job.name))) {
        abort();
    }
    process_properties(&job.task.config, json_object_get(first, "config"));
    process_properties(&job.task.worker, json_object_get(first, "worker"));
    process_load_plugins(job.environment.registry, json_object_get(first, "plugin_path"));
    int result = run(&job, first, &error);
    if (result == 0) {
        process_send(process, json_pack("{s:s,s:o,s:b}", "type", "offsets_done", "offsets",
                                        job.offsets ? json_incref(job.offsets) : json_array(),
                                        "handled", (int)job.handled));
    } else {
        host_fail(process, &error);
    }
    json_decref(job.offsets);
    broker_close(job.broker);
    free(job.group);
    properties_finish(&job.task.config);
    properties_finish(&job.task.worker);
    free(job.task.connector);
    error_clear(&error);
    registry_destroy(job.environment.registry);
    return result == 0 ? 0 : 1;
}
