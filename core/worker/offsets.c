/*
 * Offsets over REST (KIP-875): read, altered, reset. A source's are in the worker's file, a sink's are
 * its consumer group's, reached through a host; the class is asked there before anything changes.
 * [loop thread]
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/store/offsets_order.h"
#include "core/worker/herder_priv.h"

static bool is_sink(const struct connector *connector)
{
    return strcmp(connector->type, "sink") == 0;
}

/* Starts the host; NULL with error. Takes over offsets. */
static struct host *ask(const struct connector *connector, const char *operation, json_t *offsets,
                        void (*on_message)(void *user, const char *type, json_t *message),
                        void (*on_end)(void *user, const struct host_end *end), void *user,
                        struct error *error)
{
    struct herder *herder = connector->herder;
    json_t *config = connector->config;
    const char *class_name = json_string_value(json_object_get(config, "connector.class"));
    json_t *const configs[] = {config, herder->worker_json, NULL};
    char *subject = NULL, *context = NULL;
    if (asprintf(&subject, "The offsets of %s", connector->name) < 0 ||
        asprintf(&context, "[%s|worker] ", connector->name) < 0) {
        abort();
    }
    const struct host_options options = {
        .role = "offsets",
        .name = connector->name,
        .subject = subject,
        .context = context,
        .first = json_pack("{s:s,s:s,s:s,s:s,s:O,s:O,s:o,s:o}", "type", "offsets", "operation",
                           operation, "name", connector->name, "class",
                           class_name ? class_name : "", "config", config, "worker",
                           herder->worker_json, "offsets", offsets ? offsets : json_array(),
                           "plugin_path", catalog_files_for(herder->catalog, configs)),
        .deadline_ms = herder_long(herder, config, "sluice.plugin.timeout.ms", PLUGIN_TIMEOUT_MS),
        .on_message = on_message,
        .on_end = on_end,
        .user = user,
    };
    struct host *host = host_start(herder->supervisor, &options, error);
    free(subject);
    free(context);
    return host;
}

/* -- reading -- */

/* Takes over offsets. */
static void reply_list(struct command *command, json_t *offsets)
{
    json_t *body = json_pack("{s:o}", "offsets", offsets);
    command_reply(command, 200, body, NULL);
    json_decref(body);
}

static void on_group_listed(void *user, const char *type, json_t *message)
{
    if (strcmp(type, "offsets_done") == 0) {
        reply_list(user, offsets_in_group_order(json_object_get(message, "offsets")));
    }
}

static void on_source_checked(void *user, const char *type, json_t *message)
{
    if (strcmp(type, "offsets_done") == 0) {
        reply_list(user, json_incref(json_object_get(message, "offsets")));
    }
}

static void on_list_end(void *user, const struct host_end *end)
{
    struct command *command = user;
    command->host = NULL;
    if (!end->clean) {
        command_reply(command, 500, NULL, end->message);
    }
    command_finish(command);
}

void offsets_read(struct herder *herder, struct command *command)
{
    const struct connector *connector = herder_find(herder, command->request.name);
    struct error error = {0};
    if (!connector) {
        command_reply_format(command, 404, "Connector %s not found", command->request.name);
        command_finish(command);
        return;
    }
    bool sink = is_sink(connector);
    json_t *offsets = sink ? NULL : offsets_file_list(herder->offsets, connector->name);
    if (!sink && !connector->not_made) {
        reply_list(command, offsets);
        command_finish(command);
        return;
    }
    /* a source that cannot be made has none to show, in Connect's eyes: why is found out anew */
    command->host = ask(connector, "list", offsets, sink ? on_group_listed : on_source_checked,
                        on_list_end, command, &error);
    if (!command->host) {
        command_reply(command, 500, NULL, error.message);
        error_clear(&error);
        command_finish(command);
    }
}

/* -- a sink's partitions and offsets: numbers may come as text -- */

/* As String.valueOf(). Owned by the caller. */
static char *text_of(json_t *value)
{
    const char *string = json_string_value(value);
    char *text = string ? strdup(string + (*string == HERDER_BIG_NUMBER))
                                       : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    return text ? text : strdup("null");
}

static bool parse_number(const char *text, long long least, long long most, long long *ret)
{
    char *end;
    errno = 0;
    *ret = strtoll(text, &end, 10);
    bool digits = text[strspn(text, "+-0123456789")] == '\0';
    return digits && end != text && *end == '\0' && errno == 0 && *ret >= least && *ret <= most;
}

