/* `sluice topics`: kafka-topics.sh over either broker. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/broker_tool.h"
#include "core/cli/cli.h"

static const char help[] =
    "usage: sluice topics --bootstrap-server SERVER ACTION [OPTION...]\n"
    "\n"
    "  --bootstrap-server SERVER   local:DIR for an embedded log\n"
    "  --command-config FILE       properties of the client\n"
    "actions\n"
    "  --list                      names of all topics\n"
    "  --describe                  partitions and configs; of --topic, or of all\n"
    "  --create                    makes --topic\n"
    "  --alter                     grows --topic to --partitions\n"
    "  --delete                    removes --topic and all that is in it\n"
    "options\n"
    "  --topic NAME\n"
    "  --partitions N              --create, --alter; the broker's default is 1\n"
    "  --replication-factor N      --create; 1 in an embedded log\n"
    "  --config KEY=VALUE          --create; retention.ms, retention.bytes, max.message.bytes, "
    "...\n"
    "  --if-not-exists             --create: fine where it is there\n"
    "  --if-exists                 --alter, --delete, --describe: fine where it is not there\n"
    "  --json                      --list, --describe: JSON\n";

struct request {
    struct tool tool;
    bool create, list, describe, alter, delete, if_exists, if_not_exists, json;
    const char *topic;
    int64_t partitions, replication;
    struct properties configs;
};

static int do_create(struct request *request)
{
    struct error error = {0};
    const char **configs = calloc(request->configs.count * 2 + 1, sizeof(*configs));
    if (!configs) {
        return CLI_FAILED;
    }
    for (size_t i = 0; i < request->configs.count; i++) {
        configs[i * 2] = request->configs.items[i].name;
        configs[i * 2 + 1] = request->configs.items[i].value;
    }
    struct broker_topic_spec spec = {
        .name = request->topic,
        .partitions = (int32_t)request->partitions,
        .replication_factor = (int16_t)request->replication,
        .configs = configs,
        .config_count = request->configs.count,
    };
    int result = broker_topic_create(request->tool.broker, &spec, TOOL_TIMEOUT_MS, &error);
    free(configs);
    if (result != 0 && error.code == ERROR_TOPIC_EXISTS && request->if_not_exists) {
        error_clear(&error);
        return CLI_OK;
    }
    if (result != 0) {
        return tool_fail(&request->tool, &error);
    }
    printf("Created topic %s.\n", request->topic);
    return CLI_OK;
}

/* --delete and --alter */
static int do_change(struct request *request)
{
    struct error error = {0};
    int result =
        request->alter
            ? broker_topic_partitions(request->tool.broker, request->topic,
                                      (int32_t)request->partitions, TOOL_TIMEOUT_MS, &error)
            : broker_topic_delete(request->tool.broker, request->topic, TOOL_TIMEOUT_MS, &error);
    if (result != 0 && error.code == ERROR_UNKNOWN_TOPIC && request->if_exists) {
        error_clear(&error);
        return CLI_OK;
    }
    return result == 0 ? CLI_OK : tool_fail(&request->tool, &error);
}

static int describe_text(const struct broker_topic *topic, const struct properties *configs)
{
    printf("Topic: %s\tPartitionCount: %d\tReplicationFactor: 1\tConfigs: ", topic->name,
           topic->partition_count);
    for (size_t i = 0; i < configs->count; i++) {
        printf("%s%s=%s", i ? "," : "", configs->items[i].name, configs->items[i].value);
    }
    putchar('\n');
    for (int32_t i = 0; i < topic->partition_count; i++) {
        printf("\tTopic: %s\tPartition: %d\tLeader: 0\tReplicas: 0\tIsr: 0\n", topic->name, i);
    }
    return CLI_OK;
}

static int describe_json(struct request *request, const struct broker_topic *topic,
                         const struct properties *configs, json_t *out)
{
    json_t *object = json_object(), *set = json_object(), *partitions = json_array();
    for (size_t i = 0; i < configs->count; i++) {
        json_object_set_new(set, configs->items[i].name, json_string(configs->items[i].value));
    }
    int code = CLI_OK;
    for (int32_t i = 0; i < topic->partition_count && code == CLI_OK; i++) {
        struct error error = {0};
        int64_t begin, end;
        if (broker_offsets(request->tool.broker, topic->name, i, TOOL_TIMEOUT_MS, &begin, &end,
                           &error) != 0) {
            code = tool_fail(&request->tool, &error);
            break;
        }
        json_array_append_new(partitions, json_pack("{s:i,s:I,s:I}", "partition", i, "beginning",
                                                    (json_int_t)begin, "end", (json_int_t)end));
    }
    json_object_set_new(object, "topic", json_string(topic->name));
    json_object_set_new(object, "partitions", partitions);
    json_object_set_new(object, "configs", set);
    json_array_append_new(out, object);
    return code;
}

