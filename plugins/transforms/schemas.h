/*
 * Making of changed struct schemas, and the cache that keeps them (Connect: LRU of 16), with a plan
 * of where each field comes from. Owned by one transform; [task thread].
 */
#ifndef TRANSFORMS_SCHEMAS_H
#define TRANSFORMS_SCHEMAS_H

#include "plugins/transforms/text_set.h"
#include "plugins/transforms/transform.h"

/** A schema being put together; SchemaBuilder. draft_keep() or draft_finish() in any case. */
struct schema_draft {
    const struct transform *transform;
    struct sluice_schema_spec spec;
    const char **parameters;
    char **names;
    const struct sluice_schema **fields; /* one reference each */
    ptrdiff_t *from;                     /* source field of each field, -1: new */
    size_t capacity;
    struct text_set known;
};

void draft_init(struct schema_draft *draft, const struct transform *transform,
                enum sluice_type type);
/** Takes over name, version, doc and parameters (SchemaUtil.copySchemaBasics). */
enum sluice_result draft_like(struct schema_draft *draft,
                              const struct sluice_schema *source) SLUICE_CHECKED;
/**
 * Adds a field; the schema is retained. from: index of the source's field that gives the value, or
 * -1. Errors as SchemaBuilder.field: empty name, name twice.
 */
enum sluice_result draft_field(struct schema_draft *draft, struct sluice_span name,
                               const struct sluice_schema *schema, ptrdiff_t from) SLUICE_CHECKED;
/** *ret_schema is a new reference. May be called more than once. */
enum sluice_result draft_build(struct schema_draft *draft,
                               const struct sluice_schema **ret_schema) SLUICE_CHECKED;
void draft_finish(struct schema_draft *draft);

/** What becomes of values of one source schema. */
struct schema_plan {
    const struct sluice_schema *source, *target; /* one reference each */
    ptrdiff_t *from;                             /* per target field; owned; may be NULL */
    ptrdiff_t *which; /* per source field; owned; may be NULL; a transform's own */
};

struct schema_cache {
    struct schema_plan plans[16];
    size_t count, next;
};

/** The plan for a source schema, or NULL: not seen lately. */
const struct schema_plan *schema_cache_find(struct schema_cache *cache,
                                            const struct transform *transform,
                                            const struct sluice_schema *source);
/**
 * Keeps what a draft built: takes over target's reference, draft->from (draft may be NULL) and
 * which. Never fails: the oldest entry goes. Returns the entry, valid until the next add.
 */
const struct schema_plan *schema_cache_add(struct schema_cache *cache,
                                           const struct transform *transform,
                                           const struct sluice_schema *source,
                                           const struct sluice_schema *target,
                                           struct schema_draft *draft, ptrdiff_t *which);
/**
 * The end of a plan's making: where `result` is fine, builds the draft and keeps what came of it; else
 * hands `result` on. The draft is finished in any case.
 */
enum sluice_result draft_keep(struct schema_draft *draft, enum sluice_result result,
                              struct schema_cache *cache, const struct sluice_schema *source,
                              const struct schema_plan **ret_plan) SLUICE_CHECKED;
void schema_cache_finish(struct schema_cache *cache, const struct transform *transform);

/** A copy of a schema that is optional as wanted, without default; NULL: out of memory. New
 * reference. */
const struct sluice_schema *schema_with_optional(const struct transform *transform,
                                                 const struct sluice_schema *schema, bool optional);
/** Schema of a logical type: name, version 1, on this type. New reference; NULL: out of memory. */
const struct sluice_schema *schema_logical(const struct transform *transform, enum sluice_type type,
                                           const char *name, bool optional);

#endif
