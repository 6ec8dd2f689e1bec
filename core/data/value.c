/* Reading, making and editing values. [one thread per batch at a time] */
#include "core/data/value.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/batch.h"
#include "core/data/value_api.h"

struct sluice_value *value_new(struct arena *arena, enum sluice_type type)
{
    struct sluice_value *value = arena_alloc(arena, sizeof(*value));
    *value = (struct sluice_value){.type = (uint8_t)type};
    return value;
}

static struct sluice_value *thaw(const struct sluice_value *value)
{
    return (struct sluice_value *)value; /* arena memory is ours; const is for plugins */
}

static bool is_container(enum sluice_type type)
{
    return type == SLUICE_ARRAY || type == SLUICE_MAP || type == SLUICE_STRUCT;
}

/* -- reading -- */

enum sluice_type value_type(const struct sluice_value *value)
{
    return value ? (enum sluice_type)value->type : SLUICE_NULL;
}

bool value_boolean(const struct sluice_value *value)
{
    return value && value->type == SLUICE_BOOLEAN && value->integer != 0;
}

int64_t value_integer(const struct sluice_value *value)
{
    switch (value_type(value)) {
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32:
    case SLUICE_INT64:
    case SLUICE_DATE:
        return value->integer;
    default:
        return 0;
    }
}

double value_real(const struct sluice_value *value)
{
    switch (value_type(value)) {
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64:
        if (value->flags & VALUE_LAZY) {
            char text[1100]; /* the scanner lets no longer number through */
            size_t size = value->json_size < sizeof(text) - 1 ? value->json_size : sizeof(text) - 1;
            memcpy(text, value->json, size);
            text[size] = '\0';
            thaw(value)->real = strtod(text, NULL);
            thaw(value)->flags &= (uint8_t)~VALUE_LAZY;
        }
        return value->real;
    default:
        return (double)value_integer(value);
    }
}

struct sluice_span value_text(const struct sluice_value *value)
{
    if (value_type(value) != SLUICE_STRING && value_type(value) != SLUICE_BYTES) {
        return (struct sluice_span){NULL, 0};
    }
    if (value->flags & VALUE_LAZY) {
        struct sluice_span text =
            json_unquote(batch_arena(value->batch), value->json, value->json_size);
        thaw(value)->text.data = text.data;
        thaw(value)->text.size = text.size;
        thaw(value)->flags &= (uint8_t)~VALUE_LAZY;
    }
    return (struct sluice_span){value->text.data, value->text.size};
}

struct sluice_span value_decimal(const struct sluice_value *value, int32_t *ret_scale)
{
    if (value_type(value) != SLUICE_DECIMAL) {
        *ret_scale = 0;
        return (struct sluice_span){NULL, 0};
    }
    *ret_scale = value->decimal.scale;
    return (struct sluice_span){value->decimal.data, value->decimal.size};
}

size_t value_count(const struct sluice_value *value)
{
    return is_container(value_type(value)) ? value_members(value)->count : 0;
}

static const struct sluice_value null_value = {.type = SLUICE_NULL, .json = "null", .json_size = 4};

const struct sluice_value *value_at(const struct sluice_value *value, size_t i)
{
    const struct member *member = &value_members(value)->list[i];
    return member->value ? member->value : &null_value;
}

const struct sluice_value *value_key_at(const struct sluice_value *value, size_t i)
{
    struct members *members = value_members(value);
    struct member *member = &members->list[i];
    if (value->type == SLUICE_STRUCT) {
        return schema_field_key(members->schema, i);
    }
    if (!member->key_value && member->key_json) {
        member->key_value = value_new_string_view(members->batch, member->key, member->key_size);
    }
    return member->key_value ? member->key_value : &null_value;
}

const struct sluice_value *value_find(const struct sluice_value *value, const struct sluice_name *name)
{
    if (value_type(value) == SLUICE_STRUCT) {
        ptrdiff_t i = data_api.schema_find(value->members->schema, name);
        return i < 0 ? NULL : value_at(value, (size_t)i);
    }
    if (value_type(value) != SLUICE_MAP) {
        return NULL;
    }
    const struct members *members = value_members(value);
    for (size_t i = 0; i < members->count; i++) {
        const struct member *member = &members->list[i];
        if (member->key_json && member->key_size == name->size &&
            (member->key == name->text || memcmp(member->key, name->text, name->size) == 0)) {
            return member->value ? member->value : &null_value;
        }
    }
    return NULL;
}

const struct sluice_schema *value_struct_schema(const struct sluice_value *value)
{
    return value_type(value) == SLUICE_STRUCT ? value->members->schema : NULL;
}

