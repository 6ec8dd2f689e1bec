/*
 * JsonConverter in parts: json.c has the class and its options, json_schema.c the JSON of schemas and
 * both caches, json_read.c payloads to data, json_write.c data to payloads. Facts:
 * org.apache.kafka.connect.json of Kafka 3.9. Owned by one converter; [task thread].
 */
#ifndef CONVERTERS_JSON_H
#define CONVERTERS_JSON_H

#include "lib/util/buffer.h"
#include "plugins/converters/converter.h"

/** A schema and its JSON text. */
struct cached_schema {
    const struct sluice_schema *schema; /* a reference of ours */
    char *text;                         /* owned */
    size_t size;
    uint64_t hash;                      /* of the text */
    uint64_t used;                      /* when it was last asked for */
};

/** The schemas used last; linear, because a topic has few and the last is tried first. */
struct schema_cache {
    struct cached_schema *entries; /* room for `most`, made with the first */
    size_t count, most, last;
    uint64_t clock;
};

struct json_converter {
    struct converter base;
    bool envelope;     /* schemas.enable */
    bool numeric;      /* decimal.format */
    bool keep_null;    /* !replace.null.with.default */
    struct schema_cache read, written;
    struct buffer out; /* of the text being written */
    const struct sluice_name *schema, *payload, *type, *optional, *name, *version, *doc, *parameters,
        *default_value, *items, *keys, *values, *fields, *field;
};

/** Which conversion schemas of this name take; NULL: none. Static. */
enum logical { LOGICAL_NONE, LOGICAL_DECIMAL, LOGICAL_DATE, LOGICAL_TIME, LOGICAL_TIMESTAMP };
enum logical json_logical(const struct json_converter *self, const struct sluice_schema *schema);

#define MS_PER_DAY INT64_C(86400000)

/* -- json_schema.c -- */

void schema_cache_finish(struct schema_cache *cache, const struct sluice_data *data);
/** The schema of a JSON value, out of the cache where it is known; NULL for null. */
enum sluice_result json_read_schema(struct json_converter *self, struct sluice_batch *batch,
                                    const struct sluice_value *json,
                                    const struct sluice_schema **ret_schema) SLUICE_CHECKED;
/** Appends a schema's JSON to self->out. */
enum sluice_result json_write_schema(struct json_converter *self, struct sluice_batch *batch,
                                     const struct sluice_schema *schema) SLUICE_CHECKED;

/* -- json_read.c -- */

/** Parses with host->error() as JsonConverter fails. *ret_value NULL: blanks only. */
enum sluice_result json_parse(struct json_converter *self, struct sluice_batch *batch,
                              struct sluice_span text, uint32_t flags,
                              struct sluice_value **ret_value) SLUICE_CHECKED;
/** Data of a JSON value under a schema (not NULL). json NULL: absent. */
enum sluice_result json_read(struct json_converter *self, struct sluice_batch *batch,
                             const struct sluice_schema *schema, const struct sluice_value *json,
                             const struct sluice_value **ret_value) SLUICE_CHECKED;

/**
 * Refuses nulls that a schema, at any depth of arrays and maps, does not take, as ConnectSchema.validateValue does;
 * place is how the message names the value. They come of leniency: text out of a number is null.
 */
enum sluice_result json_check_nulls(struct json_converter *self, const struct sluice_schema *schema,
                                    const struct sluice_value *value, const char *place) SLUICE_CHECKED;

/* -- json_write.c -- */

/** Appends the JSON of a value under a schema (NULL: none) to self->out. */
enum sluice_result json_write(struct json_converter *self, struct sluice_batch *batch,
                              const struct sluice_schema *schema,
                              const struct sluice_value *value) SLUICE_CHECKED;

/** What json_write() says where a buffer found no memory, or more than it may hold. */
enum sluice_result json_check_room(struct json_converter *self) SLUICE_CHECKED;

#endif
