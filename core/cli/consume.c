/* `sluice consume`: kafka-console-consumer.sh over either broker; values, or JSON, to stdout. */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/cli/broker_tool.h"
#include "core/cli/cli.h"
#include "lib/java/regex.h"
#include "lib/util/utf8.h"

static const char help[] =
    "usage: sluice consume --bootstrap-server SERVER --topic NAME|--include REGEX [OPTION...]\n"
    "\n"
    "Prints one record per line. From the beginning, or an offset, it ends where the topic ended "
    "when it\n"
    "began; from the end it goes on until Ctrl-C.\n"
    "  --bootstrap-server SERVER    local:DIR for an embedded log\n"
    "  --topic NAME\n"
    "  --include REGEX              all topics with such a name (Java's dialect, the whole name)\n"
    "  --from-beginning             all that is there\n"
    "  --from N                     from this offset on, in every partition; also earliest, latest\n"
    "  --to N                       up to this offset, itself left out, in every partition\n"
    "  --partition N                this one only\n"
    "  --offset N                   of --partition; also earliest, latest\n"
    "  --group G                    as a member of G: from its committed offsets, which are "
    "advanced\n"
    "  --max-messages N             ends after so many\n"
    "  --timeout-ms N               ends when nothing came for so long\n"
    "  --follow                     goes on at the end\n"
    "  --property print.key=true    also print.value, print.timestamp, print.partition, "
    "print.offset,\n"
    "                               print.headers; key.separator=S (a tab), null.literal=S (null)\n"
    "  --json                       {\"topic\":.., \"partition\":.., \"offset\":.., "
    "\"timestamp\":..,\n"
    "                               \"key\":.., \"value\":.., \"headers\":{..}}; bytes that are no "
    "UTF-8\n"
    "                               have their bytes as U+0000 to U+00FF; headers are\n"
    "                               [[NAME, VALUE], ..] where a name comes twice\n"
    "  --consumer-property KEY=VALUE\n"
    "  --command-config FILE        properties of the client\n"
    "\n"
    "Exit status: 0, 1 failed while running, 2 bad arguments or input, 3 no broker or file.\n";

enum { POLL_MS = 200, COMMIT_MS = 10000, CHUNK_MESSAGES = 1000, CHUNK_BYTES = 1 << 20 };

struct mark {
    const char *topic; /* of the list of topics */
    int32_t partition;
    int64_t end; /* where the topic ended when we began */
    bool mine, reached;
};

