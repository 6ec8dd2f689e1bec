/* Charsets by iconv (charset.h). Each converter has its own. */
#include "plugins/converters/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/util/utf8.h"
#include "plugins/converters/charset_names.h"

#define REPLACEMENT "\xEF\xBF\xBD"
#define NONE ((iconv_t)-1)

struct charset {
    iconv_t decoder, encoder;
    iconv_t little_decoder; /* UTF-16 and UTF-32 behind a byte order mark that says so; else NONE */
    size_t unit;            /* bytes that are skipped where they cannot be read: 1, 2 or 4 */
    bool marked;            /* a mark in front decides the byte order */
    bool little; /* units begin with the lower byte */
    bool writes_mark;
};

static bool is_legal_name(const char *name)
{
    for (const char *p = name; *p; p++) {
        bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9');
        if (!letter && (p == name || !strchr("-+.:_", *p))) {
            return false;
        }
    }
    return *name != '\0';
}

struct charset *charset_create(const char *name, bool *ret_utf8, bool *ret_illegal)
{
    *ret_illegal = !is_legal_name(name);
    *ret_utf8 = false;
    name = *ret_illegal ? NULL : charset_iconv_name(name);
    if (!name) {
        return NULL;
    }
    *ret_utf8 = strcmp(name, "UTF-8") == 0;
    if (*ret_utf8) {
        return NULL;
    }
    struct charset *charset = calloc(1, sizeof(*charset));
    if (!charset) {
        return NULL;
    }
    charset->unit = strncasecmp(name, "UTF-16", 6) == 0   ? 2
                    : strncasecmp(name, "UTF-32", 6) == 0 ? 4
                                                          : 1;
    charset->marked = charset->unit > 1 && strlen(name) == 6;
    charset->little = charset->unit > 1 && strlen(name) >= 8 && strcasecmp(name + strlen(name) - 2, "LE") == 0;
    charset->writes_mark = charset->marked && charset->unit == 2;
    const char *big = charset->unit == 2 ? "UTF-16BE" : "UTF-32BE";
    const char *little = charset->unit == 2 ? "UTF-16LE" : "UTF-32LE";
    const char *use = charset->marked ? big : name;
    charset->decoder = iconv_open("UTF-8", use);
    charset->encoder = iconv_open(use, "UTF-8");
    charset->little_decoder = charset->marked ? iconv_open("UTF-8", little) : NONE;
    if (charset->decoder == NONE || charset->encoder == NONE ||
        (charset->marked && charset->little_decoder == NONE)) {
        charset_destroy(charset);
        return NULL;
    }
    return charset;
}

static void close_one(iconv_t descriptor)
{
    if (descriptor != NONE) {
        (void)iconv_close(descriptor);
    }
}

void charset_destroy(struct charset *charset)
{
    if (charset) {
        close_one(charset->decoder);
        close_one(charset->encoder);
        close_one(charset->little_decoder);
        free(charset);
    }
}

struct output {
    const struct converter *converter;
    struct sluice_batch *batch;
    char *data;
    size_t size, room;
};

static void make_room(struct output *out, size_t more)
{
    if (out->room - out->size < more) {
        size_t room = (out->room + more) * 2;
        char *data = out->converter->records->alloc(out->batch, room);
        if (out->size > 0) {
            memcpy(data, out->data, out->size);
        }
        out->data = data;
        out->room = room;
    }
}

/** iconv() that grows the output; in NULL: back to the initial state. Gives errno, 0 where all went. */
static int convert(struct output *out, iconv_t descriptor, const char **in, size_t *left)
{
    for (;;) {
        make_room(out, 16);
        char *to = out->data + out->size;
        size_t room = out->room - out->size;
        size_t result = iconv(descriptor, (char **)(void *)in, left, &to, &room);
        out->size = out->room - room;
        if (result != (size_t)-1) {
            return 0;
        }
        if (errno != E2BIG) {
            return errno;
        }
        make_room(out, (left ? *left : 0) + 64);
    }
}

/* How many bytes one U+FFFD stands for: of UTF-16, half a pair takes the unit behind it along. */
static size_t bad_size(size_t unit, bool little, const char *in, size_t left)
{
    bool high = unit == 2 && left > 2 && ((unsigned char)in[little] & 0xFC) == 0xD8;
    size_t size = high ? 4 : unit;
    return left < size ? left : size;
}

