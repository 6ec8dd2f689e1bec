/* Partition keys; see partition_key.h. */
#include "connectors/kinesis/partition_key.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/util/utf8.h"

enum { KEY_MAX = 256, REPLACEMENT = 0xFFFD };

bool kinesis_is_utf8(const char *data, size_t size, size_t *ret_characters)
{
    const char *at = data, *end = data + size;
    size_t characters = 0;
    for (; at < end; characters++) {
        const char *start = at;
        if (utf8_decode_lossy(&at, end) == REPLACEMENT &&
            (at - start != 3 || memcmp(start, "\xef\xbf\xbd", 3) != 0)) {
            return false;
        }
    }
    if (ret_characters) {
        *ret_characters = characters;
    }
    return true;
}

void partition_keys_init(struct partition_keys *keys, const struct sluice_host *host,
                         const struct kinesis_sink_settings *settings)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *keys = (struct partition_keys){
        .host = host,
        .settings = settings,
        .random = ((uint64_t)now.tv_nsec << 32 ^ (uint64_t)now.tv_sec ^ (uintptr_t)keys) | 1,
    };
    if (settings->key_field[0]) {
        keys->field = host->data->intern(settings->key_field, strlen(settings->key_field));
    }
}

static const struct sluice_value *chosen(const struct partition_keys *keys, struct sluice_batch *batch,
                                         const struct sluice_record *record)
{
    const struct sluice_host *host = keys->host;
    switch (keys->settings->key_from) {
    case KINESIS_KEY_KEY:
        return host->records->key(record);
    case KINESIS_KEY_FIELD:
        return host->data->find(host->records->value(record), keys->field);
    case KINESIS_KEY_FIXED:
        return host->data->new_string(batch, keys->settings->key_fixed, strlen(keys->settings->key_fixed));
    default:
        return NULL;
    }
}

/* Spreads over all shards, and no two are the same. */
static struct sluice_span random_key(struct partition_keys *keys, struct sluice_batch *batch)
{
    char *text = keys->host->records->alloc(batch, 17);
    keys->random ^= keys->random << 13;
    keys->random ^= keys->random >> 7;
    keys->random ^= keys->random << 17;
    snprintf(text, 17, "%016" PRIx64, keys->random);
    return (struct sluice_span){text, 16};
}

static struct sluice_span text_of(struct partition_keys *keys, struct sluice_batch *batch,
                                  const struct sluice_value *value)
{
    const struct sluice_data *data = keys->host->data;
    struct sluice_span bytes = {0};
    switch (data->type(value)) {
    case SLUICE_NULL:
        return bytes;
    case SLUICE_STRING:
        return data->text(value);
    case SLUICE_BYTES:
        bytes = data->text(value);
        if (!kinesis_is_utf8(bytes.data, bytes.size, NULL)) {
            char *text = keys->host->records->alloc(batch, (bytes.size + 2) / 3 * 4 + 1);
            int size = EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)bytes.data, (int)bytes.size);
            return (struct sluice_span){text, (size_t)size};
        }
        return bytes;
    case SLUICE_ARRAY:
    case SLUICE_MAP:
    case SLUICE_STRUCT:
        return data->to_json(batch, value);
    default:
        return data->to_text(batch, value);
    }
}

int partition_key_of(struct partition_keys *keys, struct sluice_batch *batch,
                     const struct sluice_record *record, struct sluice_span *ret_text,
                     struct sluice_span *ret_json, char *message, size_t size)
{
    const struct sluice_data *data = keys->host->data;
    size_t characters = 0;
    struct sluice_span text = text_of(keys, batch, chosen(keys, batch, record));
    if (text.size == 0) {
        text = random_key(keys, batch);
    }
    if (text.size > (size_t)4 * KEY_MAX || !kinesis_is_utf8(text.data, text.size, &characters) ||
        characters > KEY_MAX) {
        snprintf(message, size, "A partition key of Kinesis has at most %d characters; this one has %zu bytes "
                                "(kinesis.partition.key)", KEY_MAX, text.size);
        return -1;
    }
    *ret_text = text;
    *ret_json = data->to_json(batch, data->new_string_view(batch, text.data, text.size));
    return 0;
}
