/*
 * Inside sluice-log: what its parts share. One thread, one loop (server.c):
 *
 *   1. read once from every client that sent something and handle all whole frames; batches and
 *      committed offsets are only gathered, where they lie in the clients' buffers
 *   2. write what was gathered in one transaction (produce.c), then acknowledge it. What arrives
 *      during the commit waits in the sockets and shares the next one
 *   3. send answers, wake consumers that wait for what was written, feed those with credit
 * (fetch.c)
 *
 * A client that misbehaves is marked `closing` and freed at the end of the turn, so that pointers
 * into its buffer stay good for the whole turn.
 */
#ifndef CORE_BROKER_LOG_OWNER_H
#define CORE_BROKER_LOG_OWNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/broker/log/format.h"
#include "core/broker/log/store.h"
#include "core/broker/log/wire.h"
#include "lib/util/buffer.h"

struct group;
struct member;
struct producer;

/* -- topics (topics.c) -- */

struct topic_settings {
    int64_t retention_ms;    /* -1: for ever */
    int64_t retention_bytes; /* of one partition; -1: no limit */
    uint32_t max_message_bytes;
    bool append_time;
};

struct partition {
    struct topic *topic;
    int32_t number;
    int64_t start, next, bytes; /* as committed */
    int64_t pending_next;       /* with what this turn gathered */
    struct append *appends, **appends_end;
    struct partition *touched_next;
    bool touched;
    int64_t new_start, new_bytes; /* of the transaction under way */
    struct session *waiting;      /* consumers that have all there is */
};

struct topic {
    uint32_t id;
    char *name;
    struct partition **partitions;
    int32_t count;
    char *configs; /* key NUL value NUL .. */
    size_t configs_size;
    struct topic_settings settings;
};

/** What a worker may set for the whole log: Kafka's broker configs of the same names. */
struct owner_defaults {
    struct topic_settings settings;
    int32_t partitions;         /* num.partitions */
    int64_t retention_check_ms; /* log.retention.check.interval.ms */
};

/* -- clients (server.c) -- */

struct client {
    struct owner *owner;
    struct client *prev, *next;
    int fd;
    char name[128];
    bool hello, watch, closing;
    bool polls_write; /* EPOLLOUT is asked for */
    bool flush_queued;
    struct client *flush_next;
    char *in;
    size_t in_size, in_capacity, in_parsed;
    bool in_touched;
    struct client *in_next;
    struct buffer out;
    size_t out_sent;
    /* fetch.c */
    struct session *sessions; /* all */
    size_t session_count;
    struct session *ready, *ready_last; /* those with something to send */
    uint64_t granted, sent;
    /* groups.c */
    struct member *member;
};

/* -- one turn (produce.c) -- */

struct append {
    struct append *next; /* in its partition */
    struct append *round_next;
    struct client *client;
    uint32_t id;
    struct partition *partition;
    struct producer *producer; /* NULL: not idempotent */
    const char *data;          /* NULL: a duplicate, only to be acknowledged */
    uint32_t size, count;
    int64_t base, append_time;
};

struct offset_entry {
    uint32_t topic;
    int32_t partition;
    int64_t offset; /* -1: delete */
};

struct offset_write {
    struct offset_write *next;
    struct client *client;
    uint32_t id;
    const char *group;
    struct offset_entry *entries;
    size_t count;
};

struct round {
    struct arena arena;
    struct append *appends, **appends_end;
    struct offset_write *offsets, **offsets_end;
    struct partition *touched;
    struct producer *dirty;
    size_t bytes;
};

struct owner {
    struct store store;
    struct owner_defaults defaults;
    int epoll, listener, life; /* life: ends when this sees end of file; -1: when idle */
    struct client *clients, *touched, *flush;
    size_t client_count;
    bool crowded;   /* no descriptor is left for another one: who comes waits until one goes */
    uint32_t names; /* for unnamed clients */
    /* topics.c */
    struct topic **topics; /* by name */
    size_t topic_count;
    int32_t partition_count;
    uint32_t last_topic;
    int64_t epoch;
    bool garbage;         /* deleted topics still have data on disk */
    int64_t retention_at; /* monotonic ms; INT64_MAX: nothing to expire */
    /* produce.c */
    struct round round;
    struct producers *producers;
    uint64_t last_producer;
    /* groups.c */
    struct group *groups;
    size_t group_count;
    int64_t last_generation;
};

/* server.c */
int server_run(struct owner *owner, struct error *error) CHECKED;
/** Ends a connection at once. */
void server_drop(struct client *client);
/** Answers go into client->out; queues it to be flushed at the end of the turn. */
void client_flush_later(struct client *client);
/** Marks it to be freed at the end of the turn; why is logged unless NULL. */
void client_close(struct client *client, const char *why);
/** Waits for room to write. */
void client_poll_write(struct client *client, bool on);
/** Sends what is in out; true when all is gone. */
bool client_flush(struct client *client);
/** REPLY without an error; the payload follows: then wire_end(&client->out, begin). */
size_t client_reply_begin(struct client *client, uint32_t id);
void client_reply_end(struct client *client, size_t begin);
void client_reply_error(struct client *client, uint32_t id, const struct error *error);

