/* See chain.h. */
#include "core/host/chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sluice/transform.h>

#include "lib/util/buffer.h"

#define CONFIG_EXCEPTION SLUICE_CONFIG_EXCEPTION

struct chain_predicate {
    char *alias;
    struct plugin_instance *instance;
    const struct sluice_predicate *vtable;
};

struct chain_stage {
    char *alias;
    char *class_name;
    struct plugin_instance *instance;
    const struct sluice_transform *vtable;
    const struct chain_predicate *predicate; /* NULL: always */
    bool negate;
};

struct chain {
    struct chain_stage *stages;
    size_t count;
    struct chain_predicate *predicates;
    size_t predicate_count;
    const struct plugin_instance *failed; /* who made the call that failed last */
};

/* -- making -- */

static bool is_blank(char c)
{
    return (unsigned char)c <= ' ';
}

/* Item of a list as ConfigDef splits it, copied; *cursor moves on, NULL behind the last. */
static char *next_alias(const char **cursor)
{
    const char *start = *cursor;
    const char *end = strchrnul(start, ',');
    *cursor = *end ? end + 1 : NULL;
    while (start < end && is_blank(*start)) {
        start++;
    }
    while (end > start && is_blank(end[-1])) {
        end--;
    }
    return strndup(start, (size_t)(end - start));
}

static size_t count_items(const char *list)
{
    size_t count = 0;
    while (list && is_blank(*list) && *list) {
        list++;
    }
    for (; list && *list; list = strchr(list, ',') ? strchr(list, ',') + 1 : NULL) {
        count++;
        if (!strchr(list, ',')) {
            break;
        }
    }
    return count;
}

static int no_memory(struct error *error)
{
    return error_set(error, ERROR_NO_MEMORY, "Out of memory for the chain of transforms");
}

/* What failed in configure(): the plugin's own words and class. */
static void take_failure(const struct plugin_instance *instance, enum sluice_result result,
                         const char *what, struct error *error)
{
    struct plugin_failure failure = {.record = -1};
    plugin_failure_take(&failure, result, instance, what);
    error_clear(error);
    *error = failure.error;
}

/* Connect's messages name an option without its prefix: a cause says whose it is. */
static int add_place(struct error *error, const char *prefix, const char *class_name)
{
    char place[600];
    snprintf(place, sizeof(place), "in the configuration of %s (%s)", prefix, class_name);
    error_add_cause(error, CONFIG_EXCEPTION, place);
    return -1;
}

/* One plugin of the chain: its class under <prefix>.type, its configuration below <prefix>. */
static int make_plugin(const struct plugin_environment *environment,
                       const struct properties *connector, const char *kind, const char *prefix,
                       char **ret_class, struct plugin_instance **ret_instance, struct error *error)
{
    char key[512];
    if (snprintf(key, sizeof(key), "%s.type", prefix) >= (int)sizeof(key)) {
        return error_set_class(error, ERROR_CONFIG, CONFIG_EXCEPTION,
                               "The alias in %.100s.. is too long", prefix);
    }
    const char *class_name = properties_get(connector, key);
    if (!class_name) {
        return error_set_class(error, ERROR_CONFIG, CONFIG_EXCEPTION,
                               "Missing required configuration \"%s\" which has no default value.",
                               key);
    }
    const char *cursor = class_name;
    char *trimmed = next_alias(&cursor);
    struct plugin_instance *instance = NULL;
    struct properties own = {0};
    int result = trimmed ? plugin_instance_create(environment, kind, trimmed, &instance, error)
                         : no_memory(error);
    if (result == 0) {
        snprintf(key, sizeof(key), "%s.", prefix);
        properties_copy_prefixed(&own, connector, key);
        result = plugin_instance_configure(instance, &own, error);
        result = result == 0 ? 0 : add_place(error, prefix, trimmed);
    }
    properties_finish(&own);
    if (result != 0) {
        plugin_instance_destroy(instance);
        free(trimmed);
        return -1;
    }
    *ret_class = trimmed;
    *ret_instance = instance;
    return 0;
}

static int make_predicate(struct chain *chain, const struct plugin_environment *environment,
                          const struct properties *connector, char *alias, struct error *error)
{
    struct chain_predicate *predicate = &chain->predicates[chain->predicate_count++];
    *predicate = (struct chain_predicate){.alias = alias};
    char prefix[400];
    snprintf(prefix, sizeof(prefix), "predicates.%s", alias);
    char *class_name = NULL;
    if (make_plugin(environment, connector, SLUICE_PREDICATE, prefix, &class_name,
                    &predicate->instance, error) != 0) {
        return -1;
    }
    predicate->vtable = predicate->instance->descriptor->vtable;
    plugin_failure_reset();
    enum sluice_result result = predicate->vtable->configure(predicate->instance->self, class_name,
                                                             predicate->instance->config);
    if (result != SLUICE_OK) {
        take_failure(predicate->instance, result, "configure()", error);
        add_place(error, prefix, class_name);
    }
    free(class_name);
    return result == SLUICE_OK ? 0 : -1;
}

