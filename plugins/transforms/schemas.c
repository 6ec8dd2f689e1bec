/* See schemas.h. */
#include "plugins/transforms/schemas.h"

#include <stdlib.h>
#include <string.h>

void draft_init(struct schema_draft *draft, const struct transform *transform,
                enum sluice_type type)
{
    *draft = (struct schema_draft){
        .transform = transform,
        .spec = {.size = sizeof(struct sluice_schema_spec), .type = type},
    };
}

enum sluice_result draft_like(struct schema_draft *draft, const struct sluice_schema *source)
{
    const struct sluice_data *data = draft->transform->data;
    draft->spec.name = data->schema_name(source);
    draft->spec.has_version = data->schema_version(source, &draft->spec.version);
    draft->spec.doc = data->schema_doc(source);
    size_t count = data->schema_parameter_count(source);
    if (count == 0) {
        return SLUICE_OK;
    }
    draft->parameters = calloc(count, 2 * sizeof(char *));
    if (!draft->parameters) {
        return NO_MEMORY(draft->transform);
    }
    for (size_t i = 0; i < count; i++) {
        data->schema_parameter(source, i, &draft->parameters[2 * i], &draft->parameters[2 * i + 1]);
    }
    draft->spec.parameters = draft->parameters;
    draft->spec.parameter_count = count;
    return SLUICE_OK;
}

static bool make_room(struct schema_draft *draft)
{
    if (draft->spec.field_count < draft->capacity) {
        return true;
    }
    size_t wanted = draft->capacity ? draft->capacity * 2 : 16;
    char **names = realloc(draft->names, wanted * sizeof(*names));
    if (!names) {
        return false;
    }
    draft->names = names;
    const struct sluice_schema **fields = realloc(draft->fields, wanted * sizeof(*fields));
    if (!fields) {
        return false;
    }
    draft->fields = fields;
    ptrdiff_t *from = realloc(draft->from, wanted * sizeof(*from));
    if (!from) {
        return false;
    }
    draft->from = from;
    draft->capacity = wanted;
    return true;
}

enum sluice_result draft_field(struct schema_draft *draft, struct sluice_span name,
                               const struct sluice_schema *schema, ptrdiff_t from)
{
    const struct transform *transform = draft->transform;
    if (name.size == 0) {
        return transform->host->error(transform->host, SLUICE_BAD_RECORD, SCHEMA_BUILDER_EXCEPTION,
                                      "fieldName cannot be null.");
    }
    if (text_set_find(&draft->known, name.data, name.size) >= 0) {
        return transform->host->error(transform->host, SLUICE_BAD_RECORD, SCHEMA_BUILDER_EXCEPTION,
                                      "Cannot create field because of field name duplication %.*s",
                                      (int)name.size, name.data);
    }
    char *copy = strndup(name.data, name.size);
    if (!copy || !make_room(draft) ||
        !text_set_add(&draft->known, name.data, name.size, draft->spec.field_count)) {
        free(copy);
        return NO_MEMORY(transform);
    }
    size_t i = draft->spec.field_count++;
    draft->names[i] = copy;
    draft->fields[i] = transform->data->schema_retain(schema);
    draft->from[i] = from;
    return SLUICE_OK;
}

enum sluice_result draft_build(struct schema_draft *draft, const struct sluice_schema **ret_schema)
{
    char message[200] = "";
    draft->spec.field_names = (const char *const *)draft->names;
    draft->spec.field_schemas = draft->fields;
    *ret_schema = draft->transform->data->schema_new(&draft->spec, message, sizeof(message));
    if (*ret_schema) {
        return SLUICE_OK;
    }
    return draft->transform->host->error(draft->transform->host, SLUICE_BAD_RECORD,
                                         SCHEMA_BUILDER_EXCEPTION, "%s", message);
}

void draft_finish(struct schema_draft *draft)
{
    for (size_t i = 0; i < draft->spec.field_count; i++) {
        free(draft->names[i]);
        draft->transform->data->schema_release(draft->fields[i]);
    }
    free(draft->names);
    free(draft->fields);
    free(draft->from);
    free(draft->parameters);
    text_set_finish(&draft->known);
}

