/* Names of classes, as a configuration may write them. */
#ifndef CORE_PLUGIN_NAMES_H
#define CORE_PLUGIN_NAMES_H

#include <stdbool.h>

/**
 * True where wanted is a way to write the class known: in full, without its package
 * (`S3SinkConnector`), or without package and its kind's word (`S3Sink`), as Connect allows.
 */
bool names_match(const char *known, const char *wanted);

#endif
