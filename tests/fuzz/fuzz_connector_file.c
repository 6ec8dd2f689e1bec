/* Files of connectors, of any bytes (what reads them puts a NUL behind). */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/worker/connector_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct connector_file file;
    struct error error = {0};
    char *text = malloc(size + 1);
    if (!text) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    if (connector_file_parse("x.properties", text, size, &file, &error) == 0) {
        if (!file.name || !json_is_string(json_object_get(file.config, "name"))) {
            abort();
        }
        connector_file_finish(&file);
    }
    error_clear(&error);
    free(text);
    return 0;
}
