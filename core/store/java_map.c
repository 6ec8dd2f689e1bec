#include "core/store/java_map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    TC_NULL = 0x70,
    TC_REFERENCE = 0x71,
    TC_CLASSDESC = 0x72,
    TC_OBJECT = 0x73,
    TC_ARRAY = 0x75,
    TC_BLOCKDATA = 0x77,
    TC_ENDBLOCKDATA = 0x78,
    BASE_HANDLE = 0x7e0000,
    MAP_HANDLES = 2, /* class and object of the map come first, then class byte[] */
};

/* Stream header, class HashMap: id 362498820763181265, written by itself, float and int field. */
static const unsigned char map_class[] = {
    0xac,      0xed,
    0x00,      0x05,
    TC_OBJECT, TC_CLASSDESC,
    0x00,      0x11,
    'j',       'a',
    'v',       'a',
    '.',       'u',
    't',       'i',
    'l',       '.',
    'H',       'a',
    's',       'h',
    'M',       'a',
    'p',       0x05,
    0x07,      0xda,
    0xc1,      0xc3,
    0x16,      0x60,
    0xd1,      0x03,
    0x00,      0x02,
    'F',       0x00,
    0x0a,      'l',
    'o',       'a',
    'd',       'F',
    'a',       'c',
    't',       'o',
    'r',       'I',
    0x00,      0x09,
    't',       'h',
    'r',       'e',
    's',       'h',
    'o',       'l',
    'd',       TC_ENDBLOCKDATA,
    TC_NULL,
};

/* Class byte[]: id -5984413125824719648, serialisable, no fields. */
static const unsigned char bytes_class[] = {
    TC_CLASSDESC,
    0x00,
    0x02,
    '[',
    'B',
    0xac,
    0xf3,
    0x17,
    0xf8,
    0x06,
    0x08,
    0x54,
    0xe0,
    0x02,
    0x00,
    0x00,
    TC_ENDBLOCKDATA,
    TC_NULL,
};

/* -- reading -- */

struct array {
    const char *data;
    uint32_t size;
};

struct reader {
    const unsigned char *begin, *at, *end;
    const char *name;
    bool class_known;
    struct array *arrays; /* by handle, for references */
    size_t count, capacity;
};

static int fail(const struct reader *reader, struct error *error, const char *what)
{
    return error_set(
        error, ERROR_SYNTAX,
        "%s, byte %zu: %s; it is not an offset file of standalone Kafka Connect. Move it "
        "away to start without offsets",
        reader->name, (size_t)(reader->at - reader->begin), what);
}

static int expect(struct reader *reader, const unsigned char *bytes, size_t size, const char *what,
                  struct error *error)
{
    if ((size_t)(reader->end - reader->at) < size || memcmp(reader->at, bytes, size) != 0) {
        return fail(reader, error, what);
    }
    reader->at += size;
    return 0;
}

static int read_u32(struct reader *reader, uint32_t *ret, struct error *error)
{
    if (reader->end - reader->at < 4) {
        return fail(reader, error, "it ends in the middle of a number");
    }
    const unsigned char *p = reader->at;
    *ret = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    reader->at += 4;
    return 0;
}

static int read_new_array(struct reader *reader, struct array *ret, struct error *error)
{
    static const unsigned char same_class[] = {TC_REFERENCE, 0x00, 0x7e, 0x00, MAP_HANDLES};
    const unsigned char *class_bytes = reader->class_known ? same_class : bytes_class;
    size_t class_size = reader->class_known ? sizeof(same_class) : sizeof(bytes_class);
    if (expect(reader, class_bytes, class_size, "an entry is no byte[]", error) != 0 ||
        read_u32(reader, &ret->size, error) != 0) {
        return -1;
    }
    reader->class_known = true;
    if (ret->size > (size_t)(reader->end - reader->at)) {
        return fail(reader, error, "it ends in the middle of an entry");
    }
    ret->data = (const char *)reader->at;
    reader->at += ret->size;
    if (reader->count == reader->capacity) {
        size_t capacity = reader->capacity ? reader->capacity * 2 : 64;
        struct array *arrays = realloc(reader->arrays, capacity * sizeof(*arrays));
        if (!arrays) {
            return error_set(error, ERROR_NO_MEMORY, "Out of memory for %s", reader->name);
        }
        reader->arrays = arrays;
        reader->capacity = capacity;
    }
    reader->arrays[reader->count++] = *ret;
    return 0;
}

