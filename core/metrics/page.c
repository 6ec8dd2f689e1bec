#include "core/metrics/page.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define MICRO ((int64_t)1000)
#define MILLI (1000 * MICRO)
#define SECOND (1000 * MILLI)

enum { WINDOW_MS = 30000, WINDOW_MOST_MS = 86400000, SAMPLES = 2, READS_MOST = 100 };

const int64_t metrics_bounds[METRICS_BUCKETS] = {
    1 * MICRO,  5 * MICRO,  20 * MICRO,  100 * MICRO, 500 * MICRO, 1 * MILLI,   5 * MILLI,
    20 * MILLI, 100 * MILLI, 500 * MILLI, 1 * SECOND,  5 * SECOND,  30 * SECOND,
};

#define LOAD(p) atomic_load_explicit(&(p), memory_order_relaxed)
#define STORE(p, v) atomic_store_explicit(&(p), (v), memory_order_relaxed)

struct metrics_slot *metrics_slot(struct metrics_page *page, const char *name, uint32_t kind)
{
    for (size_t i = 0; i < METRICS_SLOTS; i++) {
        struct metrics_slot *slot = &page->slots[i];
        uint32_t used = 0;
        if (atomic_compare_exchange_strong(&slot->used, &used, 3)) {
            (void)snprintf(slot->name, sizeof(slot->name), "%s", name);
            atomic_store(&slot->used, kind);
            return slot;
        }
        while (used == 3) { /* another thread is writing the name: a matter of nanoseconds */
            used = atomic_load(&slot->used);
        }
        if (strncmp(slot->name, name, sizeof(slot->name) - 1) == 0) {
            return slot;
        }
    }
    return NULL;
}

void metrics_add(struct metrics_slot *slot, int64_t amount)
{
    if (slot) {
        atomic_fetch_add_explicit(&slot->value, amount, memory_order_relaxed);
    }
}

void metrics_set(struct metrics_slot *slot, int64_t value)
{
    if (slot) {
        STORE(slot->value, value);
    }
}

struct metrics_stat *metrics_stat(struct metrics_page *page, const char *name, uint32_t kinds,
                                  int64_t divisor)
{
    for (size_t i = 0; i < METRICS_STATS; i++) {
        struct metrics_stat *stat = &page->stats[i];
        uint32_t used = 0;
        if (atomic_compare_exchange_strong(&stat->used, &used, 3)) {
            (void)snprintf(stat->name, sizeof(stat->name), "%s", name);
            stat->kinds = kinds;
            stat->divisor = divisor;
            atomic_store(&stat->used, 1);
            return stat;
        }
        while (used == 3) {
            used = atomic_load(&stat->used);
        }
        if (strncmp(stat->name, name, sizeof(stat->name) - 1) == 0) {
            return stat;
        }
    }
    return NULL;
}

static int64_t window_of(const struct metrics_page *page)
{
    int64_t window = LOAD(page->window_ms);
    return window <= 0 ? WINDOW_MS : window > WINDOW_MOST_MS ? WINDOW_MOST_MS : window;
}

static uint32_t samples_of(const struct metrics_page *page)
{
    uint32_t samples = LOAD(page->samples);
    return samples == 0 ? SAMPLES : samples > METRICS_SAMPLES_MOST ? METRICS_SAMPLES_MOST : samples;
}

/* As Kafka's SampledStat: a sample is full after its window, the next one of the ring takes over. */
void metrics_record(struct metrics_page *page, struct metrics_stat *stat, int64_t value, int64_t now)
{
    if (!stat) {
        return;
    }
    uint32_t turn = LOAD(stat->turn);
    STORE(stat->turn, turn + 1);
    atomic_thread_fence(memory_order_release);
    uint32_t current = LOAD(stat->current);
    struct metrics_sample *sample = &stat->samples[current];
    int64_t since = LOAD(sample->since);
    if (since == 0 || now - since >= window_of(page)) {
        current = since == 0 ? current : (current + 1) % (samples_of(page) + 1);
        sample = &stat->samples[current];
        STORE(stat->current, current);
        STORE(sample->since, now);
        STORE(sample->count, 0);
        STORE(sample->sum, 0);
        STORE(sample->max, INT64_MIN);
    }
    STORE(sample->count, LOAD(sample->count) + 1);
    STORE(sample->sum, LOAD(sample->sum) + value);
    if (value > LOAD(sample->max)) {
        STORE(sample->max, value);
    }
    STORE(stat->total, LOAD(stat->total) + value);
    atomic_store_explicit(&stat->turn, turn + 2, memory_order_release);
}

