/*
 * ReplaceField$Key, ReplaceField$Value: leaves fields out, lets only some through, renames
 * (kafka-connect.md §3.3). Owned by the chain; [task thread].
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/java/hash_order.h"
#include "plugins/transforms/classes.h"
#include "plugins/transforms/lists.h"
#include "plugins/transforms/schemas.h"

#define PURPOSE "field replacement"

struct rename {
    const struct sluice_name *from, *to;
};

struct replace_field {
    struct transform base;
    struct text_set exclude, include;
    const struct sluice_name **excluded;
    size_t excluded_count;
    struct text_set rename_index;
    struct rename *renames;
    ptrdiff_t *places; /* of the fields to be renamed, in the record at hand */
    size_t rename_count;
    bool names_meet; /* renames and exclusions have names in common */
    struct schema_cache cache;
};

static void *create(const struct sluice_host *host)
{
    return transform_create(host, sizeof(struct replace_field));
}

static void destroy(void *self)
{
    struct replace_field *replace = self;
    if (replace) {
        text_set_finish(&replace->exclude);
        text_set_finish(&replace->include);
        text_set_finish(&replace->rename_index);
        schema_cache_finish(&replace->cache, &replace->base);
        free(replace->excluded);
        free(replace->renames);
        free(replace->places);
        free(replace);
    }
}

/* One item of renames; false where it is not a:b. */
static bool read_rename(struct text item, struct text parts[2])
{
    return split_colons(item, parts, 2) == 2;
}

static bool check_renames(const char *name, const char *value, char *message, size_t size)
{
    (void)name;
    const char *cursor = value && *value ? value : NULL;
    struct text item, parts[2];
    while (list_next(&cursor, &item)) {
        if (!read_rename(item, parts)) {
            char list[200];
            list_print(value, list, sizeof(list));
            snprintf(message, size,
                     "Invalid value %s for configuration renames: Invalid rename mapping: %.*s",
                     list, (int)item.size, item.data);
            return false;
        }
    }
    return true;
}

static bool add_rename(struct replace_field *replace, struct text item)
{
    struct text parts[2];
    if (!read_rename(item, parts)) {
        return false;
    }
    struct rename *renames =
        realloc(replace->renames, (replace->rename_count + 1) * sizeof(*renames));
    if (!renames) {
        return false;
    }
    const struct sluice_data *data = replace->base.data;
    replace->renames = renames;
    ptrdiff_t known = text_set_find(&replace->rename_index, parts[0].data, parts[0].size);
    size_t at = known >= 0 ? (size_t)known : replace->rename_count++;
    renames[at] = (struct rename){.from = data->intern(parts[0].data, parts[0].size),
                                  .to = data->intern(parts[1].data, parts[1].size)};
    return text_set_add(&replace->rename_index, parts[0].data, parts[0].size, at);
}

static bool add_names(struct replace_field *replace, const struct sluice_config *config,
                      const char *name, const char *former, struct text_set *set,
                      const struct sluice_name ***ret_names, size_t *ret_count)
{
    const struct sluice_config_api *api = replace->base.host->config;
    const char *const *items = NULL;
    /* a deprecated name counts only where its successor was not given */
    size_t count = api->get_list(config, api->is_set(config, name) ? name : former, &items);
    const struct sluice_name **names = ret_names ? calloc(count + 1, sizeof(*names)) : NULL;
    bool fine = !ret_names || names;
    for (size_t i = 0; fine && i < count; i++) {
        fine = text_set_add(set, items[i], strlen(items[i]), i);
        if (names) {
            names[i] = replace->base.data->intern(items[i], strlen(items[i]));
        }
    }
    if (ret_names) {
        *ret_names = names;
        *ret_count = count;
    }
    return fine;
}

static bool is_excluded(const struct replace_field *replace, const struct sluice_name *name)
{
    for (size_t i = 0; i < replace->excluded_count; i++) {
        if (replace->excluded[i] == name) {
            return true;
        }
    }
    return false;
}