static const struct chain_predicate *find_predicate(const struct chain *chain, const char *alias)
{
    for (size_t i = 0; i < chain->predicate_count; i++) {
        if (strcmp(chain->predicates[i].alias, alias) == 0) {
            return &chain->predicates[i];
        }
    }
    return NULL;
}

static bool is_listed(const struct properties *connector, const char *alias, bool *ret_memory)
{
    const char *list = properties_get(connector, "predicates");
    bool listed = false;
    for (size_t i = count_items(list); i > 0 && !listed; i--) {
        char *item = next_alias(&list);
        *ret_memory = *ret_memory && item;
        listed = item && strcmp(item, alias) == 0;
        free(item);
    }
    return listed;
}

/* transforms.<alias>.predicate and .negate; *ret_alias: the predicate's, NULL: none. */
static int read_condition(struct chain_stage *stage, const struct properties *connector,
                          char **ret_alias, struct error *error)
{
    char key[512], negate_key[512];
    snprintf(key, sizeof(key), "transforms.%s.predicate", stage->alias);
    snprintf(negate_key, sizeof(negate_key), "transforms.%s.negate", stage->alias);
    const char *predicate = properties_get(connector, key);
    const char *negate = properties_get(connector, negate_key);
    *ret_alias = NULL;
    if (negate && strcasecmp(negate, "true") != 0 && strcasecmp(negate, "false") != 0) {
        return error_set_class(error, ERROR_CONFIG, CONFIG_EXCEPTION,
                               "Invalid value %s for configuration %s: Expected value to be either "
                               "true or false",
                               negate, negate_key);
    }
    stage->negate = negate && strcasecmp(negate, "true") == 0;
    if (!predicate) {
        return negate ? error_set_class(error, ERROR_CONFIG, CONFIG_EXCEPTION,
                                        "Config '%s' was provided but there is no config '%s' "
                                        "defining a predicate to be negated.",
                                        negate_key, key)
                      : 0;
    }
    char *alias = strdup(predicate);
    if (!alias) {
        return no_memory(error);
    }
    *ret_alias = alias;
    return 0;
}

/* The predicate of an alias, made where it was not yet; takes alias over. */
static int use_predicate(struct chain *chain, const struct plugin_environment *environment,
                         const struct properties *connector, char *alias,
                         const struct chain_predicate **ret_predicate, struct error *error)
{
    const struct chain_predicate *known = find_predicate(chain, alias);
    bool memory = true;
    int result = 0;
    if (known) {
        free(alias);
    } else if (is_listed(connector, alias, &memory)) {
        known = &chain->predicates[chain->predicate_count];
        result = make_predicate(chain, environment, connector, alias, error);
    } else { /* ConnectorConfig.transformationStages() wraps what it catches */
        result = memory ? error_set_class(error, ERROR_CONFIG,
                                          "org.apache.kafka.connect.errors.ConnectException",
                                          CONFIG_EXCEPTION
                                          ": Unknown configuration 'predicates.%s.type'",
                                          alias)
                        : no_memory(error);
        free(alias);
    }
    *ret_predicate = known;
    return result;
}

/* The transform before its predicate, as Connect makes them: the error of the first is told. */
static int make_stage(struct chain *chain, const struct plugin_environment *environment,
                      const struct properties *connector, char *alias, struct error *error)
{
    struct chain_stage *stage = &chain->stages[chain->count++];
    *stage = (struct chain_stage){.alias = alias};
    char prefix[400], *predicate = NULL;
    snprintf(prefix, sizeof(prefix), "transforms.%s", alias);
    if (make_plugin(environment, connector, SLUICE_TRANSFORM, prefix, &stage->class_name,
                    &stage->instance, error) != 0 ||
        read_condition(stage, connector, &predicate, error) != 0) {
        return -1;
    }
    stage->vtable = stage->instance->descriptor->vtable;
    plugin_failure_reset();
    enum sluice_result result =
        stage->vtable->configure(stage->instance->self, stage->class_name, stage->instance->config);
    if (result != SLUICE_OK) {
        free(predicate);
        take_failure(stage->instance, result, "configure()", error);
        return add_place(error, prefix, stage->class_name);
    }
    return predicate ? use_predicate(chain, environment, connector, predicate, &stage->predicate,
                                     error)
                     : 0;
}

