/*
 * Values and schemas: Connect's data model (org.apache.kafka.connect.data).
 *
 * Both are opaque; everything goes through struct sluice_data, found as host->data.
 *
 * Life. Values live in the arena of the batch they were made in and die with its last release; they
 * are never freed one by one. Making a value cannot fail: where memory runs out, the host ends the
 * task with a clear trace, and nothing but this task is lost.
 *
 * Sharing. A value is read-only, except a container (array, map, struct) that new_*() or edit() just
 * returned. Putting a container into another one makes it read-only; edit() then gives a writable
 * copy of its top level, and its members are shared until they are edited themselves.
 *
 * Laziness. A value that came from JSON is the checked and normalised text until somebody asks for a
 * member; only the level that is asked for is split, and only members that were replaced are written
 * anew. A chain that never looks inside costs nothing.
 *
 * Threads. [one thread per batch at a time], reading and making alike.
 */
#ifndef SLUICE_DATA_H
#define SLUICE_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/result.h>
#include <sluice/version.h>

struct sluice_batch;
struct sluice_schema;
struct sluice_value;
struct sluice_name;

/** Bytes somebody else owns. Not NUL-terminated. data is NULL for null, not for empty. */
struct sluice_span {
    const char *data;
    size_t size;
};

/**
 * What a value is: the Java class Connect would hold. A schema's type is one of INT8..STRUCT;
 * DECIMAL (java.math.BigDecimal) and DATE (java.util.Date) occur as values only, under schemas named
 * SLUICE_SCHEMA_DECIMAL, or _DATE, _TIME, _TIMESTAMP, or without any schema.
 */
enum sluice_type {
    SLUICE_NULL = 0,
    SLUICE_INT8,
    SLUICE_INT16,
    SLUICE_INT32,
    SLUICE_INT64,
    SLUICE_FLOAT32,
    SLUICE_FLOAT64,
    SLUICE_BOOLEAN,
    SLUICE_STRING, /**< UTF-8, checked */
    SLUICE_BYTES,
    SLUICE_ARRAY,
    SLUICE_MAP,    /**< keys of any type; JSON objects have STRING keys, order is kept */
    SLUICE_STRUCT, /**< has a schema; one value per field */
    SLUICE_DECIMAL,
    SLUICE_DATE,   /**< milliseconds since 1970-01-01T00:00:00Z */
};

#define SLUICE_SCHEMA_DECIMAL "org.apache.kafka.connect.data.Decimal"
#define SLUICE_SCHEMA_DATE "org.apache.kafka.connect.data.Date"
#define SLUICE_SCHEMA_TIME "org.apache.kafka.connect.data.Time"
#define SLUICE_SCHEMA_TIMESTAMP "org.apache.kafka.connect.data.Timestamp"

/** Why a JSON text was refused. */
struct sluice_json_error {
    uint32_t size;       /**< sizeof, set by the caller */
    size_t offset;       /**< of the first byte that is wrong */
    uint32_t line, column; /**< of the same, from 1; columns count characters as Jackson does */
    char message[200];   /**< a sentence, NUL-terminated */
};

/** How strict from_json() is. */
enum sluice_json_flags {
    /** As Jackson's readTree in Connect: text after the first value is ignored, 01 is 1. */
    SLUICE_JSON_CONNECT = 0,
    /** RFC 8259 only: anything but blanks after the value is an error, as are leading zeros. */
    SLUICE_JSON_STRICT = 1 << 0,
    /**
     * Numbers keep the text they have, so that to_json() of one gives every digit of it; integer()
     * and real() are as without. For readers that know better than schemaless data what it stands for.
     */
    SLUICE_JSON_EXACT_NUMBERS = 1 << 1,
    /**
     * Stops behind the value; error->offset is then how many bytes it took, blanks before it included.
     * For readers of a format around it, who need not look for its end first.
     */
    SLUICE_JSON_PREFIX = 1 << 2,
    /**
     * Integers beyond 64 bits keep all their digits in to_json(), as Jackson's tree has it, instead of
     * wrapping as Connect's JsonConverter has it; integer() is as without.
     */
    SLUICE_JSON_WIDE_INTEGERS = 1 << 3,
};

/** What makes a schema; everything is copied. */
struct sluice_schema_spec {
    uint32_t size;             /**< sizeof(struct sluice_schema_spec) */
    enum sluice_type type;     /**< INT8..STRUCT */
    bool optional;
    const char *name;          /**< NULL: none */
    bool has_version;
    int32_t version;
    const char *doc;           /**< NULL: none */
    size_t parameter_count;
    const char *const *parameters; /**< key, value, key, value.. */
    const struct sluice_value *default_value; /**< NULL: none; copied */
    const struct sluice_schema *key_schema;   /**< MAP */
    const struct sluice_schema *value_schema; /**< MAP, ARRAY; both NULL: of anything */
    size_t field_count;                       /**< STRUCT */
    const char *const *field_names;
    const struct sluice_schema *const *field_schemas;
};

