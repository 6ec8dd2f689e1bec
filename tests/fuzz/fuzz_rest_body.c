/*
 * Bodies of produce requests. The first byte chooses binary or JSON. What is accepted must be records
 * whose keys and values can be written and read again; what is refused must say why.
 */
#include <stdlib.h>
#include <string.h>

#include "connectors/rest/body.h"
#include "core/data/batch.h"

static void check_value(struct sluice_batch *batch, const struct sluice_value *value, bool binary)
{
    if (!value) {
        return;
    }
    if (binary) {
        if (data_api.type(value) != SLUICE_BYTES) {
            abort();
        }
        return;
    }
    struct sluice_span text = data_api.to_json(batch, value);
    struct sluice_value *again = NULL;
    struct sluice_json_error error = {.size = sizeof(error)};
    if (data_api.from_json(batch, text.data, text.size, SLUICE_JSON_STRICT | SLUICE_JSON_WIDE_INTEGERS,
                           &again, &error) !=
        SLUICE_OK) {
        abort();
    }
    struct sluice_span second = data_api.to_json(batch, again);
    if (second.size != text.size || memcmp(second.data, text.data, text.size) != 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { RECORDS_MAX = 100 };
    const struct sluice_host host = {.size = sizeof(host), .data = &data_api,
                                     .records = &records_api};
    if (size == 0) {
        return 0;
    }
    bool binary = data[0] & 1;
    struct sluice_batch *batch = batch_new(NULL);
    struct rest_body body;
    struct rest_fault fault = {0};
    rest_body_init(&body, RECORDS_MAX);
    char *text = malloc(size); /* exactly as long as it is, so that reading past it is seen */
    memcpy(text, data + 1, size - 1);
    enum rest_format format = binary ? REST_FORMAT_BINARY : data[0] & 4 ? REST_FORMAT_AVRO : REST_FORMAT_JSON;
    if (rest_body_parse(&body, &host, batch, text, size - 1, format, data[0] & 2, &fault) != 0) {
        if (fault.status < 400 || fault.code < 400 || strlen(fault.message) >= REST_MESSAGE_MAX) {
            abort();
        }
    } else {
        if (body.count == 0 || body.count > RECORDS_MAX) {
            abort();
        }
        for (size_t i = 0; i < body.count; i++) {
            check_value(batch, body.records[i].key, binary);
            check_value(batch, body.records[i].value, binary);
        }
    }
    rest_body_finish(&body);
    records_api.release(batch);
    free(text);
    return 0;
}