/* An alias that was there before is ConfigDef's `Duplicate alias provided.` */
static int check_unique(const struct properties *connector, const char *key, struct error *error)
{
    const char *list = properties_get(connector, key);
    size_t count = count_items(list);
    char **aliases = calloc(count + 1, sizeof(*aliases));
    int result = aliases ? 0 : no_memory(error);
    bool twice = false;
    struct buffer text;
    buffer_init(&text, 4096);
    for (size_t i = 0; result == 0 && i < count; i++) {
        aliases[i] = next_alias(&list);
        result = aliases[i] ? 0 : no_memory(error);
        for (size_t k = 0; result == 0 && k < i; k++) {
            twice |= strcmp(aliases[i], aliases[k]) == 0;
        }
        buffer_printf(&text, "%s%s", i ? ", " : "", aliases[i] ? aliases[i] : "");
    }
    if (twice) {
        result = error_set_class(
            error, ERROR_CONFIG, CONFIG_EXCEPTION,
            "Invalid value [%s] for configuration %s: Duplicate alias provided.", text.data, key);
    }
    buffer_finish(&text);
    for (size_t i = 0; aliases && i < count; i++) {
        free(aliases[i]);
    }
    free(aliases);
    return result;
}

int chain_create(const struct plugin_environment *environment, const struct properties *connector,
                 struct chain **ret_chain, struct error *error)
{
    const char *transforms = properties_get(connector, "transforms");
    const char *predicates = properties_get(connector, "predicates");
    size_t count = count_items(transforms), predicate_count = count_items(predicates);
    *ret_chain = NULL;
    if (check_unique(connector, "transforms", error) != 0 ||
        check_unique(connector, "predicates", error) != 0) {
        return -1;
    }
    if (count == 0) {
        return 0;
    }
    struct chain *chain = calloc(1, sizeof(*chain));
    if (!chain) {
        return no_memory(error);
    }
    chain->stages = calloc(count, sizeof(*chain->stages));
    chain->predicates = calloc(predicate_count + 1, sizeof(*chain->predicates));
    int result = chain->stages && chain->predicates ? 0 : no_memory(error);
    for (size_t i = 0; result == 0 && i < count; i++) {
        char *alias = next_alias(&transforms);
        result = alias ? make_stage(chain, environment, connector, alias, error) : no_memory(error);
    }
    /* those that no transform names are checked all the same */
    for (size_t i = 0; result == 0 && i < predicate_count; i++) {
        const struct chain_predicate *made;
        char *alias = next_alias(&predicates);
        result = alias ? use_predicate(chain, environment, connector, alias, &made, error)
                       : no_memory(error);
    }
    if (result != 0) {
        chain_destroy(chain);
        return -1;
    }
    *ret_chain = chain;
    return 0;
}

void chain_destroy(struct chain *chain)
{
    if (!chain) {
        return;
    }
    for (size_t i = 0; i < chain->count; i++) {
        plugin_instance_destroy(chain->stages[i].instance);
        free(chain->stages[i].alias);
        free(chain->stages[i].class_name);
    }
    for (size_t i = 0; i < chain->predicate_count; i++) {
        plugin_instance_destroy(chain->predicates[i].instance);
        free(chain->predicates[i].alias);
    }
    free(chain->stages);
    free(chain->predicates);
    free(chain);
}

/* -- running -- */

size_t chain_count(const struct chain *chain)
{
    return chain ? chain->count : 0;
}

const char *chain_alias(const struct chain *chain, size_t i)
{
    return chain->stages[i].alias;
}

const char *chain_class(const struct chain *chain, size_t i)
{
    return chain->stages[i].class_name;
}

enum sluice_result chain_step(struct chain *chain, size_t i, struct sluice_record *record,
                              bool *ret_ran, const char **ret_class)
{
    const struct chain_stage *stage = &chain->stages[i];
    const struct chain_predicate *predicate = stage->predicate;
    bool run = true;
    enum sluice_result result = SLUICE_OK;
    if (predicate) {
        result = predicate->vtable->test(predicate->instance->self, record, &run);
        run = run != stage->negate;
    }
    if (ret_ran) {
        *ret_ran = run;
    }
    if (result == SLUICE_OK && run) {
        predicate = NULL;
        result = stage->vtable->apply(stage->instance->self, record);
    }
    if (result != SLUICE_OK && result != SLUICE_DROP) {
        chain->failed = predicate ? predicate->instance : stage->instance;
        if (ret_class) {
            /* the transform's class even where its predicate failed: they are one step in Connect
             */
            *ret_class = stage->instance->descriptor->class_name;
        }
    }
    return result;
}

enum sluice_result chain_apply(struct chain *chain, struct sluice_record *record,
                               const char **ret_class)
{
    plugin_failure_reset();
    for (size_t i = 0; i < chain_count(chain); i++) {
        enum sluice_result result = chain_step(chain, i, record, NULL, ret_class);
        if (result != SLUICE_OK) {
            return result;
        }
    }
    return SLUICE_OK;
}

void chain_failure_take(struct chain *chain, enum sluice_result result,
                        struct plugin_failure *ret_failure)
{
    plugin_failure_take(ret_failure, result, chain->failed, "apply()");
}
