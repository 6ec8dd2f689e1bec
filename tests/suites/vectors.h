/*
 * Recorded cases of what Kafka Connect's classes do, one function a kind of case. All go through the
 * plugin interface and the .so files beside the build, as a task would. One thread.
 */
#ifndef TESTS_SUITES_VECTORS_H
#define TESTS_SUITES_VECTORS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include <sluice/converter.h>

#include "core/data/batch.h"
#include "core/plugin/instance.h"
#include "core/plugin/registry.h"

enum outcome { PASSED, WRONG, LEFT_OUT };

/* One case while it runs. */
struct vector_case {
    json_t *test; /* texts may hold lone surrogates and U+0000, as recorded */
    struct sluice_batch *batch;
    char why[8192]; /* not PASSED: what differs, or why it cannot be put to us */
};

extern struct plugin_environment vectors_environment;

enum outcome vectors_transform(struct vector_case *run);
enum outcome vectors_predicate(struct vector_case *run);
enum outcome vectors_converter(struct vector_case *run);
enum outcome vectors_properties(struct vector_case *run);
enum outcome vectors_regex(struct vector_case *run);
enum outcome vectors_key(struct vector_case *run);
enum outcome vectors_validate(struct vector_case *run);

const char *vector_text(const json_t *object, const char *name);
bool vector_null(const json_t *object, const char *name); /* absent or null */
struct sluice_span vector_span(const json_t *text);       /* NULL where it is no text */
/* Decoded from a member in base64; NULL where that is null. */
struct sluice_span vector_bytes(struct vector_case *run, const char *name);
enum outcome vector_wrong(struct vector_case *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* -- reading and writing with JsonConverter, schemas on or off (json.c) -- */

int vectors_json_init(void);
void vectors_json_finish(void);
/* A value as JSON, texts as they are; a new reference. */
json_t *vector_json(const struct sluice_value *value);
/* false: failed, ret_failure says why; else it is untouched. */
bool vector_read(struct vector_case *run, bool schemas, enum sluice_converter_role role,
                 const char *topic, const char *header, struct sluice_span text,
                 const struct sluice_schema **ret_schema, const struct sluice_value **ret_value,
                 struct plugin_failure *ret_failure);
bool vector_write(struct vector_case *run, bool schemas, enum sluice_converter_role role,
                  const char *topic, const char *header, const struct sluice_schema *schema,
                  const struct sluice_value *value, struct sluice_span *ret_text,
                  struct plugin_failure *ret_failure);

/* -- comparing (compare.c); false: run->why says what differs -- */

/*
 * JSON texts, the same but for the order of members that stem from a Java map. envelope: they may be
 * envelopes with a schema.
 */
bool vector_same_json(struct vector_case *run, const char *what, bool envelope,
                      struct sluice_span expected, struct sluice_span got);
/* The text of a schema as JsonConverter writes it; expected null: no schema. */
bool vector_same_schema(struct vector_case *run, const char *what, const json_t *expected,
                        const struct sluice_schema *schema);
/* A typed value, as the vectors' README.md has it. */
bool vector_same_typed(struct vector_case *run, const char *what, json_t *expected,
                       const struct sluice_value *value);
/* Class and message; messages of java.lang are the JVM's own and not compared. */
bool vector_same_failure(struct vector_case *run, const json_t *expected, const char *stage,
                         const struct error *error);
/* The same characters, where a text shows maps (their order) or identity hashes. */
bool vector_same_printed(struct sluice_span expected, struct sluice_span got);

#endif
