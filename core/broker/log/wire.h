/*
 * What clients and the owner of an embedded log say to each other: frames on a SOCK_STREAM socket
 * of AF_UNIX. Both ends are of one build of sluice on one machine (the version is compared in
 * HELLO), so numbers are in the machine's order.
 *
 * A frame is struct wire_head and `size` bytes of payload. Payloads are written with wire_put_*()
 * and read with wire_get_*(); a text is a u32 and its bytes. A reader that runs out of bytes marks
 * itself failed and gives zeros and empty texts, so a run of reads needs one check at the end.
 *
 * No state, no threads.
 */
#ifndef CORE_BROKER_LOG_WIRE_H
#define CORE_BROKER_LOG_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "lib/util/buffer.h"

#define WIRE_VERSION 1u
#define WIRE_MAGIC 0x636c7573u
#define WIRE_FRAME_MAX (((size_t)32 << 20) + 65536) /* largest batch and what stands around it */

/* Limits of one log; past one, the request is refused. */
enum {
    WIRE_MAX_CLIENTS = 2048,
    WIRE_MAX_TOPICS = 10000,
    WIRE_MAX_PARTITIONS = 20000, /* of all topics together */
    WIRE_MAX_TOPIC_PARTITIONS = 1024,
    WIRE_MAX_GROUPS = 1000,    /* with members */
    WIRE_MAX_MEMBERS = 1000,   /* of one group */
    WIRE_MAX_SESSIONS = 20000, /* partitions that one consumer reads */
    WIRE_MAX_GROUP_NAME = 255,
    WIRE_MAX_TOPIC_NAME = 249, /* as Kafka */
};

enum wire_type {
    /* client -> owner. `id` comes back in the answer. */
    WIRE_HELLO = 1, /* u32 magic, u32 version, u32 watch, text client id -> WELCOME */
    WIRE_PRODUCE,   /* struct wire_produce, topic, batch -> ACK */
    WIRE_METADATA,  /* text topic, u32 create -> REPLY: u32 partitions, u32 max.message.bytes */
    WIRE_JOIN,      /* text group, u32 reset policy, u32 timeout ms, u32 n, n texts topic;
                       again: replaces the topics. No answer but ASSIGN .. */
    WIRE_REVOKED,   /* u32 n, n * (text topic, i32 partition): given up */
    WIRE_START,     /* u32 session, text topic, i32 partition, i64 offset, u32 reset policy
                       -> STARTED or SESSION_ERROR */
    WIRE_STOP,      /* u32 session */
    WIRE_CREDIT,    /* u64 bytes of DATA that may have been sent since HELLO, all in all */
    WIRE_COMMIT,    /* text group, i64 generation, offsets -> REPLY. generation -1: by one who is
                       not a member, allowed while the group has none */
    WIRE_TOPICS,    /* -> REPLY: u32 n, n * (text name, i32 partitions) */
    WIRE_CREATE,    /* text, i32 partitions, i32 replication, u32 n, n * 2 texts -> REPLY */
    WIRE_DELETE,    /* text -> REPLY */
    WIRE_GROW,      /* text, i32 -> REPLY */
    WIRE_CONFIGS,   /* text -> REPLY: u32 n, n * 2 texts */
    WIRE_OFFSETS,   /* text, i32 -> REPLY: i64, i64 */
    WIRE_GROUP_OFFSETS, /* text group -> REPLY: offsets */
    WIRE_GROUP_ALTER,   /* text group, offsets (-1: delete) -> REPLY */
    WIRE_GROUP_DELETE,  /* text group -> REPLY */
    WIRE_CONFIGS_ALL,   /* as CONFIGS, with those that were not set */
    WIRE_ALTER,         /* text topic, u32 n, n * (text name, u32 set, text value) -> REPLY */
    /* owner -> client */
    WIRE_WELCOME = 64, /* i64 topics epoch, u64 producer id */
    WIRE_ACK,          /* struct wire_ack, by `id`; text message where error != 0 */
    WIRE_REPLY,        /* by `id`: u32 error code; 0: what the request says; else u32 retriable,
                          text java class, text message */
    WIRE_ASSIGN,  /* i64 generation, u32 n, n * (text topic, i32 partition, i64 start, i64 end) */
    WIRE_REVOKE,  /* i64 generation, u32 n, n * (text topic, i32 partition) */
    WIRE_LOST,    /* u32 1: out of the group, all partitions; else u32 0, u32 n, n * (text, i32) */
    WIRE_STARTED, /* u32 session, u32 0, i64 offset, i64 end */
    WIRE_SESSION_ERROR, /* u32 session, u32 error code, text message */
    WIRE_DATA,          /* struct wire_data, batches */
    WIRE_EPOCH,         /* i64: topics have come, gone or grown */
};

enum wire_reset { WIRE_RESET_EARLIEST, WIRE_RESET_LATEST, WIRE_RESET_NONE };

struct wire_head {
    uint32_t size; /* of the payload */
    uint32_t type;
    uint32_t id;
    uint32_t reserved;
};

struct wire_produce {
    uint64_t producer;
    uint64_t sequence; /* number of the batch within producer and partition, from 1 */
    int32_t partition;
    uint32_t topic_size;
};

struct wire_ack {
    uint32_t error; /* enum error_code */
    uint32_t retriable;
    int64_t base;        /* offset of the first record */
    int64_t append_time; /* LogAppendTime, else -1 */
};

struct wire_data {
    uint32_t session;
    uint32_t reserved;
    int64_t base; /* offset of the first record of the first batch */
    int64_t end;  /* offset behind the newest message of the partition */
};

/* -- writing -- */

/** Begins a frame in out; returns where, for wire_end(). */
size_t wire_begin(struct buffer *out, enum wire_type type, uint32_t id);
/** Fills in the size. A frame whose buffer failed is not there. */
void wire_end(struct buffer *out, size_t begin);
void wire_put_u32(struct buffer *out, uint32_t value);
void wire_put_i64(struct buffer *out, int64_t value);
void wire_put_text(struct buffer *out, const char *text);

/* -- reading -- */

struct wire_reader {
    const char *at, *end;
    bool failed;
};

uint32_t wire_get_u32(struct wire_reader *reader);
int64_t wire_get_i64(struct wire_reader *reader);
/** Copies into text (of size bytes, NUL-terminated); too long or with a NUL inside: failed. */
void wire_get_text(struct wire_reader *reader, char *text, size_t size);
/** The bytes where they are. */
const char *wire_get_bytes(struct wire_reader *reader, size_t size);
/** Heap copy of a text, at most max bytes; NULL: failed. */
char *wire_get_strdup(struct wire_reader *reader, size_t max);

#endif