struct sluice_span charset_decode(struct charset *charset, const struct converter *converter,
                                  struct sluice_batch *batch, struct sluice_span bytes)
{
    struct output out = {.converter = converter, .batch = batch};
    make_room(&out, bytes.size + 16);
    iconv_t descriptor = charset->decoder;
    const char *in = bytes.data;
    size_t left = bytes.size;
    if (charset->marked && left >= charset->unit) {
        static const char marks[2][2][4] = {{"\xFE\xFF", "\xFF\xFE"},
                                            {{0, 0, '\xFE', '\xFF'}, {'\xFF', '\xFE', 0, 0}}};
        for (int little = 0; little < 2; little++) {
            if (memcmp(in, marks[charset->unit / 4][little], charset->unit) == 0) {
                descriptor = little ? charset->little_decoder : charset->decoder;
                in += charset->unit;
                left -= charset->unit;
                break;
            }
        }
    }
    bool little = charset->little || (charset->marked && descriptor == charset->little_decoder);
    (void)iconv(descriptor, NULL, NULL, NULL, NULL);
    while (left > 0 && convert(&out, descriptor, &in, &left) != 0) {
        make_room(&out, 3);
        memcpy(out.data + out.size, REPLACEMENT, 3);
        out.size += 3;
        size_t skipped = bad_size(charset->unit, little, in, left);
        in += skipped;
        left -= skipped;
    }
    return (struct sluice_span){out.data, out.size};
}

struct sluice_span charset_encode(struct charset *charset, const struct converter *converter,
                                  struct sluice_batch *batch, struct sluice_span text)
{
    struct output out = {.converter = converter, .batch = batch};
    make_room(&out, text.size * charset->unit + 16);
    const char *in = text.data;
    size_t left = text.size;
    if (charset->writes_mark && left > 0) {
        memcpy(out.data, "\xFE\xFF", 2);
        out.size = 2;
    }
    (void)iconv(charset->encoder, NULL, NULL, NULL, NULL);
    while (left > 0 && convert(&out, charset->encoder, &in, &left) != 0) {
        const char *next = in;
        (void)utf8_decode_lossy(&next, in + left);
        left -= (size_t)(next - in);
        in = next;
        const char *mark = charset->unit > 1 ? REPLACEMENT : "?";
        size_t size = strlen(mark);
        (void)convert(&out, charset->encoder, &mark, &size);
    }
    (void)convert(&out, charset->encoder, NULL, NULL); /* back to the initial shift state */
    return (struct sluice_span){out.data, out.size};
}

/** Where the bytes stop being UTF-8; end where they never do. */
static const char *utf8_valid_until(const char *p, const char *end)
{
    while (p < end) {
        uint64_t eight;
        while ((size_t)(end - p) >= sizeof(eight)) {
            memcpy(&eight, p, sizeof(eight));
            if (eight & UINT64_C(0x8080808080808080)) {
                break;
            }
            p += sizeof(eight);
        }
        if (p == end) {
            break;
        }
        const char *next = p;
        uint32_t code = utf8_decode_lossy(&next, end);
        if (code == 0xFFFD && (next - p != 3 || memcmp(p, REPLACEMENT, 3) != 0)) {
            return p;
        }
        p = next;
    }
    return p;
}

struct sluice_span utf8_repaired(const struct converter *converter, struct sluice_batch *batch,
                                 struct sluice_span bytes)
{
    const char *end = bytes.data + bytes.size;
    const char *bad = utf8_valid_until(bytes.data, end);
    if (bad == end) {
        return bytes;
    }
    size_t good = (size_t)(bad - bytes.data);
    char *text = converter->records->alloc(batch, good + (bytes.size - good) * 3);
    memcpy(text, bytes.data, good);
    size_t size = good;
    while (bad < end) {
        size += utf8_encode(text + size, utf8_decode_lossy(&bad, end));
    }
    return (struct sluice_span){text, size};
}

struct sluice_span utf8_written(const struct converter *converter, struct sluice_batch *batch,
                                struct sluice_span text)
{
    const char *end = text.data + text.size;
    const char *bad = utf8_valid_until(text.data, end);
    if (bad == end) {
        return text;
    }
    struct sluice_span copy = converter_copy(converter, batch, text.data, text.size);
    char *to = (char *)copy.data + (bad - text.data);
    while (bad < end) {
        size_t left = (size_t)(end - bad);
        bool half = left >= 3 && (unsigned char)bad[0] == 0xED && (unsigned char)bad[1] >= 0xA0;
        *to++ = half ? '?' : *bad;
        bad += half ? 3 : 1;
    }
    copy.size = (size_t)(to - copy.data);
    return copy;
}
