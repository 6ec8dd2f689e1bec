/*
 * What counts as the same; see vectors.h. JSON texts are compared as texts, numbers and escapes
 * included, after members that stem from a Java map were sorted: the order of a HashMap is no part of
 * an answer, that of a struct is.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/buffer.h"
#include "tests/suites/vectors.h"

/* -- JSON texts -- */

/* What is known about a text: what its objects are. */
struct guide {
    enum { MAPS, SCHEMA, ENVELOPE, DATA, PAIR } kind;
    json_t *schema; /* DATA: of the value; PAIR: of the map it is an entry of */
};

struct reading {
    const char *at, *end;
};

static void sort_json(struct reading *in, struct guide guide, struct buffer *out);

static void copy_string(struct reading *in, struct buffer *out)
{
    const char *begin = in->at++;
    while (in->at < in->end && *in->at != '"') {
        in->at += *in->at == '\\' ? 2 : 1;
    }
    in->at = in->at < in->end ? in->at + 1 : in->end;
    buffer_append(out, begin, (size_t)(in->at - begin));
}

static bool is_type(const json_t *schema, const char *type)
{
    const char *name = vector_text(schema, "type");
    return name && strcmp(name, type) == 0;
}

/* name: with its quotes */
static struct guide member_guide(struct guide guide, const char *name)
{
    struct guide inner = {.kind = guide.kind};
    if (guide.kind == ENVELOPE) {
        inner.kind = strcmp(name, "\"schema\"") == 0       ? SCHEMA
                     : json_is_object(guide.schema) ? DATA
                                                           : MAPS;
        inner.schema = guide.schema;
    } else if (guide.kind == SCHEMA) {
        inner.kind = strcmp(name, "\"parameters\"") == 0 || strcmp(name, "\"default\"") == 0
                         ? MAPS
                         : SCHEMA;
    } else if (guide.kind == DATA && is_type(guide.schema, "struct")) {
        size_t i;
        json_t *field, *text = json_loads(name, JSON_DECODE_ANY, NULL);
        json_array_foreach(json_object_get(guide.schema, "fields"), i, field)
        {
            if (json_equal(json_object_get(field, "field"), text)) {
                inner.schema = field;
            }
        }
        json_decref(text);
    } else if (guide.kind == DATA) {
        inner.schema = json_object_get(guide.schema, "values");
    }
    return inner;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_container(struct reading *in, struct guide guide, struct buffer *out)
{
    bool object = *in->at == '{';
    bool map = guide.kind == MAPS || (guide.kind == DATA && is_type(guide.schema, "map"));
    bool sorted = map && (object || guide.kind == DATA);
    char **parts = NULL;
    size_t count = 0;
    in->at++;
    while (in->at < in->end && *in->at != '}' && *in->at != ']') {
        struct buffer part;
        struct guide inner = guide;
        buffer_init(&part, (size_t)64 << 20);
        if (*in->at == ',') {
            in->at++;
        }
        if (object) {
            copy_string(in, &part);
            buffer_append_char(&part, '\0');
            inner = member_guide(guide, part.data);
            part.size--;
            buffer_append_char(&part, ':');
            in->at += in->at < in->end;
        } else if (guide.kind == PAIR) {
            inner = (struct guide){DATA, json_object_get(guide.schema, count ? "values" : "keys")};
        } else if (guide.kind == DATA) {
            inner = map ? (struct guide){PAIR, guide.schema}
                        : (struct guide){DATA, json_object_get(guide.schema, "items")};
        }
        sort_json(in, inner, &part);
        buffer_append_char(&part, '\0');
        parts = realloc(parts, (count + 1) * sizeof(*parts));
        parts[count++] = part.data;
    }
    in->at += in->at < in->end;
    if (sorted && count > 1) {
        qsort(parts, count, sizeof(*parts), by_text);
    }
    buffer_append_char(out, object ? '{' : '[');
    for (size_t i = 0; i < count; i++) {
        buffer_append_text(out, i ? "," : "");
        buffer_append_text(out, parts[i]);
        free(parts[i]);
    }
    buffer_append_char(out, object ? '}' : ']');
    free(parts);
}

/* Without blanks outside of strings, as JsonConverter writes. */
static void sort_json(struct reading *in, struct guide guide, struct buffer *out)
{
    if (in->at < in->end && (*in->at == '{' || *in->at == '[')) {
        sort_container(in, guide, out);
    } else if (in->at < in->end && *in->at == '"') {
        copy_string(in, out);
    } else {
        const char *begin = in->at;
        while (in->at < in->end && !strchr(",]}", *in->at)) {
            in->at++;
        }
        buffer_append(out, begin, (size_t)(in->at - begin));
        in->at += in->at == begin && in->at < in->end; /* no JSON: nothing is left out */
    }
}

static void sorted_text(struct sluice_span text, struct guide guide, struct buffer *out)
{
    struct reading in = {text.data, text.data + text.size};
    buffer_init(out, (size_t)64 << 20);
    while (in.at < in.end) {
        sort_json(&in, guide, out);
    }
}

static bool differs(struct vector_case *run, const char *what, struct sluice_span expected,
                    struct sluice_span got)
{
    enum { MOST = 3000 };
    expected = expected.data ? expected : (struct sluice_span){"null", 4};
    got = got.data ? got : (struct sluice_span){"null", 4};
    vector_wrong(run, "%s: expected %.*s, got %.*s", what,
                 (int)(expected.size > MOST ? MOST : expected.size), expected.data,
                 (int)(got.size > MOST ? MOST : got.size), got.data);
    return false;
}

static bool same_guided(struct vector_case *run, const char *what, struct sluice_span expected,
                        struct sluice_span got, struct guide guide)
{
    if (!expected.data || !got.data) {
        return expected.data == got.data || differs(run, what, expected, got);
    }
    if (expected.size == got.size && memcmp(expected.data, got.data, got.size) == 0) {
        return true;
    }
    struct buffer a, b;
    sorted_text(expected, guide, &a);
    sorted_text(got, guide, &b);
    bool same = a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
    buffer_finish(&a);
    buffer_finish(&b);
    return same || differs(run, what, expected, got);
}

bool vector_same_json(struct vector_case *run, const char *what, bool envelope,
                      struct sluice_span expected, struct sluice_span got)
{
    static const char begin[] = "{\"schema\":";
    struct guide guide = {.kind = MAPS};
    json_t *tree = NULL;
    if (envelope && expected.data && expected.size > sizeof(begin) &&
        memcmp(expected.data, begin, sizeof(begin) - 1) == 0) {
        struct sluice_value *value = NULL;
        struct sluice_json_error error = {.size = sizeof(error)};
        if (data_api.from_json(run->batch, expected.data, expected.size, SLUICE_JSON_CONNECT,
                               &value, &error) == SLUICE_OK) {
            tree = vector_json(value);
            guide = (struct guide){ENVELOPE, json_object_get(tree, "schema")};
        }
    }
    bool same = same_guided(run, what, expected, got, guide);
    json_decref(tree);
    return same;
}

/* Schemas are recorded as JsonNode prints them, where JsonConverter escapes what is not in the BMP. */
static struct sluice_span without_pairs(struct vector_case *run, struct sluice_span text)
{
    char *out = arena_alloc(batch_arena(run->batch), text.size + 1);
    size_t size = 0;
    for (size_t i = 0; i < text.size;) {
        unsigned high, low;
        char escapes[13] = "";
        memcpy(escapes, text.data + i, text.size - i < 12 ? text.size - i : 12);
        if (sscanf(escapes, "\\uD%3x\\uD%3x", &high, &low) == 2 && high < 0xC00 && low >= 0xC00) {
            unsigned point = 0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF);
            out[size++] = (char)(0xF0 | point >> 18);
            out[size++] = (char)(0x80 | (point >> 12 & 0x3F));
            out[size++] = (char)(0x80 | (point >> 6 & 0x3F));
            out[size++] = (char)(0x80 | (point & 0x3F));
            i += 12;
        } else if (sscanf(escapes, "\\uD%3x", &high) == 1 && high >= 0x800) { /* half of a pair */
            out[size++] = (char)0xED;
            out[size++] = (char)(0x80 | (high >> 6 & 0x3F));
            out[size++] = (char)(0x80 | (high & 0x3F));
            i += 6;
        } else {
            out[size++] = text.data[i++];
        }
    }
    return (struct sluice_span){out, size};
}

