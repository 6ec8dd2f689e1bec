/*
 * Fetching: a session is one partition that one consumer reads. The owner pushes stored values from
 * the memory map straight into the socket, as long as the consumer's credit lasts; a session that
 * has all there is waits in its partition until something is written. Nobody polls.
 * [owner's one thread]
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "core/base/log.h"
#include "core/broker/log/owner.h"

#define LOGGER "sluice.log.fetch"

enum { FRAMES = 64 /* values in one sendmsg */ };

/* Bytes of one sendmsg; about what a socket takes. */
#define FEED_BYTES ((size_t)256 * 1024)

struct session {
    uint32_t number;
    struct client *client;
    struct partition *partition;
    int64_t next; /* offset to be sent next */
    enum wire_reset reset;
    bool ready; /* in the client's queue, else in the partition's list of waiting ones */
    struct session *queue_next;
    struct session *waiting_prev, *waiting_next;
    struct session *all_prev, *all_next;
};

struct frame {
    struct wire_head head;
    struct wire_data data;
};

struct sent {
    struct session *session;
    int64_t before;
    size_t bytes;
};

/* -- lists -- */

static void make_ready(struct session *session)
{
    struct client *client = session->client;
    session->ready = true;
    session->queue_next = NULL;
    *(client->ready_last ? &client->ready_last->queue_next : &client->ready) = session;
    client->ready_last = session;
}

static void wait_for_data(struct session *session)
{
    struct partition *partition = session->partition;
    session->ready = false;
    session->waiting_prev = NULL;
    session->waiting_next = partition->waiting;
    if (partition->waiting) {
        partition->waiting->waiting_prev = session;
    }
    partition->waiting = session;
}

static void unlink_session(struct session *session)
{
    struct client *client = session->client;
    if (session->ready) {
        struct session **link = &client->ready, *last = NULL;
        while (*link != session) {
            last = *link;
            link = &last->queue_next;
        }
        *link = session->queue_next;
        if (client->ready_last == session) {
            client->ready_last = last;
        }
        return;
    }
    *(session->waiting_prev ? &session->waiting_prev->waiting_next : &session->partition->waiting) =
        session->waiting_next;
    if (session->waiting_next) {
        session->waiting_next->waiting_prev = session->waiting_prev;
    }
}

static void session_free(struct session *session)
{
    struct client *client = session->client;
    unlink_session(session);
    *(session->all_prev ? &session->all_prev->all_next : &client->sessions) = session->all_next;
    if (session->all_next) {
        session->all_next->all_prev = session->all_prev;
    }
    client->session_count--;
    free(session);
}

void sessions_free(struct client *client)
{
    while (client->sessions) {
        session_free(client->sessions);
    }
}

void sessions_wake(struct partition *partition)
{
    struct session *session;
    while ((session = partition->waiting)) {
        unlink_session(session);
        make_ready(session);
    }
}

/* -- beginning and end -- */

static void session_error(struct client *client, uint32_t number, const struct error *error)
{
    size_t begin = wire_begin(&client->out, WIRE_SESSION_ERROR, 0);
    wire_put_u32(&client->out, number);
    wire_put_u32(&client->out, error->code);
    wire_put_text(&client->out, error->message ? error->message : "");
    wire_end(&client->out, begin);
    client_flush_later(client);
}

static void send_started(const struct session *session)
{
    struct client *client = session->client;
    size_t begin = wire_begin(&client->out, WIRE_STARTED, 0);
    wire_put_u32(&client->out, session->number);
    wire_put_u32(&client->out, 0);
    wire_put_i64(&client->out, session->next);
    wire_put_i64(&client->out, session->partition->next);
    wire_end(&client->out, begin);
    client_flush_later(client);
}

int64_t fetch_resolve(const struct partition *partition, int64_t offset, enum wire_reset reset,
                      struct error *error)
{
    if (offset == -2) { /* BROKER_BEGINNING */
        return partition->start;
    }
    if (offset == -1) { /* BROKER_END */
        return partition->next;
    }
    if (offset >= partition->start && offset <= partition->next) {
        return offset;
    }
    if (reset == WIRE_RESET_NONE) {
        return error_set_class(error, ERROR_OFFSET_RANGE,
                               "org.apache.kafka.clients.consumer.OffsetOutOfRangeException",
                               "Offset %lld of %s-%d is out of range (%lld to %lld are kept) and "
                               "auto.offset.reset is none",
                               (long long)offset, partition->topic->name, partition->number,
                               (long long)partition->start, (long long)partition->next);
    }
    return reset == WIRE_RESET_LATEST ? partition->next : partition->start;
}

static struct session *session_find(struct client *client, uint32_t number)
{
    struct session *session = client->sessions;
    while (session && session->number != number) {
        session = session->all_next;
    }
    return session;
}