static void check_names(struct replace_field *replace)
{
    for (size_t i = 0; i < replace->rename_count; i++) {
        replace->names_meet |= is_excluded(replace, replace->renames[i].to) ||
                                 is_excluded(replace, replace->renames[i].from);
        for (size_t k = 0; k < i; k++) {
            replace->names_meet |= replace->renames[i].to == replace->renames[k].to;
        }
    }
}

static enum sluice_result configure(void *self, const char *class_name,
                                    const struct sluice_config *config)
{
    struct replace_field *replace = self;
    struct transform *base = &replace->base;
    transform_variant(base, class_name);
    transform_null_option(base, config);
    const char *renames = base->host->config->get_string(config, "renames");
    char message[512];
    if (!check_renames("renames", renames, message, sizeof(message))) {
        return BAD_CONFIG(base, "%s", message);
    }
    const char *cursor = renames && *renames ? renames : NULL;
    struct text item;
    while (list_next(&cursor, &item)) {
        if (!add_rename(replace, item)) {
            return NO_MEMORY(base);
        }
    }
    replace->places = calloc(replace->rename_count + 1, sizeof(*replace->places));
    bool fine = replace->places &&
                add_names(replace, config, "exclude", "blacklist", &replace->exclude,
                          &replace->excluded, &replace->excluded_count) &&
                add_names(replace, config, "include", "whitelist", &replace->include, NULL, NULL);
    if (fine) {
        check_names(replace);
    }
    return fine ? SLUICE_OK : NO_MEMORY(base);
}

static bool passes(const struct replace_field *replace, struct sluice_span name)
{
    return text_set_find(&replace->exclude, name.data, name.size) < 0 &&
           (replace->include.count == 0 ||
            text_set_find(&replace->include, name.data, name.size) >= 0);
}

static struct sluice_span new_name(const struct replace_field *replace, struct sluice_span name)
{
    ptrdiff_t i = text_set_find(&replace->rename_index, name.data, name.size);
    return i < 0 ? name : replace->base.data->name_text(replace->renames[i].to);
}

/*
 * Whether field i of a map stays where another before it has the name already: Connect goes through
 * a HashMap, so the place of the former names there decides.
 */
static bool comes_after(const struct replace_field *replace, const struct sluice_value *map,
                        size_t i, struct sluice_span target)
{
    const struct sluice_data *data = replace->base.data;
    size_t count = data->count(map);
    struct sluice_span own = data->text(data->key_at(map, i));
    uint32_t bucket = java_hash_bucket(own.data, own.size, count);
    for (size_t k = 0; k < i; k++) {
        struct sluice_span name = data->text(data->key_at(map, k));
        if (!passes(replace, name)) {
            continue;
        }
        struct sluice_span renamed = new_name(replace, name);
        if (renamed.size == target.size && memcmp(renamed.data, target.data, target.size) == 0 &&
            java_hash_bucket(name.data, name.size, count) > bucket) {
            return false;
        }
    }
    return true;
}

/* Only some fields pass, or new names meet old ones: a new map, member by member. */
static struct sluice_value *rebuild_map(const struct replace_field *replace,
                                        struct sluice_batch *batch,
                                        const struct sluice_value *value)
{
    const struct sluice_data *data = replace->base.data;
    size_t count = data->count(value);
    struct sluice_value *made = data->new_map(batch, count);
    for (size_t i = 0; i < count; i++) {
        const struct sluice_value *key = data->key_at(value, i);
        struct sluice_span name = data->text(key);
        if (!passes(replace, name)) {
            continue;
        }
        ptrdiff_t rename = text_set_find(&replace->rename_index, name.data, name.size);
        struct sluice_span target = rename < 0 ? name : new_name(replace, name);
        if (replace->rename_count > 0 &&
            data->find(made, data->intern(target.data, target.size)) &&
            !comes_after(replace, value, i, target)) {
            continue;
        }
        if (rename >= 0) {
            data->put(batch, made, replace->renames[rename].to, data->at(value, i));
        } else {
            data->put_key(batch, made, key, data->at(value, i));
        }
    }
    return made;
}

