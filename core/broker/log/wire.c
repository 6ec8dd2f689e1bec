#include "core/broker/log/wire.h"

#include <stdlib.h>
#include <string.h>

size_t wire_begin(struct buffer *out, enum wire_type type, uint32_t id)
{
    size_t begin = out->size;
    struct wire_head head = {.type = type, .id = id};
    (void)buffer_append(out, &head, sizeof(head));
    return begin;
}

void wire_end(struct buffer *out, size_t begin)
{
    if (!out->failed) {
        uint32_t size = (uint32_t)(out->size - begin - sizeof(struct wire_head));
        memcpy(out->data + begin, &size, sizeof(size));
    }
}

void wire_put_u32(struct buffer *out, uint32_t value)
{
    (void)buffer_append(out, &value, sizeof(value));
}

void wire_put_i64(struct buffer *out, int64_t value)
{
    (void)buffer_append(out, &value, sizeof(value));
}

void wire_put_text(struct buffer *out, const char *text)
{
    size_t size = strlen(text);
    wire_put_u32(out, (uint32_t)size);
    (void)buffer_append(out, text, size);
}

const char *wire_get_bytes(struct wire_reader *reader, size_t size)
{
    if (reader->failed || size > (size_t)(reader->end - reader->at)) {
        reader->failed = true;
        return NULL;
    }
    const char *bytes = reader->at;
    reader->at += size;
    return bytes;
}

uint32_t wire_get_u32(struct wire_reader *reader)
{
    uint32_t value = 0;
    const char *bytes = wire_get_bytes(reader, sizeof(value));
    if (bytes) {
        memcpy(&value, bytes, sizeof(value));
    }
    return value;
}

int64_t wire_get_i64(struct wire_reader *reader)
{
    int64_t value = 0;
    const char *bytes = wire_get_bytes(reader, sizeof(value));
    if (bytes) {
        memcpy(&value, bytes, sizeof(value));
    }
    return value;
}

void wire_get_text(struct wire_reader *reader, char *text, size_t size)
{
    uint32_t length = wire_get_u32(reader);
    const char *bytes = wire_get_bytes(reader, length);
    if (!bytes || length >= size || memchr(bytes, 0, length)) {
        reader->failed = true;
        length = 0;
    } else {
        memcpy(text, bytes, length);
    }
    text[length] = '\0';
}

char *wire_get_strdup(struct wire_reader *reader, size_t max)
{
    uint32_t length = wire_get_u32(reader);
    const char *bytes = wire_get_bytes(reader, length);
    if (!bytes || length > max || memchr(bytes, 0, length)) {
        reader->failed = true;
        return NULL;
    }
    return strndup(bytes, length);
}
