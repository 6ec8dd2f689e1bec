/*
 * What `sluice transform --explain` prints: per record and step, which fields came, went or
 * changed. One thread.
 */
#ifndef CORE_HOST_OFFLINE_EXPLAIN_H
#define CORE_HOST_OFFLINE_EXPLAIN_H

#include "core/host/chain.h"

/** chain_apply() that tells standard error what each step did. line: number shown. */
enum sluice_result explain_chain(struct chain *chain, struct sluice_record *record, size_t line,
                                 const char **ret_class) SLUICE_CHECKED;

#endif
