/*
 * Requests that wait for their answer: topics, offsets, groups. One connection per broker handle,
 * used under its lock. Reads are tried again where the owner went away in between. [any thread]
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/broker/local.h"

enum { READ_SIZE = 65536, FIRST_BACKOFF_MS = 5, MAX_BACKOFF_MS = 250, SPAWN_AFTER_MS = 500 };

void local_admin_disconnect(struct local *local)
{
    if (local->fd >= 0) {
        close(local->fd);
        local->fd = -1;
    }
    buffer_reset(&local->in);
}

/* Waits for the owner up to the deadline; one that dies is given a moment to be started again. */
static int connect_until(struct local *local, int64_t deadline, struct error *error)
{
    int64_t begin = clock_monotonic_ms();
    int backoff = FIRST_BACKOFF_MS;
    bool again = atomic_load(&local->epoch) >= 0;
    while (local->fd < 0) {
        int64_t now = clock_monotonic_ms();
        struct local_welcome welcome;
        error_clear(error);
        local->fd =
            local_connect(local, local->client_id, true, !again || now - begin > SPAWN_AFTER_MS,
                          (int)(deadline > now ? deadline - now : 0), &welcome, error);
        if (local->fd < 0 && (!error->retriable || now + backoff >= deadline)) {
            return -1;
        }
        if (local->fd < 0) {
            (void)poll(NULL, 0, backoff);
            backoff = backoff * 2 < MAX_BACKOFF_MS ? backoff * 2 : MAX_BACKOFF_MS;
        }
    }
    error_clear(error);
    return 0;
}

static int receive_more(struct local *local, int64_t deadline, struct error *error)
{
    int64_t left = deadline - clock_monotonic_ms();
    struct pollfd wait = {.fd = local->fd, .events = POLLIN};
    int ready = poll(&wait, 1, left < 0 ? 0 : (int)left);
    if (ready == 0) {
        (void)error_set_class(error, ERROR_TIMEOUT, LOCAL_TIMEOUT_CLASS,
                              "The embedded log %s did not answer in time", local->dir);
        error->retriable = true;
        return -1;
    }
    if (buffer_reserve(&local->in, READ_SIZE) != 0) {
        return error_set(error, ERROR_NO_MEMORY, "No memory for an answer of the embedded log");
    }
    ssize_t n = recv(local->fd, local->in.data + local->in.size, READ_SIZE, MSG_DONTWAIT);
    if (n > 0) {
        local->in.size += (size_t)n;
        return 0;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return 0;
    }
    (void)error_set_class(error, ERROR_BROKER_UNAVAILABLE, LOCAL_DISCONNECT_CLASS,
                          "The owner of the embedded log %s went away", local->dir);
    error->retriable = true;
    return -1;
}

/* A whole frame at the front of the buffer? Epochs are taken off on the way. */
static bool next_frame(struct local *local, struct wire_head *ret_head)
{
    while (local->in.size >= sizeof(*ret_head)) {
        memcpy(ret_head, local->in.data, sizeof(*ret_head));
        if (local->in.size - sizeof(*ret_head) < ret_head->size) {
            return false;
        }
        if (ret_head->type != WIRE_EPOCH) {
            return true;
        }
        struct wire_reader reader = {local->in.data + sizeof(*ret_head),
                                     local->in.data + sizeof(*ret_head) + ret_head->size, false};
        local_note_epoch(local, wire_get_i64(&reader));
        buffer_consume(&local->in, sizeof(*ret_head) + ret_head->size);
    }
    return false;
}

struct call {
    struct buffer request;
    size_t begin;
    bool read; /* may be sent twice */
    struct wire_reader reply;
};

static void call_begin(struct call *call, enum wire_type type, bool read)
{
    buffer_init(&call->request, WIRE_FRAME_MAX);
    call->begin = wire_begin(&call->request, type, 0);
    call->read = read;
}

static int exchange(struct local *local, struct call *call, int64_t deadline, struct error *error)
{
    struct wire_head head;
    uint32_t id = ++local->last_id;
    memcpy(call->request.data + offsetof(struct wire_head, id), &id, sizeof(id));
    int64_t left = deadline - clock_monotonic_ms();
    if (local_send(local->fd, call->request.data, call->request.size, left < 0 ? 0 : (int)left,
                   error) != 0) {
        return -1;
    }
    for (;;) {
        while (next_frame(local, &head)) {
            if (head.type == WIRE_REPLY && head.id == id) {
                const char *payload = local->in.data + sizeof(head);
                call->reply = (struct wire_reader){payload, payload + head.size, false};
                return 0;
            }
            buffer_consume(&local->in, sizeof(head) + head.size); /* of one that timed out */
        }
        if (receive_more(local, deadline, error) != 0) {
            return -1;
        }
    }
}

