/*
 * Converters between data and bytes: kinds "sluice.converter/1" (keys, values, headers) and
 * "sluice.header-converter/1" (headers only).
 */
#ifndef SLUICE_CONVERTER_H
#define SLUICE_CONVERTER_H

#include <sluice/host.h>

#define SLUICE_CONVERTER "sluice.converter/1"
#define SLUICE_HEADER_CONVERTER "sluice.header-converter/1"

/** What a converter instance is for (Connect's converter.type). */
enum sluice_converter_role { SLUICE_CONVERT_KEY, SLUICE_CONVERT_VALUE, SLUICE_CONVERT_HEADER };

struct sluice_converter {
    uint32_t size;
    /** Makes an instance. Shall not call the host. NULL: out of memory. */
    void *(*create)(const struct sluice_host *host);
    /** Accepts instances in any state. [task thread] */
    void (*destroy)(void *self);
    /** class_name: the name this instance was asked for by. [task thread, once] */
    enum sluice_result (*configure)(void *self, const char *class_name,
                                    const struct sluice_config *config,
                                    enum sluice_converter_role role) SLUICE_CHECKED;
    /**
     * Bytes to data. bytes.data is NULL for null; the bytes live as long as the batch. *ret_schema
     * is NULL for schemaless; a reference is not handed over: the batch keeps it alive.
     * header: name for headers, else NULL. [task thread]
     */
    enum sluice_result (*to_connect)(void *self, struct sluice_batch *batch, const char *topic,
                                     const char *header, struct sluice_span bytes,
                                     const struct sluice_schema **ret_schema,
                                     const struct sluice_value **ret_value) SLUICE_CHECKED;
    /** Data to bytes, which live as long as the batch; data NULL for null. [task thread] */
    enum sluice_result (*from_connect)(void *self, struct sluice_batch *batch, const char *topic,
                                       const char *header, const struct sluice_schema *schema,
                                       const struct sluice_value *value,
                                       struct sluice_span *ret_bytes) SLUICE_CHECKED;
};

#endif