/* The number of a member, or an answer of 400. */
static bool read_number(struct command *command, json_t *object, const char *key, const char *what,
                        long long most, long long *ret)
{
    char *text = text_of(json_object_get(object, key));
    bool good = parse_number(text, -most - 1, most, ret);
    if (!good) {
        command_reply_format(command, 400,
                             "Failed to parse the following Kafka %s value in the provided offsets: "
                             "'%s'. %c%s values for sink connectors need to be integers.",
                             what, text, what[0] - 'a' + 'A', what + 1);
    }
    free(text);
    return good;
}

/* One item in the form that hosts take; NULL: answered. */
static json_t *parse_sink_item(struct command *command, json_t *item)
{
    json_t *partition = json_object_get(item, "partition"), *offset = json_object_get(item, "offset");
    long long number, position = 0;
    if (!json_is_object(partition)) {
        command_reply(command, 400, NULL,
                      "The partition for a sink connector offset cannot be null or missing");
        return NULL;
    }
    json_t *topic = json_object_get(partition, "kafka_topic");
    if (!topic || !json_object_get(partition, "kafka_partition")) {
        command_reply(command, 400, NULL,
                      "The partition for a sink connector offset must contain the keys "
                      "'kafka_topic' and 'kafka_partition'");
        return NULL;
    }
    if (json_is_null(topic)) {
        command_reply(command, 400, NULL,
                      "Kafka topic names must be valid strings and may not be null");
        return NULL;
    }
    if (json_is_null(json_object_get(partition, "kafka_partition"))) {
        command_reply(command, 400, NULL,
                      "Kafka partitions must be valid numbers and may not be null");
        return NULL;
    }
    if (!read_number(command, partition, "kafka_partition", "partition", INT32_MAX, &number)) {
        return NULL;
    }
    bool forget = !json_is_object(offset);
    if (!forget && !json_object_get(offset, "kafka_offset")) {
        command_reply(command, 400, NULL,
                      "The offset for a sink connector should either be null or contain the key "
                      "'kafka_offset'");
        return NULL;
    }
    if (!forget &&
        !read_number(command, offset, "kafka_offset", "offset", INT64_MAX, &position)) {
        return NULL;
    }
    char *name = text_of(topic);
    json_t *result = json_pack("{s:{s:s,s:I},s:o}", "partition", "kafka_topic", name,
                               "kafka_partition", (json_int_t)number, "offset",
                               forget ? json_null()
                                      : json_pack("{s:I}", "kafka_offset", (json_int_t)position));
    free(name);
    return result;
}

/* Numbers, texts, booleans and nulls; false: answered. */
static bool check_primitives(struct command *command, json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        const char *text = json_string_value(value);
        bool big = text && *text == HERDER_BIG_NUMBER;
        if (big || json_is_array(value) || json_is_object(value)) {
            command_reply_format(command, 500,
                                 "Offsets may only contain primitive types as values, but field %s "
                                 "contains %s",
                                 name,
                                 big                    ? "class java.math.BigInteger"
                                 : json_is_array(value) ? "ARRAY"
                                                        : "MAP");
            return false;
        }
    }
    return true;
}

static json_t *parse_source_item(struct command *command, json_t *item)
{
    json_t *partition = json_object_get(item, "partition"), *offset = json_object_get(item, "offset");
    if (!check_primitives(command, partition) || !check_primitives(command, offset)) {
        return NULL;
    }
    return json_pack("{s:O,s:O}", "partition", partition ? partition : json_null(), "offset",
                     offset ? offset : json_null());
}

/* A partition's number may be text, so items that differ can be of one partition: the last one counts. */
static void put_sink_item(json_t *list, json_t *parsed)
{
    json_t *partition = json_object_get(parsed, "partition"), *item;
    size_t i;
    json_array_foreach(list, i, item)
    {
        if (json_equal(json_object_get(item, "partition"), partition)) {
            json_array_set_new(list, i, parsed);
            return;
        }
    }
    json_array_append_new(list, parsed);
}

