/*
 * sluice-transform: a chain of transforms over JSON lines, without a broker, with the same plugins
 * and the same chain as in a task. Started by `sluice transform`, which tells where our own plugins
 * are: plugins run in a process of their own here too.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/types.h>

#include "core/host/offline_explain.h"
#include "core/host/offline_file.h"
#include "core/data/batch.h"
#include "core/host/chain.h"

/* Exit codes, as of every verb (core/cli/cli.h). */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_BAD_INPUT = 2, EXIT_ENVIRONMENT = 3 };

/* Records that share an arena. */
#define BATCH_RECORDS 256
/* Longest line that is taken. */
#define LINE_MAX_BYTES ((size_t)256 << 20)

static const char usage[] =
    "Usage: sluice transform [OPTION..] CHAIN.properties < IN.jsonl > OUT.jsonl\n"
    "Runs the chain (transforms, predicates) of a connector's file, .properties or JSON, over JSON lines,\n"
    "without a broker.\n"
    "\n"
    "  --topic T          topic of the records (default: topic)\n"
    "  --records          lines are records, in and out: "
    "{\"topic\":..,\"partition\":..,\"timestamp\":..,\n"
    "                     \"key\":..,\"value\":..,\"headers\":[[name,value]..]}; all but value may "
    "be missing\n"
    "  --explain          say on standard error what each step did to each record\n"
    "  --plugin-path P    further plugins: folders or .so files, separated by commas\n"
    "  --json             accepted as everywhere; the output is JSON in any case\n"
    "  --help             this text\n"
    "\n"
    "A line that is not JSON, or a record that a step cannot handle, ends the run with a message "
    "that\n"
    "names the line; with errors.tolerance=all in the file such records are named and left out.\n"
    "Exit codes: 0 fine, 1 a record failed, 2 bad input or configuration, 3 a file or plugin is "
    "missing.\n";

struct run {
    const char *topic;
    bool records, explain, tolerate;
    struct chain *chain;
    struct batch_pool *pool;
    const struct sluice_name *names[6]; /* members of a record, in the order of enum member */
    size_t line, failed;
};

enum member { TOPIC, PARTITION, TIMESTAMP, KEY, VALUE, HEADERS };
static const char *const member_names[] = {"topic", "partition", "timestamp",
                                           "key",   "value",     "headers"};

static int complain(const struct run *run, const char *format, const char *detail)
{
    fprintf(stderr, "sluice transform: line %zu: ", run->line);
    fprintf(stderr, format, detail);
    fputc('\n', stderr);
    return EXIT_BAD_INPUT;
}

/* -- records -- */