struct consume {
    struct tool tool;
    const char *topic, *include, *group, *offset, *from;
    bool from_beginning, follow, json;
    int64_t partition, max_messages, timeout_ms, to;
    struct broker_topics topics;
    const char **names; /* of the topics that are read; in topics */
    size_t name_count;
    struct properties print;
    struct broker_consumer *consumer;
    struct mark *marks;
    size_t mark_count;
    bool assigned;
    int64_t printed;
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

/* -- printing -- */

static bool wants(const struct consume *consume, const char *key, bool otherwise)
{
    const char *text = properties_get(&consume->print, key);
    return text ? strcmp(text, "true") == 0 : otherwise;
}

static const char *text_of(const struct consume *consume, const char *key, const char *otherwise)
{
    const char *text = properties_get(&consume->print, key);
    return text ? text : otherwise;
}

static void print_bytes(const struct consume *consume, const void *bytes, size_t size)
{
    if (bytes) {
        (void)fwrite(bytes, 1, size, stdout);
    } else {
        fputs(text_of(consume, "null.literal", "null"), stdout);
    }
}

/* Fields in the order of Kafka's formatter. */
static void print_line(const struct consume *consume, const struct broker_message *message)
{
    const char *separator = text_of(consume, "key.separator", "\t");
    bool value = wants(consume, "print.value", true), key = wants(consume, "print.key", false);
    bool first = true;
    if (wants(consume, "print.timestamp", false)) {
        printf("%s:%lld",
               message->timestamp_type == BROKER_TIMESTAMP_LOG_APPEND ? "LogAppendTime"
                                                                      : "CreateTime",
               (long long)message->timestamp);
        first = false;
    }
    if (wants(consume, "print.partition", false)) {
        printf("%sPartition:%d", first ? "" : separator, message->partition);
        first = false;
    }
    if (wants(consume, "print.offset", false)) {
        printf("%sOffset:%lld", first ? "" : separator, (long long)message->offset);
        first = false;
    }
    if (wants(consume, "print.headers", false)) {
        fputs(first ? "" : separator, stdout);
        for (uint32_t i = 0; i < message->header_count; i++) {
            printf("%s%s:", i ? "," : "", message->headers[i].name);
            print_bytes(consume, message->headers[i].value, message->headers[i].size);
        }
        fputs(message->header_count ? "" : "NO_HEADERS", stdout);
        first = false;
    }
    if (key) {
        fputs(first ? "" : separator, stdout);
        print_bytes(consume, message->key, message->key_size);
        first = false;
    }
    if (value) {
        fputs(first ? "" : separator, stdout);
        print_bytes(consume, message->value, message->value_size);
    }
    putchar('\n');
}

static json_t *json_bytes(const void *bytes, size_t size)
{
    if (!bytes) {
        return json_null();
    }
    json_t *text = json_stringn(bytes, size);
    if (text) {
        return text;
    }
    char *wide = malloc(size * 2 + 1), *at = wide;
    for (size_t i = 0; wide && i < size; i++) {
        at += utf8_encode(at, ((const unsigned char *)bytes)[i]);
    }
    text = wide ? json_stringn(wide, (size_t)(at - wide)) : NULL;
    free(wide);
    return text ? text : json_null();
}

/* An object; pairs, as `produce` takes them too, where a name comes twice. */
static json_t *json_headers(const struct broker_message *message)
{
    json_t *object = json_object(), *pairs = json_array();
    for (uint32_t i = 0; i < message->header_count; i++) {
        const struct broker_header *header = &message->headers[i];
        json_t *name = json_bytes(header->name, strlen(header->name));
        json_t *value = json_bytes(header->value, header->size);
        json_object_set(object, json_string_value(name), value);
        json_array_append_new(pairs, json_pack("[o,o]", name, value));
    }
    bool twice = json_object_size(object) < message->header_count;
    json_decref(twice ? object : pairs);
    return twice ? pairs : object;
}

static void print_json(const struct broker_message *message)
{
    json_t *object = json_object();
    json_object_set_new(object, "topic", json_string(message->topic));
    json_object_set_new(object, "partition", json_integer(message->partition));
    json_object_set_new(object, "offset", json_integer(message->offset));
    json_object_set_new(object, "timestamp", json_integer(message->timestamp));
    json_object_set_new(object, "key", json_bytes(message->key, message->key_size));
    json_object_set_new(object, "value", json_bytes(message->value, message->value_size));
    json_object_set_new(object, "headers", json_headers(message));
    (void)json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(object);
}

/* -- where to end -- */

static struct mark *mark_of(struct consume *consume, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < consume->mark_count; i++) {
        if (consume->marks[i].partition == partition && strcmp(consume->marks[i].topic, topic) == 0) {
            return &consume->marks[i];
        }
    }
    return NULL;
}

/* Partitions of one topic. */
static int add_marks(struct consume *consume, const struct broker_topic *topic, struct error *error)
{
    struct mark *grown = realloc(consume->marks, (consume->mark_count + (size_t)topic->partition_count) *
                                                     sizeof(*grown));
    if (!grown) {
        return error_set(error, ERROR_NO_MEMORY, "No memory");
    }
    consume->marks = grown;
    for (int32_t i = 0; i < topic->partition_count; i++) {
        int64_t begin, end;
        if (consume->partition >= 0 && i != consume->partition) {
            continue;
        }
        if (broker_offsets(consume->tool.broker, topic->name, i, TOOL_TIMEOUT_MS, &begin, &end,
                           error) != 0) {
            return -1;
        }
        end = consume->to >= 0 && consume->to < end ? consume->to : end;
        consume->marks[consume->mark_count++] = (struct mark){topic->name, i, end, false, false};
    }
    return 0;
}

static int set_marks(struct consume *consume, struct error *error)
{
    struct regex *include = NULL;
    struct regex_error why;
    int result = 0;
    if (consume->include && regex_create(consume->include, &include, &why) != 0) {
        return error_set(error, ERROR_CONFIG, "--include %s: %s", consume->include, why.message);
    }
    if (broker_topics(consume->tool.broker, TOOL_TIMEOUT_MS, &consume->topics, error) != 0) {
        regex_destroy(include);
        return -1;
    }
    consume->names = calloc(consume->topics.count + 1, sizeof(*consume->names));
    for (size_t i = 0; consume->names && i < consume->topics.count && result == 0; i++) {
        const struct broker_topic *topic = &consume->topics.topics[i];
        if (include ? !topic->internal &&
                          regex_matches(include, topic->name, strlen(topic->name)) == REGEX_YES
                    : strcmp(topic->name, consume->topic) == 0) {
            consume->names[consume->name_count++] = topic->name;
            result = add_marks(consume, topic, error);
        }
    }
    regex_destroy(include);
    if (result == 0 && consume->mark_count == 0) {
        const char *name = consume->topic ? consume->topic : consume->include;
        return error_set(error, ERROR_UNKNOWN_TOPIC, "There is no topic %s%s", name,
                         consume->name_count ? " with that many partitions" : "");
    }
    return result;
}