struct sluice_data {
    uint32_t size;

    /* -- reading values. NULL is taken for a null value everywhere. -- */

    enum sluice_type (*type)(const struct sluice_value *value);
    bool (*boolean)(const struct sluice_value *value);
    /** INT8..INT64, DATE (milliseconds); 0 for others. */
    int64_t (*integer)(const struct sluice_value *value);
    /** FLOAT32, FLOAT64, and integers as double; 0 for others. */
    double (*real)(const struct sluice_value *value);
    /**
     * STRING (decoded, no JSON escapes) or BYTES. Lives as long as the batch. Half of a surrogate pair,
     * which JSON's escapes can hold, comes as three bytes (ED A0 80 .. ED BF BF).
     */
    struct sluice_span (*text)(const struct sluice_value *value);
    /** DECIMAL: unscaled value, big-endian two's complement, and its scale. */
    struct sluice_span (*decimal)(const struct sluice_value *value, int32_t *ret_scale);
    /** Elements of an array, entries of a map, fields of a struct; 0 for others. */
    size_t (*count)(const struct sluice_value *value);
    /** Array element, map value or struct field value number i; never NULL for i < count. */
    const struct sluice_value *(*at)(const struct sluice_value *value, size_t i);
    /** Key of map entry i. For a struct, the field's name as a STRING. */
    const struct sluice_value *(*key_at)(const struct sluice_value *value, size_t i);
    /** Member of a map (STRING keys) or struct; NULL where there is none; a null member is not NULL. */
    const struct sluice_value *(*find)(const struct sluice_value *value,
                                       const struct sluice_name *name);
    /** Schema of a struct; NULL for others. */
    const struct sluice_schema *(*struct_schema)(const struct sluice_value *value);
    /** Equality as Java's equals() on the same data. */
    bool (*equal)(const struct sluice_value *a, const struct sluice_value *b);

    /** A field name made once (in configure) and used for every record; never freed. [any thread] */
    const struct sluice_name *(*intern)(const char *text, size_t size);
    struct sluice_span (*name_text)(const struct sluice_name *name);

    /* -- making values, in a batch -- */

    struct sluice_value *(*new_null)(struct sluice_batch *batch);
    struct sluice_value *(*new_boolean)(struct sluice_batch *batch, bool value);
    /** type is INT8..INT64; the value is wrapped to its width as a Java cast does. */
    struct sluice_value *(*new_integer)(struct sluice_batch *batch, enum sluice_type type,
                                        int64_t value);
    /** type is FLOAT32 or FLOAT64. */
    struct sluice_value *(*new_real)(struct sluice_batch *batch, enum sluice_type type, double value);
    /** Copies. The bytes shall be UTF-8. */
    struct sluice_value *(*new_string)(struct sluice_batch *batch, const char *data, size_t size);
    struct sluice_value *(*new_bytes)(struct sluice_batch *batch, const void *data, size_t size);
    /** STRING without a copy: data shall live until the last release of the batch. */
    struct sluice_value *(*new_string_view)(struct sluice_batch *batch, const char *data, size_t size);
    struct sluice_value *(*new_bytes_view)(struct sluice_batch *batch, const void *data, size_t size);
    struct sluice_value *(*new_decimal)(struct sluice_batch *batch, const void *unscaled, size_t size,
                                        int32_t scale);
    struct sluice_value *(*new_date)(struct sluice_batch *batch, int64_t milliseconds);
    /** reserve: how many members to make room for; more may follow. */
    struct sluice_value *(*new_array)(struct sluice_batch *batch, size_t reserve);
    struct sluice_value *(*new_map)(struct sluice_batch *batch, size_t reserve);
    /** All fields null at first. The batch keeps the schema alive. */
    struct sluice_value *(*new_struct)(struct sluice_batch *batch, const struct sluice_schema *schema);

