/*
 * Single message transforms and the predicates that switch them:
 * kinds "sluice.transform/1" and "sluice.predicate/1".
 */
#ifndef SLUICE_TRANSFORM_H
#define SLUICE_TRANSFORM_H

#include <sluice/host.h>

#define SLUICE_TRANSFORM "sluice.transform/1"
#define SLUICE_PREDICATE "sluice.predicate/1"

struct sluice_transform {
    uint32_t size;
    /** Makes an instance. Shall not call the host. NULL: out of memory. */
    void *(*create)(const struct sluice_host *host);
    /** Accepts instances in any state. [task thread] */
    void (*destroy)(void *self);
    /**
     * class_name is the name this instance was asked for by (`..MaskField$Key`), so that one vtable
     * serves all variants. [task thread, once]
     */
    enum sluice_result (*configure)(void *self, const char *class_name,
                                    const struct sluice_config *config) SLUICE_CHECKED;
    /**
     * Changes the record in place. SLUICE_DROP filters it out. On an error the record may be half
     * changed; the host goes on with the original. [task thread]
     */
    enum sluice_result (*apply)(void *self, struct sluice_record *record) SLUICE_CHECKED;
};

struct sluice_predicate {
    uint32_t size;
    /** As those of a transform. */
    void *(*create)(const struct sluice_host *host);
    void (*destroy)(void *self);
    enum sluice_result (*configure)(void *self, const char *class_name,
                                    const struct sluice_config *config) SLUICE_CHECKED;
    /** Whether the record is one that is meant; does not change it. [task thread] */
    enum sluice_result (*test)(void *self, const struct sluice_record *record,
                               bool *ret_matches) SLUICE_CHECKED;
};

#endif