/* data NULL: null. */
static int read_array(struct reader *reader, struct array *ret, struct error *error)
{
    uint32_t handle = 0;
    if (reader->at == reader->end) {
        return fail(reader, error, "it ends where an entry should be");
    }
    *ret = (struct array){0};
    switch (*reader->at) {
    case TC_NULL:
        reader->at++;
        return 0;
    case TC_ARRAY:
        reader->at++;
        return read_new_array(reader, ret, error);
    case TC_REFERENCE: /* the same object as before */
        reader->at++;
        if (read_u32(reader, &handle, error) != 0) {
            return -1;
        }
        if (handle <= BASE_HANDLE + MAP_HANDLES ||
            handle - (BASE_HANDLE + MAP_HANDLES + 1) >= reader->count) {
            return fail(reader, error, "a reference leads nowhere");
        }
        *ret = reader->arrays[handle - (BASE_HANDLE + MAP_HANDLES + 1)];
        return 0;
    default:
        return fail(reader, error, "an entry is no byte[]");
    }
}

static int read_map(struct reader *reader, java_map_entry_fn on_entry, void *user,
                    struct error *error)
{
    static const unsigned char sizes[] = {TC_BLOCKDATA, 0x08};
    static const unsigned char end[] = {TC_ENDBLOCKDATA};
    uint32_t ignored = 0, count = 0;
    if (expect(reader, map_class, sizeof(map_class), "it does not begin with a java.util.HashMap",
               error) != 0 ||
        read_u32(reader, &ignored, error) != 0 || read_u32(reader, &ignored, error) != 0 ||
        expect(reader, sizes, sizeof(sizes), "the map's size is missing", error) != 0 ||
        read_u32(reader, &ignored, error) != 0 || read_u32(reader, &count, error) != 0) {
        return -1;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct array key, value;
        if (read_array(reader, &key, error) != 0 || read_array(reader, &value, error) != 0) {
            return -1;
        }
        if (on_entry(user, key.data, key.size, value.data, value.size) != 0) {
            return 0;
        }
    }
    return expect(reader, end, sizeof(end), "the map does not end", error);
}

int java_map_read(const char *data, size_t size, const char *name, java_map_entry_fn on_entry,
                  void *user, struct error *error)
{
    const unsigned char *begin = (const unsigned char *)data;
    struct reader reader = {.begin = begin, .at = begin, .end = begin + size, .name = name};
    int result = read_map(&reader, on_entry, user, error);
    free(reader.arrays);
    return result;
}

/* -- writing -- */

static void put_u32(struct buffer *out, uint32_t value)
{
    const unsigned char bytes[] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
                                   (unsigned char)(value >> 8), (unsigned char)value};
    (void)buffer_append(out, bytes, sizeof(bytes));
}

void java_map_begin(struct buffer *out, size_t count)
{
    static const unsigned char load_factor[] = {0x3f, 0x40, 0x00, 0x00};
    static const unsigned char sizes[] = {TC_BLOCKDATA, 0x08};
    uint32_t capacity = 16; /* HashMap's table: doubled when more than three quarters are used */
    while (count > capacity / 4 * 3 && capacity < 1u << 30) {
        capacity *= 2;
    }
    (void)buffer_append(out, map_class, sizeof(map_class));
    (void)buffer_append(out, load_factor, sizeof(load_factor));
    put_u32(out, count ? capacity / 4 * 3 : 0);
    (void)buffer_append(out, sizes, sizeof(sizes));
    put_u32(out, capacity);
    put_u32(out, (uint32_t)count);
}

static void put_array(struct buffer *out, bool first, const char *data, size_t size)
{
    if (!data) {
        (void)buffer_append_char(out, TC_NULL);
        return;
    }
    (void)buffer_append_char(out, TC_ARRAY);
    if (first) {
        (void)buffer_append(out, bytes_class, sizeof(bytes_class));
    } else {
        (void)buffer_append_char(out, TC_REFERENCE);
        put_u32(out, BASE_HANDLE + MAP_HANDLES);
    }
    put_u32(out, (uint32_t)size);
    (void)buffer_append(out, data, size);
}

void java_map_add(struct buffer *out, size_t number, const char *key, size_t key_size,
                  const char *value, size_t value_size)
{
    put_array(out, number == 0 && key, key, key_size);
    put_array(out, number == 0 && !key, value, value_size);
}

void java_map_end(struct buffer *out)
{
    (void)buffer_append_char(out, TC_ENDBLOCKDATA);
}
