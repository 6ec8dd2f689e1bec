#include "core/config/framework.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/config/memory.h"
#include "core/config/value.h"
#include "lib/java/regex.h"

static bool is_blank(char c)
{
    return c && (unsigned char)c <= ' ';
}

bool framework_next_item(const char **next, struct framework_item *ret_item)
{
    const char *p = *next;
    if (!p) {
        return false;
    }
    while (is_blank(*p)) {
        p++;
    }
    size_t size = strcspn(p, ",");
    *next = p[size] ? p + size + 1 : NULL;
    while (size > 0 && is_blank(p[size - 1])) {
        size--;
    }
    *ret_item = (struct framework_item){p, size};
    return true;
}

/** The text of a key without blanks around it; NULL where absent or blank. Owned by the caller. */
static char *trimmed(const struct properties *properties, const char *name)
{
    struct value value;
    free(value_parse(&value, SLUICE_OPTION_STRING, name, properties_get(properties, name)));
    char *copy = value.text && *value.text ? memory_text(value.text) : NULL;
    value_finish(&value);
    return copy;
}

/* -- aliases -- */

/* Where classes' own keys come from; options_of NULL: they are left out. */
struct classes {
    const struct sluice_option *(*options_of)(void *user, bool predicate, const char *class_name);
    void *user;
};

/* Takes over name, group, display and doc. */
static void add_alias_key(struct framework_tables *tables, struct sluice_option option, char *name,
                          char *group, char *display, char *doc)
{
    for (size_t i = 0; i < tables->alias_count; i++) {
        if (strcmp(tables->aliases[i].name, name) == 0) {
            free(name); /* the alias is listed twice, which is an error of its own */
            free(group);
            free(display);
            free(doc);
            return;
        }
    }
    option.size = sizeof(option);
    option.name = name;
    option.group = group;
    option.display_name = display;
    option.doc = doc;
    tables->aliases =
        memory_grown(tables->aliases, tables->alias_count + 2, sizeof(*tables->aliases));
    tables->aliases[tables->alias_count++] = option;
}

/* What each transform has beside its own keys, which these hide. */
static const struct sluice_option implicit_keys[] = {
    {.size = sizeof(struct sluice_option), .name = "predicate", .type = SLUICE_OPTION_STRING,
     .importance = SLUICE_MEDIUM,
     .doc = "The alias of a predicate used to determine whether to apply this transformation."},
    {.size = sizeof(struct sluice_option), .name = "negate", .type = SLUICE_OPTION_BOOLEAN,
     .default_value = "false", .importance = SLUICE_MEDIUM,
     .doc = "Whether the configured predicate should be negated."},
    {.name = NULL},
};

static bool is_implicit(const char *name)
{
    return strcmp(name, "predicate") == 0 || strcmp(name, "negate") == 0;
}

/* ConfigDef.sortedConfigs(): by group, those without one first, order, what must be given, importance,
 * name. */
static int by_rank(const void *a, const void *b)
{
    const struct sluice_option *one = *(const struct sluice_option *const *)a;
    const struct sluice_option *other = *(const struct sluice_option *const *)b;
    int one_order = one->order || one->group ? one->order : -1;
    int other_order = other->order || other->group ? other->order : -1;
    int difference = one->group && other->group ? strcmp(one->group, other->group)
                                                : (one->group != NULL) - (other->group != NULL);
    difference = difference ? difference : one_order - other_order;
    difference = difference ? difference : (int)other->required - (int)one->required;
    difference = difference ? difference : (int)one->importance - (int)other->importance;
    return difference ? difference : strcmp(one->name, other->name);
}

/* The keys of a class below an alias, and the implicit ones. Families have no place in lists. */
static void add_keys(struct framework_tables *tables, const struct sluice_option *own, bool implicit,
                     const char *prefix, const char *group)
{
    const struct sluice_option *const sources[] = {own, implicit ? implicit_keys : NULL};
    const struct sluice_option **sorted = memory_zeroed(1, sizeof(*sorted));
    size_t count = 0;
    for (size_t i = 0; i < 2; i++) {
        for (const struct sluice_option *option = sources[i]; option && option->name; option++) {
            if (strchr(option->name, '*') || (i == 0 && implicit && is_implicit(option->name))) {
                continue;
            }
            sorted = memory_grown(sorted, count + 1, sizeof(*sorted));
            sorted[count++] = option;
        }
    }
    qsort(sorted, count, sizeof(*sorted), by_rank);
    for (size_t i = 0; i < count; i++) {
        struct sluice_option option = *sorted[i];
        option.order = (int)i + 1;
        add_alias_key(
            tables, option, format_text("%s.%s", prefix, option.name),
            option.group ? format_text("%s: %s", group, option.group) : format_text("%s", group),
            format_text("%s", option.display_name ? option.display_name : option.name),
            option.doc ? format_text("%s", option.doc) : NULL);
    }
    free(sorted);
}