/*
 * Sends the request and waits for the reply. On 0 the broker is locked and call->reply is to be
 * read; call_end() comes after it in any case.
 */
static int call_run(struct local *local, struct call *call, int timeout_ms, struct error *error)
{
    int64_t deadline = clock_monotonic_ms() + timeout_ms;
    wire_end(&call->request, call->begin);
    pthread_mutex_lock(&local->lock);
    if (call->request.failed) {
        return error_set(error, ERROR_NO_MEMORY, "No memory for a request to the embedded log");
    }
    bool fresh = false;
    for (;;) {
        if (local->fd < 0) {
            fresh = true;
            if (connect_until(local, deadline, error) != 0) {
                return -1;
            }
        }
        if (exchange(local, call, deadline, error) == 0) {
            return local_reply(&call->reply, error);
        }
        local_admin_disconnect(local);
        /* An idle connection may have ended long ago: a request that nobody saw is no risk. */
        if (error->code != ERROR_BROKER_UNAVAILABLE || (fresh && !call->read) ||
            clock_monotonic_ms() >= deadline) {
            return -1;
        }
        error_clear(error);
    }
}

static int call_end(struct local *local, struct call *call, int result, struct error *error)
{
    if (result == 0 && call->reply.failed) {
        result = error_set(error, ERROR_BROKER, "An answer of the embedded log is malformed");
    }
    if (local->in.size >= sizeof(struct wire_head)) {
        struct wire_head head;
        memcpy(&head, local->in.data, sizeof(head));
        if (local->in.size >= sizeof(head) + head.size) {
            buffer_consume(&local->in, sizeof(head) + head.size);
        }
    }
    pthread_mutex_unlock(&local->lock);
    buffer_finish(&call->request);
    return result;
}

static int call_simple(struct local *local, struct call *call, int timeout_ms, struct error *error)
{
    return call_end(local, call, call_run(local, call, timeout_ms, error), error);
}

/* -- topics -- */

int local_topics(struct broker *broker, int timeout_ms, struct broker_topics *ret_topics,
                 struct error *error)
{
    struct local *local = (struct local *)broker;
    struct call call;
    struct broker_topics topics = {0};
    call_begin(&call, WIRE_TOPICS, true);
    int result = call_run(local, &call, timeout_ms, error);
    uint32_t count = result == 0 ? wire_get_u32(&call.reply) : 0;
    if (count > WIRE_MAX_TOPICS) {
        call.reply.failed = true;
        count = 0;
    }
    topics.topics = calloc((size_t)count + 1, sizeof(*topics.topics));
    for (uint32_t i = 0; topics.topics && i < count && !call.reply.failed; i++) {
        char *name = wire_get_strdup(&call.reply, WIRE_MAX_TOPIC_NAME);
        int32_t partitions = (int32_t)wire_get_u32(&call.reply);
        if (name) {
            topics.topics[topics.count++] =
                (struct broker_topic){.name = name, .partition_count = partitions};
        }
    }
    result = call_end(local, &call, result, error);
    if (result == 0) {
        *ret_topics = topics;
    } else {
        broker_topics_free(&topics);
    }
    return result;
}