static bool equal_members(const struct sluice_value *a, const struct sluice_value *b)
{
    size_t count = value_count(a);
    if (count != value_count(b)) {
        return false;
    }
    if (a->type == SLUICE_STRUCT &&
        !data_api.schema_equal(value_struct_schema(a), value_struct_schema(b))) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (a->type != SLUICE_MAP) {
            if (!value_equal(value_at(a, i), value_at(b, i))) {
                return false;
            }
            continue;
        }
        size_t j = 0; /* maps have no order */
        while (j < count && !value_equal(value_key_at(a, i), value_key_at(b, j))) {
            j++;
        }
        if (j == count || !value_equal(value_at(a, i), value_at(b, j))) {
            return false;
        }
    }
    return true;
}

bool value_equal(const struct sluice_value *a, const struct sluice_value *b)
{
    enum sluice_type type = value_type(a);
    if (type != value_type(b)) {
        return false;
    }
    struct sluice_span x, y;
    switch (type) {
    case SLUICE_NULL:
        return true;
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64: {
        double p = value_real(a), q = value_real(b);
        return memcmp(&p, &q, sizeof(p)) == 0 || (p != p && q != q); /* as Double.equals */
    }
    case SLUICE_STRING:
    case SLUICE_BYTES:
        x = value_text(a);
        y = value_text(b);
        return x.size == y.size && (x.size == 0 || memcmp(x.data, y.data, x.size) == 0);
    case SLUICE_DECIMAL:
        return a->decimal.scale == b->decimal.scale && a->decimal.size == b->decimal.size &&
               memcmp(a->decimal.data, b->decimal.data, a->decimal.size) == 0;
    case SLUICE_ARRAY:
    case SLUICE_MAP:
    case SLUICE_STRUCT:
        return a == b || equal_members(a, b);
    default:
        return a->integer == b->integer;
    }
}

/* -- names -- */

static pthread_mutex_t names_lock = PTHREAD_MUTEX_INITIALIZER;
static struct arena names_arena; /* never freed: names come from configurations and schemas */
static const struct sluice_name **names;
static size_t names_count, names_room;

static size_t name_hash(const char *text, size_t size)
{
    size_t hash = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    }
    return hash;
}

static void names_grow(void)
{
    size_t room = names_room ? names_room * 2 : 256;
    const struct sluice_name **grown = calloc(room, sizeof(*grown));
    if (!grown) {
        abort();
    }
    for (size_t i = 0; i < names_room; i++) {
        if (names[i]) {
            size_t at = name_hash(names[i]->text, names[i]->size) & (room - 1);
            while (grown[at]) {
                at = (at + 1) & (room - 1);
            }
            grown[at] = names[i];
        }
    }
    free(names);
    names = grown;
    names_room = room;
}

const struct sluice_name *value_intern(const char *text, size_t size)
{
    pthread_mutex_lock(&names_lock);
    if (names_count * 2 >= names_room) {
        names_grow();
    }
    size_t at = name_hash(text, size) & (names_room - 1);
    while (names[at] && (names[at]->size != size || memcmp(names[at]->text, text, size) != 0)) {
        at = (at + 1) & (names_room - 1);
    }
    if (!names[at]) {
        struct sluice_name *name = arena_alloc(&names_arena, sizeof(*name));
        char *copy = arena_alloc(&names_arena, size + 1);
        memcpy(copy, text, size);
        copy[size] = '\0';
        struct sluice_span json = json_quote(&names_arena, text, size);
        *name = (struct sluice_name){copy, json.data, (uint32_t)size, (uint32_t)json.size};
        names[at] = name;
        names_count++;
    }
    const struct sluice_name *found = names[at];
    pthread_mutex_unlock(&names_lock);
    return found;
}

struct sluice_span value_name_text(const struct sluice_name *name)
{
    return (struct sluice_span){name->text, name->size};
}

/* -- making -- */

struct sluice_value *value_new_null(struct sluice_batch *batch)
{
    struct sluice_value *value = value_new(batch_arena(batch), SLUICE_NULL);
    *value = null_value;
    return value;
}

struct sluice_value *value_new_boolean(struct sluice_batch *batch, bool truth)
{
    struct sluice_value *value = value_new(batch_arena(batch), SLUICE_BOOLEAN);
    value->integer = truth;
    value->json = truth ? "true" : "false";
    value->json_size = truth ? 4 : 5;
    return value;
}

struct sluice_value *value_new_integer(struct sluice_batch *batch, enum sluice_type type, int64_t number)
{
    struct sluice_value *value = value_new(batch_arena(batch), type);
    value->integer = type == SLUICE_INT8    ? (int8_t)number
                     : type == SLUICE_INT16 ? (int16_t)number
                     : type == SLUICE_INT32 ? (int32_t)number
                                            : number;
    return value;
}

