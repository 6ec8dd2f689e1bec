#include "core/host/errors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/data/batch.h"
#include "lib/util/buffer.h"

#define HEADER "__connect.errors."

enum { LOGGED_RECORD_MOST = 64 << 10, FIRST_DELAY_MS = 300, ADMIN_TIMEOUT_MS = 30000, FINISH_MS = 4000, DEAD_HEADERS = 10 };

static const char *const stage_names[] = {
    "TRANSFORMATION",   "KEY_CONVERTER", "VALUE_CONVERTER",
    "HEADER_CONVERTER", "KAFKA_PRODUCE", "TASK_PUT",
};

/** Producer and topic; calls come from several threads, so everything is under lock. */
struct dead_letters {
    pthread_mutex_t lock;
    struct broker *broker;
    struct broker_producer *producer;
    char *topic;
    bool context_headers;
    bool lost; /* a record that the sink reported could not be written */
    struct error_policy *policy;
};

static bool is_true(const struct properties *properties, const char *name)
{
    const char *text = properties_get(properties, name);
    return text && strcasecmp(text, "true") == 0;
}

static void count(struct metrics_slot *slot)
{
    metrics_add(slot, 1);
}

/* -- dead letter queue -- */

/* invariant 1: what the sink has given up is nowhere now; the task ends before its offset counts. As in
 * Connect, which waits for these at commit; of what a stage before could not handle, it tells and goes on. */
static void lose(struct dead_letters *dead, const struct error *failure)
{
    struct error error = {0};
    error_copy(&error, failure);
    (void)error_wrap(&error, ERROR_BROKER, SLUICE_CONNECT_EXCEPTION,
                     "Could not produce message to dead letter queue. topic=%s", dead->topic);
    dead->lost = true;
    task_raise(dead->policy->task, &error);
}

static void on_delivered(void *user, const struct broker_delivery *deliveries, size_t amount)
{
    struct dead_letters *dead = user;
    for (size_t i = 0; i < amount; i++) {
        if (deliveries[i].error) {
            count(dead->policy->dead_failures);
            task_log(dead->policy->task, LOG_LEVEL_ERROR,
                     "Could not produce message to dead letter queue. topic=%s: %s", dead->topic,
                     deliveries[i].error->message);
            if (deliveries[i].opaque) {
                lose(dead, deliveries[i].error);
            }
        }
    }
}

static void dead_letters_destroy(struct dead_letters *dead)
{
    if (dead) {
        broker_producer_destroy(dead->producer);
        broker_close(dead->broker);
        free(dead->topic);
        pthread_mutex_destroy(&dead->lock);
        free(dead);
    }
}

static int dead_letters_create(struct error_policy *policy, const char *topic, struct error *error)
{
    struct task *task = policy->task;
    struct dead_letters *dead = calloc(1, sizeof(*dead));
    char *copy = strdup(topic);
    if (!dead || !copy) {
        free(dead);
        free(copy);
        return error_set(error, ERROR_NO_MEMORY, "Out of memory for the dead letter queue");
    }
    pthread_mutex_init(&dead->lock, NULL);
    dead->topic = copy;
    dead->policy = policy;
    dead->context_headers = is_true(&task->config, "errors.deadletterqueue.context.headers.enable");

    struct properties admin = {0}, producer = {0};
    task_client_properties(task, CLIENT_DEAD_LETTER_ADMIN, &admin);
    task_client_properties(task, CLIENT_DEAD_LETTER_PRODUCER, &producer);
    struct broker_topic_spec spec = {
        .name = topic,
        .partitions = 1,
        .replication_factor =
            (int16_t)task_long(task, "errors.deadletterqueue.topic.replication.factor", 3),
    };
    bool there = false;
    int result = broker_open(&admin, &dead->broker, error);
    if (result == 0) { /* who may write to it may not be allowed to make it */
        result = broker_topic_exists(dead->broker, topic, ADMIN_TIMEOUT_MS, &there, error);
    }
    if (result == 0 && !there) {
        result = broker_topic_create(dead->broker, &spec, ADMIN_TIMEOUT_MS, error);
        if (result != 0 && error->code == ERROR_TOPIC_EXISTS) {
            error_clear(error);
            result = 0;
        }
    }
    if (result == 0) {
        result = broker_producer_create(dead->broker, &producer, on_delivered, dead, &dead->producer,
                                        error);
    }
    properties_finish(&admin);
    properties_finish(&producer);
    if (result != 0) {
        dead_letters_destroy(dead);
        return error_wrap(error, ERROR_BROKER, SLUICE_CONNECT_EXCEPTION,
                          "Could not initialize dead letter queue with topic=%s", topic);
    }
    policy->dead_letters = dead;
    return 0;
}