static const char *string_of(struct sluice_batch *batch, const struct sluice_value *value)
{
    struct sluice_span text = data_api.text(value);
    char *copy = arena_alloc(batch_arena(batch), text.size + 1);
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

static int add_headers(const struct run *run, struct sluice_batch *batch,
                       struct sluice_record *record, const struct sluice_value *headers)
{
    for (size_t i = 0; i < data_api.count(headers); i++) {
        const struct sluice_value *pair = data_api.at(headers, i);
        if (data_api.type(pair) != SLUICE_ARRAY || data_api.count(pair) != 2 ||
            data_api.type(data_api.at(pair, 0)) != SLUICE_STRING) {
            return complain(run, "%s is a list of [name, value] pairs", "headers");
        }
        records_api.header_add(record, string_of(batch, data_api.at(pair, 0)), NULL,
                               data_api.at(pair, 1));
    }
    return EXIT_OK;
}

/* The record of a line. offset: the line's number from 0, as if the lines were a partition. */
static int make_record(const struct run *run, struct sluice_batch *batch,
                       const struct sluice_value *line, struct sluice_record **ret_record)
{
    const char *topic = run->topic;
    int32_t partition = 0;
    int64_t timestamp = SLUICE_NO_TIMESTAMP;
    const struct sluice_value *members[6] = {[VALUE] = line};
    if (run->records) {
        if (data_api.type(line) != SLUICE_MAP) {
            return complain(run, "with --records a line is an object: {\"%s\":..}", "value");
        }
        for (enum member i = TOPIC; i <= HEADERS; i++) {
            members[i] = data_api.find(line, run->names[i]);
            if (data_api.type(members[i]) == SLUICE_NULL) {
                members[i] = NULL;
            }
        }
        static const enum sluice_type types[] = {[TOPIC] = SLUICE_STRING,
                                                 [PARTITION] = SLUICE_INT64,
                                                 [TIMESTAMP] = SLUICE_INT64,
                                                 [HEADERS] = SLUICE_ARRAY};
        for (enum member i = TOPIC; i <= HEADERS; i++) {
            if (members[i] && i != KEY && i != VALUE && data_api.type(members[i]) != types[i]) {
                return complain(run,
                                "%s has the wrong type (topic: text, partition and timestamp: "
                                "whole numbers, headers: list)",
                                member_names[i]);
            }
        }
        topic = members[TOPIC] ? string_of(batch, members[TOPIC]) : topic;
        partition = (int32_t)data_api.integer(members[PARTITION]);
        timestamp = members[TIMESTAMP] ? data_api.integer(members[TIMESTAMP]) : SLUICE_NO_TIMESTAMP;
    }
    struct sluice_record *record = batch_add_sink(
        batch, topic, partition, (int64_t)run->line - 1, timestamp,
        timestamp == SLUICE_NO_TIMESTAMP ? SLUICE_TIMESTAMP_NONE : SLUICE_TIMESTAMP_CREATE,
        (struct sluice_span){NULL, 0}, (struct sluice_span){NULL, 0});
    records_api.set_key(record, NULL, members[KEY]);
    records_api.set_value(record, NULL, members[VALUE]);
    *ret_record = record;
    return members[HEADERS] ? add_headers(run, batch, record, members[HEADERS]) : EXIT_OK;
}

static const struct sluice_value *record_value(const struct run *run, struct sluice_batch *batch,
                                               const struct sluice_record *record)
{
    struct sluice_value *map = data_api.new_map(batch, 6);
    const char *topic = records_api.topic(record);
    data_api.put(batch, map, run->names[TOPIC],
                 data_api.new_string_view(batch, topic, strlen(topic)));
    data_api.put(batch, map, run->names[PARTITION],
                 data_api.new_integer(batch, SLUICE_INT32, records_api.partition(record)));
    int64_t timestamp = records_api.timestamp(record);
    data_api.put(batch, map, run->names[TIMESTAMP],
                 timestamp == SLUICE_NO_TIMESTAMP
                     ? data_api.new_null(batch)
                     : data_api.new_integer(batch, SLUICE_INT64, timestamp));
    const struct sluice_value *key = records_api.key(record), *value = records_api.value(record);
    data_api.put(batch, map, run->names[KEY], key ? key : data_api.new_null(batch));
    data_api.put(batch, map, run->names[VALUE], value ? value : data_api.new_null(batch));
    struct sluice_value *headers = data_api.new_array(batch, records_api.header_count(record));
    for (size_t i = 0; i < records_api.header_count(record); i++) {
        const struct sluice_schema *schema;
        const struct sluice_value *held;
        const char *name = records_api.header(record, i, &schema, &held);
        struct sluice_value *pair = data_api.new_array(batch, 2);
        data_api.append(batch, pair, data_api.new_string_view(batch, name, strlen(name)));
        data_api.append(batch, pair, held ? held : data_api.new_null(batch));
        data_api.append(batch, headers, pair);
    }
    data_api.put(batch, map, run->names[HEADERS], headers);
    return map;
}

/* -- lines -- */

static int step_failed(struct run *run, enum sluice_result result, const char *class_name)
{
    struct plugin_failure failure;
    chain_failure_take(run->chain, result, &failure);
    fprintf(stderr, "sluice transform: line %zu: %s: %s\n  in %s%s\n", run->line,
            failure.error.java_class ? failure.error.java_class : SLUICE_CONNECT_EXCEPTION,
            failure.error.message, class_name, run->tolerate ? " (left out)" : "");
    error_clear(&failure.error);
    run->failed++;
    return run->tolerate ? EXIT_OK : EXIT_FAILED;
}

static int run_line(struct run *run, struct sluice_batch *batch, const char *line, size_t size)
{
    char *text = arena_copy(batch_arena(batch), line, size);
    struct sluice_value *value = NULL;
    struct sluice_json_error json_error = {.size = sizeof(json_error)};
    if (data_api.from_json(batch, text, size, SLUICE_JSON_STRICT, &value, &json_error) !=
        SLUICE_OK) {
        char where[300];
        snprintf(where, sizeof(where), "%s (column %u)", json_error.message, json_error.column);
        return complain(run, "not JSON: %s", where);
    }
    struct sluice_record *record = NULL;
    int code = make_record(run, batch, value, &record);
    if (code != EXIT_OK) {
        return code;
    }
    const char *class_name = "";
    enum sluice_result result = run->explain
                                    ? explain_chain(run->chain, record, run->line, &class_name)
                                    : chain_apply(run->chain, record, &class_name);
    if (result == SLUICE_DROP) {
        return EXIT_OK;
    }
    if (result != SLUICE_OK) {
        return step_failed(run, result, class_name);
    }
    const struct sluice_value *out =
        run->records ? record_value(run, batch, record) : records_api.value(record);
    struct sluice_span json = data_api.to_json(batch, out);
    fwrite(json.data, 1, json.size, stdout);
    putc('\n', stdout);
    return EXIT_OK;
}

static int run_lines(struct run *run)
{
    char *line = NULL;
    size_t room = 0, used = 0;
    int code = EXIT_OK;
    ssize_t size;
    struct sluice_batch *batch = batch_new(run->pool);
    while (code == EXIT_OK && (size = getline(&line, &room, stdin)) > 0) {
        run->line++;
        while (size > 0 && (line[size - 1] == '\n' || line[size - 1] == '\r')) {
            size--;
        }
        if ((size_t)strspn(line, " \t") >= (size_t)size) {
            continue; /* blank lines separate, they are no records */
        }
        if ((size_t)size > LINE_MAX_BYTES) {
            code = complain(run, "longer than %s", "256 MB");
            break;
        }
        if (++used > BATCH_RECORDS) {
            records_api.release(batch);
            batch = batch_new(run->pool);
            used = 1;
        }
        code = run_line(run, batch, line, (size_t)size);
    }
    records_api.release(batch);
    free(line);
    if (ferror(stdin)) {
        fprintf(stderr, "sluice transform: cannot read the input: %s\n", strerror(errno));
        return EXIT_ENVIRONMENT;
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "sluice transform: cannot write the output: %s\n", strerror(errno));
        return EXIT_ENVIRONMENT;
    }
    return code == EXIT_OK && run->failed > 0 && !run->tolerate ? EXIT_FAILED : code;
}

