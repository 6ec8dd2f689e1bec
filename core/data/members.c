/*
 * Containers: finding, reading and editing their members. [one thread per batch at a time]
 */
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "core/data/batch.h"
#include "core/data/value.h"
#include "core/data/value_api.h"

/* -- finding keys -- */

/* Larger maps are indexed, so that a record cannot make its owner work by the square of its size. */
enum { SMALL_MAP = 24 };

uint64_t bytes_hash(const char *data, size_t size)
{
    static _Atomic uint64_t seed;
    uint64_t hash = atomic_load_explicit(&seed, memory_order_relaxed);
    if (hash == 0) {
        struct timespec now;
        (void)clock_gettime(CLOCK_REALTIME, &now);
        hash = ((uint64_t)now.tv_nsec << 32 ^ (uint64_t)now.tv_sec ^ (uint64_t)(uintptr_t)&seed) | 1;
        uint64_t none = 0;
        if (!atomic_compare_exchange_strong(&seed, &none, hash)) {
            hash = none;
        }
    }
    uint64_t word;
    for (; size >= sizeof(word); size -= sizeof(word), data += sizeof(word)) {
        memcpy(&word, data, sizeof(word));
        hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 29;
    }
    word = size;
    memcpy((char *)&word + 1, data, size);
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 32;
}

/* Keys that are equal have equal hashes; containers as keys all have the same. */
static uint64_t key_hash(const struct sluice_value *key)
{
    struct sluice_span text;
    int64_t number;
    double real;
    switch (value_kind(key)) {
    case SLUICE_STRING:
    case SLUICE_BYTES:
        text = value_text(key);
        return bytes_hash(text.data, text.size);
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64:
        real = value_real(key);
        return real != real ? 1 : bytes_hash((const char *)&real, sizeof(real));
    case SLUICE_BOOLEAN:
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32:
    case SLUICE_INT64:
    case SLUICE_DATE:
        number = key->integer;
        return bytes_hash((const char *)&number, sizeof(number));
    default:
        return 0;
    }
}

static uint64_t member_hash(const struct member *member)
{
    return member->key_json ? bytes_hash(member->key, member->key_size) : key_hash(member->key_value);
}

/* Without a call for texts of up to 16 bytes, which most names are. */
static inline bool same_text(const char *a, const char *b, size_t size)
{
    uint64_t x, y;
    uint32_t v, w;
    if (size >= sizeof(x)) {
        memcpy(&x, a, sizeof(x));
        memcpy(&y, b, sizeof(y));
        uint64_t differ = x ^ y;
        memcpy(&x, a + size - sizeof(x), sizeof(x));
        memcpy(&y, b + size - sizeof(y), sizeof(y));
        return (differ | (x ^ y)) == 0 && (size <= 16 || memcmp(a, b, size) == 0);
    }
    if (size >= sizeof(v)) {
        memcpy(&v, a, sizeof(v));
        memcpy(&w, b, sizeof(w));
        uint32_t differ = v ^ w;
        memcpy(&v, a + size - sizeof(v), sizeof(v));
        memcpy(&w, b + size - sizeof(w), sizeof(w));
        return (differ | (v ^ w)) == 0;
    }
    return size == 0 || (a[0] == b[0] && a[size / 2] == b[size / 2] && a[size - 1] == b[size - 1]);
}

static inline bool is_key(const struct member *member, const char *text, size_t size)
{
    return member->key_size == size && member->key_json &&
           (member->key == text || same_text(member->key, text, size));
}

static void index_put(struct members *members, size_t i)
{
    size_t at = member_hash(&members->list[i]) & (members->index_room - 1);
    while (members->index[at]) {
        at = (at + 1) & (members->index_room - 1);
    }
    members->index[at] = (uint32_t)i + 1;
}

/* Brings the index up to date; false: the map is small and has none. */
static bool index_ready(struct members *members)
{
    if (members->count <= SMALL_MAP) {
        return false;
    }
    if (!members->index || members->index_room < members->count * 2) {
        size_t room = 128;
        while (room < members->count * 4) {
            room *= 2;
        }
        members->index = arena_alloc(batch_arena(members->batch), room * sizeof(*members->index));
        memset(members->index, 0, room * sizeof(*members->index));
        members->index_room = room;
        for (size_t i = 0; i < members->count; i++) {
            index_put(members, i);
        }
    }
    return true;
}

/* Of a map that has an index. */
static __attribute__((noinline)) struct member *find_in_index(struct members *members, const char *text,
                                                              size_t size)
{
    (void)index_ready(members);
    size_t at = bytes_hash(text, size) & (members->index_room - 1);
    while (members->index[at] && !is_key(&members->list[members->index[at] - 1], text, size)) {
        at = (at + 1) & (members->index_room - 1);
    }
    return members->index[at] ? &members->list[members->index[at] - 1] : NULL;
}

