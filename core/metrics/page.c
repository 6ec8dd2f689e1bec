#include "core/metrics/page.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

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
