/*
 * Checked configurations: text plus an option table gives typed values, or every error at once.
 * The table may be built up from several (framework's keys, converter's keys under a prefix, ..).
 */
#ifndef CORE_CONFIG_CONFIG_H
#define CORE_CONFIG_CONFIG_H

#include <sluice/option.h>

#include "core/base/error.h"
#include "core/config/properties.h"

struct sluice_config;

extern const struct sluice_config_api config_api;

/** One key's outcome, as ConfigValue in Connect's REST answers. */
struct config_value {
    const struct sluice_option *option; /* NULL: a key no table knows */
    const char *name;                   /* owned */
    char *value;   /* text of the parsed value; NULL: null; PASSWORDs as "[hidden]" */
    char **errors; /* ConfigDef's sentences, closed by NULL; NULL: none */
    size_t error_count;
};

struct config_report {
    struct config_value *values; /* keys of the tables in their order, then further given ones */
    size_t count;
    size_t error_count;
};

/**
 * Checks properties against tables (each closed by an entry without name; NULL-terminated array).
 * Every key gets an entry in the report, unknown ones too. Never fails. An option without a default
 * that is not given is null, and that is good unless it is required or its own check says
 * otherwise.
 */
void config_validate(const struct sluice_option *const *tables, const struct properties *properties,
                     struct config_report *ret_report);
/** The same, with the names of keys that are given as null: their default does not count, and every
 * validator sees them. */
void config_validate_nulls(const struct sluice_option *const *tables,
                           const struct properties *properties, const struct properties *nulls,
                           struct config_report *ret_report);
/** Adds an error to a key, and the key where it has no entry yet. Copies. */
void config_report_add(struct config_report *report, const char *name, const char *message);
void config_report_finish(struct config_report *report);

/**
 * Makes the typed configuration; fails with the first error in ConfigDef's words
 * (`Invalid value x for configuration y: ..`), class ConfigException.
 */
int config_create(const struct sluice_option *const *tables, const struct properties *properties,
                  struct sluice_config **ret_config, struct error *error) CHECKED;
void config_destroy(struct sluice_config *config);
/**
 * Who defines a name: an exact entry (of the last table that has one), else the family that says
 * most (a whole name over a prefix, then the longest); NULL: nobody.
 */
const struct sluice_option *config_find_option(const struct sluice_option *const *tables,
                                               const char *name);
/** The text it was made from. */
const struct properties *config_properties(const struct sluice_config *config);

#endif
