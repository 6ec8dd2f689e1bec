/* What the parts of the fake broker share: fake_broker.c, fake_consumer.c, fake_producer.c. */
#ifndef TESTS_SUPPORT_FAKE_PARTS_H
#define TESTS_SUPPORT_FAKE_PARTS_H

#include "core/base/clock.h"

enum { PARTITIONS = 8 }; /* of topic "t" */

/** The deadline of a pthread_cond_timedwait(), `ms` from now. */
static inline struct timespec fake_until(int ms)
{
    int64_t end = clock_wall_ms() + ms;
    return (struct timespec){.tv_sec = end / 1000, .tv_nsec = end % 1000 * 1000000};
}

void fake_consumer_reset(void);
void fake_producer_reset(void);

#endif