/* --list and --describe */
static int do_show(struct request *request)
{
    struct error error = {0};
    struct broker_topics topics = {0};
    if (broker_topics(request->tool.broker, TOOL_TIMEOUT_MS, &topics, &error) != 0) {
        return tool_fail(&request->tool, &error);
    }
    json_t *out = json_array();
    int code = CLI_OK;
    size_t shown = 0;
    for (size_t i = 0; i < topics.count && code == CLI_OK; i++) {
        const struct broker_topic *topic = &topics.topics[i];
        if (request->topic && strcmp(request->topic, topic->name) != 0) {
            continue;
        }
        shown++;
        if (!request->describe) {
            if (request->json) {
                json_array_append_new(out, json_string(topic->name));
            } else {
                puts(topic->name);
            }
            continue;
        }
        struct properties configs = {0};
        if (broker_topic_configs(request->tool.broker, topic->name, false, TOOL_TIMEOUT_MS, &configs,
                                 &error) != 0) {
            code = tool_fail(&request->tool, &error);
        } else {
            code = request->json ? describe_json(request, topic, &configs, out)
                                 : describe_text(topic, &configs);
        }
        properties_finish(&configs);
    }
    if (request->json && code == CLI_OK) {
        json_dumpf(out, stdout, JSON_INDENT(1));
        putchar('\n');
    }
    json_decref(out);
    broker_topics_free(&topics);
    if (request->describe && request->topic && shown == 0 && !request->if_exists) {
        (void)error_set(&error, ERROR_UNKNOWN_TOPIC, "Topic '%s' does not exist as expected",
                        request->topic);
        return tool_fail(&request->tool, &error);
    }
    return code;
}

static int check(const struct request *request)
{
    int actions =
        request->create + request->list + request->describe + request->alter + request->delete;
    if (actions != 1) {
        return tool_misuse(&request->tool, "Command must include exactly one action: --list, "
                                           "--describe, --create, --alter or --delete");
    }
    if ((request->create || request->alter || request->delete) && !request->topic) {
        return tool_misuse(&request->tool, "--topic is missing");
    }
    if (request->alter && request->partitions < 1) {
        return tool_misuse(&request->tool, "--alter needs --partitions");
    }
    if (request->configs.count > 0 && !request->create) {
        return tool_misuse(&request->tool, "--config goes with --create only");
    }
    if (request->partitions != -1 && (request->partitions < 1 || request->partitions > INT32_MAX)) {
        return tool_misuse(&request->tool, "--partitions must be 1 or more");
    }
    if (request->replication != -1 &&
        (request->replication < 1 || request->replication > INT16_MAX)) {
        return tool_misuse(&request->tool, "--replication-factor must be 1 or more");
    }
    return -1;
}

int verb_topics(int argc, char **argv)
{
    struct request request = {
        .tool = {.verb = "topics", .help = help}, .partitions = -1, .replication = -1};
    const struct tool_option options[] = {
        {.name = "--bootstrap-server", .text = &request.tool.servers},
        {.name = "--command-config", .text = &request.tool.command_config},
        {.name = "--create", .flag = &request.create},
        {.name = "--list", .flag = &request.list},
        {.name = "--describe", .flag = &request.describe},
        {.name = "--alter", .flag = &request.alter},
        {.name = "--delete", .flag = &request.delete},
        {.name = "--topic", .text = &request.topic},
        {.name = "--partitions", .number = &request.partitions},
        {.name = "--replication-factor", .number = &request.replication},
        {.name = "--config", .list = &request.configs},
        {.name = "--if-exists", .flag = &request.if_exists},
        {.name = "--if-not-exists", .flag = &request.if_not_exists},
        {.name = "--json", .flag = &request.json},
    };
    int code = tool_parse(&request.tool, argc, argv, options, sizeof(options) / sizeof(options[0]));
    code = code < 0 ? check(&request) : code;
    code = code < 0 ? tool_open(&request.tool) : code;
    if (code < 0) {
        code = request.create                    ? do_create(&request)
               : request.alter || request.delete ? do_change(&request)
                                                 : do_show(&request);
    }
    tool_close(&request.tool);
    properties_finish(&request.configs);
    return code;
}