/* JsonConverter writes schemas only with values: an empty array of it shows the one asked for. */
bool vector_same_schema(struct vector_case *run, const char *what, const json_t *expected,
                        const struct sluice_schema *schema)
{
    static const char before[] = "{\"schema\":{\"type\":\"array\",\"items\":";
    static const char after[] = ",\"optional\":false},\"payload\":[]}";
    struct sluice_span text = {NULL, 0};
    if (schema) {
        struct sluice_schema_spec spec = {
            .size = sizeof(spec), .type = SLUICE_ARRAY, .value_schema = schema};
        char message[200];
        struct plugin_failure failure;
        const struct sluice_schema *list = data_api.schema_new(&spec, message, sizeof(message));
        bool written = list && vector_write(run, true, SLUICE_CONVERT_VALUE, "topic", NULL, list,
                                            data_api.new_array(run->batch, 0), &text, &failure);
        data_api.schema_release(list);
        if (!written || text.size < sizeof(before) + sizeof(after)) {
            vector_wrong(run, "%s: cannot be written", what);
            return false;
        }
        text.data += sizeof(before) - 1;
        text.size -= sizeof(before) + sizeof(after) - 2;
        text = without_pairs(run, text);
    }
    return same_guided(run, what, vector_span(expected), text, (struct guide){.kind = SCHEMA});
}