static enum sluice_result apply_map(struct replace_field *replace, struct sluice_record *record,
                                    struct sluice_batch *batch, const struct sluice_value *value)
{
    const struct sluice_data *data = replace->base.data;
    enum sluice_result result = require_map(&replace->base, value, PURPOSE);
    if (result != SLUICE_OK) {
        return result;
    }
    bool in_place = replace->include.count == 0 && !replace->names_meet;
    for (size_t i = 0; i < replace->rename_count && in_place; i++) {
        in_place = data->index_of(value, replace->renames[i].to) < 0;
    }
    if (!in_place) {
        transform_replace(&replace->base, record, NULL, rebuild_map(replace, batch, value));
        return SLUICE_OK;
    }
    bool touched = false;
    /* all places before the first change: a new name may be another's former one */
    for (size_t i = 0; i < replace->rename_count; i++) {
        replace->places[i] = data->index_of(value, replace->renames[i].from);
        touched |= replace->places[i] >= 0;
    }
    for (size_t i = 0; i < replace->excluded_count && !touched; i++) {
        touched = data->index_of(value, replace->excluded[i]) >= 0;
    }
    if (!touched) {
        transform_copy_map(&replace->base, record, batch, value);
        return SLUICE_OK;
    }
    struct sluice_value *edited = data->edit(batch, value);
    for (size_t i = 0; i < replace->rename_count; i++) {
        if (replace->places[i] >= 0) {
            data->rename_at(batch, edited, (size_t)replace->places[i], replace->renames[i].to);
        }
    }
    for (size_t i = 0; i < replace->excluded_count; i++) {
        data->remove(batch, edited, replace->excluded[i]);
    }
    transform_replace(&replace->base, record, NULL, edited);
    return SLUICE_OK;
}

/*
 * Connect looks a field of the result up by its former name, that of the rename with this target,
 * even where another field has the name already. NULL: no rename has it.
 */
static const struct rename *former_of(const struct replace_field *replace, struct sluice_span target)
{
    const struct sluice_data *data = replace->base.data;
    const struct rename *rename = NULL;
    uint32_t last = 0;
    for (size_t i = 0; i < replace->rename_count; i++) {
        struct sluice_span to = data->name_text(replace->renames[i].to);
        struct sluice_span from = data->name_text(replace->renames[i].from);
        uint32_t bucket = java_hash_bucket(from.data, from.size, replace->rename_count);
        if (to.size == target.size && memcmp(to.data, target.data, to.size) == 0 &&
            (!rename || bucket >= last)) {
            rename = &replace->renames[i];
            last = bucket;
        }
    }
    return rename;
}

/* Of a field whose former name the source does not have; told when its turn comes. */
static enum sluice_result no_such_field(const struct replace_field *replace,
                                        const struct sluice_schema *target, size_t i)
{
    const struct sluice_data *data = replace->base.data;
    const struct rename *rename =
        former_of(replace, data->name_text(data->schema_field_name(target, i)));
    struct sluice_span from = data->name_text(rename->from);
    return BAD_RECORD(&replace->base, "%.*s is not a valid field name", (int)from.size, from.data);
}

