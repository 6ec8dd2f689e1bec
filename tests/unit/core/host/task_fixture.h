/* A task run by a test: classes of the test's own, a broker in memory, and the worker's end of the channel. */
#ifndef TESTS_UNIT_CORE_HOST_TASK_FIXTURE_H
#define TESTS_UNIT_CORE_HOST_TASK_FIXTURE_H

#include "core/host/task.h"

/** Sets up a task of this class; properties as key, value, .., NULL. */
void fixture_start(int (*run)(struct task *, struct error *), const struct sluice_entry *classes,
                   const char *class_name, ...);
/** Tells the task to stop and waits for its end. Returns what run() returned; error in *fixture_error(). */
int fixture_stop(void);
/** Waits for an end that comes by itself. */
int fixture_join(void);
const struct error *fixture_error(void);
struct task *fixture_task(void);
/** Pause or resume as the worker would. */
void fixture_pause(bool pause);
/** Last state told to the worker, "" for none yet. */
void fixture_wait_state(const char *state);
/** How the worker answers when offsets are to be stored; an error is its text, as in the message. */
enum fixture_store { FIXTURE_STORES, FIXTURE_REFUSES, FIXTURE_SILENT };
void fixture_store(enum fixture_store how);
/** How often it did not store them. */
int fixture_not_stored(void);
/** Source offsets stored so far: JSON text of the last message, "" for none. */
void fixture_wait_offsets(const char *json);

/** Raw converter for keys, values and headers: bytes as they are. */
extern const struct sluice_descriptor raw_converter;

#endif
