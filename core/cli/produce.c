/* `sluice produce`: kafka-console-producer.sh over either broker; lines or JSON from stdin or a
 * file. */
#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/cli/broker_tool.h"
#include "core/cli/cli.h"

static const char help[] =
    "usage: sluice produce --bootstrap-server SERVER --topic NAME [OPTION...]\n"
    "\n"
    "Writes one record per line and ends when all are durable.\n"
    "  --bootstrap-server SERVER    local:DIR for an embedded log\n"
    "  --topic NAME                 is created where it is not there\n"
    "  --file FILE                  instead of standard input\n"
    "  --partition N                for all records\n"
    "  --property parse.key=true    lines are KEY SEPARATOR VALUE\n"
    "  --property key.separator=S   (a tab)\n"
    "  --property null.marker=S     a key or value of this text is null\n"
    "  --key-separator S            both: parse.key=true, key.separator=S\n"
    "  --json                       lines are {\"key\":.., \"value\":.., "
    "\"headers\":{NAME:VALUE},\n"
    "                               \"partition\":N, \"timestamp\":MS}; a text is taken as it is, "
    "null is\n"
    "                               null, anything else is written as compact JSON; headers also as\n"
    "                               [[NAME, VALUE], ..]; key_base64, value_base64 for bytes\n"
    "  --producer-property KEY=VALUE\n"
    "  --command-config FILE        properties of the client\n"
    "\n"
    "Exit status: 0, 1 failed while running, 2 bad arguments or input, 3 no broker or file.\n";

enum { HEADERS_MAX = 256, POLL_MS = 1000, LINE_MOST = 1000000000 /* the most that a client sends at once */ };

struct produce {
    struct tool tool;
    const char *topic, *file, *separator;
    int64_t partition;
    bool json, parse_key;
    const char *null_marker;
    struct properties line;
    struct broker_producer *producer;
    struct error failure; /* the first one */
    size_t failed;
};

static void on_delivered(void *user, const struct broker_delivery *deliveries, size_t count)
{
    struct produce *produce = user;
    for (size_t i = 0; i < count; i++) {
        if (deliveries[i].error) {
            if (produce->failed++ == 0) {
                error_copy(&produce->failure, deliveries[i].error);
            }
        }
    }
}

static void send_message(struct produce *produce, const struct broker_message *message)
{
    while (broker_producer_send(produce->producer, message, 1, false) == 0) {
        (void)broker_producer_poll(produce->producer, POLL_MS);
    }
    (void)broker_producer_poll(produce->producer, 0);
}

/* -- lines -- */

static void set_bytes(const struct produce *produce, const char *bytes, size_t size,
                      const void **ret_bytes, uint32_t *ret_size)
{
    bool null = produce->null_marker && strlen(produce->null_marker) == size &&
                memcmp(produce->null_marker, bytes, size) == 0;
    *ret_bytes = null ? NULL : bytes;
    *ret_size = null ? 0 : (uint32_t)size;
}

static int take_line(struct produce *produce, const char *line, size_t size, size_t number,
                     struct error *error)
{
    struct broker_message message = {
        .topic = produce->topic,
        .partition = (int32_t)produce->partition,
        .timestamp = BROKER_NO_TIMESTAMP,
    };
    if (produce->parse_key) {
        size_t width = strlen(produce->separator);
        const char *at = memmem(line, size, produce->separator, width);
        if (!at) {
            return error_set(error, ERROR_SYNTAX,
                             "No key separator found on line number %zu: '%.*s'", number,
                             (int)(size < 60 ? size : 60), line);
        }
        set_bytes(produce, line, (size_t)(at - line), &message.key, &message.key_size);
        at += width;
        size -= (size_t)(at - line);
        line = at;
    }
    set_bytes(produce, line, size, &message.value, &message.value_size);
    send_message(produce, &message);
    return 0;
}

/* -- JSON -- */

static int bytes_of(struct arena *arena, const json_t *json, const void **ret_bytes,
                    uint32_t *ret_size)
{
    if (!json || json_is_null(json)) {
        *ret_bytes = NULL;
        *ret_size = 0;
    } else if (json_is_string(json)) {
        *ret_size = (uint32_t)json_string_length(json);
        *ret_bytes = arena_copy(arena, json_string_value(json), *ret_size);
    } else {
        char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
        if (!text) {
            return -1;
        }
        *ret_size = (uint32_t)strlen(text);
        *ret_bytes = arena_copy(arena, text, *ret_size);
        free(text);
    }
    return 0;
}