void session_start(struct client *client, struct wire_reader *reader)
{
    char topic[WIRE_MAX_TOPIC_NAME + 1];
    struct error error = {0};
    uint32_t number = wire_get_u32(reader);
    wire_get_text(reader, topic, sizeof(topic));
    int32_t partition_number = (int32_t)wire_get_u32(reader);
    int64_t offset = wire_get_i64(reader);
    uint32_t reset = wire_get_u32(reader);
    if (reader->failed || reset > WIRE_RESET_NONE || session_find(client, number) ||
        client->session_count >= WIRE_MAX_SESSIONS) {
        client_close(client, "a request to fetch is malformed, or one too many");
        return;
    }
    struct partition *partition = partition_find(client->owner, topic, partition_number, &error);
    if (partition) {
        offset = fetch_resolve(partition, offset, (enum wire_reset)reset, &error);
    }
    if (error.code != ERROR_NONE) {
        session_error(client, number, &error);
        error_clear(&error);
        return;
    }
    struct session *session = calloc(1, sizeof(*session));
    if (!session) {
        client_close(client, "there is no memory for what it wants to fetch");
        return;
    }
    session->number = number;
    session->client = client;
    session->partition = partition;
    session->next = offset;
    session->reset = (enum wire_reset)reset;
    session->all_next = client->sessions;
    if (client->sessions) {
        client->sessions->all_prev = session;
    }
    client->sessions = session;
    client->session_count++;
    make_ready(session);
    send_started(session);
}

void session_stop(struct client *client, uint32_t number)
{
    struct session *session = session_find(client, number);
    if (session) {
        session_free(session);
    }
}

void sessions_end(struct owner *owner, const struct topic *topic)
{
    struct error error = {0};
    (void)error_set(&error, ERROR_UNKNOWN_TOPIC, "Topic %s was deleted", topic->name);
    for (struct client *client = owner->clients; client; client = client->next) {
        struct session *next;
        for (struct session *session = client->sessions; session; session = next) {
            next = session->all_next;
            if (session->partition->topic == topic) {
                session_error(client, session->number, &error);
                session_free(session);
            }
        }
    }
    error_clear(&error);
}

/* -- feeding -- */

static int64_t records_of(const MDB_val *value)
{
    const char *at = value->mv_data, *end = at + value->mv_size;
    struct log_batch_head head;
    int64_t count = 0;
    while ((size_t)(end - at) >= sizeof(head)) {
        memcpy(&head, at, sizeof(head));
        if (head.size < sizeof(head) || head.size > (size_t)(end - at)) {
            break;
        }
        count += head.count;
        at += head.size;
    }
    return count;
}

static bool belongs(const MDB_val *key, const struct partition *partition)
{
    return key->mv_size == 16 && store_key_u32(key, 0) == partition->topic->id &&
           store_key_u32(key, 4) == (uint32_t)partition->number;
}

/* The value that holds offset next, or the first one behind it. */
static int find_value(MDB_cursor *cursor, const struct session *session, MDB_val *key,
                      MDB_val *value)
{
    const struct partition *partition = session->partition;
    struct store_key bytes;
    *key = store_key_log(&bytes, partition->topic->id, partition->number, session->next);
    int code = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
    if (code == 0 && belongs(key, partition) && (int64_t)store_key_u64(key, 8) == session->next) {
        return 0;
    }
    code = mdb_cursor_get(cursor, key, value, code == 0 ? MDB_PREV : MDB_LAST);
    if (code == 0 && belongs(key, partition) &&
        (int64_t)store_key_u64(key, 8) + records_of(value) > session->next) {
        return 0;
    }
    *key = store_key_log(&bytes, partition->topic->id, partition->number, session->next);
    code = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
    return code == 0 && !belongs(key, partition) ? MDB_NOTFOUND : code;
}

struct gathering {
    struct frame frames[FRAMES];
    struct sent sent[FRAMES];
    struct iovec parts[FRAMES * 2];
    int count;
    size_t bytes;
};

static void gather_value(struct gathering *g, struct session *session, const MDB_val *key,
                         const MDB_val *value)
{
    struct frame *frame = &g->frames[g->count];
    int64_t base = (int64_t)store_key_u64(key, 8);
    frame->head = (struct wire_head){
        .size = (uint32_t)(sizeof(frame->data) + value->mv_size),
        .type = WIRE_DATA,
    };
    frame->data = (struct wire_data){
        .session = session->number,
        .base = base,
        .end = session->partition->next,
    };
    g->parts[g->count * 2] = (struct iovec){frame, sizeof(*frame)};
    g->parts[g->count * 2 + 1] = (struct iovec){value->mv_data, value->mv_size};
    g->sent[g->count] = (struct sent){session, session->next, sizeof(*frame) + value->mv_size};
    g->bytes += sizeof(*frame) + value->mv_size;
    g->count++;
    session->next = base + records_of(value);
}