/* -- typed values -- */

static json_t *typed(struct sluice_batch *batch, const struct sluice_value *value)
{
    static const char *const names[] = {
        [SLUICE_INT8] = "int8",       [SLUICE_INT16] = "int16",     [SLUICE_INT32] = "int32",
        [SLUICE_INT64] = "int64",     [SLUICE_FLOAT32] = "float32", [SLUICE_FLOAT64] = "float64",
        [SLUICE_DECIMAL] = "decimal", [SLUICE_DATE] = "date"};
    enum sluice_type type = data_api.type(value);
    struct sluice_span text;
    json_t *list;
    switch (type) {
    case SLUICE_NULL:
        return json_null();
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32:
    case SLUICE_INT64:
    case SLUICE_DATE:
        return json_pack("{sI}", names[type], (json_int_t)data_api.integer(value));
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64:
    case SLUICE_DECIMAL:
        text = data_api.to_text(batch, value);
        return json_pack("{ss%}", names[type], text.data, text.size);
    case SLUICE_BOOLEAN:
        return json_pack("{sb}", "boolean", data_api.boolean(value));
    case SLUICE_STRING:
        text = data_api.text(value);
        return json_pack("{so}", "string", json_stringn_nocheck(text.data, text.size));
    case SLUICE_BYTES:
        text = data_api.to_json(batch, value); /* base64 in quotes */
        return json_pack("{ss%}", "bytes", text.data + 1, text.size - 2);
    case SLUICE_ARRAY:
        list = json_array();
        for (size_t i = 0; i < data_api.count(value); i++) {
            json_array_append_new(list, typed(batch, data_api.at(value, i)));
        }
        return json_pack("{so}", "array", list);
    default:
        list = json_array();
        for (size_t i = 0; i < data_api.count(value); i++) {
            const struct sluice_value *key = data_api.key_at(value, i);
            text = data_api.text(key);
            json_array_append_new(list,
                                  json_pack("[oo]",
                                            type == SLUICE_MAP
                                                ? typed(batch, key)
                                                : json_stringn_nocheck(text.data, text.size),
                                            typed(batch, data_api.at(value, i))));
        }
        return json_pack("{so}", type == SLUICE_MAP ? "map" : "struct", list);
    }
}

static bool same_trees(json_t *expected, json_t *got);