void metrics_observe(struct metrics_page *page, enum metrics_stage stage, int64_t ns, int64_t count)
{
    size_t i = 0;
    while (i < METRICS_BUCKETS && ns > metrics_bounds[i]) {
        i++;
    }
    atomic_fetch_add_explicit(&page->stages[stage].buckets[i], count, memory_order_relaxed);
    atomic_fetch_add_explicit(&page->stages[stage].sum, ns * count, memory_order_relaxed);
}

void metrics_state(struct metrics_page *page, enum metrics_state state, int64_t now)
{
    int64_t since = LOAD(page->state_since);
    if (since > 0) {
        atomic_fetch_add_explicit(&page->state_ms[LOAD(page->state) % METRICS_STATES], now - since,
                                  memory_order_relaxed);
    }
    STORE(page->state, (uint32_t)state);
    STORE(page->state_since, now);
}

/* -- reading -- */

/* As double: sums of what may be anything do not overflow. */
struct seen {
    double count, sum;
    int64_t max, oldest;
};

static void look(const struct metrics_page *page, const struct metrics_stat *stat, int64_t now,
                 struct seen *seen)
{
    int64_t age = window_of(page) * samples_of(page);
    *seen = (struct seen){.max = INT64_MIN, .oldest = now};
    for (size_t i = 0; i <= METRICS_SAMPLES_MOST; i++) {
        const struct metrics_sample *sample = &stat->samples[i];
        int64_t since = LOAD(sample->since);
        if (since <= 0 || now - since >= age) {
            continue;
        }
        int64_t max = LOAD(sample->max);
        seen->count += (double)LOAD(sample->count);
        seen->sum += (double)LOAD(sample->sum);
        seen->max = max > seen->max ? max : seen->max;
        seen->oldest = since < seen->oldest ? since : seen->oldest;
    }
}

double metrics_read(const struct metrics_page *page, const struct metrics_stat *stat,
                    enum metrics_kind kind, int64_t now, bool *ret_any)
{
    struct seen seen;
    uint32_t before, after;
    int tries = 0;
    do {
        before = atomic_load_explicit(&stat->turn, memory_order_acquire);
        look(page, stat, now, &seen);
        atomic_thread_fence(memory_order_acquire);
        after = LOAD(stat->turn);
    } while ((before != after || before % 2) && ++tries < READS_MOST);
    double divisor = stat->divisor > 0 ? (double)stat->divisor : 1;
    if (ret_any) {
        *ret_any = seen.count > 0;
    }
    if (kind == METRICS_TOTAL) {
        return (double)LOAD(stat->total) / divisor;
    }
    if (seen.count <= 0) {
        return 0;
    }
    switch (kind) {
    case METRICS_RATE: {
        /* Kafka's Rate: at least all windows but one are taken for elapsed. */
        int64_t window = window_of(page), elapsed = now - seen.oldest;
        int64_t least = (int64_t)samples_of(page) - 1;
        if (elapsed / window < least) {
            elapsed += (least - elapsed / window) * window;
        }
        return elapsed > 0 ? seen.sum / divisor * 1000 / (double)elapsed : 0;
    }
    case METRICS_MAX:
        return (double)seen.max / divisor;
    default:
        return seen.sum / divisor / seen.count;
    }
}

double metrics_ratio(const struct metrics_page *page, enum metrics_state state, int64_t now)
{
    int64_t since = LOAD(page->state_since);
    double ongoing = since > 0 && now > since ? (double)(now - since) : 0, all = ongoing;
    for (size_t i = 0; i < METRICS_STATES; i++) {
        all += (double)LOAD(page->state_ms[i]);
    }
    double these = (double)LOAD(page->state_ms[state]) + (LOAD(page->state) == state ? ongoing : 0);
    return all > 0 ? these / all : 0;
}

int64_t metrics_value(const struct metrics_page *page, const char *name)
{
    for (size_t i = 0; i < METRICS_SLOTS; i++) {
        const struct metrics_slot *slot = &page->slots[i];
        uint32_t used = atomic_load(&slot->used);
        if ((used == 1 || used == 2) && strncmp(slot->name, name, sizeof(slot->name)) == 0) {
            return LOAD(slot->value);
        }
    }
    size_t size = strlen(name);
    for (size_t i = 0; i < METRICS_STATS; i++) { /* front*: front and `total` */
        const struct metrics_stat *stat = &page->stats[i];
        size_t front = strnlen(stat->name, sizeof(stat->name));
        if (atomic_load(&stat->used) == 1 && (stat->kinds & METRICS_TOTAL) && front > 0 &&
            stat->name[front - 1] == '*' && size == front - 1 + strlen("total") &&
            memcmp(stat->name, name, front - 1) == 0 && strcmp(name + front - 1, "total") == 0) {
            return LOAD(stat->total);
        }
    }
    return 0;
}
