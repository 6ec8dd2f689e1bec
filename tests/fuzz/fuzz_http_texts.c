/* Status codes, headers, waits, links, templates and pointers of any bytes. The first byte picks. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "connectors/http/common.h"
#include "connectors/http/link.h"
#include "connectors/http/pointer.h"
#include "connectors/http/template.h"
#include "core/data/batch.h"

static bool value_of(void *user, const char *name, size_t size, struct buffer *to)
{
    (void)user;
    buffer_append(to, name, size);
    return true;
}

/* pointer, NUL, document */
static void find(const char *text, const char *document, size_t size)
{
    struct sluice_batch *batch = batch_new(NULL);
    struct sluice_json_error why = {.size = sizeof(why)};
    struct sluice_value *value = NULL;
    struct pointer pointer;
    if (pointer_parse(&data_api, text, &pointer) == 0 &&
        data_api.from_json(batch, document, size, SLUICE_JSON_STRICT, &value, &why) == SLUICE_OK) {
        const struct sluice_value *found = pointer_find(&data_api, &pointer, value);
        if (found) {
            (void)data_api.to_json(batch, found);
        }
    }
    pointer_finish(&pointer);
    records_api.release(batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char base[] = "http://h:8080/api/rows?after=1";
    char message[300];
    if (size == 0) {
        return 0;
    }
    char *text = malloc(size);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    switch (data[0] % 6) {
    case 0: {
        struct statuses statuses;
        if (statuses_parse(text, &statuses, message, sizeof(message)) == 0 && statuses_has(&statuses, 99)) {
            abort();
        }
        break;
    }
    case 1: {
        char *headers[HEADERS_MAX + 1];
        if (headers_parse(text, size % 2, headers, message, sizeof(message)) == 0) {
            for (size_t i = 0; headers[i]; i++) {
                if (strpbrk(headers[i], "\r\n")) {
                    abort(); /* a header would end within a header */
                }
            }
            headers_free(headers);
        }
        break;
    }
    case 2: {
        int64_t wait = http_retry_after_text(text, 1700000000);
        if (wait < -1 || wait > 3600000) {
            abort();
        }
        break;
    }
    case 3: {
        /* Whatever is taken is a page of that server. */
        char *next = link_next(text), *url = link_absolute(base, next ? next : text);
        if (url && (strncasecmp(url, base, 13) != 0 || !strchr("/?#", url[13]) || strpbrk(url, " \r\n"))) {
            abort();
        }
        free(next);
        free(url);
        break;
    }
    case 4: {
        static const char *const names[] = {"offset", "value:", NULL};
        struct buffer to;
        buffer_init(&to, 1 << 20);
        (void)template_check(text, names, message, sizeof(message));
        (void)template_write(text, size % 2, value_of, NULL, &to);
        buffer_finish(&to);
        break;
    }
    default: {
        size_t length = strlen(text), behind = length + 1 < size - 1 ? length + 1 : length;
        find(text, text + behind, size - 1 - behind);
    }
    }
    free(text);
    return 0;
}
