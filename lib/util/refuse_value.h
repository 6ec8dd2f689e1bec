/* What checks of options say of a value. Pure functions: any thread. */
#ifndef LIB_UTIL_REFUSE_VALUE_H
#define LIB_UTIL_REFUSE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** Says why in the words of Connect's ConfigException, which name key and value; false, as the check says. */
static inline bool refuse_value(const char *name, const char *value, const char *why, char *message,
                                size_t size)
{
    (void)snprintf(message, size, "Invalid value %s for configuration %s: %s", value, name, why);
    return false;
}

#endif
