/* What metrics cost a record: the calls a sink task makes for it and for its batch, and nothing else. */
#include <stdio.h>
#include <stdlib.h>

#include "core/host/stage_clock.h"

enum { RECORDS = 20000000, STAGES = 3 };

static struct metrics_page page;
static struct task task;

static double run(size_t batch)
{
    struct metrics_stat *read = metrics_stat(&page, "read-*", METRICS_RATE | METRICS_TOTAL, 1);
    struct metrics_stat *sent = metrics_stat(&page, "sent-*", METRICS_RATE | METRICS_TOTAL, 1);
    struct metrics_stat *time = metrics_stat(&page, "put-*", METRICS_AVG | METRICS_MAX, 1000);
    struct metrics_stat *size = metrics_stat(&page, "size-*", METRICS_AVG | METRICS_MAX, 1);
    struct metrics_stat *active = metrics_stat(&page, "active-*", METRICS_AVG | METRICS_MAX, 1);
    static const enum stage stages[STAGES] = {STAGE_KEY_CONVERTER, STAGE_VALUE_CONVERTER,
                                              STAGE_TRANSFORMATION};
    size_t count = batch == 1 ? RECORDS / 20 : RECORDS;
    struct stage_clock clock = {0};
    int64_t began = clock_monotonic_ns();
    for (size_t done = 0; done < count; done += batch) {
        for (size_t i = 0; i < batch; i++) {
            stage_clock_next(&clock, &task);
            for (size_t s = 0; s < STAGES; s++) {
                stage_clock_begin(&clock);
                stage_clock_end(&clock, stages[s]);
            }
            stage_clock_tell(&clock, &page);
            if (atomic_load_explicit(&task.tap.stage, memory_order_relaxed) == (int)TAP_CONVERTED ||
                atomic_load_explicit(&task.tap.stage, memory_order_relaxed) == (int)TAP_TRANSFORMED) {
                abort();
            }
        }
        metrics_record(&page, read, (int64_t)batch, clock_monotonic_ms());
        int64_t begin = clock_monotonic_ns(), end = clock_monotonic_ns(), now = end / 1000000;
        metrics_observe(&page, METRICS_PUT, end - begin, 1);
        metrics_record(&page, time, (end - begin) / 1000, now);
        metrics_record(&page, size, (int64_t)batch, now);
        metrics_record(&page, sent, (int64_t)batch, now);
        metrics_record(&page, active, 0, clock_monotonic_ms());
    }
    return (double)(clock_monotonic_ns() - began) / (double)count;
}

int main(void)
{
    printf("{\"name\":\"metrics-batch1024\",\"value\":%.2f,\"unit\":\"ns/record\",\"ratio\":null}\n",
           run(1024));
    printf("{\"name\":\"metrics-batch1\",\"value\":%.1f,\"unit\":\"ns/record\",\"ratio\":null}\n",
           run(1));
    return 0;
}
