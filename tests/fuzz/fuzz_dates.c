/* Date patterns of any text, parsing and printing. Input: pattern, NUL, text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/java/dates.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *pattern = malloc(size + 1);
    if (!pattern) {
        return 0;
    }
    memcpy(pattern, data, size);
    pattern[size] = '\0';
    size_t used = strlen(pattern);
    const char *text = used < size ? pattern + used + 1 : "";
    size_t text_size = used < size ? size - used - 1 : 0;
    struct date_format *format = NULL;
    char message[DATE_MESSAGE_MAX], out[64];
    if (date_format_create(pattern, &format, message, sizeof(message)) == 0) {
        int64_t ms = 0;
        size_t end = 0;
        if (date_format_parse(format, zone_utc(), text, text_size, &ms, &end) && end > text_size) {
            abort();
        }
        date_format_print(format, zone_utc(), ms, out, sizeof(out));
        if (text_size >= sizeof(ms)) {
            memcpy(&ms, text, sizeof(ms));
            date_format_print(format, zone_utc(), ms, out, sizeof(out));
        }
        date_format_destroy(format);
    }
    struct zone *zone = NULL;
    if (used < 64 && !strchr(pattern, '/') &&
        zone_open(pattern, &zone, message, sizeof(message)) == 0) {
        int64_t ms = (int64_t)size * 1234567890123;
        (void)zone_at_local(zone, ms + zone_at(zone, ms).seconds);
        zone_close(zone);
    }
    free(pattern);
    return 0;
}
