#include "core/config/config.h"

#include <stdio.h>
#include <string.h>

#include "core/config/memory.h"
#include "core/config/value.h"

/* One key of the tables or of the properties, with what came of it. */
struct slot {
    const struct sluice_option *option; /* NULL: no table knows it */
    char *name;
    const char *given; /* in the properties; NULL: not there */
    bool given_null;   /* as null, which is no missing key */
    struct value value;
    char *errors[2]; /* at most: missing or unreadable, and the validator's */
    size_t error_count;
};

struct slots {
    struct slot *items;
    size_t count, capacity;
};

struct sluice_config {
    struct properties properties;
    struct slots slots;
    size_t *sorted; /* places in properties, by name */
};

/* -- tables -- */

static bool is_family(const char *name)
{
    return strchr(name, '*') != NULL;
}

/** `a.*.b` takes one part without dots for each star, `a.*` everything below `a.`. */
static bool family_takes(const char *family, const char *name)
{
    while (*family) {
        if (*family != '*') {
            if (*family++ != *name++) {
                return false;
            }
            continue;
        }
        family++;
        if (!*family && *name) {
            return true;
        }
        size_t part = strcspn(name, ".");
        if (part == 0) {
            return false;
        }
        name += part;
    }
    return !*name;
}

/** How much a family says: a whole name more than a prefix, then the longer more. */
static size_t weight(const char *family)
{
    size_t size = strlen(family);
    return family[size - 1] == '*' ? size : size + 1000;
}

const struct sluice_option *config_find_option(const struct sluice_option *const *tables,
                                               const char *name)
{
    const struct sluice_option *exact = NULL, *family = NULL;
    for (; *tables; tables++) {
        for (const struct sluice_option *option = *tables; option->name; option++) {
            if (!is_family(option->name)) {
                exact = strcmp(option->name, name) == 0 ? option : exact;
            } else if (family_takes(option->name, name) &&
                       (!family || weight(option->name) >= weight(family->name))) {
                family = option;
            }
        }
    }
    return exact ? exact : family;
}

/* -- making the slots -- */

static void slots_finish(struct slots *slots)
{
    for (size_t i = 0; i < slots->count; i++) {
        struct slot *slot = &slots->items[i];
        for (size_t j = 0; j < slot->error_count; j++) {
            free(slot->errors[j]);
        }
        value_finish(&slot->value);
        free(slot->name);
    }
    free(slots->items);
    *slots = (struct slots){0};
}

static struct slot *slots_find(const struct slots *slots, const char *name)
{
    for (size_t i = 0; i < slots->count; i++) {
        if (strcmp(slots->items[i].name, name) == 0) {
            return &slots->items[i];
        }
    }
    return NULL;
}

static struct slot *slots_add(struct slots *slots, const struct sluice_option *option,
                              const char *name)
{
    if (slots->count == slots->capacity) {
        slots->capacity = slots->capacity ? slots->capacity * 2 : 32;
        slots->items = memory_grown(slots->items, slots->capacity, sizeof(*slots->items));
    }
    struct slot *slot = &slots->items[slots->count++];
    *slot = (struct slot){.option = option, .name = memory_text(name), .value = {.null = true}};
    return slot;
}

static void slot_error(struct slot *slot, char *sentence)
{
    if (sentence) {
        slot->errors[slot->error_count++] = sentence;
    }
}

/** An option that is null unless given: what its table says is good, whatever the validator. */
static bool is_null_by_default(const struct slot *slot, const struct sluice_option *option)
{
    return !slot->given && !slot->given_null && !option->required && !option->default_value &&
           option->valid != SLUICE_VALID_CUSTOM;
}

/**
 * The name that a validator is told: below transforms.<alias>. and predicates.<alias>. the plugin's own,
 * as ConfigDef.embed does it; what the framework defines there has its whole name.
 */