static void add_alias(struct framework_tables *tables, const struct properties *properties,
                      bool predicate, const char *alias, const struct classes *classes)
{
    char *prefix = format_text("%s.%s", predicate ? "predicates" : "transforms", alias);
    char *group = format_text("%s: %s", predicate ? "Predicates" : "Transforms", alias);
    char *type_name = format_text("%s.type", prefix);
    char *class_name = trimmed(properties, type_name);
    const struct sluice_option type = {.type = SLUICE_OPTION_CLASS,
                                       .required = true,
                                       .importance = SLUICE_HIGH,
                                       .width = SLUICE_WIDTH_LONG};
    add_alias_key(tables, type, type_name, format_text("%s", group),
                  format_text("%s type for %s", predicate ? "Predicate" : "Transformation", alias),
                  format_text("Class for the '%s' %s.", alias,
                              predicate ? "predicate" : "transformation"));
    const struct sluice_option *own =
        class_name && classes->options_of
            ? classes->options_of(classes->user, predicate, class_name)
            : NULL;
    if (own || !classes->options_of) {
        add_keys(tables, own, !predicate, prefix, group);
    }
    free(class_name);
    free(prefix);
    free(group);
}

static void add_aliases(struct framework_tables *tables, const struct properties *properties,
                        bool predicates, const struct classes *classes)
{
    char *text = trimmed(properties, predicates ? "predicates" : "transforms");
    struct framework_item item;
    for (const char *next = text; framework_next_item(&next, &item);) {
        char *alias = format_text("%.*s", (int)item.size, item.text);
        add_alias(tables, properties, predicates, alias, classes);
        free(alias);
    }
    free(text);
}

static void init(struct framework_tables *tables, const struct properties *properties, bool sink,
                 const struct classes *classes)
{
    *tables = (struct framework_tables){
        .tables = {framework_connector, sink ? framework_sink : framework_source},
        .aliases = memory_zeroed(1, sizeof(*tables->aliases))};
    add_aliases(tables, properties, false, classes);
    add_aliases(tables, properties, true, classes);
    tables->aliases[tables->alias_count] = (struct sluice_option){.name = NULL};
    tables->tables[2] = tables->aliases;
}

void framework_tables_init(struct framework_tables *tables, const struct properties *properties,
                           bool sink)
{
    init(tables, properties, sink, &(struct classes){0});
}

void framework_tables_init_full(struct framework_tables *tables,
                                const struct properties *properties, bool sink,
                                const struct sluice_option *(*options_of)(void *user,
                                                                          bool predicate,
                                                                          const char *class_name),
                                void *user)
{
    init(tables, properties, sink, &(struct classes){options_of, user});
}

void framework_tables_finish(struct framework_tables *tables)
{
    for (size_t i = 0; i < tables->alias_count; i++) {
        free((char *)tables->aliases[i].name); /* both made by add_alias_key() */
        free((char *)tables->aliases[i].group);
        free((char *)tables->aliases[i].display_name);
        free((char *)tables->aliases[i].doc);
    }
    free(tables->aliases);
    *tables = (struct framework_tables){0};
}

/* -- what several keys say together -- */

static bool is_given(const struct properties *properties, const struct properties *nulls,
                     const char *key)
{
    return properties_get(properties, key) || (nulls && properties_get(nulls, key));
}

/** A negate that nothing can be negated by; Connect looks for the keys, whatever their values. */
static void check_negates(const struct properties *properties, const struct properties *nulls,
                          struct config_report *report)
{
    char *text = trimmed(properties, "transforms");
    struct framework_item alias;
    for (const char *next = text; framework_next_item(&next, &alias);) {
        char *negate = format_text("transforms.%.*s.negate", (int)alias.size, alias.text);
        char *predicate = format_text("transforms.%.*s.predicate", (int)alias.size, alias.text);
        if (is_given(properties, nulls, negate) && !is_given(properties, nulls, predicate)) {
            char *type = format_text("transforms.%.*s.type", (int)alias.size, alias.text);
            char *message = format_text("Config '%s' was provided but there is no config '%s' "
                                        "defining a predicate to be negated.",
                                        negate, predicate);
            config_report_add(report, type, message);
            free(type);
            free(message);
        }
        free(negate);
        free(predicate);
    }
    free(text);
}

static bool lists(const char *text, const char *wanted)
{
    struct framework_item item;
    for (const char *next = text; framework_next_item(&next, &item);) {
        if (item.size == strlen(wanted) && memcmp(item.text, wanted, item.size) == 0) {
            return true;
        }
    }
    return false;
}

