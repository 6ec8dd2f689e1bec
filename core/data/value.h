/*
 * How values are laid out; for core/data only.
 *
 * Invariants: a value's `json`, where set, is its text in normal form (json_scan.h) and never changes.
 * A LAZY container has only that; split makes its members. A WRITABLE container has no `json`. Members
 * of any container are read-only once they are in it.
 */
#ifndef CORE_DATA_VALUE_H
#define CORE_DATA_VALUE_H

#include <sluice/data.h>

#include "core/base/arena.h"
#include "core/data/json_shape.h"

enum {
    VALUE_LAZY = 1,     /* container not split, FLOAT64 or string not decoded: see json */
    VALUE_WRITABLE = 2, /* container may be changed in place */
};

/** One element, entry or field. Arrays and structs use `value` only. */
struct member {
    const char *key;      /* decoded text of a STRING key */
    const char *key_json; /* quoted text, a colon behind it; NULL: key_value is no STRING */
    uint32_t key_size, key_json_size;
    const struct sluice_value *key_value; /* made on demand for STRING keys */
    const struct sluice_value *value;
};

struct members {
    struct member *list;
    size_t count, capacity;
    const struct sluice_schema *schema; /* STRUCT */
    struct sluice_batch *batch;         /* for what is made on demand */
    uint64_t key_bits;                  /* key_bit() of all STRING keys, and maybe of some that went */
    const char *java_class;             /* of a MAP; NULL: java.util.HashMap, which keeps no order */
    bool other_keys;                    /* a MAP with a key that is no STRING */
    bool maybe_logical;                 /* a value of no type of JSON's was put in, or one that may hold some */
    uint32_t *index;  /* place + 1 of each key by its hash; NULL: not made, or made wrong by an edit */
    size_t index_room; /* a power of two, at least twice the count */
};

struct sluice_value {
    uint8_t type;  /* enum sluice_type */
    uint8_t flags;
    uint16_t shape; /* LAZY object: json_shape_number() of its text */
    uint32_t json_size;
    const char *json; /* NULL: not written yet */
    union {
        int64_t integer;
        double real;
        struct {
            const char *data;
            size_t size;
        } text;
        struct {
            const char *data; /* unscaled, big-endian two's complement */
            uint32_t size;
            int32_t scale;
        } decimal;
        struct members *members;
        struct sluice_batch *batch; /* LAZY: the arena to decode into */
    };
};

/** A field name, made once. */
struct sluice_name {
    const char *text; /* NUL-terminated */
    const char *json; /* quoted and escaped, a colon behind it */
    uint32_t size;
    uint32_t json_size;
    uint64_t bit;              /* key_bit() */
    _Atomic uint32_t place;    /* where a map had it last: most maps have it there again */
    struct sluice_value value; /* the name as a STRING */
};

/** What is shown where there is nothing. */
extern const struct sluice_value value_null;

static inline struct sluice_value *value_thaw(const struct sluice_value *value)
{
    return (struct sluice_value *)value; /* arena memory is ours; const is for plugins */
}

/** value_type() without a call. */
static inline enum sluice_type value_kind(const struct sluice_value *value)
{
    return value ? (enum sluice_type)value->type : SLUICE_NULL;
}

static inline bool value_is_container(enum sluice_type type)
{
    return type == SLUICE_ARRAY || type == SLUICE_MAP || type == SLUICE_STRUCT;
}

struct sluice_value *value_new(struct arena *arena, enum sluice_type type);
/** Makes the members of a LAZY container. */
struct members *value_split(const struct sluice_value *value);
/** Members of a container, split now if need be. */
static inline struct members *value_members(const struct sluice_value *value)
{
    return value->flags & VALUE_LAZY ? value_split(value) : value->members;
}
/** Seeded for each process, because whoever writes a record chooses its keys. [any thread] */
uint64_t bytes_hash(const char *data, size_t size);
/** Equality of two containers of one type. */
bool members_equal(const struct sluice_value *a, const struct sluice_value *b);

/** Quoted, escaped as Jackson does it; a colon stands behind it, which is not counted. */
struct sluice_span json_quote(struct arena *arena, const char *text, size_t size);
/** Undoes the escapes of a quoted normal text. */
struct sluice_span json_unquote(struct arena *arena, const char *json, size_t size);

#endif
