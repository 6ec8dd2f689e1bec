/* KPL aggregates; see aggregate.h. */
#include "connectors/kinesis/aggregate.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAGIC_SIZE = 4,
    MD5_SIZE = 16,
    /* AggregatedRecord */
    FIELD_KEY = 1,
    FIELD_HASH_KEY = 2,
    FIELD_RECORD = 3,
    /* Record */
    FIELD_KEY_INDEX = 1,
    FIELD_DATA = 3,
    /* protobuf wire types */
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,
    WIRE_FIXED32 = 5,
};

static const unsigned char magic[MAGIC_SIZE] = {0xf3, 0x89, 0x9a, 0xc2};

struct field {
    uint64_t number;
    unsigned wire;
    uint64_t value;             /* WIRE_VARINT */
    struct kinesis_text bytes;  /* WIRE_BYTES */
};

static bool read_varint(const unsigned char **at, const unsigned char *end, uint64_t *ret)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (*at == end) {
            return false;
        }
        unsigned char byte = *(*at)++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *ret = value;
            return true;
        }
    }
    return false;
}

/* False: not protobuf. Groups are not either: nobody writes them any more. */
static bool read_field(const unsigned char **at, const unsigned char *end, struct field *field)
{
    uint64_t tag = 0, size = 0;
    *field = (struct field){0};
    if (!read_varint(at, end, &tag) || tag >> 3 == 0) {
        return false;
    }
    field->number = tag >> 3;
    field->wire = tag & 7;
    switch (field->wire) {
    case WIRE_VARINT:
        return read_varint(at, end, &field->value);
    case WIRE_FIXED64:
        size = 8;
        break;
    case WIRE_FIXED32:
        size = 4;
        break;
    case WIRE_BYTES:
        if (!read_varint(at, end, &size)) {
            return false;
        }
        break;
    default:
        return false;
    }
    if (size > (uint64_t)(end - *at)) {
        return false;
    }
    field->bytes = (struct kinesis_text){(const char *)*at, (size_t)size};
    *at += size;
    return true;
}

/* A Record: which key, and its data; both are required. */
static bool read_record(struct kinesis_text message, uint64_t *ret_key, struct kinesis_text *ret_data)
{
    const unsigned char *at = (const unsigned char *)message.data, *end = at + message.size;
    bool has_key = false, has_data = false;
    struct field field;
    while (at < end) {
        if (!read_field(&at, end, &field)) {
            return false;
        }
        if (field.number == FIELD_KEY_INDEX && field.wire == WIRE_VARINT) {
            *ret_key = field.value;
            has_key = true;
        } else if (field.number == FIELD_DATA && field.wire == WIRE_BYTES) {
            *ret_data = field.bytes;
            has_data = true;
        } else if (field.number == FIELD_KEY_INDEX || field.number == FIELD_DATA) {
            return false;
        }
    }
    return has_key && has_data;
}

static bool add_key(struct kinesis_aggregate *aggregate, struct kinesis_text key)
{
    if (aggregate->key_count == aggregate->key_room) {
        size_t room = aggregate->key_room ? 2 * aggregate->key_room : 64;
        struct kinesis_text *keys = reallocarray(aggregate->keys, room, sizeof(*keys));
        if (!keys) {
            return false;
        }
        aggregate->keys = keys;
        aggregate->key_room = room;
    }
    aggregate->keys[aggregate->key_count++] = key;
    return true;
}

/* Everything is looked at before anything is handed out: an aggregate counts as a whole or not at all. */
static bool read_message(struct kinesis_aggregate *aggregate)
{
    const unsigned char *at = aggregate->at;
    uint64_t highest = 0, key = 0;
    struct kinesis_text data;
    struct field field;
    while (at < aggregate->end) {
        if (!read_field(&at, aggregate->end, &field)) {
            return false;
        }
        if (field.number > FIELD_RECORD) {
            continue;
        }
        if (field.wire != WIRE_BYTES) {
            return false;
        }
        if (field.number == FIELD_KEY && !add_key(aggregate, field.bytes)) {
            return false;
        }
        if (field.number == FIELD_RECORD) {
            if (!read_record(field.bytes, &key, &data)) {
                return false;
            }
            highest = key > highest ? key : highest;
            aggregate->count++;
        }
    }
    return aggregate->count == 0 || highest < aggregate->key_count;
}

bool kinesis_aggregate_open(struct kinesis_aggregate *aggregate, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    unsigned char digest[EVP_MAX_MD_SIZE];
    aggregate->key_count = aggregate->count = 0;
    aggregate->at = aggregate->end = NULL;
    if (size <= MAGIC_SIZE + MD5_SIZE || memcmp(bytes, magic, MAGIC_SIZE) != 0) {
        return false;
    }
    const unsigned char *end = bytes + size - MD5_SIZE;
    if (EVP_Digest(bytes + MAGIC_SIZE, (size_t)(end - bytes) - MAGIC_SIZE, digest, NULL, EVP_md5(), NULL) != 1 ||
        memcmp(digest, end, MD5_SIZE) != 0) {
        return false;
    }
    aggregate->at = bytes + MAGIC_SIZE;
    aggregate->end = end;
    if (!read_message(aggregate)) {
        aggregate->at = aggregate->end = NULL;
        return false;
    }
    return true;
}

bool kinesis_aggregate_next(struct kinesis_aggregate *aggregate, struct kinesis_packed *ret_packed)
{
    struct field field;
    while (aggregate->at < aggregate->end && read_field(&aggregate->at, aggregate->end, &field)) {
        uint64_t key = 0;
        if (field.number == FIELD_RECORD && read_record(field.bytes, &key, &ret_packed->data) &&
            key < aggregate->key_count) {
            ret_packed->key = aggregate->keys[key];
            return true;
        }
    }
    return false;
}

void kinesis_aggregate_finish(struct kinesis_aggregate *aggregate)
{
    free(aggregate->keys);
    *aggregate = (struct kinesis_aggregate){0};
}