static struct broker_header header(const char *name, const char *text)
{
    return (struct broker_header){.name = name, .value = text, .size = text ? (uint32_t)strlen(text) : 0};
}

static void dead_letters_send(struct dead_letters *dead, enum stage stage, const char *class_name,
                              const struct error *failure, const struct broker_message *message)
{
    struct task *task = dead->policy->task;
    char partition[16], offset[24], number[16];
    (void)snprintf(partition, sizeof(partition), "%d", (int)message->partition);
    (void)snprintf(offset, sizeof(offset), "%lld", (long long)message->offset);
    (void)snprintf(number, sizeof(number), "%d", task->number);
    char *trace = error_trace(failure);

    size_t room = message->header_count + DEAD_HEADERS;
    struct broker_header *headers = calloc(room, sizeof(*headers));
    if (!headers) {
        free(trace);
        count(dead->policy->dead_failures);
        return;
    }
    size_t used = message->header_count;
    if (used > 0) {
        memcpy(headers, message->headers, used * sizeof(*headers));
    }
    if (dead->context_headers) {
        headers[used++] = header(HEADER "topic", message->topic);
        headers[used++] = header(HEADER "partition", partition);
        headers[used++] = header(HEADER "offset", offset);
        headers[used++] = header(HEADER "connector.name", task->connector);
        headers[used++] = header(HEADER "task.id", number);
        headers[used++] = header(HEADER "stage", stage_names[stage]);
        headers[used++] = header(HEADER "class.name", class_name);
        headers[used++] = header(HEADER "exception.class.name",
                                 failure->java_class ? failure->java_class : SLUICE_CONNECT_EXCEPTION);
        headers[used++] = header(HEADER "exception.message", failure->message);
        headers[used++] = header(HEADER "exception.stacktrace", trace);
    }
    struct broker_message letter = *message;
    letter.topic = dead->topic;
    letter.partition = BROKER_NO_PARTITION;
    letter.headers = headers;
    letter.header_count = (uint32_t)used;
    letter.opaque = stage == STAGE_TASK_PUT ? dead : NULL;

    count(dead->policy->dead_requests);
    pthread_mutex_lock(&dead->lock);
    while (broker_producer_send(dead->producer, &letter, 1, false) == 0) {
        (void)broker_producer_poll(dead->producer, 100);
    }
    (void)broker_producer_poll(dead->producer, 0);
    pthread_mutex_unlock(&dead->lock);
    free(headers);
    free(trace);
}

bool error_policy_flush(struct error_policy *policy, int timeout_ms)
{
    struct dead_letters *dead = policy->dead_letters;
    if (!dead) {
        return true;
    }
    int64_t now = clock_monotonic_ms(), deadline = now + timeout_ms;
    pthread_mutex_lock(&dead->lock);
    for (; broker_producer_pending(dead->producer) > 0 && now < deadline; now = clock_monotonic_ms()) {
        (void)broker_producer_poll(dead->producer, (int)(deadline - now));
    }
    bool written = broker_producer_pending(dead->producer) == 0 && !dead->lost;
    pthread_mutex_unlock(&dead->lock);
    return written;
}

/* -- policy -- */

