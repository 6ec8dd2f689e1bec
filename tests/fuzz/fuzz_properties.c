/* Properties files of any bytes, in both charsets; what was read can be set and found again. */
#include <stdint.h>
#include <stdlib.h>

#include "core/config/properties.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct properties properties = {0};
    struct error error = {0};
    if (properties_load(&properties, (const char *)data, size, "fuzz", &error)) {
        error_clear(&error);
    }
    if (properties_load_utf8(&properties, (const char *)data, size, "fuzz", &error)) {
        error_clear(&error);
    }
    for (size_t i = 0; i < properties.count; i++) {
        if (properties_get(&properties, properties.items[i].name) != properties.items[i].value) {
            abort();
        }
    }
    while (properties.count > 0) {
        if (!properties_remove(&properties, properties.items[properties.count / 2].name)) {
            abort();
        }
    }
    properties_finish(&properties);
    return 0;
}