static inline struct member *find_member(struct members *members, const char *text, size_t size,
                                         uint64_t bit)
{
    if (!(members->key_bits & bit)) {
        return NULL;
    }
    if (members->count > SMALL_MAP) {
        return find_in_index(members, text, size);
    }
    struct member *end = members->list + members->count;
    for (struct member *member = members->list; member < end; member++) {
        if (member->key_size == size && is_key(member, text, size)) {
            return member;
        }
    }
    return NULL;
}

/* The same for a name: it is looked for where it was found last. */
static inline struct member *find_name(struct members *members, const struct sluice_name *name)
{
    uint32_t place = atomic_load_explicit(&name->place, memory_order_relaxed);
    if (place < members->count && is_key(&members->list[place], name->text, name->size)) {
        return &members->list[place];
    }
    struct member *member = find_member(members, name->text, name->size, name->bit);
    if (member) {
        _Atomic uint32_t *last = &((struct sluice_name *)name)->place; /* const is for plugins */
        atomic_store_explicit(last, (uint32_t)(member - members->list), memory_order_relaxed);
    }
    return member;
}

/* The same for a key of any type. */
static struct member *find_key(struct members *members, const struct sluice_value *key)
{
    if (value_kind(key) == SLUICE_STRING) {
        struct sluice_span text = value_text(key);
        return find_member(members, text.data, text.size, key_bit(text.data, text.size));
    }
    if (!index_ready(members)) {
        for (size_t i = 0; i < members->count; i++) {
            struct member *member = &members->list[i];
            if (!member->key_json && value_equal(member->key_value, key)) {
                return member;
            }
        }
        return NULL;
    }
    size_t at = key_hash(key) & (members->index_room - 1);
    for (; members->index[at]; at = (at + 1) & (members->index_room - 1)) {
        struct member *member = &members->list[members->index[at] - 1];
        if (!member->key_json && value_equal(member->key_value, key)) {
            return member;
        }
    }
    return NULL;
}

/* -- reading -- */

size_t value_count(const struct sluice_value *value)
{
    return value_is_container(value_kind(value)) ? value_members(value)->count : 0;
}

const struct sluice_value *value_at(const struct sluice_value *value, size_t i)
{
    const struct member *member = &value_members(value)->list[i];
    return member->value ? member->value : &value_null;
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
    return member->key_value ? member->key_value : &value_null;
}

const struct sluice_value *value_find(const struct sluice_value *value, const struct sluice_name *name)
{
    if (value_kind(value) == SLUICE_STRUCT) {
        ptrdiff_t i = data_api.schema_find(value->members->schema, name);
        return i < 0 ? NULL : value_at(value, (size_t)i);
    }
    if (value_kind(value) != SLUICE_MAP) {
        return NULL;
    }
    const struct member *member = find_name(value_members(value), name);
    return !member ? NULL : member->value ? member->value : &value_null;
}

ptrdiff_t value_index_of(const struct sluice_value *map, const struct sluice_name *name)
{
    if (!map || map->type != SLUICE_MAP) {
        return -1;
    }
    struct members *members = value_members(map);
    const struct member *member = find_name(members, name);
    return member ? member - members->list : -1;
}

const struct sluice_schema *value_struct_schema(const struct sluice_value *value)
{
    return value_kind(value) == SLUICE_STRUCT ? value->members->schema : NULL;
}

bool members_equal(const struct sluice_value *a, const struct sluice_value *b)
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
        const struct member *other = find_key(value_members(b), value_key_at(a, i)); /* no order */
        if (!other || !value_equal(value_at(a, i), other->value)) {
            return false;
        }
    }
    return true;
}

/* -- making -- */

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
        container->members->java_class = NULL;
        return value_thaw(container);
    }
    const struct members *from = value_members(container);
    struct sluice_value *copy = new_container(batch, container->type, from->count + 4);
    struct member *list = copy->members->list;
    if (from->count > 0) {
        memcpy(list, from->list, from->count * sizeof(*list));
    }
    *copy->members = (struct members){.list = list,
                                      .count = from->count,
                                      .capacity = from->count + 4,
                                      .schema = from->schema,
                                      .batch = batch,
                                      .key_bits = from->key_bits,
                                      .other_keys = from->other_keys,
                                      .maybe_logical = from->maybe_logical};
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

