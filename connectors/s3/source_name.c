/* Names of the objects that the sink wrote; see source_name.h. */
#include "connectors/s3/source_name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *extension_of(const struct source_settings *settings, enum format_kind kind)
{
    return kind == FORMAT_JSON ? ".json" : kind == FORMAT_STRING ? ".txt" : settings->bytes_extension;
}

static bool has_extension(const char *text, const char *extension)
{
    size_t size = strlen(extension);
    return strncmp(text, extension, size) == 0 &&
           (text[size] == '\0' || strcmp(text + size, ".gz") == 0 || strcmp(text + size, ".zst") == 0);
}

static bool kind_of(const struct source_settings *settings, struct name_parts *parts)
{
    const char *end = parts->extension;
    if (strncmp(end, ".keys", 5) == 0 &&
        has_extension(end + 5, extension_of(settings, settings->key_format))) {
        parts->kind = OBJECT_KEYS;
        return settings->keys;
    }
    if (strncmp(end, ".headers", 8) == 0 && has_extension(end + 8, ".json")) {
        parts->kind = OBJECT_HEADERS;
        return settings->headers;
    }
    parts->kind = OBJECT_VALUES;
    return has_extension(end, extension_of(settings, settings->format));
}

const char *source_find_last(const char *text, size_t size, const char *what)
{
    size_t length = strlen(what);
    for (size_t i = size; i >= length && length > 0; i--) {
        if (memcmp(text + i - length, what, length) == 0) {
            return text + i - length;
        }
    }
    return NULL;
}

bool source_name_parse(const struct source_settings *settings, const char *key, size_t prefix,
                       struct name_parts *parts)
{
    const char *delim = settings->directory_delim, *file_delim = settings->file_delim;
    const char *rest = key + prefix;
    size_t delim_size = strlen(delim), file_size = strlen(file_delim), size = strlen(rest);
    const char *second = source_find_last(rest, size, file_delim);
    const char *first = second ? source_find_last(rest, (size_t)(second - rest), file_delim) : NULL;
    if (!first) {
        return false;
    }
    const char *partition = first + file_size, *offset = second + file_size;
    char *end = NULL;
    errno = 0;
    long number = strtol(partition, &end, 10);
    if (end != second || number < 0 || number > INT32_MAX || errno != 0) {
        return false;
    }
    size_t digits = strspn(offset, "0123456789");
    parts->partition = (int32_t)number;
    parts->offset = strtoll(offset, &end, 10);
    if (digits == 0 || errno != 0) {
        return false;
    }
    parts->extension = offset + digits;
    parts->base_size = (size_t)(parts->extension - key);
    size_t whole = (size_t)(first - rest); /* TOPIC DELIM FOLDERS DELIM TOPIC */
    for (size_t length = whole / 2; length > 0; length--) {
        const char *again = first - length;
        if (whole >= 2 * (length + delim_size) && memcmp(rest, again, length) == 0 &&
            memcmp(rest + length, delim, delim_size) == 0 &&
            memcmp(again - delim_size, delim, delim_size) == 0) {
            parts->topic = rest;
            parts->topic_size = length;
            parts->folder = key;
            parts->folder_size = (size_t)(again - delim_size - key);
            parts->name = again;
            return kind_of(settings, parts);
        }
    }
    return false;
}
