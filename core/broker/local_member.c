/*
 * Consumer of the embedded log, membership: what the owner says besides data, the events it makes
 * of it, commits. [consumer's thread]
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/broker/local_consumer.h"

#define GENERATION_CLASS "org.apache.kafka.clients.consumer.CommitFailedException"

/* -- faults -- */

void consumer_fault(struct local_consumer *consumer, const struct error *error)
{
    if (consumer->last_fault != error->code) {
        consumer->last_fault = error->code;
        if (consumer->events.fault) {
            consumer->events.fault(consumer->events.user, error);
        }
    }
}

void consumer_add_event(struct local_consumer *consumer, uint32_t type, const char *payload,
                        size_t size)
{
    struct event *event = malloc(sizeof(*event) + size + 1);
    if (!event) {
        (void)error_set(&consumer->failure, ERROR_NO_MEMORY, "No memory for a consumer");
        return;
    }
    event->next = NULL;
    event->type = type;
    event->size = size;
    if (size > 0) {
        memcpy(event->payload, payload, size);
    }
    *consumer->event_end = event;
    consumer->event_end = &event->next;
}

/* -- frames that are no data -- */

static void take_reply(struct local_consumer *consumer, uint32_t id, const char *payload,
                       size_t size)
{
    struct pending_commit *commit = consumer->commits;
    while (commit && commit->id != id) {
        commit = commit->next;
    }
    if (commit) {
        struct wire_reader reader = {payload, payload + size, false};
        if (local_reply(&reader, &commit->error) != 0 && commit->error.code == ERROR_NONE) {
            (void)error_set(&commit->error, ERROR_BROKER, "A commit failed");
        }
        commit->done = true;
    }
}

static void take_started(struct local_consumer *consumer, struct wire_reader *reader)
{
    struct held *held = consumer_held(consumer, wire_get_u32(reader));
    (void)wire_get_u32(reader);
    int64_t offset = wire_get_i64(reader);
    int64_t end = wire_get_i64(reader);
    if (held && !reader->failed) {
        /* Later ones tell of a gap that retention made; messages before it may wait here. */
        held->position = held->started ? held->position : offset;
        held->started = true;
        held->end = end;
    }
}

void consumer_take_frame(struct local_consumer *consumer, const struct wire_head *head,
                         const char *payload)
{
    struct wire_reader reader = {payload, payload + head->size, false};
    switch (head->type) {
    case WIRE_REPLY:
        take_reply(consumer, head->id, payload, head->size);
        break;
    case WIRE_STARTED:
        take_started(consumer, &reader);
        break;
    case WIRE_EPOCH:
        local_note_epoch(consumer->local, wire_get_i64(&reader));
        consumer->topics_changed = true;
        break;
    case WIRE_ASSIGN:
    case WIRE_REVOKE:
    case WIRE_LOST:
    case WIRE_SESSION_ERROR:
        consumer_add_event(consumer, head->type, payload, head->size);
        break;
    default:
        break;
    }
}

/* -- events -- */

/* Partitions of a frame; *ret_count of them are held, unless fresh. NULL where memory is short. */
static struct broker_partition *read_partitions(struct local_consumer *consumer,
                                                struct wire_reader *reader, size_t *ret_count)
{
    uint32_t count = wire_get_u32(reader);
    *ret_count = 0;
    if (reader->failed || count > WIRE_MAX_PARTITIONS) {
        return NULL;
    }
    struct broker_partition *list = calloc((size_t)count + 1, sizeof(*list));
    for (uint32_t i = 0; list && i < count && !reader->failed; i++) {
        char name[WIRE_MAX_TOPIC_NAME + 1];
        wire_get_text(reader, name, sizeof(name));
        int32_t partition = (int32_t)wire_get_u32(reader);
        struct held *held = reader->failed ? NULL : consumer_find(consumer, name, partition);
        if (held) {
            list[(*ret_count)++] = (struct broker_partition){held->topic, held->partition};
        }
    }
    return list;
}

static void on_assign(struct local_consumer *consumer, struct wire_reader *reader)
{
    consumer->generation = wire_get_i64(reader);
    uint32_t count = wire_get_u32(reader);
    if (reader->failed || count > WIRE_MAX_PARTITIONS) {
        return;
    }
    struct broker_partition *fresh = calloc((size_t)count + 1, sizeof(*fresh));
    size_t n = 0;
    for (uint32_t i = 0; fresh && i < count && !reader->failed; i++) {
        char name[WIRE_MAX_TOPIC_NAME + 1];
        wire_get_text(reader, name, sizeof(name));
        int32_t partition = (int32_t)wire_get_u32(reader);
        int64_t position = wire_get_i64(reader);
        int64_t end = wire_get_i64(reader);
        if (reader->failed || consumer_find(consumer, name, partition)) {
            continue;
        }
        if (position < 0) {
            (void)error_set_class(&consumer->failure, ERROR_OFFSET_RANGE,
                                  "org.apache.kafka.clients.consumer.NoOffsetForPartitionException",
                                  "Undefined offset with no reset policy for partition: %s-%d",
                                  name, partition);
            continue;
        }
        struct held *held = consumer_hold(consumer, name, partition, position);
        if (held) {
            held->end = end;
            fresh[n++] = (struct broker_partition){held->topic, held->partition};
        }
    }
    if (n > 0 && consumer->events.assigned) {
        consumer->events.assigned(consumer->events.user, fresh, n);
    }
    for (size_t i = 0; i < n; i++) {
        struct held *held = consumer_find(consumer, fresh[i].topic, fresh[i].partition);
        if (held) {
            consumer_start(consumer, held);
        }
    }
    free(fresh);
}