/* The last member has its key now. */
static void index_added(struct members *members)
{
    if (members->index && members->index_room >= members->count * 2) {
        index_put(members, members->count - 1);
    }
}

/* What goes into a container is read-only from then on. */
static const struct sluice_value *freeze(struct members *into, const struct sluice_value *value)
{
    if (!value) {
        return &value_null;
    }
    if (value_is_container(value->type)) {
        value_thaw(value)->flags &= (uint8_t)~VALUE_WRITABLE;
        into->maybe_logical |= !value->json;
    } else {
        into->maybe_logical |= value->type == SLUICE_DECIMAL || value->type == SLUICE_DATE;
    }
    return value;
}

void value_append(struct sluice_batch *batch, struct sluice_value *array,
                  const struct sluice_value *element)
{
    member_add(batch, array->members)->value = freeze(array->members, element);
}

static void set_key(struct members *members, struct member *member, const struct sluice_name *name)
{
    members->key_bits |= name->bit;
    member->key = name->text;
    member->key_size = name->size;
    member->key_json = name->json;
    member->key_json_size = name->json_size;
    member->key_value = NULL;
}

void value_put(struct sluice_batch *batch, struct sluice_value *map, const struct sluice_name *name,
               const struct sluice_value *value)
{
    struct member *member = find_name(map->members, name);
    if (!member) {
        member = member_add(batch, map->members);
        set_key(map->members, member, name);
        index_added(map->members);
    }
    member->value = freeze(map->members, value);
}

void value_put_key(struct sluice_batch *batch, struct sluice_value *map, const struct sluice_value *key,
                   const struct sluice_value *value)
{
    struct members *members = map->members;
    struct member *member = find_key(members, key);
    if (!member) {
        member = member_add(batch, members);
        member->key_value = freeze(members, key);
        if (value_kind(key) == SLUICE_STRING) {
            struct sluice_span text = value_text(key);
            struct sluice_span json = json_quote(batch_arena(batch), text.data, text.size);
            member->key = text.data;
            member->key_size = (uint32_t)text.size;
            member->key_json = json.data;
            member->key_json_size = (uint32_t)json.size;
            members->key_bits |= key_bit(text.data, text.size);
        } else {
            members->other_keys = true;
        }
        index_added(members);
    }
    member->value = freeze(members, value);
}

void value_set_at(struct sluice_batch *batch, struct sluice_value *container, size_t i,
                  const struct sluice_value *value)
{
    (void)batch;
    container->members->list[i].value = freeze(container->members, value);
}

void value_rename_at(struct sluice_batch *batch, struct sluice_value *map, size_t i,
                     const struct sluice_name *name)
{
    (void)batch;
    set_key(map->members, &map->members->list[i], name);
    map->members->index = NULL;
}

bool value_remove(struct sluice_batch *batch, struct sluice_value *map, const struct sluice_name *name)
{
    (void)batch;
    struct members *members = map->members;
    struct member *member = find_name(members, name);
    if (!member) {
        return false;
    }
    size_t behind = (size_t)(members->list + members->count - member) - 1;
    memmove(member, member + 1, behind * sizeof(*member));
    members->count--;
    members->index = NULL;
    return true;
}

const char *value_map_class(const struct sluice_value *map)
{
    const char *name = value_members(map)->java_class;
    return name ? name : "java.util.HashMap";
}

void value_set_map_class(struct sluice_value *map, const char *class_name)
{
    map->members->java_class = class_name;
}

struct sluice_value *value_copy(struct sluice_batch *batch, const struct sluice_value *value)
{
    enum sluice_type type = value_kind(value);
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
        return type == SLUICE_STRING ? value_new_string(batch, text.data, text.size)
                                     : value_new_bytes(batch, text.data, text.size);
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
    copy->members->java_class = value_members(value)->java_class;
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

const struct sluice_value *value_first_logical(const struct sluice_value *value)
{
    enum sluice_type type = value_kind(value);
    if (type == SLUICE_DECIMAL || type == SLUICE_DATE || type == SLUICE_STRUCT) {
        return value;
    }
    if ((type != SLUICE_ARRAY && type != SLUICE_MAP) || value->json || !value->members->maybe_logical) {
        return NULL; /* what came from JSON has JSON's types only */
    }
    const struct members *members = value->members;
    for (size_t i = 0; i < members->count; i++) {
        const struct member *member = &members->list[i];
        if (member->value && member->value->json && member->key_json) {
            continue; /* most members are as they came */
        }
        const struct sluice_value *found = value_first_logical(member->value);
        if (!found && !member->key_json) {
            found = value_first_logical(member->key_value);
        }
        if (found) {
            return found;
        }
    }
    return NULL;
}
