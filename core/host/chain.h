/*
 * The chain of transforms of one connector: `transforms`, `transforms.<alias>.*`, `predicates`,
 * `predicates.<alias>.*` (kafka-connect.md §3). Owned by the task; [task thread] throughout.
 */
#ifndef CORE_HOST_CHAIN_H
#define CORE_HOST_CHAIN_H

#include <sluice/record.h>
#include <sluice/result.h>

#include "core/base/error.h"
#include "core/config/properties.h"
#include "core/plugin/instance.h"

struct chain;

/**
 * Makes and configures every transform and predicate that the connector's properties name.
 * *ret_chain is NULL where they name none: every function below takes that for an empty chain. The
 * error names the key and the class, in Connect's words. environment shall outlive the chain.
 */
int chain_create(const struct plugin_environment *environment, const struct properties *connector,
                 struct chain **ret_chain, struct error *error) CHECKED;
void chain_destroy(struct chain *chain);

/**
 * Runs the chain on one record, in place. SLUICE_DROP: a step filtered it, later steps did not run.
 * On an error *ret_class (may be NULL) is the Java class that was executing, the failure is left
 * for plugin_failure_take(), and the record may be half changed: restore it before a retry.
 * Allocates nothing but what steps put into the record's batch.
 */
enum sluice_result chain_apply(struct chain *chain, struct sluice_record *record,
                               const char **ret_class) SLUICE_CHECKED;

/* One step at a time, for tools that show what each did. */

/** Number of steps; 0 for NULL. */
size_t chain_count(const struct chain *chain);
/** Alias of step i as in `transforms`; lives as long as the chain. */
const char *chain_alias(const struct chain *chain, size_t i);
/** Class of step i, as configured. */
const char *chain_class(const struct chain *chain, size_t i);
/** Runs step i alone if its predicate says so; *ret_ran (may be NULL) tells. Errors as
 * chain_apply(). */
enum sluice_result chain_step(struct chain *chain, size_t i, struct sluice_record *record,
                              bool *ret_ran, const char **ret_class) SLUICE_CHECKED;
/**
 * Moves the failure of the chain_apply() or chain_step() just made on this thread to *ret_failure.
 */
void chain_failure_take(struct chain *chain, enum sluice_result result,
                        struct plugin_failure *ret_failure);

#endif
