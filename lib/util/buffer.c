#include "lib/util/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buffer_init(struct buffer *buffer, size_t max)
{
    *buffer = (struct buffer){.max = max};
}

void buffer_finish(struct buffer *buffer)
{
    if (buffer) {
        free(buffer->data);
        buffer_init(buffer, buffer->max);
    }
}

void buffer_reset(struct buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
    if (buffer->data) {
        buffer->data[0] = '\0';
    }
}

int buffer_reserve(struct buffer *buffer, size_t size)
{
    if (buffer->failed) {
        return -1;
    }
    if (size > buffer->max - buffer->size) {
        buffer->failed = true;
        return -1;
    }
    size_t wanted = buffer->size + size + 1;
    if (wanted <= buffer->capacity) {
        return 0;
    }
    size_t capacity = buffer->capacity ? buffer->capacity : 64;
    while (capacity < wanted) {
        capacity += capacity / 2 + 1;
    }
    if (capacity > buffer->max + 1) {
        capacity = buffer->max + 1;
    }
    char *data = realloc(buffer->data, capacity);
    if (!data) {
        buffer->failed = true;
        return -1;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return 0;
}

int buffer_append(struct buffer *buffer, const void *data, size_t size)
{
    if (buffer_reserve(buffer, size) != 0) {
        return -1;
    }
    if (size > 0) {
        memcpy(buffer->data + buffer->size, data, size);
    }
    buffer->size += size;
    buffer->data[buffer->size] = '\0';
    return 0;
}

int buffer_append_text(struct buffer *buffer, const char *text)
{
    return buffer_append(buffer, text, strlen(text));
}

int buffer_append_char(struct buffer *buffer, char c)
{
    return buffer_append(buffer, &c, 1);
}

int buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    int result = -1;
    if (size >= 0 && buffer_reserve(buffer, (size_t)size) == 0) {
        (void)vsnprintf(buffer->data + buffer->size, (size_t)size + 1, format, again);
        buffer->size += (size_t)size;
        result = 0;
    }
    va_end(again);
    return result;
}

void buffer_consume(struct buffer *buffer, size_t size)
{
    if (size >= buffer->size) {
        buffer->size = 0;
    } else {
        memmove(buffer->data, buffer->data + size, buffer->size - size);
        buffer->size -= size;
    }
    if (buffer->data) {
        buffer->data[buffer->size] = '\0';
    }
}

char *buffer_take(struct buffer *buffer)
{
    char *data = buffer->failed ? NULL : buffer->data;
    if (!data) {
        free(buffer->data);
    }
    buffer_init(buffer, buffer->max);
    return data;
}
