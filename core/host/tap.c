#include "core/host/tap.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/batch.h"
#include "core/host/task.h"

enum {
    RECORDS_MOST = 100,
    BYTES_MOST = 256 * 1024,
    TEXT_MOST = 300,      /* of one string */
    MEMBERS_MOST = 100,   /* of one array or object */
    DEPTH_MOST = 32,
    RECORD_MOST = 64 * 1024, /* of JSON of one key or value that is looked into */
};

#define WORDS                                                                              \
    "password,passwd,passphrase,secret,token,authorization,credential,cookie,apikey,"      \
    "accesskey,privatekey,ssn,iban,cardnumber,cvv"
#define HIDDEN "[hidden]"

void tap_init(struct tap *tap)
{
    atomic_init(&tap->stage, TAP_NONE);
    pthread_mutex_init(&tap->lock, NULL);
}

/* -- what may be seen -- */

/* True where a word of the list is in the name, case, `_`, `-`, `.` and blanks aside. */
static bool is_secret(const char *name, const char *words)
{
    char plain[256];
    size_t size = 0;
    for (; *name && size < sizeof(plain) - 1; name++) {
        if (!strchr("_-. ", *name)) {
            plain[size++] = (char)tolower((unsigned char)*name);
        }
    }
    plain[size] = '\0';
    while (*words) {
        char word[64];
        size_t end = strcspn(words, ","), used = 0;
        for (size_t i = 0; i < end && used < sizeof(word) - 1; i++) {
            if (!strchr("_-. ", words[i])) {
                word[used++] = (char)tolower((unsigned char)words[i]);
            }
        }
        word[used] = '\0';
        if (used > 0 && strstr(plain, word)) {
            return true;
        }
        words += end + (words[end] == ',');
    }
    return false;
}

static void redact(json_t *value, const char *words, int depth);

/* A text that is JSON itself is looked into: converters that take records as text do not. */
static json_t *redacted_text(json_t *text, const char *words, int depth)
{
    const char *bytes = json_string_value(text);
    size_t size = json_string_length(text);
    json_t *inner = (*bytes == '{' || *bytes == '[') && size <= RECORD_MOST
                        ? json_loadb(bytes, size, 0, NULL)
                        : NULL;
    if (inner) {
        redact(inner, words, depth + 1);
        char *again = json_dumps(inner, JSON_COMPACT);
        json_decref(inner);
        text = json_string(again ? again : "");
        free(again);
        return text;
    }
    if (size <= TEXT_MOST) {
        return NULL;
    }
    size_t cut = TEXT_MOST;
    while (cut > 0 && ((unsigned char)bytes[cut] & 0xc0) == 0x80) {
        cut--;
    }
    return json_sprintf("%.*s… (%zu bytes)", (int)cut, bytes, size);
}

/* What stands in place of a value; NULL: it stays. */
static json_t *replacement(const char *name, json_t *value, const char *words, int depth)
{
    if ((name && is_secret(name, words)) || depth >= DEPTH_MOST) {
        return json_is_null(value) ? NULL : json_string(HIDDEN);
    }
    if (json_is_string(value)) {
        return redacted_text(value, words, depth);
    }
    redact(value, words, depth + 1);
    return NULL;
}

static void redact(json_t *value, const char *words, int depth)
{
    if (json_is_array(value)) {
        while (json_array_size(value) > MEMBERS_MOST) {
            json_array_remove(value, json_array_size(value) - 1);
        }
        for (size_t i = 0; i < json_array_size(value); i++) {
            json_t *instead = replacement(NULL, json_array_get(value, i), words, depth);
            if (instead) {
                json_array_set_new(value, i, instead);
            }
        }
    } else if (json_is_object(value)) {
        size_t count = 0;
        void *next;
        for (void *i = json_object_iter(value); i; i = next) {
            next = json_object_iter_next(value, i);
            if (++count > MEMBERS_MOST) {
                json_object_del(value, json_object_iter_key(i));
                continue;
            }
            json_t *instead =
                replacement(json_object_iter_key(i), json_object_iter_value(i), words, depth);
            if (instead) {
                json_object_iter_set_new(value, i, instead);
            }
        }
    }
}

void tap_redact(json_t *value, const char *words)
{
    redact(value, words ? words : WORDS, 0);
}

/* -- taking -- */

