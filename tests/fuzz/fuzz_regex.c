/*
 * Patterns of any text, translated, compiled, matched and replaced with. Input: pattern, NUL, text,
 * NUL, replacement.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/java/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 2000) {
        return 0;
    }
    char *input = calloc(size + 3, 1); /* so that all three are there */
    if (!input) {
        return 0;
    }
    memcpy(input, data, size);
    const char *pattern = input, *text = pattern + strlen(pattern) + 1;
    const char *replacement = text;
    if (text <= input + size) {
        replacement = text + strlen(text) + 1;
    } else {
        text = replacement = "";
    }
    if (replacement > input + size + 1) {
        replacement = "";
    }
    struct regex *regex = NULL;
    struct regex_error error = {0};
    if (regex_create(pattern, &regex, &error)) {
        if (!error.java_class || !error.message[0]) {
            abort();
        }
    } else {
        struct buffer out;
        buffer_init(&out, 100000);
        (void)regex_matches(regex, text, strlen(text));
        (void)regex_replace_all(regex, text, strlen(text), replacement, &out, &error);
        buffer_finish(&out);
        regex_destroy(regex);
    }
    free(input);
    return 0;
}