static void on_revoke(struct local_consumer *consumer, struct wire_reader *reader)
{
    size_t count;
    consumer->generation = wire_get_i64(reader);
    struct broker_partition *list = read_partitions(consumer, reader, &count);
    if (!list) {
        return;
    }
    if (count > 0 && consumer->events.revoked) {
        consumer->events.revoked(consumer->events.user, list, count);
    }
    struct buffer out;
    buffer_init(&out, WIRE_FRAME_MAX);
    size_t begin = wire_begin(&out, WIRE_REVOKED, 0);
    wire_put_u32(&out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        wire_put_text(&out, list[i].topic);
        wire_put_u32(&out, (uint32_t)list[i].partition);
        struct held *held = consumer_find(consumer, list[i].topic, list[i].partition);
        if (held) {
            consumer_let_go(consumer, held);
        }
    }
    wire_end(&out, begin);
    fetch_drop(consumer, false);
    consumer_send(consumer, &out); /* behind the commits that revoked() made */
    free(list);
}

static void lose(struct local_consumer *consumer, struct broker_partition *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct held *held = consumer_find(consumer, list[i].topic, list[i].partition);
        if (held) {
            consumer_let_go(consumer, held);
        }
    }
    fetch_drop(consumer, false);
    if (count > 0 && consumer->events.lost) {
        consumer->events.lost(consumer->events.user, list, count);
    }
    free(list);
}

static void on_lost(struct local_consumer *consumer, struct wire_reader *reader)
{
    size_t count;
    if (wire_get_u32(reader) != 0) { /* put out of the group */
        consumer->generation = -1;
        struct broker_partition *all = consumer_list(consumer, &count);
        lose(consumer, all, count);
        consumer_join(consumer);
        return;
    }
    struct broker_partition *list = read_partitions(consumer, reader, &count);
    lose(consumer, list, list ? count : 0);
}

static void on_session_error(struct local_consumer *consumer, struct wire_reader *reader)
{
    char message[2000];
    struct held *held = consumer_held(consumer, wire_get_u32(reader));
    enum error_code code = (enum error_code)wire_get_u32(reader);
    wire_get_text(reader, message, sizeof(message));
    if (!held) {
        return;
    }
    held->session = 0;
    if (code == ERROR_OFFSET_RANGE) {
        (void)error_set_class(&consumer->failure, code,
                              "org.apache.kafka.clients.consumer.OffsetOutOfRangeException", "%s",
                              message);
        return;
    }
    struct error error = {0};
    (void)error_set(&error, code, "%s-%d cannot be read: %s", held->topic, held->partition,
                    message);
    consumer_fault(consumer, &error);
    error_clear(&error);
}

static void on_disconnect(struct local_consumer *consumer)
{
    if (consumer->subscribed) {
        size_t count;
        struct broker_partition *all = consumer_list(consumer, &count);
        consumer->generation = -1;
        lose(consumer, all, count);
    }
}

void consumer_fail_commits(struct local_consumer *consumer)
{
    for (struct pending_commit *commit = consumer->commits; commit; commit = commit->next) {
        if (!commit->done) {
            commit->done = true;
            (void)error_set_class(&commit->error, ERROR_BROKER_UNAVAILABLE, LOCAL_DISCONNECT_CLASS,
                                  "The owner of the embedded log %s went away before it answered a "
                                  "commit",
                                  consumer->local->dir);
            commit->error.retriable = true;
        }
    }
}

void consumer_finish_commits(struct local_consumer *consumer)
{
    struct pending_commit **link = &consumer->commits;
    while (*link) {
        struct pending_commit *commit = *link;
        if (!commit->done || commit->sync) {
            link = &commit->next;
            continue;
        }
        *link = commit->next;
        if (consumer->events.committed) {
            consumer->events.committed(consumer->events.user, commit->offsets, commit->count,
                                       commit->error.code != ERROR_NONE ? &commit->error : NULL);
        }
        error_clear(&commit->error);
        free(commit->offsets);
        free(commit);
        link = &consumer->commits; /* the callback may have committed again */
    }
}