static const char *validated_name(const char *name, const struct sluice_option *option)
{
    static const char *const prefixes[] = {"transforms.", "predicates."};
    static const char *const groups[] = {"Transforms: ", "Predicates: "};
    static const char *const framework[] = {"type", "predicate", "negate"};
    for (size_t i = 0; i < 2; i++) {
        size_t size = strlen(prefixes[i]), front = strlen(groups[i]);
        const char *dot = strncmp(name, prefixes[i], size) == 0 ? strchr(name + size, '.') : NULL;
        if (dot && option->group && strncmp(option->group, groups[i], front) == 0) {
            const char *alias = option->group + front; /* may have dots in it */
            size_t alias_size = strlen(alias);
            if (strncmp(name + size, alias, alias_size) == 0 && name[size + alias_size] == '.') {
                dot = name + size + alias_size;
            }
        }
        for (size_t k = 0; dot && k < 3; k++) {
            if (strcmp(dot + 1, framework[k]) == 0) {
                return name;
            }
        }
        if (dot) {
            return dot + 1;
        }
    }
    return name;
}

/** ConfigDef.parseForValidate: read, then check, also where nothing could be read. */
static void slot_evaluate(struct slot *slot)
{
    static const struct sluice_option any = {.type = SLUICE_OPTION_STRING};
    const struct sluice_option *option = slot->option ? slot->option : &any;
    if (slot->given_null) {
        slot->value = (struct value){.null = true};
    } else if (!slot->given && option->required) {
        char *sentence = NULL;
        int length =
            asprintf(&sentence, "Missing required configuration \"%s\" which has no default value.",
                     slot->name);
        slot_error(slot, memory_checked(length < 0 ? NULL : sentence));
    } else {
        slot_error(slot, value_parse(&slot->value, option->type, slot->name,
                                     slot->given ? slot->given : option->default_value));
    }
    if (!is_null_by_default(slot, option)) {
        slot_error(slot, value_check(&slot->value, option, validated_name(slot->name, option)));
    }
}

/**
 * All keys of the tables in their order, then those that families and nobody take, as given. A name
 * in two tables is defined by the later one and keeps its first place, as where a connector defines
 * a key of the framework's anew.
 */
static void slots_make(struct slots *slots, const struct sluice_option *const *tables,
                       const struct properties *properties, const struct properties *nulls)
{
    for (const struct sluice_option *const *table = tables; *table; table++) {
        for (const struct sluice_option *option = *table; option->name; option++) {
            struct slot *slot = is_family(option->name) ? NULL : slots_find(slots, option->name);
            if (slot) {
                slot->option = option;
            } else if (!is_family(option->name)) {
                slots_add(slots, option, option->name);
            }
        }
    }
    size_t known = slots->count;
    for (size_t i = 0; i < properties->count; i++) {
        const struct property *item = &properties->items[i];
        struct slots tabled = {.items = slots->items, .count = known};
        struct slot *slot = slots_find(&tabled, item->name);
        if (!slot) {
            slot = slots_add(slots, config_find_option(tables, item->name), item->name);
        }
        slot->given = item->value;
    }
    for (size_t i = 0; i < slots->count; i++) {
        slots->items[i].given_null = nulls && properties_get(nulls, slots->items[i].name);
        slot_evaluate(&slots->items[i]);
    }
}

/* -- reports -- */

static struct config_value *report_value(struct config_report *report, const char *name)
{
    for (size_t i = 0; i < report->count; i++) {
        if (strcmp(report->values[i].name, name) == 0) {
            return &report->values[i];
        }
    }
    report->values = memory_grown(report->values, report->count + 1, sizeof(*report->values));
    struct config_value *value = &report->values[report->count++];
    *value = (struct config_value){.name = memory_text(name)};
    return value;
}

/** Takes over the sentence. */
static void add_error(struct config_report *report, struct config_value *value, char *sentence)
{
    value->errors = memory_grown(value->errors, value->error_count + 2, sizeof(*value->errors));
    value->errors[value->error_count++] = sentence;
    value->errors[value->error_count] = NULL;
    report->error_count++;
}

void config_validate(const struct sluice_option *const *tables, const struct properties *properties,
                     struct config_report *ret_report)
{
    config_validate_nulls(tables, properties, NULL, ret_report);
}