/* -- start -- */

static void on_file(void *user, const char *path, const struct error *error)
{
    (void)user;
    if (error) {
        fprintf(stderr, "sluice transform: %s was not loaded: %s\n", path, error->message);
    }
}

/* Loads what a plugin.path names; the list is split at commas. */
static void load_plugins(struct registry *registry, const char *path)
{
    char *copy = path ? strdup(path) : NULL, *rest = copy;
    for (char *part; rest && (part = strsep(&rest, ",")) != NULL;) {
        part += strspn(part, " \t");
        if (*part) {
            const char *const one[] = {part};
            registry_scan(registry, one, 1, NULL, on_file, NULL);
        }
    }
    free(copy);
}

static int run_file(struct run *run, const char *file, const char *own, const char *plugin_path)
{
    struct error error = {0};
    struct properties properties = {0};
    struct plugin_environment environment = {.registry = registry_create(), .log_context = ""};
    int code = EXIT_OK;
    if (offline_file_load(file, &properties, &error) != 0) {
        fprintf(stderr, "sluice transform: %s\n", error.message);
        code = error.code == ERROR_SYNTAX ? EXIT_BAD_INPUT : EXIT_ENVIRONMENT;
        goto out;
    }
    if (own) {
        registry_scan(environment.registry, &own, 1, NULL, on_file, NULL);
    }
    load_plugins(environment.registry,
                 plugin_path ? plugin_path : properties_get(&properties, "plugin.path"));
    if (chain_create(&environment, &properties, &run->chain, &error) != 0) {
        fprintf(stderr, "sluice transform: %s: %s\n", file, error.message);
        for (const struct error *cause = error.cause; cause; cause = cause->cause) {
            fprintf(stderr, "  %s\n", cause->message);
        }
        code = EXIT_BAD_INPUT;
        goto out;
    }
    if (!run->chain) {
        fprintf(stderr, "sluice transform: %s has no `transforms`: records pass as they are\n",
                file);
    }
    const char *tolerance = properties_get(&properties, "errors.tolerance");
    run->tolerate = tolerance && strcmp(tolerance, "all") == 0;
    for (enum member i = TOPIC; i <= HEADERS; i++) {
        run->names[i] = data_api.intern(member_names[i], strlen(member_names[i]));
    }
    run->pool = batch_pool_create(1, (size_t)8 << 20);
    code = run_lines(run);
    batch_pool_destroy(run->pool);
out:
    chain_destroy(run->chain);
    registry_destroy(environment.registry);
    properties_finish(&properties);
    error_clear(&error);
    return code;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"topic", required_argument, NULL, 't'},
        {"records", no_argument, NULL, 'r'},
        {"explain", no_argument, NULL, 'e'},
        {"json", no_argument, NULL, 'j'},
        {"plugin-path", required_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},
        {"own-plugins", required_argument, NULL, 'o'}, /* from `sluice transform` */
        {NULL, 0, NULL, 0},
    };
    struct run run = {.topic = "topic"};
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* whoever started it is gone: nobody waits for the output */
    const char *own = NULL, *plugin_path = NULL;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (option) {
        case 't':
            run.topic = optarg;
            break;
        case 'r':
            run.records = true;
            break;
        case 'e':
            run.explain = true;
            break;
        case 'j':
            break;
        case 'p':
            plugin_path = optarg;
            break;
        case 'o':
            own = optarg;
            break;
        case 'h':
            fputs(usage, stdout);
            return EXIT_OK;
        default:
            fputs("Try `sluice transform --help`.\n", stderr);
            return EXIT_BAD_INPUT;
        }
    }
    if (argc - optind != 1) {
        fputs("sluice transform: name one properties file. Try `sluice transform --help`.\n",
              stderr);
        return EXIT_BAD_INPUT;
    }
    return run_file(&run, argv[optind], own, plugin_path);
}
