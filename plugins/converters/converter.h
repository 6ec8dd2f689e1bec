/*
 * What the converters here have in common: the host's tables, Java's names for values and types, and
 * the option that all of Connect's converters list. Owned by each instance; [task thread] throughout.
 */
#ifndef CONVERTERS_CONVERTER_H
#define CONVERTERS_CONVERTER_H

#include <sluice/plugin.h>

#include "lib/java/class_names.h"

#define SERIALIZATION_EXCEPTION "org.apache.kafka.common.errors.SerializationException"
#define NULL_POINTER "java.lang.NullPointerException"
#define SCHEMA_BUILDER_EXCEPTION "org.apache.kafka.connect.errors.SchemaBuilderException"

/** First member of every converter's own struct. */
struct converter {
    const struct sluice_host *host;
    const struct sluice_data *data;
    const struct sluice_records *records;
};

/** `return BAD_RECORD(converter, "..", ..);` with DataException. */
#define BAD_RECORD(converter, ...)                                                              \
    (converter)->host->error((converter)->host, SLUICE_BAD_RECORD, SLUICE_DATA_EXCEPTION, __VA_ARGS__)
#define NO_MEMORY(converter)                                                                    \
    (converter)->host->error((converter)->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "Out of memory")

/** converter.type: the host sets it; users see it in the list of keys, as in Connect. */
#define CONVERTER_TYPE_OPTION                                                                   \
    {.size = sizeof(struct sluice_option), .name = "converter.type", .type = SLUICE_OPTION_STRING, \
     .required = true, .importance = SLUICE_LOW, .doc = "How this converter will be used.",     \
     .valid = SLUICE_VALID_ONE_OF, .values = converter_types, .order = -1}

extern const char *const converter_types[];
/** Just converter.type. */
extern const struct sluice_option converter_options[];

/** Zeroed memory of size bytes that begins with a struct converter; NULL: out of memory. */
void *converter_create(const struct sluice_host *host, size_t size);
/** For converters that own nothing else. */
void converter_destroy(void *self);
/** For converters without options of their own. */
enum sluice_result converter_configure(void *self, const char *class_name,
                                       const struct sluice_config *config,
                                       enum sluice_converter_role role);

static inline bool is_null(const struct converter *converter, const struct sluice_value *value)
{
    return converter->data->type(value) == SLUICE_NULL;
}

/** Bytes of the batch; never NULL, even where size is 0. */
struct sluice_span converter_copy(const struct converter *converter, struct sluice_batch *batch,
                                  const void *data, size_t size);

extern const struct sluice_descriptor short_converter, integer_converter, long_converter,
    float_converter, double_converter, boolean_converter, byte_array_converter, string_converter,
    json_converter, simple_header_converter;

#endif
