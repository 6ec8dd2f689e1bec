/* Properties files of any bytes, in both charsets; what was read can be set and found again. */
#include <stdint.h>
#include <stdlib.h>

#include "core/config/properties.h"
#include "lib/java/properties_text.h"

static int on_pair(void *user, const char *key, size_t key_size, const char *value, size_t value_size,
                   size_t line)
{
    struct properties *properties = user;
    (void)line;
    if (key[key_size] != '\0' || value[value_size] != '\0') {
        abort();
    }
    properties_set(properties, key, value);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct properties properties = {0};
    struct error error = {0};
    if (properties_load(&properties, (const char *)data, size, "fuzz", &error)) {
        error_clear(&error);
    }
    (void)properties_text_parse((const char *)data, size, PROPERTIES_UTF8, on_pair, &properties, NULL);
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