/* All that was there when we began, of the partitions we have, is printed. */
static bool at_end(struct consume *consume)
{
    struct error ignored = {0};
    for (size_t i = 0; i < consume->mark_count; i++) {
        struct mark *mark = &consume->marks[i];
        struct broker_partition partition = {mark->topic, mark->partition};
        int64_t position;
        if (!mark->mine || mark->reached) {
            continue;
        }
        if (broker_consumer_position(consume->consumer, &partition, &position, &ignored) != 0) {
            error_clear(&ignored);
            return false;
        }
        mark->reached = position >= mark->end;
        if (!mark->reached) {
            return false;
        }
    }
    return consume->assigned;
}

static void on_assigned(void *user, const struct broker_partition *partitions, size_t count)
{
    struct consume *consume = user;
    consume->assigned = true;
    for (size_t i = 0; i < count; i++) {
        struct mark *mark = mark_of(consume, partitions[i].topic, partitions[i].partition);
        if (mark) {
            mark->mine = true;
        }
    }
}

static void on_gone(void *user, const struct broker_partition *partitions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct mark *mark = mark_of(user, partitions[i].topic, partitions[i].partition);
        if (mark) {
            mark->mine = false;
        }
    }
}

static void on_fault(void *user, const struct error *error)
{
    const struct consume *consume = user;
    fprintf(stderr, "sluice %s: [SLUICE-%d] %s\n", consume->tool.verb, error->code, error->message);
}

/* -- reading -- */

static int start(struct consume *consume, struct error *error)
{
    struct broker_consumer_events events = {
        .assigned = on_assigned,
        .revoked = on_gone,
        .lost = on_gone,
        .fault = on_fault,
        .user = consume,
    };
    if (consume->group) {
        properties_set(&consume->tool.properties, "group.id", consume->group);
    }
    if (consume->from_beginning) {
        properties_set(&consume->tool.properties, "auto.offset.reset", "earliest");
    }
    if (set_marks(consume, error) != 0 ||
        broker_consumer_create(consume->tool.broker, &consume->tool.properties, &events,
                               &consume->consumer, error) != 0) {
        return -1;
    }
    if (consume->group) {
        return broker_consumer_subscribe(consume->consumer, consume->names, consume->name_count,
                                         error);
    }
    struct broker_offset *offsets = calloc(consume->mark_count, sizeof(*offsets));
    if (!offsets) {
        return error_set(error, ERROR_NO_MEMORY, "No memory");
    }
    for (size_t i = 0; i < consume->mark_count; i++) {
        int64_t offset = consume->from_beginning ? BROKER_BEGINNING : BROKER_END;
        if (consume->offset && strcmp(consume->offset, "earliest") == 0) {
            offset = BROKER_BEGINNING;
        } else if (consume->offset && strcmp(consume->offset, "latest") != 0) {
            offset = strtoll(consume->offset, NULL, 10);
        }
        offsets[i] =
            (struct broker_offset){consume->marks[i].topic, consume->marks[i].partition, offset};
        consume->marks[i].mine = true;
    }
    consume->assigned = true;
    int result = broker_consumer_assign(consume->consumer, offsets, consume->mark_count, error);
    free(offsets);
    return result;
}

static int print_chunk(struct consume *consume, const struct broker_chunk *chunk,
                       struct error *error)
{
    for (size_t i = 0; i < chunk->count; i++) {
        const struct broker_message *message = &chunk->messages[i];
        if (consume->to >= 0 && message->offset >= consume->to) {
            continue;
        }
        if (consume->json) {
            print_json(message);
        } else {
            print_line(consume, message);
        }
        consume->printed++;
    }
    if (fflush(stdout) != 0) {
        return error_set_errno(error, errno, "Standard output cannot be written");
    }
    if (!consume->group) {
        return 0;
    }
    for (size_t i = 0; i < chunk->count; i++) { /* the last of each partition */
        const struct broker_message *message = &chunk->messages[i];
        if (i + 1 < chunk->count && chunk->messages[i + 1].partition == message->partition &&
            strcmp(chunk->messages[i + 1].topic, message->topic) == 0) {
            continue;
        }
        struct broker_offset next = {message->topic, message->partition, message->offset + 1};
        if (broker_consumer_commit_sync(consume->consumer, &next, 1, COMMIT_MS, error) != 0) {
            return -1;
        }
    }
    return 0;
}