/** As java.util.List prints itself, without the brackets; empty items are left out. Owned by the caller. */
static char *java_list(const char *text)
{
    char *list = memory_text("");
    struct framework_item item;
    for (const char *next = text; framework_next_item(&next, &item);) {
        char *longer = format_text("%s%s%.*s", list, *list && item.size > 0 ? ", " : "",
                                   (int)item.size, item.text);
        free(list);
        list = longer;
    }
    return list;
}

/** SinkConnectorConfig.validate: topics, topics.regex, and a dead letter queue among them. */
static void check_topics(const struct properties *properties, struct config_report *report)
{
    char *topics = trimmed(properties, "topics");
    char *pattern = trimmed(properties, "topics.regex");
    char *dead = trimmed(properties, "errors.deadletterqueue.topic.name");
    const char *both = NULL;
    if (topics && pattern) {
        both = "topics and topics.regex are mutually exclusive options, but both are set.";
    } else if (!topics && !pattern) {
        both = "Must configure one of topics or topics.regex";
    }
    if (both) {
        config_report_add(report, "topics", both);
        config_report_add(report, "topics.regex", both);
    }
    char *message = NULL;
    if (dead && topics && lists(topics, dead)) {
        char *items = java_list(topics);
        message = format_text("The DLQ topic '%s' may not be included in the list of topics "
                              "('topics=[%s]') consumed by the connector",
                              dead, items);
        config_report_add(report, "topics", message);
        free(items);
    }
    struct regex *regex = NULL;
    struct regex_error error;
    if (dead && pattern && regex_create(pattern, &regex, &error) == 0 &&
        regex_matches(regex, dead, strlen(dead)) == REGEX_YES) {
        free(message);
        message = format_text("The DLQ topic '%s' may not be matched by the regex for the topics "
                              "('topics.regex=%s') consumed by the connector",
                              dead, pattern);
        config_report_add(report, "topics.regex", message);
    }
    regex_destroy(regex);
    free(message);
    free(topics);
    free(pattern);
    free(dead);
}

int framework_check_dead_letters(const struct properties *properties, const struct properties *nulls,
                                 struct error *error)
{
    static const char name[] = "errors.deadletterqueue.topic.name";
    if (properties_get(nulls, name)) {
        return error_set_class(error, ERROR_CONFIG, "java.lang.NullPointerException",
                               "%s is null: give a name, or leave the key out", name);
    }
    char *dead = trimmed(properties, name);
    char *pattern = trimmed(properties, "topics.regex");
    struct regex *regex = NULL;
    struct regex_error why;
    int result = 0;
    if (dead && pattern && regex_create(properties_get(properties, "topics.regex"), &regex, &why) != 0) {
        result = error_set_class(error, ERROR_CONFIG, why.java_class, "%s", why.message);
    }
    regex_destroy(regex);
    free(pattern);
    free(dead);
    return result;
}

void framework_check_connector(const struct properties *properties,
                               const struct properties *nulls, bool sink,
                               struct config_report *report)
{
    check_negates(properties, nulls, report);
    if (sink) {
        check_topics(properties, report);
    }
}

/* -- near names -- */

#define NAME_MAX_COMPARED 64

/** Letters added, left out, changed or swapped (Damerau-Levenshtein), or more than `most`. */
static unsigned distance(const char *a, const char *b, unsigned most)
{
    size_t a_size = strlen(a), b_size = strlen(b);
    if (a_size > NAME_MAX_COMPARED || b_size > NAME_MAX_COMPARED ||
        (a_size > b_size ? a_size - b_size : b_size - a_size) > most) {
        return most + 1;
    }
    unsigned rows[3][NAME_MAX_COMPARED + 1];
    for (size_t j = 0; j <= b_size; j++) {
        rows[0][j] = (unsigned)j;
    }
    for (size_t i = 1; i <= a_size; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_size; j++) {
            unsigned best = above[j - 1] + (a[i - 1] != b[j - 1]);
            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                two_above[j - 2] + 1 < best) {
                best = two_above[j - 2] + 1;
            }
            row[j] = best;
        }
    }
    return rows[a_size % 3][b_size];
}

const char *framework_nearest(const char *name, const struct sluice_option *const *tables)
{
    unsigned most = strlen(name) < 5 ? 1 : 2;
    const char *nearest = NULL;
    for (; *tables; tables++) {
        for (const struct sluice_option *option = *tables; option->name; option++) {
            unsigned apart = distance(name, option->name, most);
            if (apart <= most && apart > 0) {
                nearest = option->name;
                most = apart - 1;
            }
        }
    }
    return nearest;
}