int error_policy_init(struct error_policy *policy, struct task *task, bool sink, struct error *error)
{
    const char *tolerance = properties_get(&task->config, "errors.tolerance");
    *policy = (struct error_policy){
        .task = task,
        .tolerate = tolerance && strcasecmp(tolerance, "all") == 0,
        .retry_timeout = task_long(task, "errors.retry.timeout", 0),
        .retry_delay_max = task_long(task, "errors.retry.delay.max.ms", 60000),
        .log = is_true(&task->config, "errors.log.enable"),
        .log_messages = is_true(&task->config, "errors.log.include.messages"),
        .failed = task_metric(task, "total-record-failures", 1),
        .errors = task_metric(task, "total-record-errors", 1),
        .last_error = task_metric(task, "last-error-timestamp", 2),
        .skipped = task_metric(task, "total-records-skipped", 1),
        .errors_logged = task_metric(task, "total-errors-logged", 1),
        .retries = task_metric(task, "total-retries", 1),
        .dead_requests = task_metric(task, "deadletterqueue-produce-requests", 1),
        .dead_failures = task_metric(task, "deadletterqueue-produce-failures", 1),
    };
    const char *topic = properties_get(&task->config, "errors.deadletterqueue.topic.name");
    if (sink && topic && *topic) {
        return dead_letters_create(policy, topic, error);
    }
    return 0;
}

void error_policy_finish(struct error_policy *policy)
{
    if (!error_policy_flush(policy, FINISH_MS)) {
        task_log(policy->task, LOG_LEVEL_WARN,
                 "Records that failed may be missing in the dead letter queue: it did not confirm them "
                 "in time. Their offsets are not committed.");
    }
    dead_letters_destroy(policy->dead_letters);
    policy->dead_letters = NULL;
}

int64_t error_policy_backoff(const struct error_policy *policy, int attempt, int64_t started)
{
    int64_t now = clock_monotonic_ms();
    count(policy->failed); /* each attempt, and once more where it was the last: as Connect counts */
    if (policy->retry_timeout == 0 ||
        (policy->retry_timeout > 0 && now >= started + policy->retry_timeout)) {
        return -1;
    }
    int64_t delay = attempt > 30 ? INT64_MAX : (int64_t)FIRST_DELAY_MS << (attempt - 1);
    if (delay > policy->retry_delay_max) {
        uint32_t random = 0;
        if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0) {
            random = (uint32_t)now;
        }
        delay = policy->retry_delay_max > 0 ? random % policy->retry_delay_max : 0;
    }
    if (policy->retry_timeout > 0 && now + delay > started + policy->retry_timeout) {
        delay = started + policy->retry_timeout - now;
    }
    count(policy->retries);
    return delay;
}

/* ConsumerRecord as Connect's LogReporter tells of it: where it is, not what is in it. */
static void describe_consumed(struct buffer *out, const struct broker_message *message)
{
    (void)buffer_printf(out, ", where consumed record is {topic='%s', partition=%d, offset=%lld",
                        message->topic, (int)message->partition, (long long)message->offset);
    if (message->timestamp_type != BROKER_TIMESTAMP_NONE) {
        (void)buffer_printf(
            out, ", timestamp=%lld, timestampType=%s", (long long)message->timestamp,
            message->timestamp_type == BROKER_TIMESTAMP_LOG_APPEND ? "LogAppendTime" : "CreateTime");
    }
    (void)buffer_append_char(out, '}');
}

static void append_value(struct buffer *out, struct sluice_batch *batch,
                         const struct sluice_value *value)
{
    struct sluice_span text = data_api.to_text(batch, value);
    (void)buffer_append(out, text.data, text.size);
}

static void append_schema(struct buffer *out, const struct sluice_schema *schema)
{
    static const char *const types[] = {"",        "INT8",   "INT16", "INT32",  "INT64",
                                        "FLOAT32", "FLOAT64", "BOOLEAN", "STRING", "BYTES",
                                        "ARRAY",   "MAP",    "STRUCT"};
    if (!schema) {
        (void)buffer_append_text(out, "null");
        return;
    }
    const char *name = data_api.schema_name(schema);
    (void)buffer_printf(out, "Schema{%s%s%s}", name ? name : "", name ? ":" : "",
                        types[data_api.schema_type(schema)]);
}

