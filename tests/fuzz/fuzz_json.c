/*
 * JSON scan: normal form is a fixed point, splitting and writing give it back, and what the strict
 * scan accepts jansson accepts too.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/data/batch.h"

static void visit(const struct sluice_value *value)
{
    for (size_t i = 0; i < data_api.count(value); i++) {
        if (data_api.type(value) == SLUICE_MAP) {
            (void)data_api.text(data_api.key_at(value, i));
        }
        (void)data_api.text(data_api.at(value, i));
        (void)data_api.real(data_api.at(value, i));
        visit(data_api.at(value, i));
    }
}

/* Both take the same texts, but for limits: jansson's numbers, lone surrogates, NUL in names; our sizes. */
static void compare_with_jansson(const char *text, size_t size, bool good,
                                 const struct sluice_json_error *error)
{
    if (memchr(text, '\0', size)) {
        return; /* which jansson takes for the end of the text */
    }
    json_error_t why;
    json_t *other = json_loadb(text, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    if (good && !other && json_error_code(&why) != json_error_numeric_overflow &&
        json_error_code(&why) != json_error_null_byte_in_key && !strstr(why.text, "Unicode")) {
        abort();
    }
    if (!good && other && !strstr(error->message, "exceeds the maximum") &&
        !strstr(error->message, "exponent is out of range")) {
        abort();
    }
    json_decref(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct sluice_batch *batch = batch_new(NULL);
    struct sluice_json_error error = {.size = sizeof(error)};
    struct sluice_value *value = NULL, *again = NULL;
    const char *text = (const char *)bytes;
    if (data_api.from_json(batch, text, size, SLUICE_JSON_CONNECT, &value, &error) == SLUICE_OK && value) {
        struct sluice_span first = data_api.to_json(batch, value);
        if (data_api.from_json(batch, first.data, first.size, SLUICE_JSON_CONNECT, &again, &error) != SLUICE_OK) {
            abort();
        }
        struct sluice_span second = data_api.to_json(batch, again);
        /* but for -1e-400, which rounds to -0.0, which reads as 0.0: so it is with Jackson */
        bool rounded = memmem(first.data, first.size, "-0.0", 4) != NULL;
        if (!rounded && (second.size != first.size || memcmp(first.data, second.data, first.size) != 0)) {
            abort();
        }
        first = second;
        visit(again);
        struct sluice_span third = data_api.to_json(batch, data_api.copy(batch, again));
        if (third.size != first.size || memcmp(first.data, third.data, first.size) != 0) {
            abort();
        }
    }
    error.message[0] = '\0';
    value = NULL;
    bool good = data_api.from_json(batch, text, size, SLUICE_JSON_STRICT, &value, &error) == SLUICE_OK;
    compare_with_jansson(text, size, good && value, &error);
    if (data_api.from_json(batch, text, size, SLUICE_JSON_EXACT_NUMBERS, &value, &error) == SLUICE_OK &&
        value) {
        visit(value);
    }
    records_api.release(batch);
    return 0;
}