static int run(struct consume *consume)
{
    struct error error = {0};
    int result = start(consume, &error);
    int64_t quiet_since = clock_monotonic_ms();
    while (result == 0 && !stopped) {
        if (consume->max_messages >= 0 && consume->printed >= consume->max_messages) {
            break;
        }
        if (!consume->follow && consume->timeout_ms < 0 && at_end(consume)) {
            break;
        }
        struct broker_chunk *chunk = NULL;
        int64_t most =
            consume->max_messages >= 0 ? consume->max_messages - consume->printed : CHUNK_MESSAGES;
        result = broker_consumer_poll(consume->consumer, POLL_MS,
                                      most < CHUNK_MESSAGES ? (size_t)most : CHUNK_MESSAGES,
                                      CHUNK_BYTES, &chunk, &error);
        if (chunk) {
            quiet_since = clock_monotonic_ms();
            result = print_chunk(consume, chunk, &error);
            broker_chunk_release(chunk);
        } else if (consume->timeout_ms >= 0 &&
                   clock_monotonic_ms() - quiet_since >= consume->timeout_ms) {
            break;
        }
    }
    int code = result == 0 ? CLI_OK : tool_fail(&consume->tool, &error);
    broker_consumer_destroy(consume->consumer);
    free(consume->marks);
    free((void *)consume->names);
    broker_topics_free(&consume->topics);
    return code;
}

static int settle(struct consume *consume)
{
    if (!consume->topic == !consume->include) {
        return tool_misuse(&consume->tool, "one of --topic and --include is needed");
    }
    if (consume->from && (consume->offset || consume->group)) {
        return tool_misuse(&consume->tool, "--from excludes --offset and --group");
    }
    if (consume->to >= 0 && consume->group) {
        return tool_misuse(&consume->tool, "--to excludes --group");
    }
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {{"--partition", consume->partition}, {"--max-messages", consume->max_messages},
                   {"--timeout-ms", consume->timeout_ms}, {"--to", consume->to}};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (numbers[i].value < -1) { /* -1: Kafka's own default */
            return tool_misuse(&consume->tool, "%s %lld: a number from 0 on is expected",
                               numbers[i].name, (long long)numbers[i].value);
        }
    }
    if (consume->offset && consume->partition < 0) {
        return tool_misuse(&consume->tool, "--offset goes with --partition");
    }
    if (consume->group && (consume->partition >= 0 || consume->offset)) {
        return tool_misuse(&consume->tool, "--group and --partition exclude each other");
    }
    consume->offset = consume->from ? consume->from : consume->offset;
    if (consume->offset && strcmp(consume->offset, "earliest") != 0 &&
        strcmp(consume->offset, "latest") != 0) {
        char *end;
        long long offset = strtoll(consume->offset, &end, 10);
        if (end == consume->offset || *end != '\0' || offset < 0) {
            return tool_misuse(&consume->tool,
                               "%s %s: a number, earliest or latest is expected",
                               consume->from ? "--from" : "--offset", consume->offset);
        }
    }
    bool from_end = !consume->from_beginning && !consume->group &&
                    (!consume->offset || strcmp(consume->offset, "latest") == 0);
    consume->follow = consume->follow || (from_end && consume->timeout_ms < 0);
    return -1;
}

int verb_consume(int argc, char **argv)
{
    struct consume consume = {.tool = {.verb = "consume", .help = help},
                              .partition = -1,
                              .max_messages = -1,
                              .timeout_ms = -1,
                              .to = -1};
    const struct tool_option options[] = {
        {.name = "--bootstrap-server", .text = &consume.tool.servers},
        {.name = "--command-config", .text = &consume.tool.command_config},
        {.name = "--consumer.config", .text = &consume.tool.command_config},
        {.name = "--topic", .text = &consume.topic},
        {.name = "--include", .text = &consume.include},
        {.name = "--whitelist", .text = &consume.include},
        {.name = "--from-beginning", .flag = &consume.from_beginning},
        {.name = "--from", .text = &consume.from},
        {.name = "--to", .number = &consume.to},
        {.name = "--partition", .number = &consume.partition},
        {.name = "--offset", .text = &consume.offset},
        {.name = "--group", .text = &consume.group},
        {.name = "--max-messages", .number = &consume.max_messages},
        {.name = "--timeout-ms", .number = &consume.timeout_ms},
        {.name = "--follow", .flag = &consume.follow},
        {.name = "--property", .list = &consume.print},
        {.name = "--consumer-property", .list = &consume.tool.client},
        {.name = "--json", .flag = &consume.json},
    };
    int code = tool_parse(&consume.tool, argc, argv, options, sizeof(options) / sizeof(options[0]));
    code = code < 0 ? settle(&consume) : code;
    code = code < 0 ? tool_open(&consume.tool) : code;
    if (code < 0) {
        struct sigaction action = {.sa_handler = on_signal};
        (void)sigaction(SIGINT, &action, NULL);
        (void)sigaction(SIGTERM, &action, NULL);
        code = run(&consume);
    }
    tool_close(&consume.tool);
    properties_finish(&consume.print);
    return code;
}
