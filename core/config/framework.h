/*
 * The framework's own option tables, and what Connect checks of a connector beyond single keys.
 * Tables are constant; functions are pure: [any thread].
 *
 *     struct framework_tables framework;
 *     framework_tables_init(&framework, &properties, sink);
 *     config_validate(framework.tables, &properties, &report);
 *     framework_check_connector(&properties, NULL, sink, &report);
 */
#ifndef CORE_CONFIG_FRAMEWORK_H
#define CORE_CONFIG_FRAMEWORK_H

#include "core/config/config.h"

/** Keys of every connector, then those of its kind: in ConfigDef's order when put in one array. */
extern const struct sluice_option framework_connector[], framework_source[], framework_sink[];
/** `topic.creation.<group>.*`; Connect checks them when a connector starts, not when validating. */
extern const struct sluice_option framework_topic_creation[];
/** What connectors hand on: `producer.override.*` and its kin, `key.converter.*`, .. . */
extern const struct sluice_option framework_handed_on[];
/** Passwords and keys of clients under any prefix; put beside the tables above wherever text is
 * shown. */
extern const struct sluice_option framework_secrets[];
/** Keys of every worker, then those of one mode (kafka-connect.md §2.1, §2.2). */
extern const struct sluice_option framework_worker[], framework_standalone[],
    framework_distributed[];

/**
 * The tables of one connector: its kind's, and one for the aliases that its properties name
 * (`transforms.<a>.type`, `.negate`, `.predicate`, `predicates.<p>.type`). Reports made of them
 * point into them.
 */
struct framework_tables {
    const struct sluice_option *tables[4]; /* for config_validate(), closed by NULL */
    struct sluice_option *aliases;
    size_t alias_count;
};

void framework_tables_init(struct framework_tables *tables, const struct properties *properties,
                           bool sink);
/**
 * The same with the keys of the classes themselves (`transforms.<a>.field`), in the order and with the
 * places that Connect gives them. options_of tells the table of a class named by the alias, an empty
 * one where it has none; NULL: no such class, which leaves the alias with its type alone.
 */
void framework_tables_init_full(struct framework_tables *tables,
                                const struct properties *properties, bool sink,
                                const struct sluice_option *(*options_of)(void *user,
                                                                          bool predicate,
                                                                          const char *class_name),
                                void *user);
/** Zeroed ones are fine. */
void framework_tables_finish(struct framework_tables *tables);

/**
 * Adds to a report of those tables what one key alone cannot tell: a negate without its predicate,
 * topics and topics.regex, a dead letter queue that the sink itself would read. nulls: names of keys
 * that were given as null, or NULL.
 */
void framework_check_connector(const struct properties *properties,
                               const struct properties *nulls, bool sink,
                               struct config_report *report);

/** Of a sink: what SinkConnectorConfig.validate throws where a dead letter queue is named, instead of reporting it. */
int framework_check_dead_letters(const struct properties *properties, const struct properties *nulls,
                                 struct error *error) CHECKED;

/** True where a source has keys topic.creation.* that the worker lets it use. */
bool framework_makes_topics(const struct properties *connector, const struct properties *worker);
/** Those keys, each alone, and what the default group must have: ConfigException, naming the key. */
int framework_check_topic_creation(const struct properties *connector,
                                   const struct properties *worker, struct error *error) CHECKED;

/** Items of a LIST's text, without the blanks around them; the text may be NULL. */
struct framework_item {
    const char *text;
    size_t size;
};

/** Gives the next item and moves *next; false behind the last. Empty items are given too. */
bool framework_next_item(const char **next, struct framework_item *ret_item);

/**
 * The name in the tables that was most likely meant by one they do not know: at most two letters
 * added, left out, changed or swapped. NULL: none is near.
 */
const char *framework_nearest(const char *name, const struct sluice_option *const *tables);

#endif
