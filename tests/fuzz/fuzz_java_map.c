/* Offset files: whatever the bytes, an answer; what was read can be written and read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/store/java_map.h"

struct copy {
    struct buffer out;
    size_t count;
};

static int on_entry(void *user, const char *key, size_t key_size, const char *value,
                    size_t value_size)
{
    struct copy *copy = user;
    if (key && value) {
        java_map_add(&copy->out, copy->count++, key, key_size, value, value_size);
    }
    return 0;
}

static int count(void *user, const char *key, size_t key_size, const char *value, size_t value_size)
{
    (void)key;
    (void)key_size;
    (void)value;
    (void)value_size;
    ++*(size_t *)user;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct copy copy = {.count = 0};
    struct error error = {0};
    buffer_init(&copy.out, 64 << 20);
    int result = java_map_read((const char *)data, size, "fuzz", on_entry, &copy, &error);
    error_clear(&error);
    if (result == 0 && !copy.out.failed) {
        struct buffer whole;
        size_t again = 0;
        buffer_init(&whole, 64 << 20);
        java_map_begin(&whole, copy.count);
        if (copy.out.size > 0) {
            (void)buffer_append(&whole, copy.out.data, copy.out.size);
        }
        java_map_end(&whole);
        if (java_map_read(whole.data, whole.size, "again", count, &again, &error) != 0 ||
            again != copy.count) {
            abort();
        }
        buffer_finish(&whole);
    }
    buffer_finish(&copy.out);
    return 0;
}
