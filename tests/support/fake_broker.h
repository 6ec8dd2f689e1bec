/*
 * A broker in memory, in place of core/broker, for tests of the host's loops: the test hands out
 * messages, takes partitions away and looks at commits; faults on demand. [any thread; locked inside]
 */
#ifndef TESTS_SUPPORT_FAKE_BROKER_H
#define TESTS_SUPPORT_FAKE_BROKER_H

#include "core/broker/broker.h"

void fake_broker_reset(void);

/* -- the consumer; one at a time, topic "t" -- */
void fake_assign(int32_t partition, int64_t position);
/** Returns once the revocation was granted. */
void fake_revoke(int32_t partition);
/** Messages with these offsets and the value as JSON text; one chunk. */
void fake_feed(int32_t partition, int64_t from, size_t count, const char *value);
/** The same of each of the partitions from 0 to this one, in one chunk. */
void fake_feed_up_to(int32_t partition, int64_t from, size_t count, const char *value);
/** Last committed offset of a partition; -1: none. */
int64_t fake_committed(int32_t partition);
/** Waits up to 10 s until the committed offset is this; false otherwise. */
bool fake_wait_committed(int32_t partition, int64_t offset);
/** The next commits fail. */
void fake_fail_commits(int count);
/** Chunks that are out. */
int fake_chunks_out(void);
/** The next seeks fail. */
void fake_fail_seeks(int count);
/** Last seek of a partition; -1: none. */
int64_t fake_sought(int32_t partition);
/** True while the consumer has the partition paused. */
bool fake_paused(int32_t partition);

/* -- the producer -- */
/** Acknowledge sends (true, the default) or leave them pending. */
void fake_acknowledge(bool on);
/** The next deliveries fail with this code. */
void fake_fail_deliveries(int count, enum error_code code);
size_t fake_produced(void);
/** Value of message i as produced, NUL-terminated; valid until the reset. */
const char *fake_value(size_t i);
/** Topic of message i. */
const char *fake_topic(size_t i);

#endif
