/*
 * Offsets that an operator changes (PATCH and DELETE /connectors/{c}/offsets), for sources and sinks
 * that want a say: extension() of their vtable.
 */
#ifndef SLUICE_OFFSETS_H
#define SLUICE_OFFSETS_H

#include <sluice/host.h>

/** source->extension(), sink->extension(): const struct sluice_alter_offsets. */
#define SLUICE_ALTER_OFFSETS "sluice.alter-offsets/1"

/** Maps as in JSON, integers as INT64. A sink's partition is {kafka_topic, kafka_partition}, its offset
 *  {kafka_offset}. */
struct sluice_offset_change {
    const struct sluice_value *partition; /**< NULL: null */
    const struct sluice_value *offset;    /**< NULL: the offset is to be forgotten */
};

struct sluice_alter_offsets {
    uint32_t size;
    /**
     * Connector.alterOffsets(): asked before offsets that the framework keeps are changed, on an
     * instance that was configured and not started. *ret_handled: there are no offsets elsewhere, or
     * they were changed too; false (as it is without this extension): the answer says that there may
     * be. An error refuses the change. [connector thread]
     */
    enum sluice_result (*alter)(void *self, const struct sluice_config *config,
                                const struct sluice_offset_change *changes, size_t count,
                                bool *ret_handled) SLUICE_CHECKED;
};

#endif