struct sluice_value *value_new_real(struct sluice_batch *batch, enum sluice_type type, double number)
{
    struct sluice_value *value = value_new(batch_arena(batch), type);
    value->real = type == SLUICE_FLOAT32 ? (double)(float)number : number;
    return value;
}

static struct sluice_value *new_text(struct sluice_batch *batch, enum sluice_type type, const void *data,
                                     size_t size, bool copy)
{
    struct arena *arena = batch_arena(batch);
    struct sluice_value *value = value_new(arena, type);
    value->text.data = size == 0 ? "" : copy ? arena_copy(arena, data, size) : data;
    value->text.size = size;
    return value;
}

struct sluice_value *value_new_string(struct sluice_batch *batch, const char *data, size_t size)
{
    return new_text(batch, SLUICE_STRING, data, size, true);
}

struct sluice_value *value_new_bytes(struct sluice_batch *batch, const void *data, size_t size)
{
    return new_text(batch, SLUICE_BYTES, data, size, true);
}

struct sluice_value *value_new_string_view(struct sluice_batch *batch, const char *data, size_t size)
{
    return new_text(batch, SLUICE_STRING, data, size, false);
}

struct sluice_value *value_new_bytes_view(struct sluice_batch *batch, const void *data, size_t size)
{
    return new_text(batch, SLUICE_BYTES, data, size, false);
}

struct sluice_value *value_new_decimal(struct sluice_batch *batch, const void *unscaled, size_t size,
                                       int32_t scale)
{
    struct arena *arena = batch_arena(batch);
    struct sluice_value *value = value_new(arena, SLUICE_DECIMAL);
    value->decimal.data = size == 0 ? "" : arena_copy(arena, unscaled, size); /* "" ends in a zero byte */
    value->decimal.size = size == 0 ? 1 : (uint32_t)size;
    value->decimal.scale = scale;
    return value;
}

struct sluice_value *value_new_date(struct sluice_batch *batch, int64_t milliseconds)
{
    struct sluice_value *value = value_new(batch_arena(batch), SLUICE_DATE);
    value->integer = milliseconds;
    return value;
}

static struct sluice_value *new_container(struct sluice_batch *batch, enum sluice_type type,
                                          size_t reserve)
{
    struct arena *arena = batch_arena(batch);
    struct sluice_value *value = value_new(arena, type);
    struct members *members = arena_alloc(arena, sizeof(*members));
    *members = (struct members){.capacity = reserve, .batch = batch};
    members->list = reserve ? arena_alloc(arena, reserve * sizeof(*members->list)) : NULL;
    value->members = members;
    value->flags = VALUE_WRITABLE;
    return value;
}

struct sluice_value *value_new_array(struct sluice_batch *batch, size_t reserve)
{
    return new_container(batch, SLUICE_ARRAY, reserve);
}

struct sluice_value *value_new_map(struct sluice_batch *batch, size_t reserve)
{
    return new_container(batch, SLUICE_MAP, reserve);
}

struct sluice_value *value_new_struct(struct sluice_batch *batch, const struct sluice_schema *schema)
{
    size_t count = data_api.schema_field_count(schema);
    struct sluice_value *value = new_container(batch, SLUICE_STRUCT, count);
    if (count > 0) {
        memset(value->members->list, 0, count * sizeof(*value->members->list));
    }
    value->members->count = count;
    value->members->schema = schema;
    batch_keep_schema(batch, schema);
    return value;
}

/* -- editing -- */

struct sluice_value *value_edit(struct sluice_batch *batch, const struct sluice_value *container)
{
    if (container->flags & VALUE_WRITABLE) {
        return thaw(container);
    }
    const struct members *from = value_members(container);
    struct sluice_value *copy = new_container(batch, container->type, from->count + 4);
    struct member *list = copy->members->list;
    if (from->count > 0) {
        memcpy(list, from->list, from->count * sizeof(*list));
    }
    *copy->members = (struct members){list,          from->count, from->count + 4,
                                      from->schema, batch,       from->other_keys};
    return copy;
}

static struct member *member_add(struct sluice_batch *batch, struct members *members)
{
    if (members->count == members->capacity) {
        size_t capacity = members->capacity ? members->capacity * 2 : 8;
        struct member *list = arena_alloc(batch_arena(batch), capacity * sizeof(*list));
        if (members->count > 0) {
            memcpy(list, members->list, members->count * sizeof(*list));
        }
        members->list = list;
        members->capacity = capacity;
    }
    struct member *member = &members->list[members->count++];
    *member = (struct member){0};
    return member;
}