/* Fills g from the sessions in the queue. */
static int gather(struct client *client, struct gathering *g)
{
    struct store *store = &client->owner->store;
    MDB_cursor *cursor;
    int code = mdb_cursor_open(store->reader, store->tables[STORE_LOG], &cursor);
    while (code == 0 && client->ready) {
        struct session *session = client->ready;
        MDB_val key, value;
        if (g->count > 0 && session->next < session->partition->start) {
            break; /* check_range() looks at it in the next call */
        }
        code = session->next < session->partition->next ? find_value(cursor, session, &key, &value)
                                                        : MDB_NOTFOUND;
        bool full = false;
        while (code == 0) {
            full = g->count == FRAMES || (g->count > 0 && g->bytes + value.mv_size > FEED_BYTES) ||
                   (g->count > 0 && client->sent + g->bytes >= client->granted);
            if (full) {
                break;
            }
            gather_value(g, session, &key, &value);
            if (session->next >= session->partition->next) {
                code = MDB_NOTFOUND;
                break;
            }
            code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
            if (code == 0 && !belongs(&key, session->partition)) {
                code = MDB_NOTFOUND;
            }
        }
        if (full) { /* the others have their turn first */
            unlink_session(session);
            make_ready(session);
            break;
        }
        if (code == MDB_NOTFOUND) {
            unlink_session(session);
            wait_for_data(session);
            code = 0;
        }
    }
    mdb_cursor_close(cursor);
    return code;
}

/* n bytes are with the kernel; what it did not take of a frame is kept, whole frames are forgotten.
 */
static void settle(struct client *client, struct gathering *g, size_t n)
{
    int first = 0; /* frame not begun */
    size_t end = 0;
    while (first < g->count && end < n) {
        end += g->sent[first].bytes;
        client->sent += g->sent[first].bytes;
        first++;
    }
    if (end > n) {
        const struct frame *frame = &g->frames[first - 1];
        size_t done = g->sent[first - 1].bytes - (end - n);
        if (done < sizeof(*frame)) {
            (void)buffer_append(&client->out, (const char *)frame + done, sizeof(*frame) - done);
            done = sizeof(*frame);
        }
        const struct iovec *value = &g->parts[(first - 1) * 2 + 1];
        size_t skip = done - sizeof(*frame);
        (void)buffer_append(&client->out, (const char *)value->iov_base + skip,
                            value->iov_len - skip);
    }
    for (int i = g->count; i > first; i--) {
        struct session *session = g->sent[i - 1].session;
        session->next = g->sent[i - 1].before;
        if (!session->ready) {
            unlink_session(session);
            make_ready(session);
        }
    }
    if (client->out.failed) {
        client_close(client, "there is no memory for what it fetches");
    }
}

/* What was read next is older than what is kept: the policy decides. */
static void check_range(struct client *client)
{
    struct session *session = client->ready;
    if (session->next >= session->partition->start) {
        return;
    }
    struct error error = {0};
    int64_t next = fetch_resolve(session->partition, session->next, session->reset, &error);
    if (error.code != ERROR_NONE) {
        session_error(client, session->number, &error);
        error_clear(&error);
        session_free(session);
        return;
    }
    session->next = next;
    send_started(session);
}

bool client_feed(struct client *client)
{
    struct owner *owner = client->owner;
    struct error error = {0};
    if (client->closing || !client->ready || client->sent >= client->granted ||
        client->polls_write) {
        return true;
    }
    check_range(client);
    if (!client->ready || (client->out.size > 0 && !client_flush(client))) {
        return true;
    }
    if (store_read_begin(&owner->store, &error) != 0) {
        log_warn(LOGGER, "%s", error.message);
        error_clear(&error);
        client_close(client, "what it wants cannot be read");
        return true;
    }
    struct gathering g;
    g.count = 0;
    g.bytes = 0;
    int code = gather(client, &g);
    bool blocked = false;
    if (code != 0) {
        client_close(client, mdb_strerror(code));
    } else if (g.count > 0) {
        struct msghdr message = {.msg_iov = g.parts, .msg_iovlen = (size_t)g.count * 2};
        ssize_t n = sendmsg(client->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            client_close(client, NULL);
        } else {
            settle(client, &g, n > 0 ? (size_t)n : 0);
            blocked = n < (ssize_t)g.bytes;
        }
    }
    store_read_end(&owner->store);
    if (blocked && !client->closing) {
        client_poll_write(client, true);
        return true;
    }
    return !client->ready || client->sent >= client->granted;
}