/* name, or name_base64 for what is no text. */
static int field_of(struct arena *arena, const json_t *line, const char *name, const char *encoded,
                    const void **ret_bytes, uint32_t *ret_size)
{
    const json_t *json = json_object_get(line, encoded);
    if (!json) {
        return bytes_of(arena, json_object_get(line, name), ret_bytes, ret_size);
    }
    size_t size = json_string_length(json), padding = 0;
    const char *text = json_string_value(json);
    if (!text || size % 4 != 0) {
        return -1;
    }
    unsigned char *bytes = arena_alloc(arena, size / 4 * 3 + 1);
    int length = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)size);
    while (padding < 2 && padding < size && text[size - 1 - padding] == '=') {
        padding++;
    }
    if (length < (int)padding) {
        return -1;
    }
    *ret_bytes = bytes;
    *ret_size = (uint32_t)length - (uint32_t)padding;
    return 0;
}

static int add_header(struct arena *arena, const char *name, const json_t *value,
                      struct broker_header *headers, uint32_t *count)
{
    const void *bytes;
    uint32_t size;
    if (!name || *count == HEADERS_MAX || bytes_of(arena, value, &bytes, &size) != 0) {
        return -1;
    }
    headers[(*count)++] = (struct broker_header){arena_strdup(arena, name), bytes, size};
    return 0;
}

/* An object, or pairs: a name may come more than once. */
static int headers_of(struct arena *arena, json_t *json, struct broker_header *headers,
                      uint32_t *ret_count)
{
    const char *name;
    json_t *value;
    size_t i;
    *ret_count = 0;
    json_object_foreach(json, name, value)
    {
        if (add_header(arena, name, value, headers, ret_count) != 0) {
            return -1;
        }
    }
    json_array_foreach(json, i, value)
    {
        if (add_header(arena, json_string_value(json_array_get(value, 0)), json_array_get(value, 1),
                       headers, ret_count) != 0) {
            return -1;
        }
    }
    return 0;
}

/* A record that is not what was meant is worse than none: what a line says and nobody reads is told. */
static const char *misread(const json_t *line, struct broker_message *message)
{
    static const char *const names[] = {"key", "value", "headers", "partition", "timestamp", "key_base64",
                                        "value_base64", "topic", "offset" /* as consume prints them */};
    const json_t *partition = json_object_get(line, "partition"), *value;
    const json_t *timestamp = json_object_get(line, "timestamp");
    const json_t *headers = json_object_get(line, "headers");
    const char *name;
    json_object_foreach((json_t *)(uintptr_t)line, name, value)
    {
        size_t i = 0;
        while (i < sizeof(names) / sizeof(names[0]) && strcmp(names[i], name) != 0) {
            i++;
        }
        if (i == sizeof(names) / sizeof(names[0])) {
            return "a member that a record does not have; --help lists those there are";
        }
    }
    if (partition && !json_is_null(partition)) {
        json_int_t number = json_is_integer(partition) ? json_integer_value(partition) : -2;
        if (number < -1 || /* -1: any, as Kafka has it */
            number > INT32_MAX) {
            return "`partition` is no number from 0 to 2147483647";
        }
        message->partition = (int32_t)number;
    }
    if (timestamp && !json_is_null(timestamp)) {
        if (!json_is_integer(timestamp)) {
            return "`timestamp` is no whole number of milliseconds";
        }
        message->timestamp = json_integer_value(timestamp);
    }
    return headers && !json_is_null(headers) && !json_is_object(headers) && !json_is_array(headers)
               ? "`headers` is neither an object nor a list of pairs"
               : NULL;
}

static int take_json(struct produce *produce, struct arena *arena, const char *line, size_t size,
                     size_t number, struct error *error)
{
    json_error_t why = {0};
    json_t *json = json_loadb(line, size, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &why);
    struct broker_header headers[HEADERS_MAX];
    struct broker_message message = {
        .topic = produce->topic,
        .partition = (int32_t)produce->partition,
        .timestamp = BROKER_NO_TIMESTAMP,
        .headers = headers,
    };
    if (!json_is_object(json)) {
        json_decref(json);
        return error_set(error, ERROR_SYNTAX, "Line %zu is no JSON object%s%s", number,
                         *why.text ? ": " : "", why.text);
    }
    int result = 0;
    const char *fault = misread(json, &message);
    if (fault) {
        result = error_set(error, ERROR_SYNTAX, "Line %zu: %s", number, fault);
    } else if (field_of(arena, json, "key", "key_base64", &message.key, &message.key_size) != 0 ||
               field_of(arena, json, "value", "value_base64", &message.value, &message.value_size) != 0 ||
               headers_of(arena, json_object_get(json, "headers"), headers, &message.header_count) != 0) {
        result = error_set(error, ERROR_SYNTAX,
                           "Line %zu cannot be taken: more than %d headers, one that is no pair, or bad "
                           "base64",
                           number, HEADERS_MAX);
    }
    json_decref(json);
    if (result == 0) {
        send_message(produce, &message);
    }
    return result;
}