/* requests.c */
/** One whole frame. */
void request_handle(struct client *client, const struct wire_head *head, const char *payload);

/* topics.c */
int topics_load(struct owner *owner, struct error *error) CHECKED;
void topics_free(struct owner *owner);
/** NULL: there is none. */
struct topic *topic_find(const struct owner *owner, const char *name, size_t size);
struct topic *topic_by_id(const struct owner *owner, uint32_t id);
struct partition *partition_find(const struct owner *owner, const char *topic, int32_t number,
                                 struct error *error);
/** configs: count pairs. partitions -1: the default. */
int topic_create(struct owner *owner, const char *name, int32_t partitions,
                 const char *const *configs, size_t count, struct topic **ret_topic,
                 struct error *error) CHECKED;
int topic_grow(struct owner *owner, const char *name, int32_t count, struct error *error) CHECKED;
/** As it is to be on disk, with count partitions; an LMDB code. */
int topic_put(struct store *store, MDB_txn *txn, const struct topic *topic, int32_t count);
int topic_unknown(const char *name, struct error *error);
/** Pairs of stored text into settings; 0 or MDB_CORRUPTED. Pairs that mean nothing are passed over. */
int topic_configs_apply(const char *data, size_t size, struct topic_settings *settings);

struct topic_change {
    const char *name;
    const char *value; /* NULL: back to the default */
};

/** alter.c */
int topic_alter(struct owner *owner, const char *name, const struct topic_change *changes,
                size_t count, struct error *error) CHECKED;

int topic_delete(struct owner *owner, const char *name, struct error *error) CHECKED;
/** Every config in force, defaults included: u32 n, n * 2 texts. */
void topic_put_all_configs(const struct topic *topic, struct buffer *out);
/** Key and value of a topic or broker config into settings; unknown or bad: error. */
int topic_setting(struct topic_settings *settings, const char *key, const char *value,
                  struct error *error) CHECKED;

/* retention.c */
/** Deletes what is over by size or time from the front; updates new_start and new_bytes. */
int retention_trim(struct owner *owner, MDB_txn *txn, struct partition *partition, int64_t now_ms,
                   size_t *budget, int64_t *ret_expires);
/** Sets the timer where a first batch of this age will expire. */
void retention_note(struct owner *owner, const struct partition *partition, int64_t timestamp);
/** Something may be due that was not before: looks within log.retention.check.interval.ms. */
void retention_soon(struct owner *owner);
/** Expires by time, and deletes data of deleted topics, a bounded piece at a time. */
void retention_run(struct owner *owner);

/* produce.c */
int producers_load(struct owner *owner, struct error *error) CHECKED;
void producers_free(struct owner *owner);
void produce_handle(struct client *client, uint32_t id, const char *payload, size_t size);
void round_add_offsets(struct owner *owner, struct offset_write *write);
/** Writes all that was gathered, acknowledges it, wakes consumers. */
void round_commit(struct owner *owner);
void producers_forget_topic(struct owner *owner, uint32_t topic);

/* fetch.c */
void session_start(struct client *client, struct wire_reader *reader);
void session_stop(struct client *client, uint32_t number);
/** A topic goes: its sessions end with an error. */
void sessions_end(struct owner *owner, const struct topic *topic);
void sessions_free(struct client *client);
/** New data is there. */
void sessions_wake(struct partition *partition);
/** Sends data as far as credit and socket allow; false: there is more to do later without an event.
 */
bool client_feed(struct client *client);
/** Where a reader of this policy starts; -1 with error. */
int64_t fetch_resolve(const struct partition *partition, int64_t offset, enum wire_reset reset,
                      struct error *error);

/* groups.c */
void group_join(struct client *client, struct wire_reader *reader);
void group_revoked(struct client *client, struct wire_reader *reader);
void group_leave(struct client *client);
/** May this client commit these offsets? */
int group_check_commit(struct client *client, const char *group, int64_t generation,
                       const struct offset_entry *entries, size_t count,
                       struct error *error) CHECKED;
bool group_has_members(const struct owner *owner, const char *group);
/** After topics came, grew or went (gone: its entries are taken from their members). */
void groups_topic_gone(struct owner *owner, struct topic *topic);
void groups_topics_changed(struct owner *owner);
/** Puts members out who do not give up what they should; next time this is due, or INT64_MAX. */
int64_t groups_expire(struct owner *owner, int64_t now_ms);
void groups_free(struct owner *owner);

/* offsets.c */
/** Committed offset, or -1. A read transaction must be open. */
int64_t offsets_get(struct owner *owner, const char *group, uint32_t topic, int32_t partition);
/** Key of one entry; false where the group's name is too long. */
bool offsets_key(char key[320], const char *group, uint32_t topic, int32_t partition,
                 MDB_val *ret_key);
void offsets_commit(struct client *client, uint32_t id, struct wire_reader *reader);
void offsets_list(struct client *client, uint32_t id, struct wire_reader *reader);
void offsets_alter(struct client *client, uint32_t id, struct wire_reader *reader);
void offsets_delete_group(struct client *client, uint32_t id, struct wire_reader *reader);

#endif
