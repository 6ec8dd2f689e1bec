/*
 * Option tables: what a plugin can be configured with (Connect's ConfigDef).
 *
 * The one table drives parsing, validation, `sluice check`, /connector-plugins/{p}/config, the
 * generated docs and the redaction of secrets; nothing parses configuration beside it.
 * A table is an array of struct sluice_option closed by an entry whose name is NULL, constant for
 * the life of the process:
 *
 *     static const struct sluice_option options[] = {
 *         {.size = sizeof(struct sluice_option), .name = "fields", .type = SLUICE_OPTION_LIST,
 *          .required = true, .importance = SLUICE_HIGH, .doc = "Names of the fields to mask."},
 *         {.name = NULL},
 *     };
 */
#ifndef SLUICE_OPTION_H
#define SLUICE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** ConfigDef's types. Text is trimmed before it is read as its type. */
enum sluice_option_type {
    SLUICE_OPTION_BOOLEAN,  /**< true or false, any case */
    SLUICE_OPTION_STRING,
    SLUICE_OPTION_INT,      /**< 32 bit */
    SLUICE_OPTION_SHORT,    /**< 16 bit */
    SLUICE_OPTION_LONG,     /**< 64 bit */
    SLUICE_OPTION_DOUBLE,
    SLUICE_OPTION_LIST,     /**< split on commas, blanks around items dropped, empty text = no items */
    SLUICE_OPTION_CLASS,    /**< a plugin's class name or alias */
    SLUICE_OPTION_PASSWORD, /**< a string that is never shown: [hidden] in every output */
};

enum sluice_importance { SLUICE_HIGH, SLUICE_MEDIUM, SLUICE_LOW };

/** Width of the input field a form shows. */
enum sluice_width { SLUICE_WIDTH_NONE, SLUICE_WIDTH_SHORT, SLUICE_WIDTH_MEDIUM, SLUICE_WIDTH_LONG };

/** Ready-made validators; each reports with ConfigDef's own words. */
enum sluice_validator {
    SLUICE_VALID_ANY,
    SLUICE_VALID_RANGE,            /**< min <= value <= max (ConfigDef.Range) */
    SLUICE_VALID_ONE_OF,           /**< value (or each list item) is one of values */
    SLUICE_VALID_ONE_OF_ANY_CASE,  /**< the same, case ignored */
    SLUICE_VALID_NON_EMPTY,        /**< a string with at least one character */
    SLUICE_VALID_NON_EMPTY_LIST,   /**< a list with at least one item */
    SLUICE_VALID_REGEX,            /**< compiles as a java.util.regex.Pattern */
    SLUICE_VALID_CUSTOM,           /**< option->check decides */
};

struct sluice_option {
    uint32_t size; /**< sizeof(struct sluice_option) */

    /**
     * Key as written in the properties. One `*` stands for a part without dots and makes a family:
     * `topic.creation.*.partitions`. A name ending in `.*` takes every key with that prefix.
     */
    const char *name;
    enum sluice_option_type type;

    /** No default: absence is the error `Missing required configuration "x" which has no default value.` */
    bool required;
    /** Text as a user would write it; NULL: the value is null where absent. Ignored when required. */
    const char *default_value;

    enum sluice_importance importance;
    const char *doc;

    enum sluice_validator valid;
    int64_t min, max;           /**< SLUICE_VALID_RANGE, inclusive; INT64_MIN/INT64_MAX leave a side open */
    const char *const *values;  /**< SLUICE_VALID_ONE_OF*, closed by NULL */
    /**
     * SLUICE_VALID_CUSTOM [host process, any thread]: true if the text is good, else false with a
     * sentence for the user in message (size bytes, NUL-terminated), which is shown as it is. value
     * is trimmed, and NULL where the option is null or could not be read as its type. Shall not block.
     */
    bool (*check)(const char *name, const char *value, char *message, size_t size);

    const char *group;          /**< NULL: none */
    int order;                  /**< place within the group; 0: as in the table */
    enum sluice_width width;
    const char *display_name;   /**< NULL: the name */
    const char *const *dependents;  /**< names, closed by NULL; NULL: none */
    const char *const *recommended; /**< values, closed by NULL; NULL: none */

    bool internal;              /**< accepted, but left out of lists and docs */
    /** Not NULL: known, but not available here; setting it warns with this reason. */
    const char *unavailable;
};

struct sluice_config;

/**
 * Reading a configuration that was checked against the option table: values are typed, defaults
 * filled in, ${provider:..} resolved. A name that is not in the table is read as a STRING.
 * Strings are owned by the configuration, which lives as long as the instance it was given to.
 * [any thread]
 */
struct sluice_config_api {
    uint32_t size;
    /** Text of any option, trimmed, PASSWORDs in clear; NULL where null. */
    const char *(*get_string)(const struct sluice_config *config, const char *name);
    /** BOOLEAN; false where null. */
    bool (*get_boolean)(const struct sluice_config *config, const char *name);
    /** INT, SHORT, LONG; 0 where null. */
    int64_t (*get_long)(const struct sluice_config *config, const char *name);
    /** DOUBLE; 0 where null. */
    double (*get_double)(const struct sluice_config *config, const char *name);
    /** LIST: number of items, *ret_items an array of so many (may be NULL for 0). */
    size_t (*get_list)(const struct sluice_config *config, const char *name,
                       const char *const **ret_items);
    /** True where the user gave the key, whatever its value. */
    bool (*is_set)(const struct sluice_config *config, const char *name);
    /** Text exactly as given, blanks kept; NULL where not given. */
    const char *(*original)(const struct sluice_config *config, const char *name);
    /**
     * Walks the given keys in byte order: start with *cursor = 0; false after the last.
     * For families and prefixes.
     */
    bool (*next)(const struct sluice_config *config, size_t *cursor, const char **ret_name,
                 const char **ret_value);
};

#endif
