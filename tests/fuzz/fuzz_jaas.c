/* JAAS texts of any bytes (a configuration's text has no NUL in it). */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/java/jaas.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char message[200];
    struct jaas jaas;
    char *text = malloc(size + 1);
    if (!text) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    if (jaas_parse(text, &jaas, message, sizeof(message)) == 0) {
        for (size_t i = 0; i < jaas.option_count; i++) {
            if (!jaas_get(&jaas, jaas.options[i].name)) {
                abort();
            }
        }
        jaas_finish(&jaas);
    }
    free(text);
    return 0;
}
