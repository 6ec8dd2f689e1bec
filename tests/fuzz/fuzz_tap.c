/* JSON of any shape as a sample would show it; contexts of log lines of any bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log_tail.h"
#include "core/host/tap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    int task;
    char *connector = log_context_parse(text, &task);
    if (connector && strlen(connector) >= size) {
        abort();
    }
    free(connector);
    json_t *value = json_loadb(text, size, 0, NULL);
    if (value) {
        tap_redact(value, NULL);
        json_t *leak = json_object_get(value, "password");
        if (leak && !json_is_null(leak) &&
            (!json_is_string(leak) || strcmp(json_string_value(leak), "[hidden]") != 0)) {
            abort();
        }
        json_decref(value);
    }
    free(text);
    return 0;
}