static json_t *value_json(struct task *task, struct sluice_batch *batch, const char *name,
                          const struct sluice_value *value)
{
    const char *words = properties_get(&task->worker, "sluice.tap.redact");
    words = words ? words : WORDS;
    if (!value) {
        return json_null();
    }
    if (name && is_secret(name, words)) {
        return json_string(HIDDEN);
    }
    struct sluice_span text = data_api.to_json(batch, value);
    if (text.size > RECORD_MOST) {
        return json_sprintf("(%zu bytes of JSON: too long to show)", text.size);
    }
    json_t *json = json_loadb(text.data, text.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (!json) {
        return json_string("(cannot be shown as JSON)");
    }
    json_t *instead = replacement(NULL, json, words, 0);
    if (instead) {
        json_decref(json);
        json = instead;
    }
    return json;
}

static json_t *record_json(struct task *task, const struct sluice_record *record)
{
    struct sluice_batch *batch = records_api.batch_of(record);
    json_t *headers = json_array();
    size_t count = records_api.header_count(record);
    for (size_t i = 0; i < count && i < MEMBERS_MOST; i++) {
        const struct sluice_schema *schema;
        const struct sluice_value *value;
        const char *name = records_api.header(record, i, &schema, &value);
        json_t *header = json_object();
        json_object_set_new(header, name, value_json(task, batch, name, value));
        json_array_append_new(headers, header);
    }
    int32_t partition = records_api.partition(record);
    int64_t offset = records_api.offset(record), timestamp = records_api.timestamp(record);
    json_t *object = json_object();
    json_object_set_new(object, "topic", json_string(records_api.topic(record)));
    json_object_set_new(object, "partition",
                        partition == SLUICE_NO_PARTITION ? json_null() : json_integer(partition));
    json_object_set_new(object, "offset",
                        offset == SLUICE_NO_OFFSET ? json_null() : json_integer(offset));
    json_object_set_new(object, "timestamp",
                        timestamp == SLUICE_NO_TIMESTAMP ? json_null() : json_integer(timestamp));
    json_object_set_new(object, "key", value_json(task, batch, NULL, records_api.key(record)));
    json_object_set_new(object, "value", value_json(task, batch, NULL, records_api.value(record)));
    json_object_set_new(object, "headers", headers);
    return object;
}

/* Lock held. */
static void hand_over(struct task *task)
{
    struct tap *tap = &task->tap;
    atomic_store(&tap->stage, TAP_NONE);
    task_send(task, json_pack("{s:s,s:I,s:o}", "type", "tapped", "id", tap->id, "records",
                              tap->records ? tap->records : json_array()));
    tap->records = NULL;
    tap->id = 0;
}

void tap_take(struct task *task, const struct sluice_record *record)
{
    struct tap *tap = &task->tap;
    pthread_mutex_lock(&tap->lock);
    if (tap->id != 0) {
        json_t *json = record_json(task, record);
        tap->bytes += json_dumpb(json, NULL, 0, JSON_COMPACT);
        json_array_append_new(tap->records, json);
        if (json_array_size(tap->records) >= tap->limit || tap->bytes >= BYTES_MOST) {
            hand_over(task);
        }
    }
    pthread_mutex_unlock(&tap->lock);
}

static enum tap_stage stage_of(const char *name)
{
    return !name                            ? TAP_NONE
           : strcmp(name, "polled") == 0    ? TAP_POLLED
           : strcmp(name, "converted") == 0 ? TAP_CONVERTED
           : strcmp(name, "transformed") == 0 ? TAP_TRANSFORMED
                                              : TAP_NONE;
}

void tap_obey(struct task *task, json_t *message)
{
    struct tap *tap = &task->tap;
    json_int_t id = json_integer_value(json_object_get(message, "id"));
    json_int_t limit = json_integer_value(json_object_get(message, "limit"));
    bool begin = strcmp(json_string_value(json_object_get(message, "type")), "tap") == 0;
    pthread_mutex_lock(&tap->lock);
    if (begin) {
        json_decref(tap->records);
        tap->records = json_array();
        tap->id = id;
        tap->bytes = 0;
        tap->limit = limit < 1 ? 1 : limit > RECORDS_MOST ? RECORDS_MOST : (size_t)limit;
        atomic_store(&tap->stage,
                     (int)stage_of(json_string_value(json_object_get(message, "stage"))));
    } else if (tap->id == id && id != 0) {
        hand_over(task);
    }
    pthread_mutex_unlock(&tap->lock);
}