/* -- all of it -- */

static int read_lines(struct produce *produce, FILE *in, struct error *error)
{
    char *line = NULL;
    size_t capacity = 0, number = 0;
    ssize_t n;
    int result = 0;
    struct arena arena = {0};
    while (result == 0 && produce->failed == 0 && (n = getline(&line, &capacity, in)) >= 0) {
        size_t size = (size_t)n;
        number++;
        if (size > 0 && line[size - 1] == '\n') {
            size--;
        }
        if (size > LINE_MOST) {
            result = error_set(error, ERROR_TOO_LARGE, "Line %zu has %zu bytes; a record has at most %d", number, size,
                               (int)LINE_MOST);
            break;
        }
        result = produce->json ? take_json(produce, &arena, line, size, number, error)
                               : take_line(produce, line, size, number, error);
        arena_reset(&arena, 1 << 20);
    }
    if (result == 0 && ferror(in)) {
        result = error_set_errno(error, errno, "%s cannot be read",
                                 produce->file ? produce->file : "Standard input");
    }
    free(line);
    arena_finish(&arena);
    while (broker_producer_pending(produce->producer) > 0) {
        (void)broker_producer_poll(produce->producer, POLL_MS);
    }
    return result;
}

static int run(struct produce *produce)
{
    struct error error = {0};
    FILE *in = produce->file ? fopen(produce->file, "re") : stdin;
    if (!in) {
        (void)error_set_errno(&error, errno, "%s cannot be opened", produce->file);
        return tool_fail(&produce->tool, &error);
    }
    int code = CLI_OK;
    if (broker_producer_create(produce->tool.broker, &produce->tool.properties, on_delivered,
                               produce, &produce->producer, &error) != 0 ||
        read_lines(produce, in, &error) != 0) {
        code = tool_fail(&produce->tool, &error);
    }
    broker_producer_destroy(produce->producer);
    if (produce->failed > 0) {
        fprintf(stderr, "sluice produce: %zu records were not written; the first one:\n",
                produce->failed);
        code = tool_fail(&produce->tool, &produce->failure);
    }
    if (produce->file) {
        fclose(in);
    }
    return code;
}

static int settle(struct produce *produce)
{
    const char *parse = properties_get(&produce->line, "parse.key");
    const char *separator = properties_get(&produce->line, "key.separator");
    produce->null_marker = properties_get(&produce->line, "null.marker");
    produce->parse_key = produce->separator || (parse && strcmp(parse, "true") == 0);
    produce->separator = produce->separator ? produce->separator : separator ? separator : "\t";
    if (!produce->topic) {
        return tool_misuse(&produce->tool, "--topic is missing");
    }
    if (*produce->separator == '\0') {
        return tool_misuse(&produce->tool, "the key separator is empty");
    }
    if (produce->partition < -1 || produce->partition > INT32_MAX) {
        return tool_misuse(&produce->tool, "--partition must be 0 or more");
    }
    return -1;
}

int verb_produce(int argc, char **argv)
{
    struct produce produce = {.tool = {.verb = "produce", .help = help}, .partition = -1};
    const struct tool_option options[] = {
        {.name = "--bootstrap-server", .text = &produce.tool.servers},
        {.name = "--command-config", .text = &produce.tool.command_config},
        {.name = "--producer.config", .text = &produce.tool.command_config},
        {.name = "--topic", .text = &produce.topic},
        {.name = "--file", .text = &produce.file},
        {.name = "--partition", .number = &produce.partition},
        {.name = "--property", .list = &produce.line},
        {.name = "--producer-property", .list = &produce.tool.client},
        {.name = "--key-separator", .text = &produce.separator},
        {.name = "--json", .flag = &produce.json},
    };
    int code = tool_parse(&produce.tool, argc, argv, options, sizeof(options) / sizeof(options[0]));
    code = code < 0 ? settle(&produce) : code;
    code = code < 0 ? tool_open(&produce.tool) : code;
    if (code < 0) {
        code = run(&produce);
    }
    tool_close(&produce.tool);
    properties_finish(&produce.line);
    error_clear(&produce.failure);
    return code;
}