void consumer_serve_events(struct local_consumer *consumer)
{
    struct event *event;
    consumer_finish_commits(consumer);
    while ((event = consumer->event)) {
        consumer->event = event->next;
        if (!consumer->event) {
            consumer->event_end = &consumer->event;
        }
        struct wire_reader reader = {event->payload, event->payload + event->size, false};
        switch (event->type) {
        case WIRE_ASSIGN:
            on_assign(consumer, &reader);
            break;
        case WIRE_REVOKE:
            on_revoke(consumer, &reader);
            break;
        case WIRE_LOST:
            on_lost(consumer, &reader);
            break;
        case WIRE_SESSION_ERROR:
            on_session_error(consumer, &reader);
            break;
        default:
            on_disconnect(consumer);
            break;
        }
        free(event);
        consumer_finish_commits(consumer);
    }
}

/* -- commits -- */

static void put_commit(struct buffer *out, const struct local_consumer *consumer, uint32_t id,
                       const struct broker_offset *offsets, size_t count)
{
    buffer_init(out, WIRE_FRAME_MAX);
    size_t begin = wire_begin(out, WIRE_COMMIT, id);
    wire_put_text(out, consumer->group);
    wire_put_i64(out, consumer->generation);
    wire_put_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        wire_put_text(out, offsets[i].topic);
        wire_put_u32(out, (uint32_t)offsets[i].partition);
        wire_put_i64(out, offsets[i].offset);
    }
    wire_end(out, begin);
}

static int check_commit(const struct local_consumer *consumer, const struct broker_offset *offsets,
                        size_t count, struct error *error)
{
    if (!consumer->group) {
        return error_set_class(error, ERROR_CONFIG,
                               "org.apache.kafka.common.errors.InvalidGroupIdException",
                               "Offsets cannot be committed without group.id");
    }
    for (size_t i = 0; i < count && consumer->subscribed; i++) {
        if (!consumer_find(consumer, offsets[i].topic, offsets[i].partition)) {
            return error_set_class(
                error, ERROR_GENERATION, GENERATION_CLASS,
                "Offset of %s-%d cannot be committed: the partition is no longer "
                "assigned to this consumer",
                offsets[i].topic, offsets[i].partition);
        }
    }
    if (consumer->fd < 0) {
        (void)error_set_class(error, ERROR_BROKER_UNAVAILABLE, LOCAL_DISCONNECT_CLASS,
                              "Offsets cannot be committed: the embedded log %s is not reachable",
                              consumer->local->dir);
        error->retriable = true;
        return -1;
    }
    return 0;
}

static struct pending_commit *begin_commit(struct local_consumer *consumer,
                                           const struct broker_offset *offsets, size_t count,
                                           bool sync, struct error *error)
{
    if (check_commit(consumer, offsets, count, error) != 0) {
        return NULL;
    }
    struct pending_commit *commit = calloc(1, sizeof(*commit));
    struct broker_offset *copies = calloc(count + 1, sizeof(*copies));
    if (!commit || !copies) {
        free(commit);
        free(copies);
        (void)error_set(error, ERROR_NO_MEMORY, "No memory for a commit");
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        copies[i] = offsets[i];
        copies[i].topic = pool_intern(consumer->pool, offsets[i].topic);
    }
    commit->offsets = copies;
    commit->count = count;
    commit->sync = sync;
    commit->id = ++consumer->last_id;
    struct pending_commit **link = &consumer->commits; /* oldest first, as the answers come */
    while (*link) {
        link = &(*link)->next;
    }
    *link = commit;
    struct buffer out;
    put_commit(&out, consumer, commit->id, offsets, count);
    consumer_send(consumer, &out);
    return commit;
}

int local_commit(struct broker_consumer *base, const struct broker_offset *offsets, size_t count,
                 struct error *error)
{
    return begin_commit((struct local_consumer *)base, offsets, count, false, error) ? 0 : -1;
}

int local_commit_sync(struct broker_consumer *base, const struct broker_offset *offsets,
                      size_t count, int timeout_ms, struct error *error)
{
    struct local_consumer *consumer = (struct local_consumer *)base;
    int64_t deadline = clock_monotonic_ms() + timeout_ms;
    struct pending_commit *commit = begin_commit(consumer, offsets, count, true, error);
    if (!commit) {
        return -1;
    }
    while (!commit->done && clock_monotonic_ms() < deadline) {
        struct pollfd wait = {.fd = consumer->fd, .events = POLLIN};
        int64_t left = deadline - clock_monotonic_ms();
        (void)poll(&wait, 1, left < 0 ? 0 : (int)left);
        (void)consumer_receive(consumer);
    }
    struct pending_commit **link = &consumer->commits;
    while (*link != commit) {
        link = &(*link)->next;
    }
    *link = commit->next;
    int result = 0;
    if (!commit->done) {
        result = error_set_class(error, ERROR_TIMEOUT, LOCAL_TIMEOUT_CLASS,
                                 "Timeout of %d ms expired before successfully committing offsets",
                                 timeout_ms);
        error->retriable = true;
    } else if (commit->error.code != ERROR_NONE) {
        *error = commit->error;
        commit->error = (struct error){0};
        result = -1;
    }
    error_clear(&commit->error);
    free(commit->offsets);
    free(commit);
    return result;
}