    /** A writable container with the same members: the value itself if it is writable already. */
    struct sluice_value *(*edit)(struct sluice_batch *batch, const struct sluice_value *container);
    void (*append)(struct sluice_batch *batch, struct sluice_value *array,
                   const struct sluice_value *element);
    /** Sets or adds (at the end) a member of a map with STRING keys. */
    void (*put)(struct sluice_batch *batch, struct sluice_value *map, const struct sluice_name *name,
                const struct sluice_value *value);
    /** The same with a key of any type. */
    void (*put_key)(struct sluice_batch *batch, struct sluice_value *map,
                    const struct sluice_value *key, const struct sluice_value *value);
    /** Replaces member number i of an array, map or struct (schema order). */
    void (*set_at)(struct sluice_batch *batch, struct sluice_value *container, size_t i,
                   const struct sluice_value *value);
    /** Renames map entry i; its place is kept. */
    void (*rename_at)(struct sluice_batch *batch, struct sluice_value *map, size_t i,
                      const struct sluice_name *name);
    /** Takes a member out; false where there was none. */
    bool (*remove)(struct sluice_batch *batch, struct sluice_value *map,
                   const struct sluice_name *name);
    /** Copies a value, deeply, into another batch. */
    struct sluice_value *(*copy)(struct sluice_batch *batch, const struct sluice_value *value);

    /* -- JSON, as Connect's JsonConverter with schemas.enable=false reads and writes it -- */

    /**
     * Checks and normalises a text and gives its value. The text shall live as long as the batch:
     * where it is normal already it is not copied. SLUICE_BAD_RECORD with *error filled otherwise
     * (host->error() is not called). A text of blanks only gives NULL.
     */
    enum sluice_result (*from_json)(struct sluice_batch *batch, const char *data, size_t size,
                                    uint32_t flags, struct sluice_value **ret_value,
                                    struct sluice_json_error *error) SLUICE_CHECKED;
    /** JSON text of any value; lives as long as the batch. Costs nothing where nothing was edited. */
    struct sluice_span (*to_json)(struct sluice_batch *batch, const struct sluice_value *value);
    /** Text as Java's String.valueOf prints it ({a=1, b=x}, 1.0E7, Struct{a=1}); null is "null". */
    struct sluice_span (*to_text)(struct sluice_batch *batch, const struct sluice_value *value);

    /* -- schemas: immutable, reference-counted [any thread] -- */

    /** New reference, or NULL with a sentence in message where the spec makes no sense. */
    const struct sluice_schema *(*schema_new)(const struct sluice_schema_spec *spec, char *message,
                                              size_t message_size);
    const struct sluice_schema *(*schema_retain)(const struct sluice_schema *schema);
    void (*schema_release)(const struct sluice_schema *schema);
    /** Plain schema of a primitive type, optional or not; not counted, lives for ever. */
    const struct sluice_schema *(*schema_plain)(enum sluice_type type, bool optional);
    enum sluice_type (*schema_type)(const struct sluice_schema *schema);
    bool (*schema_optional)(const struct sluice_schema *schema);
    const char *(*schema_name)(const struct sluice_schema *schema); /**< NULL: none */
    bool (*schema_version)(const struct sluice_schema *schema, int32_t *ret_version);
    const char *(*schema_doc)(const struct sluice_schema *schema);  /**< NULL: none */
    size_t (*schema_parameter_count)(const struct sluice_schema *schema);
    void (*schema_parameter)(const struct sluice_schema *schema, size_t i, const char **ret_key,
                             const char **ret_value);
    const struct sluice_value *(*schema_default)(const struct sluice_schema *schema);
    const struct sluice_schema *(*schema_key)(const struct sluice_schema *schema);
    const struct sluice_schema *(*schema_value)(const struct sluice_schema *schema);
    size_t (*schema_field_count)(const struct sluice_schema *schema);
    const struct sluice_name *(*schema_field_name)(const struct sluice_schema *schema, size_t i);
    const struct sluice_schema *(*schema_field)(const struct sluice_schema *schema, size_t i);
    /** Index of a field, or -1. */
    ptrdiff_t (*schema_find)(const struct sluice_schema *schema, const struct sluice_name *name);
    bool (*schema_equal)(const struct sluice_schema *a, const struct sluice_schema *b);

    /**
     * First part of a value, itself included, that schemaless JSON has no type for: a DECIMAL, DATE or
     * STRUCT; NULL: none. Does not split what was not looked into.
     */
    const struct sluice_value *(*first_logical)(const struct sluice_value *value);
    /** Place of a member of a map (STRING keys), for at() and rename_at(); -1: there is none. */
    ptrdiff_t (*index_of)(const struct sluice_value *map, const struct sluice_name *name);
    /** The name as a STRING that lives for ever: for constants that go into every record. */
    const struct sluice_value *(*name_value)(const struct sluice_name *name);
    /**
     * The class that Java has for a map: messages name it, and to_text() prints a java.util.HashMap in
     * that one's order, any other as it was made. Maps are HashMaps unless said otherwise, and become
     * one by edit(). The name is static.
     */
    const char *(*map_class)(const struct sluice_value *map);
    void (*set_map_class)(struct sluice_value *map, const char *class_name);
};

#endif
