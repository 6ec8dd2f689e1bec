/* `sluice topics`: kafka-topics.sh over either broker. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/broker_tool.h"
#include "core/cli/cli.h"
#include "lib/java/regex.h"

static const char help[] =
    "usage: sluice topics --bootstrap-server SERVER ACTION [OPTION...]\n"
    "\n"
    "  --bootstrap-server SERVER   local:DIR for an embedded log\n"
    "  --command-config FILE       properties of the client\n"
    "actions\n"
    "  --list                      names of all topics, or of those that --topic matches\n"
    "  --describe                  partitions and configs; of --topic, or of all\n"
    "  --create                    makes --topic\n"
    "  --alter                     grows --topic to --partitions\n"
    "  --delete                    removes --topic and all that is in it\n"
    "options\n"
    "  --topic NAME                but for --create a regular expression of Java's, for whole names\n"
    "  --partitions N              --create, --alter; without: the broker's default\n"
    "  --replication-factor N      --create; without: the broker's default\n"
    "  --exclude-internal          leaves out Kafka's own topics\n"
    "  --config KEY=VALUE          --create; retention.ms, retention.bytes, max.message.bytes, "
    "...\n"
    "  --if-not-exists             --create: fine where it is there\n"
    "  --if-exists                 --alter, --delete, --describe: fine where it is not there\n"
    "  --json                      --list, --describe: JSON\n"
    "\n"
    "Exit status: 0, 1 failed while running, 2 bad arguments or input, 3 no broker or file.\n";

struct request {
    struct tool tool;
    bool create, list, describe, alter, delete, if_exists, if_not_exists, exclude_internal, json;
    const char *topic;
    struct regex *pattern; /* of topic */
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
    if (strpbrk(request->topic, "._")) {
        puts("WARNING: Due to limitations in metric names, topics with a period ('.') or underscore "
             "('_') could collide. To avoid issues it is best to use either, but not both.");
    }
    printf("Created topic %s.\n", request->topic);
    return CLI_OK;
}

static bool wanted(const struct request *request, const struct broker_topic *topic)
{
    return !(request->exclude_internal && topic->internal) &&
           (!request->pattern ||
            regex_matches(request->pattern, topic->name, strlen(topic->name)) == REGEX_YES);
}

static int change(struct request *request, const char *topic)
{
    struct error error = {0};
    int result = request->alter
                     ? broker_topic_partitions(request->tool.broker, topic,
                                               (int32_t)request->partitions, TOOL_TIMEOUT_MS, &error)
                     : broker_topic_delete(request->tool.broker, topic, TOOL_TIMEOUT_MS, &error);
    if (result != 0 && error.code == ERROR_UNKNOWN_TOPIC && request->if_exists) {
        error_clear(&error); /* somebody else was faster */
        return CLI_OK;
    }
    return result == 0 ? CLI_OK : tool_fail(&request->tool, &error);
}

static void print_nodes(const char *title, const int32_t *nodes, size_t count)
{
    printf("\t%s: ", title);
    for (size_t i = 0; i < count; i++) {
        printf("%s%d", i ? "," : "", (int)nodes[i]);
    }
}

/* As kafka-topics prints it; the topic's id is not known here. */
static void describe_text(const struct broker_topic *topic, const struct broker_topic_info *info,
                          const struct properties *configs)
{
    printf("Topic: %s\tPartitionCount: %zu\tReplicationFactor: %zu\tConfigs: ", topic->name,
           info->count, info->count > 0 ? info->partitions[0].replica_count : 0);
    for (size_t i = 0; i < configs->count; i++) {
        printf("%s%s=%s", i ? "," : "", configs->items[i].name, configs->items[i].value);
    }
    putchar('\n');
    for (size_t i = 0; i < info->count; i++) {
        const struct broker_partition_info *partition = &info->partitions[i];
        printf("\tTopic: %s\tPartition: %zu\tLeader: ", topic->name, i);
        if (partition->leader >= 0) {
            printf("%d", (int)partition->leader);
        } else {
            fputs("none", stdout);
        }
        print_nodes("Replicas", partition->replicas, partition->replica_count);
        print_nodes("Isr", partition->isr, partition->isr_count);
        putchar('\n');
    }
}

static json_t *json_nodes(const int32_t *nodes, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(array, json_integer(nodes[i]));
    }
    return array;
}