/* The pairs of a map come in any order. */
static bool same_maps(json_t *expected, json_t *got)
{
    size_t count = json_array_size(expected);
    if (count != json_array_size(got)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        for (size_t k = 0; !found && k < count; k++) {
            found = same_trees(json_array_get(expected, i), json_array_get(got, k));
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

static bool same_trees(json_t *expected, json_t *got)
{
    json_t *a = json_object_get(expected, "map"), *b = json_object_get(got, "map");
    if (a && b) {
        return same_maps(a, b);
    }
    if (json_is_array(expected) && json_array_size(expected) == json_array_size(got)) {
        for (size_t i = 0; i < json_array_size(expected); i++) {
            if (!same_trees(json_array_get(expected, i), json_array_get(got, i))) {
                return false;
            }
        }
        return true;
    }
    if (json_is_object(expected) && json_is_object(got)) {
        const char *name = json_object_iter_key(json_object_iter(expected));
        json_t *inner = json_object_get(got, name);
        return inner && same_trees(json_object_get(expected, name), inner);
    }
    return json_equal(expected, got) == 1;
}

static bool depth_is(const struct sluice_value *value, json_int_t depth)
{
    while (data_api.type(value) == SLUICE_ARRAY && depth > 0) {
        depth--;
        value = data_api.count(value) > 0 ? data_api.at(value, 0) : NULL;
    }
    return depth == 0;
}

bool vector_same_typed(struct vector_case *run, const char *what, json_t *expected,
                       const struct sluice_value *value)
{
    json_t *deep = json_object_get(expected, "nested_arrays");
    if (deep) {
        return depth_is(value, json_integer_value(deep)) ||
               (vector_wrong(run, "%s: of another depth", what), false);
    }
    json_t *got = typed(run->batch, value);
    bool same = same_trees(expected, got);
    if (!same) {
        char *a = json_dumps(expected, JSON_ENCODE_ANY | JSON_COMPACT);
        char *b = json_dumps(got, JSON_ENCODE_ANY | JSON_COMPACT);
        vector_wrong(run, "%s: expected %.3000s, got %.3000s", what, a ? a : "?", b ? b : "?");
        free(a);
        free(b);
    }
    json_decref(got);
    return same;
}

/* -- errors and printed texts -- */

static void without_hashes(struct sluice_span text, struct buffer *out)
{
    buffer_init(out, (size_t)64 << 20);
    for (size_t i = 0; i < text.size; i++) {
        buffer_append_char(out, text.data[i]);
        /* [B@1a2b3c, Insertion$Spec@HASH */
        bool hash = text.data[i] == '@' && i > 1 &&
                    (memcmp(text.data + i - 2, "[B", 2) == 0 ||
                     (i > 3 && memcmp(text.data + i - 4, "Spec", 4) == 0));
        while (hash && i + 1 < text.size &&
               (isxdigit((unsigned char)text.data[i + 1]) || strchr("HASH", text.data[i + 1]))) {
            i++;
        }
    }
}

static int by_byte(const void *a, const void *b)
{
    return *(const unsigned char *)a - *(const unsigned char *)b;
}

bool vector_same_printed(struct sluice_span expected, struct sluice_span got)
{
    struct buffer a, b;
    without_hashes(expected, &a);
    without_hashes(got, &b);
    bool same = a.size == b.size;
    if (same && a.size > 0 && memcmp(a.data, b.data, a.size) != 0) {
        /* {b=1, a=2} for {a=2, b=1} */
        same = memchr(a.data, '{', a.size) && memchr(a.data, ',', a.size);
        qsort(a.data, a.size, 1, by_byte);
        qsort(b.data, b.size, 1, by_byte);
        same = same && memcmp(a.data, b.data, a.size) == 0;
    }
    buffer_finish(&a);
    buffer_finish(&b);
    return same;
}

bool vector_same_failure(struct vector_case *run, const json_t *expected, const char *stage,
                         const struct error *error)
{
    const char *got_class = error->java_class ? error->java_class : SLUICE_CONNECT_EXCEPTION;
    const char *got_text = error->message ? error->message : "";
    if (!json_is_object(expected)) {
        vector_wrong(run, "failed in %s: %s: %s", stage, got_class, got_text);
        return false;
    }
    const char *class_name = vector_text(expected, "class"), *text = vector_text(expected, "message");
    const char *in = vector_text(expected, "stage");
    class_name = class_name ? class_name : "";
    bool java = strncmp(class_name, "java.lang.", 10) == 0;
    struct sluice_span a = {text ? text : "", strlen(text ? text : "")};
    struct sluice_span b = {got_text, strlen(got_text)};
    if ((in && strcmp(in, stage) != 0) || strcmp(class_name, got_class) != 0 ||
        (!java && text && !vector_same_printed(a, b))) {
        vector_wrong(run, "expected %s %s: %s, got %s %s: %s", in ? in : stage, class_name,
                     text ? text : "null", stage, got_class, got_text);
        return false;
    }
    return true;
}