/* What goes into a container is read-only from then on. */
static const struct sluice_value *freeze(const struct sluice_value *value)
{
    if (value && is_container(value->type)) {
        thaw(value)->flags &= (uint8_t)~VALUE_WRITABLE;
    }
    return value ? value : &null_value;
}

void value_append(struct sluice_batch *batch, struct sluice_value *array,
                  const struct sluice_value *element)
{
    member_add(batch, array->members)->value = freeze(element);
}

static struct member *find_member(struct members *members, const char *text, size_t size)
{
    for (size_t i = 0; i < members->count; i++) {
        struct member *member = &members->list[i];
        if (member->key_json && member->key_size == size && memcmp(member->key, text, size) == 0) {
            return member;
        }
    }
    return NULL;
}

static void set_key(struct member *member, const struct sluice_name *name)
{
    member->key = name->text;
    member->key_size = name->size;
    member->key_json = name->json;
    member->key_json_size = name->json_size;
    member->key_value = NULL;
}

void value_put(struct sluice_batch *batch, struct sluice_value *map, const struct sluice_name *name,
               const struct sluice_value *value)
{
    struct member *member = find_member(map->members, name->text, name->size);
    if (!member) {
        member = member_add(batch, map->members);
        set_key(member, name);
    }
    member->value = freeze(value);
}

void value_put_key(struct sluice_batch *batch, struct sluice_value *map, const struct sluice_value *key,
                   const struct sluice_value *value)
{
    struct members *members = map->members;
    struct member *member = NULL;
    if (value_type(key) == SLUICE_STRING) {
        struct sluice_span text = value_text(key);
        member = find_member(members, text.data, text.size);
        if (!member) {
            struct sluice_span json = json_quote(batch_arena(batch), text.data, text.size);
            member = member_add(batch, members);
            *member = (struct member){text.data, json.data, (uint32_t)text.size, (uint32_t)json.size,
                                      key, NULL};
        }
    } else {
        for (size_t i = 0; i < members->count && !member; i++) {
            if (value_equal(members->list[i].key_value, key)) {
                member = &members->list[i];
            }
        }
        if (!member) {
            member = member_add(batch, members);
            member->key_value = freeze(key);
            members->other_keys = true;
        }
    }
    member->value = freeze(value);
}

void value_set_at(struct sluice_batch *batch, struct sluice_value *container, size_t i,
                  const struct sluice_value *value)
{
    (void)batch;
    container->members->list[i].value = freeze(value);
}

void value_rename_at(struct sluice_batch *batch, struct sluice_value *map, size_t i,
                     const struct sluice_name *name)
{
    (void)batch;
    set_key(&map->members->list[i], name);
}

bool value_remove(struct sluice_batch *batch, struct sluice_value *map, const struct sluice_name *name)
{
    (void)batch;
    struct members *members = map->members;
    struct member *member = find_member(members, name->text, name->size);
    if (!member) {
        return false;
    }
    size_t behind = (size_t)(members->list + members->count - member) - 1;
    memmove(member, member + 1, behind * sizeof(*member));
    members->count--;
    return true;
}

struct sluice_value *value_copy(struct sluice_batch *batch, const struct sluice_value *value)
{
    enum sluice_type type = value_type(value);
    struct sluice_span text;
    int32_t scale;
    switch (type) {
    case SLUICE_NULL:
        return value_new_null(batch);
    case SLUICE_BOOLEAN:
        return value_new_boolean(batch, value_boolean(value));
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64:
        return value_new_real(batch, type, value_real(value));
    case SLUICE_STRING:
    case SLUICE_BYTES:
        text = value_text(value);
        return new_text(batch, type, text.data, text.size, true);
    case SLUICE_DECIMAL:
        text = value_decimal(value, &scale);
        return value_new_decimal(batch, text.data, text.size, scale);
    case SLUICE_ARRAY:
    case SLUICE_MAP:
    case SLUICE_STRUCT:
        break;
    default:
        return value->type == SLUICE_DATE ? value_new_date(batch, value->integer)
                                          : value_new_integer(batch, type, value->integer);
    }
    size_t count = value_count(value);
    struct sluice_value *copy = type == SLUICE_STRUCT
                                    ? value_new_struct(batch, value_struct_schema(value))
                                    : new_container(batch, type, count);
    for (size_t i = 0; i < count; i++) {
        struct sluice_value *member = value_copy(batch, value_at(value, i));
        if (type == SLUICE_ARRAY) {
            value_append(batch, copy, member);
        } else if (type == SLUICE_STRUCT) {
            value_set_at(batch, copy, i, member);
        } else {
            value_put_key(batch, copy, value_copy(batch, value_key_at(value, i)), member);
        }
    }
    return copy;
}
