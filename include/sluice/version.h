/*
 * Version of the plugin interface.
 *
 * A worker loads a plugin when the major numbers are equal; a plugin built against minor N runs
 * under any worker of minor >= 0 of the same major, because structs only grow at their end and every
 * struct that crosses begins with its size. Anything newer is asked for by extension id.
 */
#ifndef SLUICE_VERSION_H
#define SLUICE_VERSION_H

#define SLUICE_ABI_MAJOR 1
#define SLUICE_ABI_MINOR 0

/** First eight bytes of struct sluice_entry; tells a plugin from any other shared object. */
#define SLUICE_ABI_MAGIC {'S', 'L', 'U', 'I', 'C', 'E', '0', '\n'}

#if defined(__GNUC__)
#define SLUICE_EXPORT __attribute__((visibility("default")))
#define SLUICE_CHECKED __attribute__((warn_unused_result))
#define SLUICE_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define SLUICE_EXPORT
#define SLUICE_CHECKED
#define SLUICE_PRINTF(fmt, args)
#endif

#endif