static enum sluice_result make_plan(struct replace_field *replace,
                                    const struct sluice_schema *source,
                                    const struct schema_plan **ret_plan)
{
    const struct sluice_data *data = replace->base.data;
    struct schema_draft draft;
    draft_init(&draft, &replace->base, SLUICE_STRUCT);
    enum sluice_result result = draft_like(&draft, source);
    size_t count = data->schema_field_count(source);
    for (size_t i = 0; i < count && result == SLUICE_OK; i++) {
        struct sluice_span name = data->name_text(data->schema_field_name(source, i));
        if (passes(replace, name)) {
            result = draft_field(&draft, new_name(replace, name), data->schema_field(source, i),
                                 (ptrdiff_t)i);
        }
    }
    const struct sluice_schema *target = NULL;
    if (result == SLUICE_OK) {
        result = draft_build(&draft, &target);
    }
    for (size_t i = 0; i < draft.spec.field_count && result == SLUICE_OK; i++) {
        struct sluice_span name = {draft.names[i], strlen(draft.names[i])};
        const struct rename *rename = former_of(replace, name);
        draft.from[i] = rename ? data->schema_find(source, rename->from) : draft.from[i];
    }
    if (result == SLUICE_OK) {
        *ret_plan = schema_cache_add(&replace->cache, &replace->base, source, target, &draft, NULL);
    } else {
        data->schema_release(target);
    }
    draft_finish(&draft);
    return result;
}

static enum sluice_result apply(void *self, struct sluice_record *record)
{
    struct replace_field *replace = self;
    const struct transform *base = &replace->base;
    const struct sluice_data *data = base->data;
    const struct sluice_schema *schema;
    const struct sluice_value *value = transform_operand(base, record, &schema);
    if (is_null(base, value)) {
        return SLUICE_OK;
    }
    struct sluice_batch *batch = base->records->batch_of(record);
    if (!schema) {
        return apply_map(replace, record, batch, value);
    }
    enum sluice_result result = require_struct(base, value, PURPOSE);
    if (result != SLUICE_OK) {
        return result;
    }
    const struct sluice_schema *source = data->struct_schema(value);
    const struct schema_plan *plan = schema_cache_find(&replace->cache, base, source);
    if (!plan) {
        result = make_plan(replace, source, &plan);
        if (result != SLUICE_OK) {
            return result;
        }
    }
    struct sluice_value *made = data->new_struct(batch, plan->target);
    size_t count = data->schema_field_count(plan->target);
    for (size_t i = 0; i < count; i++) {
        if (plan->from[i] < 0) {
            return no_such_field(replace, plan->target, i);
        }
        const struct sluice_value *field =
            struct_field(base, batch, value, (size_t)plan->from[i]);
        if (data->schema_field(source, (size_t)plan->from[i]) !=
            data->schema_field(plan->target, i)) { /* see former_of() */
            result = check_field(base, plan->target, i, field);
            if (result != SLUICE_OK) {
                return result;
            }
        }
        result = put_field(base, batch, made, i, field);
        if (result != SLUICE_OK) {
            return result;
        }
    }
    transform_replace(base, record, plan->target, made);
    return SLUICE_OK;
}

static const struct sluice_option options[] = {
    OPTION(.name = "exclude", .type = SLUICE_OPTION_LIST, .default_value = "",
           .importance = SLUICE_MEDIUM,
           .doc = "Fields to exclude. This takes precedence over the fields to include."),
    OPTION(.name = "blacklist", .type = SLUICE_OPTION_LIST, .importance = SLUICE_LOW,
           .doc = "Deprecated. Use exclude instead."),
    OPTION(.name = "include", .type = SLUICE_OPTION_LIST, .default_value = "",
           .importance = SLUICE_MEDIUM,
           .doc = "Fields to include. If specified, only these fields will be used."),
    OPTION(.name = "whitelist", .type = SLUICE_OPTION_LIST, .importance = SLUICE_LOW,
           .doc = "Deprecated. Use include instead."),
    OPTION(.name = "renames", .type = SLUICE_OPTION_LIST, .default_value = "",
           .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_CUSTOM, .check = check_renames,
           .doc = "Field rename mappings."),
    REPLACE_NULL_OPTION,
    OPTIONS_END,
};

static const struct sluice_transform functions = {
    .size = sizeof(struct sluice_transform),
    .create = create,
    .destroy = destroy,
    .configure = configure,
    .apply = apply,
};

KEY_AND_VALUE(replace_field, CONNECT_TRANSFORM "ReplaceField",
              "Leaves fields out, lets only listed ones through, and renames fields.", options,
              &functions);
