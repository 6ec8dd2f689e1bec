/*
 * Conformance checks of a plugin (`sluice plugins check`): role "check", one check a process, so
 * that a plugin that crashes or hangs in one is told apart from the others. [main thread]
 */
#ifndef CORE_HOST_CHECK_H
#define CORE_HOST_CHECK_H

#include "core/config/properties.h"
#include "core/host/process.h"
#include "core/plugin/instance.h"

enum check_outcome { CHECK_OK, CHECK_FAILED, CHECK_SKIPPED };

struct check {
    struct host_process *process;
    const struct sluice_descriptor *descriptor;
    struct plugin_environment environment;
    struct properties config; /* as given; check_guess() adds to it */
    bool given;               /* the user gave one: then it has to be good */
    enum check_outcome outcome;
    char *reason; /* NULL while CHECK_OK */
};

struct check_case {
    const char *name;
    const char *kind; /* NULL: any */
    void (*run)(struct check *check);
};

/** Closed by an entry without name. */
extern const struct check_case
    check_config_cases[]; /* check_config.c: tables, life of an instance */
extern const struct check_case check_record_cases[];    /* check_record.c: transforms, converters */
extern const struct check_case check_connector_cases[]; /* check_connector.c: sources and sinks */

/** Notes the first reason; later ones are dropped. */
void check_fail(struct check *check, const char *format, ...) PRINTF_LIKE(2, 3);
void check_skip(struct check *check, const char *format, ...) PRINTF_LIKE(2, 3);
/**
 * Gives every required option a value where one can be guessed from its table. False, with the
 * check skipped and the names told, where one cannot.
 */
bool check_guess(struct check *check);
/** A configured instance (typed configuration; the plugin's own configure is not called), or NULL
 * with the check failed. */
struct plugin_instance *check_create(struct check *check);
/** Says where the process is. */
void check_phase(struct check *check, const char *call);
/**
 * Judges what a call returned. True for SLUICE_OK. Otherwise the check fails, unless the result is
 * one of `accepted` (bits 1 << result) and the plugin said why.
 */
bool check_result(struct check *check, const struct plugin_instance *instance, const char *call,
                  enum sluice_result result, unsigned accepted);

/**
 * The same for configure() and start(): a configuration that was guessed may be refused, with a
 * reason; then the check is skipped.
 */
bool check_accepted(struct check *check, const struct plugin_instance *instance, const char *call,
                    enum sluice_result result);

/** A batch of count sink records of one topic with such values, keys "k0".. */
struct sluice_batch *check_batch(const char *topic, size_t count, unsigned seed);

#endif