int64_t local_topics_epoch(struct broker *broker)
{
    struct local *local = (struct local *)broker;
    if (pthread_mutex_trylock(&local->lock) == 0) {
        struct wire_head head;
        char byte;
        if (local->fd >= 0 && recv(local->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0) {
            struct error ignored = {0};
            if (receive_more(local, 0, &ignored) != 0) {
                local_admin_disconnect(local);
                error_clear(&ignored);
            }
            (void)next_frame(local, &head);
        }
        pthread_mutex_unlock(&local->lock);
    }
    return atomic_load(&local->epoch);
}

int local_topic_create(struct broker *broker, const struct broker_topic_spec *spec, int timeout_ms,
                       struct error *error)
{
    struct call call;
    call_begin(&call, WIRE_CREATE, false);
    wire_put_text(&call.request, spec->name);
    wire_put_u32(&call.request, (uint32_t)spec->partitions);
    wire_put_u32(&call.request, (uint32_t)(int32_t)spec->replication_factor);
    wire_put_u32(&call.request, (uint32_t)spec->config_count);
    for (size_t i = 0; i < spec->config_count * 2; i++) {
        wire_put_text(&call.request, spec->configs[i]);
    }
    return call_simple((struct local *)broker, &call, timeout_ms, error);
}

int local_topic_delete(struct broker *broker, const char *topic, int timeout_ms,
                       struct error *error)
{
    struct call call;
    call_begin(&call, WIRE_DELETE, false);
    wire_put_text(&call.request, topic);
    return call_simple((struct local *)broker, &call, timeout_ms, error);
}

int local_topic_partitions(struct broker *broker, const char *topic, int32_t count, int timeout_ms,
                           struct error *error)
{
    struct call call;
    call_begin(&call, WIRE_GROW, false);
    wire_put_text(&call.request, topic);
    wire_put_u32(&call.request, (uint32_t)count);
    return call_simple((struct local *)broker, &call, timeout_ms, error);
}

/* An embedded log is one node that has everything; it is the 1 of Kafka's own config/kraft. */
static const int32_t the_node = 1;

int local_nodes(struct broker *broker, int timeout_ms, int32_t **ret_nodes, size_t *ret_count,
                struct error *error)
{
    (void)broker;
    (void)timeout_ms;
    int32_t *nodes = malloc(sizeof(*nodes));
    if (!nodes) {
        return error_set(error, ERROR_NO_MEMORY, "No memory for a list of nodes");
    }
    *nodes = the_node;
    *ret_nodes = nodes;
    *ret_count = 1;
    return 0;
}

int local_topic_describe(struct broker *broker, const char *topic, int timeout_ms,
                         struct broker_topic_info *ret_info, struct error *error)
{
    struct local *local = (struct local *)broker;
    struct call call;
    struct broker_topic_info info = {0};
    call_begin(&call, WIRE_METADATA, true);
    wire_put_text(&call.request, topic);
    wire_put_u32(&call.request, false);
    int result = call_run(local, &call, timeout_ms, error);
    uint32_t count = result == 0 ? wire_get_u32(&call.reply) : 0;
    if (count > WIRE_MAX_TOPIC_PARTITIONS) {
        call.reply.failed = true;
    }
    result = call_end(local, &call, result, error);
    if (result != 0) {
        return -1;
    }
    info.partitions = calloc((size_t)count + 1, sizeof(*info.partitions));
    int32_t *nodes = calloc((size_t)count + 1, 2 * sizeof(*nodes));
    if (!info.partitions || !nodes) {
        free(info.partitions);
        free(nodes);
        return error_set(error, ERROR_NO_MEMORY, "No memory for the description of a topic");
    }
    info.count = count;
    info.priv = nodes;
    for (size_t i = 0; i < count; i++) {
        nodes[i] = the_node;
        info.partitions[i] = (struct broker_partition_info){
            .leader = the_node, .replicas = &nodes[i], .replica_count = 1, .isr = &nodes[i],
            .isr_count = 1};
    }
    *ret_info = info;
    return 0;
}

int local_topic_configs(struct broker *broker, const char *topic, bool all, int timeout_ms,
                        struct properties *ret_configs, struct error *error)
{
    struct local *local = (struct local *)broker;
    struct call call;
    call_begin(&call, all ? WIRE_CONFIGS_ALL : WIRE_CONFIGS, true);
    wire_put_text(&call.request, topic);
    int result = call_run(local, &call, timeout_ms, error);
    uint32_t count = result == 0 ? wire_get_u32(&call.reply) : 0;
    for (uint32_t i = 0; i < count && !call.reply.failed; i++) {
        char *key = wire_get_strdup(&call.reply, 4096);
        char *value = wire_get_strdup(&call.reply, 4096);
        if (key && value) {
            properties_set(ret_configs, key, value);
        }
        free(key);
        free(value);
    }
    return call_end(local, &call, result, error);
}

int local_topic_alter(struct broker *broker, const char *topic,
                      const struct broker_config_change *changes, size_t count, int timeout_ms,
                      struct error *error)
{
    struct call call;
    call_begin(&call, WIRE_ALTER, true); /* setting the same again changes nothing */
    wire_put_text(&call.request, topic);
    wire_put_u32(&call.request, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        wire_put_text(&call.request, changes[i].name);
        wire_put_u32(&call.request, changes[i].value != NULL);
        wire_put_text(&call.request, changes[i].value ? changes[i].value : "");
    }
    return call_simple((struct local *)broker, &call, timeout_ms, error);
}

int local_cluster(struct broker *broker, int timeout_ms, struct broker_cluster *ret_cluster,
                  struct error *error)
{
    struct local *local = (struct local *)broker;
    struct broker_topics topics = {0};
    if (local_topics(broker, timeout_ms, &topics, error) != 0) { /* it answers */
        return -1;
    }
    broker_topics_free(&topics);
    struct stat folder;
    char id[64] = "local";
    if (stat(local->dir, &folder) == 0) { /* the same as long as it is the same folder */
        (void)snprintf(id, sizeof(id), "local-%llx-%llx", (unsigned long long)folder.st_dev,
                       (unsigned long long)folder.st_ino);
    }
    struct broker_cluster cluster = {strdup(id), the_node, calloc(1, sizeof(*cluster.nodes)), 1};
    if (cluster.nodes) {
        cluster.nodes[0] = (struct broker_node){the_node, strdup("localhost"), 0};
    }
    if (!cluster.id || !cluster.nodes || !cluster.nodes[0].host) {
        broker_cluster_free(&cluster);
        return error_set(error, ERROR_NO_MEMORY, "No memory for the cluster's description");
    }
    *ret_cluster = cluster;
    return 0;
}

/* -- offsets and groups -- */

int local_offsets(struct broker *broker, const char *topic, int32_t partition, int timeout_ms,
                  int64_t *ret_beginning, int64_t *ret_end, struct error *error)
{
    struct local *local = (struct local *)broker;
    struct call call;
    call_begin(&call, WIRE_OFFSETS, true);
    wire_put_text(&call.request, topic);
    wire_put_u32(&call.request, (uint32_t)partition);
    int result = call_run(local, &call, timeout_ms, error);
    if (result == 0) {
        *ret_beginning = wire_get_i64(&call.reply);
        *ret_end = wire_get_i64(&call.reply);
    }
    return call_end(local, &call, result, error);
}

int local_group_offsets(struct broker *broker, const char *group, int timeout_ms,
                        struct broker_offset **ret_offsets, size_t *ret_count, struct error *error)
{
    struct local *local = (struct local *)broker;
    struct call call;
    struct broker_offset *offsets = NULL;
    size_t filled = 0;
    call_begin(&call, WIRE_GROUP_OFFSETS, true);
    wire_put_text(&call.request, group);
    int result = call_run(local, &call, timeout_ms, error);
    if (result == 0) {
        uint32_t count = wire_get_u32(&call.reply);
        if (count > WIRE_MAX_PARTITIONS) {
            call.reply.failed = true;
            count = 0;
        }
        offsets = calloc((size_t)count + 1, sizeof(*offsets));
        for (uint32_t i = 0; offsets && i < count && !call.reply.failed; i++) {
            char *topic = wire_get_strdup(&call.reply, WIRE_MAX_TOPIC_NAME);
            int32_t partition = (int32_t)wire_get_u32(&call.reply);
            int64_t offset = wire_get_i64(&call.reply);
            if (topic) {
                offsets[filled++] = (struct broker_offset){topic, partition, offset};
            }
        }
    }
    result = call_end(local, &call, result, error);
    if (result == 0) {
        *ret_offsets = offsets;
        *ret_count = filled;
    } else {
        broker_group_offsets_free(offsets, filled);
    }
    return result;
}

int local_group_offsets_alter(struct broker *broker, const char *group,
                              const struct broker_offset *offsets, size_t count, int timeout_ms,
                              struct error *error)
{
    struct call call;
    call_begin(&call, WIRE_GROUP_ALTER, true); /* setting the same again changes nothing */
    wire_put_text(&call.request, group);
    wire_put_u32(&call.request, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        wire_put_text(&call.request, offsets[i].topic);
        wire_put_u32(&call.request, (uint32_t)offsets[i].partition);
        wire_put_i64(&call.request, offsets[i].offset);
    }
    return call_simple((struct local *)broker, &call, timeout_ms, error);
}

int local_group_delete(struct broker *broker, const char *group, int timeout_ms,
                       struct error *error)
{
    struct call call;
    call_begin(&call, WIRE_GROUP_DELETE, false);
    wire_put_text(&call.request, group);
    return call_simple((struct local *)broker, &call, timeout_ms, error);
}