/* Those of a sink are looked at once all of them could be read. Takes over list; NULL: answered. */
static json_t *check_positions(const struct connector *connector, struct command *command,
                               json_t *list)
{
    json_t *item;
    size_t i;
    json_array_foreach(list, i, item)
    {
        json_t *offset = json_object_get(item, "offset");
        if (json_integer_value(json_object_get(offset, "kafka_offset")) < 0) {
            command_reply_format(command, 500, "Failed to modify offsets for sink connector %s",
                                 connector->name);
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* What the request says, in the form that hosts take; NULL: answered. */
static json_t *parse(const struct connector *connector, struct command *command)
{
    json_t *ordered = offsets_in_java_order(command->request.body);
    json_t *list = json_array(), *item;
    size_t i;
    json_array_foreach(ordered, i, item)
    {
        json_t *parsed =
            is_sink(connector) ? parse_sink_item(command, item) : parse_source_item(command, item);
        if (!parsed) {
            json_decref(list);
            list = NULL;
            break;
        }
        if (is_sink(connector)) {
            put_sink_item(list, parsed);
        } else {
            json_array_append_new(list, parsed);
        }
    }
    json_decref(ordered);
    if (list && is_sink(connector)) {
        return check_positions(connector, command, list);
    }
    json_t *result = list ? offsets_in_class_order(list) : NULL;
    json_decref(list);
    return result;
}

/* -- changing -- */

static bool is_reset(const struct command *command)
{
    return command->request.verb == HERDER_RESET_OFFSETS;
}

static void reply_changed(struct connector *connector)
{
    const char *what = is_reset(connector->current) ? "reset" : "altered";
    char *text = NULL;
    int size =
        connector->offsets_handled
            ? asprintf(&text, "The offsets for this connector have been %s successfully", what)
            : asprintf(&text,
                       "The Connect framework-managed offsets for this connector have been %s "
                       "successfully. However, if this connector manages offsets externally, they "
                       "will need to be manually %s in the system that the connector uses.",
                       what, what);
    json_t *body = json_pack("{s:s}", "message", size < 0 ? "" : text);
    command_reply(connector->current, 200, body, NULL);
    json_decref(body);
    free(text);
    connector_finish(connector);
}

static void on_stored(void *key, int64_t id, const char *message)
{
    struct connector *connector = key;
    (void)id;
    if (message) {
        log_error(LOGGER, "%s", message);
        command_reply(connector->current, 500, NULL, message);
        connector_finish(connector);
    } else {
        reply_changed(connector);
    }
}

static void store(struct connector *connector)
{
    struct herder *herder = connector->herder;
    json_t *item;
    size_t i;
    json_array_foreach(connector->new_offsets, i, item)
    {
        json_t *partition = json_object_get(item, "partition");
        if (json_is_object(partition)) {
            offsets_file_set(herder->offsets, connector->name, partition,
                             json_object_get(item, "offset"));
        }
    }
    offsets_writer_save(herder->offsets_writer, connector, 0, on_stored);
}

static void on_changed(void *user, const char *type, json_t *message)
{
    struct connector *connector = user;
    if (strcmp(type, "offsets_done") == 0) {
        connector->offsets_handled = json_is_true(json_object_get(message, "handled"));
    }
}

static void on_change_end(void *user, const struct host_end *end)
{
    struct connector *connector = user;
    connector->setup = NULL;
    if (!end->clean) {
        connector_log(connector, -1, LOG_LEVEL_ERROR, "Offsets of %s were not changed: %s",
                      connector->name, end->trace ? end->trace : end->message);
        command_reply(connector->current, 500, NULL, end->message);
        connector_finish(connector);
    } else if (is_sink(connector)) {
        reply_changed(connector);
    } else {
        store(connector);
    }
}

/* All a source has, to be forgotten. */
static json_t *all_of_source(const struct connector *connector)
{
    json_t *list = offsets_file_list(connector->herder->offsets, connector->name), *item;
    size_t i;
    json_array_foreach(list, i, item)
    {
        json_object_set_new(item, "offset", json_null());
    }
    return list;
}

void offsets_begin(struct connector *connector)
{
    struct command *command = connector->current;
    struct error error = {0};
    if (connector->target != TARGET_STOPPED || connector->tasks) {
        command_reply_format(
            command, 400,
            "Connectors must be in the STOPPED state before their offsets can be modified. This can "
            "be done for the specified connector by issuing a 'PUT' request to the "
            "'/connectors/%s/stop' endpoint",
            connector->name);
        connector_finish(connector);
        return;
    }
    json_t *offsets = !is_reset(command)   ? parse(connector, command)
                      : is_sink(connector) ? json_array()
                                           : all_of_source(connector);
    if (!offsets) {
        connector_finish(connector);
        return;
    }
    json_decref(connector->new_offsets);
    connector->new_offsets = offsets;
    connector->offsets_handled = false;
    connector->setup = ask(connector, is_reset(command) ? "reset" : "alter", json_incref(offsets),
                           on_changed, on_change_end, connector, &error);
    if (!connector->setup) {
        command_reply(command, 500, NULL, error.message);
        error_clear(&error);
        connector_finish(connector);
    }
}