const struct schema_plan *schema_cache_find(struct schema_cache *cache,
                                            const struct transform *transform,
                                            const struct sluice_schema *source)
{
    for (size_t i = 0; i < cache->count; i++) {
        if (cache->plans[i].source == source) {
            return &cache->plans[i];
        }
    }
    for (size_t i = 0; i < cache->count; i++) {
        if (transform->data->schema_equal(cache->plans[i].source, source)) {
            return &cache->plans[i];
        }
    }
    return NULL;
}

static void plan_finish(struct schema_plan *plan, const struct transform *transform)
{
    transform->data->schema_release(plan->source);
    transform->data->schema_release(plan->target);
    free(plan->from);
    free(plan->which);
}

const struct schema_plan *schema_cache_add(struct schema_cache *cache,
                                           const struct transform *transform,
                                           const struct sluice_schema *source,
                                           const struct sluice_schema *target,
                                           struct schema_draft *draft, ptrdiff_t *which)
{
    size_t limit = sizeof(cache->plans) / sizeof(cache->plans[0]);
    struct schema_plan *plan;
    if (cache->count < limit) {
        plan = &cache->plans[cache->count++];
    } else {
        plan = &cache->plans[cache->next];
        cache->next = (cache->next + 1) % limit;
        plan_finish(plan, transform);
    }
    *plan = (struct schema_plan){.source = transform->data->schema_retain(source),
                                 .target = target,
                                 .from = draft ? draft->from : NULL,
                                 .which = which};
    if (draft) {
        draft->from = NULL;
    }
    return plan;
}

enum sluice_result draft_keep(struct schema_draft *draft, enum sluice_result result,
                              struct schema_cache *cache, const struct sluice_schema *source,
                              const struct schema_plan **ret_plan)
{
    const struct sluice_schema *target = NULL;
    if (result == SLUICE_OK) {
        result = draft_build(draft, &target);
    }
    if (result == SLUICE_OK) {
        *ret_plan = schema_cache_add(cache, draft->transform, source, target, draft, NULL);
    }
    draft_finish(draft);
    return result;
}

void schema_cache_finish(struct schema_cache *cache, const struct transform *transform)
{
    for (size_t i = 0; i < cache->count; i++) {
        plan_finish(&cache->plans[i], transform);
    }
    cache->count = 0;
}

const struct sluice_schema *schema_with_optional(const struct transform *transform,
                                                 const struct sluice_schema *schema, bool optional)
{
    const struct sluice_data *data = transform->data;
    if (data->schema_optional(schema) == optional && !data->schema_default(schema)) {
        return data->schema_retain(schema);
    }
    struct schema_draft draft;
    draft_init(&draft, transform, data->schema_type(schema));
    draft.spec.optional = optional;
    const struct sluice_schema *result = NULL;
    enum sluice_result outcome = draft_like(&draft, schema);
    if (outcome == SLUICE_OK && draft.spec.type == SLUICE_MAP) {
        draft.spec.key_schema = data->schema_key(schema);
    }
    if (outcome == SLUICE_OK &&
        (draft.spec.type == SLUICE_MAP || draft.spec.type == SLUICE_ARRAY)) {
        draft.spec.value_schema = data->schema_value(schema);
    }
    if (draft.spec.type == SLUICE_STRUCT) {
        for (size_t i = 0; outcome == SLUICE_OK && i < data->schema_field_count(schema); i++) {
            outcome = draft_field(&draft, data->name_text(data->schema_field_name(schema, i)),
                                  data->schema_field(schema, i), (ptrdiff_t)i);
        }
    }
    if (outcome == SLUICE_OK && draft_build(&draft, &result) != SLUICE_OK) {
        result = NULL;
    }
    draft_finish(&draft);
    return result;
}

const struct sluice_schema *schema_logical(const struct transform *transform, enum sluice_type type,
                                           const char *name, bool optional)
{
    struct sluice_schema_spec spec = {.size = sizeof(spec),
                                      .type = type,
                                      .optional = optional,
                                      .name = name,
                                      .has_version = true,
                                      .version = 1};
    return transform->data->schema_new(&spec, NULL, 0);
}
