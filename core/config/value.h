/*
 * One option's value: parsing by type and checking, in ConfigDef's words (parseType, ensureValid,
 * convertToString). Internal to core/config. Not thread-safe.
 */
#ifndef CORE_CONFIG_VALUE_H
#define CORE_CONFIG_VALUE_H

#include <sluice/option.h>

#include "core/base/error.h"

struct value {
    bool null;
    char *text; /* trimmed text it was read from; NULL for null */
    bool boolean;
    int64_t integer;
    double real;
    char **items; /* LIST */
    size_t item_count;
};

void value_finish(struct value *value);

/**
 * Reads text (NULL: null) as the type. NULL, or ConfigDef's sentence, owned by the caller; the
 * value is null then.
 */
char *value_parse(struct value *value, enum sluice_option_type type, const char *name,
                  const char *text);
/** Runs the option's validator. NULL, or its sentence, owned by the caller. */
char *value_check(const struct value *value, const struct sluice_option *option, const char *name);
/** Text as Connect's REST answers show it; [hidden] for PASSWORD; NULL for null. Owned by the
 * caller. */
char *config_value_text(const struct value *value, enum sluice_option_type type);

/** What printf would print; never NULL. */
char *format_text(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
