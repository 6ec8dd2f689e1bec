/*
 * FileStreamSource and FileStreamSink, Connect's own examples (kafka-connect.md §10.1): lines of a
 * file to a topic, values of topics to the lines of a file.
 */
#ifndef CONNECTORS_FILE_FILE_H
#define CONNECTORS_FILE_FILE_H

#include <sluice/plugin.h>

extern const struct sluice_descriptor file_source_descriptor;
extern const struct sluice_descriptor file_sink_descriptor;

/**
 * Standard input (0) or output (1) of the worker, which is what a user means by it: a host's own are
 * the worker's affair. A descriptor, or -1 with errno.
 */
int file_open_standard(int number);

#endif
