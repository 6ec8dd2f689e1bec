/*
 * Formats: records to the bytes of an object. A format may keep state per object (container files
 * have headers, footers and row groups); those by lines have none.
 */
#ifndef S3_FORMAT_H
#define S3_FORMAT_H

#include <sluice/plugin.h>

#include "connectors/s3/fault.h"
#include "connectors/s3/output.h"

struct format;

struct format_vtable {
    /** State of one object; NULL where the format has none (then the functions get NULL). */
    void *(*open)(const struct format *format, struct output *output, struct stream *stream);
    /** Whether write() takes this value, asked before anything of a record is written. May be NULL. */
    int (*check)(const struct format *format, const struct sluice_schema *schema,
                 const struct sluice_value *value, struct fault *fault);
    /** Appends one value, key, or array of headers; fails for want of memory only. [task thread] */
    int (*write)(const struct format *format, void *state, struct output *output,
                 struct stream *stream, struct sluice_batch *batch,
                 const struct sluice_schema *schema, const struct sluice_value *value,
                 struct fault *fault);
    /** Writes what is missing at the end, and frees the state. May be NULL. */
    int (*close)(const struct format *format, void *state, struct output *output,
                 struct stream *stream, struct fault *fault);
    /** Frees the state of an object that is given up. May be NULL. */
    void (*abandon)(const struct format *format, void *state);
};

struct format {
    const struct format_vtable *vtable;
    const struct sluice_host *host;
    const struct settings *settings;
    const char *extension;    /* ".json" */
    const char *separator;    /* behind each record, of formats by lines */
    size_t separator_size;
};

/** FORMAT_NONE gives a format without vtable. */
void format_init(struct format *format, enum format_kind kind, const struct sluice_host *host,
                 const struct settings *settings);

extern const struct format_vtable json_format;
extern const struct format_vtable bytes_format;
extern const struct format_vtable string_format;

#endif
