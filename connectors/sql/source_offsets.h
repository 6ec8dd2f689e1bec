/* Positions as Connect's offsets, in the forms that the JDBC source connectors store. [task thread] */
#ifndef SQL_SOURCE_OFFSETS_H
#define SQL_SOURCE_OFFSETS_H

#include "connectors/sql/followed.h"

/** {"protocol":"1","table":NAME}, {"query":"query"}, or in bulk mode {"table":NAME}. */
struct sluice_value *source_partition(const struct sluice_host *host,
                                      const struct source_settings *settings,
                                      struct sluice_batch *batch, const struct followed *followed);
/** {"incrementing":n}, {"timestamp":ms,"timestamp_nanos":n}, or both; NULL in bulk mode. */
struct sluice_value *source_offset(const struct sluice_host *host, const struct source_settings *settings,
                                   struct sluice_batch *batch, const struct followed *followed,
                                   bool has_time, struct moment time);
/** Takes up a stored offset; also one of the older protocol. */
void source_offsets_restore(const struct sluice_host *host, const struct sluice_source_context *context,
                            const struct source_settings *settings, struct sluice_batch *batch,
                            struct followed *followed);

#endif
