/* What Connect and Java call values and types, for messages. Pure functions: any thread. */
#ifndef LIB_JAVA_CLASS_NAMES_H
#define LIB_JAVA_CLASS_NAMES_H

#include <sluice/data.h>

/** The class of the object that Connect has for a value: `java.lang.Long`, `[B`; `null`. */
const char *java_class(const struct sluice_data *data, const struct sluice_value *value);

/** Schema.Type of a schema's type: `INT8`, `STRUCT`. */
const char *type_name(enum sluice_type type);

#endif