/* SourceRecord.toString() */
static void describe_source(struct buffer *out, const struct sluice_record *record)
{
    struct sluice_batch *batch = records_api.batch_of(record);
    int32_t partition = records_api.partition(record);
    int64_t timestamp = records_api.timestamp(record);
    (void)buffer_append_text(out, ", where source record is = SourceRecord{sourcePartition=");
    append_value(out, batch, record_source_partition(record));
    (void)buffer_append_text(out, ", sourceOffset=");
    append_value(out, batch, record_source_offset(record));
    (void)buffer_printf(out, "} ConnectRecord{topic='%s', kafkaPartition=", records_api.topic(record));
    (void)(partition >= 0 ? buffer_printf(out, "%d", (int)partition)
                          : buffer_append_text(out, "null"));
    (void)buffer_append_text(out, ", key=");
    append_value(out, batch, records_api.key(record));
    (void)buffer_append_text(out, ", keySchema=");
    append_schema(out, records_api.key_schema(record));
    (void)buffer_append_text(out, ", value=");
    append_value(out, batch, records_api.value(record));
    (void)buffer_append_text(out, ", valueSchema=");
    append_schema(out, records_api.value_schema(record));
    (void)buffer_append_text(out, ", timestamp=");
    (void)(timestamp != SLUICE_NO_TIMESTAMP ? buffer_printf(out, "%lld", (long long)timestamp)
                                            : buffer_append_text(out, "null"));
    (void)buffer_append_text(out, ", headers=ConnectHeaders(headers=");
    size_t count = records_api.header_count(record);
    for (size_t i = 0; i < count; i++) {
        const struct sluice_schema *schema;
        const struct sluice_value *value;
        const char *name = records_api.header(record, i, &schema, &value);
        (void)buffer_printf(out, "%sConnectHeader(key=%s, value=", i ? ", " : "[", name);
        append_value(out, batch, value);
        (void)buffer_append_text(out, ", schema=");
        append_schema(out, schema);
        (void)buffer_append_char(out, ')');
    }
    (void)buffer_append_text(out, count ? "])}" : ")}");
}

static void log_failure(struct error_policy *policy, enum stage stage, const char *class_name,
                        const struct error *failure, const struct broker_message *message,
                        const struct sluice_record *source)
{
    struct buffer record;
    buffer_init(&record, LOGGED_RECORD_MOST);
    if (policy->log_messages && message) {
        describe_consumed(&record, message);
    } else if (policy->log_messages && source) {
        describe_source(&record, source);
    }
    char *trace = error_trace(failure);
    task_log(policy->task, LOG_LEVEL_ERROR,
             "Error encountered in task %s-%d. Executing stage '%s' with class '%s'%s%s.\n%s",
             policy->task->connector, policy->task->number, stage_names[stage], class_name,
             record.data ? record.data : "", record.failed ? ".. (cut)" : "", trace ? trace : "");
    free(trace);
    buffer_finish(&record);
    count(policy->errors_logged);
}

int error_policy_record(struct error_policy *policy, enum stage stage, const char *executing_class,
                        const struct error *failure, const struct broker_message *message,
                        const struct sluice_record *source, struct error *error)
{
    count(policy->failed);
    if (stage < STAGE_KAFKA_PRODUCE || !policy->tolerate) {
        count(policy->errors); /* what was tolerated behind the chain is a failure only, in Connect */
    }
    metrics_set(policy->last_error, clock_wall_ms());
    if (policy->log) {
        log_failure(policy, stage, executing_class, failure, message, source);
    }
    if (policy->dead_letters && message) {
        dead_letters_send(policy->dead_letters, stage, executing_class, failure, message);
    }
    if (policy->tolerate) {
        count(policy->skipped);
        return 0;
    }
    error_copy(error, failure);
    if (message) {
        /* behind the sentence, as a frame of the trace: Connect does not say which record it was */
        (void)error_wrap(error, ERROR_PLUGIN_FAILED, SLUICE_CONNECT_EXCEPTION,
                         "Tolerance exceeded in error handler\n\tat record %s-%d, offset %lld, stage %s",
                         message->topic, (int)message->partition, (long long)message->offset,
                         stage_names[stage]);
    } else {
        (void)error_wrap(error, ERROR_PLUGIN_FAILED, SLUICE_CONNECT_EXCEPTION,
                         "Tolerance exceeded in error handler");
    }
    return -1;
}