static int describe_json(struct request *request, const struct broker_topic *topic,
                         const struct broker_topic_info *info, const struct properties *configs,
                         json_t *out)
{
    json_t *object = json_object(), *set = json_object(), *partitions = json_array();
    for (size_t i = 0; i < configs->count; i++) {
        json_object_set_new(set, configs->items[i].name, json_string(configs->items[i].value));
    }
    int code = CLI_OK;
    for (size_t i = 0; i < info->count && code == CLI_OK; i++) {
        const struct broker_partition_info *partition = &info->partitions[i];
        struct error error = {0};
        int64_t begin = -1, end = -1;
        if (broker_offsets(request->tool.broker, topic->name, (int32_t)i, TOOL_TIMEOUT_MS, &begin,
                           &end, &error) != 0) {
            code = tool_fail(&request->tool, &error);
        }
        json_array_append_new(
            partitions, json_pack("{s:i,s:I,s:I,s:i,s:o,s:o}", "partition", (int)i, "beginning",
                                  (json_int_t)begin, "end", (json_int_t)end, "leader",
                                  (int)partition->leader, "replicas",
                                  json_nodes(partition->replicas, partition->replica_count), "isr",
                                  json_nodes(partition->isr, partition->isr_count)));
    }
    json_object_set_new(object, "topic", json_string(topic->name));
    json_object_set_new(object, "internal", json_boolean(topic->internal));
    json_object_set_new(object, "partitions", partitions);
    json_object_set_new(object, "configs", set);
    json_array_append_new(out, object);
    return code;
}

static int describe(struct request *request, const struct broker_topic *topic, json_t *out)
{
    struct error error = {0};
    struct properties configs = {0};
    struct broker_topic_info info = {0};
    int code = CLI_OK;
    if (broker_topic_configs(request->tool.broker, topic->name, false, TOOL_TIMEOUT_MS, &configs,
                             &error) != 0 ||
        broker_topic_describe(request->tool.broker, topic->name, TOOL_TIMEOUT_MS, &info, &error) !=
            0) {
        code = tool_fail(&request->tool, &error);
    } else if (request->json) {
        code = describe_json(request, topic, &info, &configs, out);
    } else {
        describe_text(topic, &info, &configs);
    }
    broker_topic_info_free(&info);
    properties_finish(&configs);
    return code;
}

/* All but --create: on every topic that is wanted. */
static int do_each(struct request *request)
{
    struct error error = {0};
    struct broker_topics topics = {0};
    if (broker_topics(request->tool.broker, TOOL_TIMEOUT_MS, &topics, &error) != 0) {
        return tool_fail(&request->tool, &error);
    }
    json_t *out = json_array();
    int code = CLI_OK;
    size_t found = 0;
    for (size_t i = 0; i < topics.count && code == CLI_OK; i++) {
        const struct broker_topic *topic = &topics.topics[i];
        if (!wanted(request, topic)) {
            continue;
        }
        found++;
        if (request->alter || request->delete) {
            code = change(request, topic->name);
        } else if (request->describe) {
            code = describe(request, topic, out);
        } else if (request->json) {
            json_array_append_new(out, json_string(topic->name));
        } else {
            puts(topic->name);
        }
    }
    if (request->json && !request->alter && !request->delete && code == CLI_OK) {
        json_dumpf(out, stdout, JSON_INDENT(1));
        putchar('\n');
    }
    json_decref(out);
    broker_topics_free(&topics);
    if (!request->list && request->topic && found == 0 && !request->if_exists) {
        (void)error_set(&error, ERROR_UNKNOWN_TOPIC, "Topic '%s' does not exist as expected",
                        request->topic);
        return tool_fail(&request->tool, &error);
    }
    return code;
}

/* Kafka's tool takes --topic for a pattern where it looks for topics. */
static int take_pattern(struct request *request)
{
    struct regex_error why;
    if (!request->create && request->topic &&
        regex_create(request->topic, &request->pattern, &why) != 0) {
        return tool_misuse(&request->tool, "--topic %s: %s", request->topic, why.message);
    }
    return -1;
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
        {.name = "--exclude-internal", .flag = &request.exclude_internal},
        {.name = "--json", .flag = &request.json},
    };
    int code = tool_parse(&request.tool, argc, argv, options, sizeof(options) / sizeof(options[0]));
    code = code < 0 ? check(&request) : code;
    code = code < 0 ? take_pattern(&request) : code;
    code = code < 0 ? tool_open(&request.tool) : code;
    if (code < 0) {
        code = request.create ? do_create(&request) : do_each(&request);
    }
    regex_destroy(request.pattern);
    tool_close(&request.tool);
    properties_finish(&request.configs);
    return code;
}