void config_validate_nulls(const struct sluice_option *const *tables,
                           const struct properties *properties, const struct properties *nulls,
                           struct config_report *ret_report)
{
    struct slots slots = {0};
    slots_make(&slots, tables, properties, nulls);
    *ret_report = (struct config_report){
        .values = memory_zeroed(slots.count, sizeof(*ret_report->values)), .count = slots.count};
    for (size_t i = 0; i < slots.count; i++) {
        struct slot *slot = &slots.items[i];
        struct config_value *value = &ret_report->values[i];
        value->option = slot->option;
        value->value = slot->option || !slot->given
                           ? config_value_text(&slot->value, slot->option ? slot->option->type
                                                                          : SLUICE_OPTION_STRING)
                           : memory_text(slot->given);
        value->name = slot->name;
        slot->name = NULL;
        for (size_t j = 0; j < slot->error_count; j++) {
            add_error(ret_report, value, slot->errors[j]);
        }
        slot->error_count = 0;
    }
    slots_finish(&slots);
}

void config_report_add(struct config_report *report, const char *name, const char *message)
{
    add_error(report, report_value(report, name), memory_text(message));
}

void config_report_finish(struct config_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        struct config_value *value = &report->values[i];
        for (size_t j = 0; j < value->error_count; j++) {
            free(value->errors[j]);
        }
        free(value->errors);
        free(value->value);
        free((char *)value->name);
    }
    free(report->values);
    *report = (struct config_report){0};
}

/* -- typed configurations -- */

static int by_name(const void *a, const void *b, void *user)
{
    const struct properties *properties = user;
    return strcmp(properties->items[*(const size_t *)a].name,
                  properties->items[*(const size_t *)b].name);
}

int config_create(const struct sluice_option *const *tables, const struct properties *properties,
                  struct sluice_config **ret_config, struct error *error)
{
    struct sluice_config *config = memory_zeroed(1, sizeof(*config));
    properties_copy(&config->properties, properties);
    slots_make(&config->slots, tables, &config->properties, NULL);
    for (size_t i = 0; i < config->slots.count; i++) {
        struct slot *slot = &config->slots.items[i];
        if (slot->error_count > 0) {
            error_set_class(error, ERROR_CONFIG, "org.apache.kafka.common.config.ConfigException",
                            "%s", slot->errors[0]);
            config_destroy(config);
            return -1;
        }
    }
    size_t count = config->properties.count;
    config->sorted = memory_zeroed(count, sizeof(*config->sorted));
    for (size_t i = 0; i < count; i++) {
        config->sorted[i] = i;
    }
    qsort_r(config->sorted, count, sizeof(*config->sorted), by_name, &config->properties);
    *ret_config = config;
    return 0;
}

void config_destroy(struct sluice_config *config)
{
    if (config) {
        slots_finish(&config->slots);
        properties_finish(&config->properties);
        free(config->sorted);
        free(config);
    }
}

const struct properties *config_properties(const struct sluice_config *config)
{
    return &config->properties;
}

static const struct value *find_value(const struct sluice_config *config, const char *name)
{
    static const struct value null = {.null = true};
    const struct slot *slot = slots_find(&config->slots, name);
    return slot ? &slot->value : &null;
}

static const char *get_string(const struct sluice_config *config, const char *name)
{
    return find_value(config, name)->text;
}

static bool get_boolean(const struct sluice_config *config, const char *name)
{
    return find_value(config, name)->boolean;
}

static int64_t get_long(const struct sluice_config *config, const char *name)
{
    return find_value(config, name)->integer;
}

static double get_double(const struct sluice_config *config, const char *name)
{
    return find_value(config, name)->real;
}

static size_t get_list(const struct sluice_config *config, const char *name,
                       const char *const **ret_items)
{
    const struct value *value = find_value(config, name);
    *ret_items = (const char *const *)value->items;
    return value->item_count;
}

static const char *original(const struct sluice_config *config, const char *name)
{
    return properties_get(&config->properties, name);
}

static bool is_set(const struct sluice_config *config, const char *name)
{
    return original(config, name) != NULL;
}

static bool next(const struct sluice_config *config, size_t *cursor, const char **ret_name,
                 const char **ret_value)
{
    if (*cursor >= config->properties.count) {
        return false;
    }
    const struct property *item = &config->properties.items[config->sorted[(*cursor)++]];
    *ret_name = item->name;
    *ret_value = item->value;
    return true;
}

const struct sluice_config_api config_api = {
    .size = sizeof(struct sluice_config_api),
    .get_string = get_string,
    .get_boolean = get_boolean,
    .get_long = get_long,
    .get_double = get_double,
    .get_list = get_list,
    .is_set = is_set,
    .original = original,
    .next = next,
};
