/*
 * Multipart uploads that a killed process left behind: looked for when their topic partition comes to this
 * task, and aborted, however long the service takes to let that succeed. Only keys this connector would
 * write are touched, and no upload of an object that is on its way here. [store's thread]
 */
#include "connectors/s3/s3_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/aws/xml.h"

enum { KEY_SIZE = 4096 };

struct s3_reclaim {
    char key_marker[KEY_SIZE], id_marker[UPLOAD_ID_SIZE]; /* "" on the first page */
    char topic[256];
    size_t count;
    int32_t partitions[];
};

/* DELIM TOPIC + PARTITION + DIGITS EXTENSION at the end of a key, of a partition that is still ours. */
static bool is_ours(struct s3_store *store, const struct s3_reclaim *reclaim, const char *key)
{
    const struct settings *settings = store->settings;
    const char *const *extensions = store->base.extensions;
    char name[600];
    for (size_t i = 0; i < reclaim->count; i++) {
        int length =
            snprintf(name, sizeof(name), "%s%s%s%" PRId32 "%s", settings->directory_delim, reclaim->topic,
                     settings->file_delim, reclaim->partitions[i], settings->file_delim);
        const char *at = key, *last = NULL;
        while (length < (int)sizeof(name) && (at = strstr(at, name)) != NULL) {
            last = at++;
        }
        if (!last) {
            continue;
        }
        const char *offset = last + length;
        size_t digits = strspn(offset, "0123456789");
        for (size_t e = 0; digits > 0 && extensions[e]; e++) {
            if (strcmp(offset + digits, extensions[e]) == 0) {
                return store->client->owns(store->client, reclaim->topic, reclaim->partitions[i]);
            }
        }
    }
    return false;
}

/* Goes through the uploads of a list. */
struct listed {
    const char *xml;
    size_t size, cursor;
    bool encoded;
    char key[KEY_SIZE], id[UPLOAD_ID_SIZE];
};

static void listed_init(struct listed *listed, const struct http_reply *reply)
{
    char encoding[16];
    listed->xml = reply->body.data ? reply->body.data : "";
    listed->size = reply->body.size;
    listed->cursor = 0;
    listed->encoded = aws_xml_text(listed->xml, listed->size, "EncodingType", encoding, sizeof(encoding)) &&
                      strcmp(encoding, "url") == 0;
}

static bool listed_next(struct listed *listed)
{
    const char *content = NULL;
    size_t size = 0;
    while (aws_xml_next(listed->xml, listed->size, &listed->cursor, "Upload", &content, &size)) {
        if (aws_xml_text(content, size, "Key", listed->key, sizeof(listed->key)) &&
            aws_xml_text(content, size, "UploadId", listed->id, sizeof(listed->id))) {
            if (listed->encoded) {
                aws_uri_decode(listed->key);
            }
            return true;
        }
    }
    return false;
}

void s3_strays(const struct http_reply *reply, const char *key, const char *own,
               void (*stray)(void *user, const char *id), void *user)
{
    struct listed listed;
    listed_init(&listed, reply);
    while (listed_next(&listed)) {
        if (strcmp(listed.key, key) == 0 && strcmp(listed.id, own) != 0) {
            stray(user, listed.id);
        }
    }
}

/* -- of former owners -- */

/* An object on its way may have begun it. Where that is not known yet, its own look (S3_LIST) will tell. */
static bool is_live(struct s3_store *store, const char *key, const char *id)
{
    bool live = false;
    for (struct s3_object *object = store->objects; object; object = object->all_next) {
        if (strcmp(object->upload->key, key) == 0) {
            live = live || object->creating || strcmp(object->upload_id, id) == 0;
            object->doubtful = object->doubtful || object->creating;
        }
    }
    return live;
}

void s3_reclaim_listed(struct s3_store *store, struct s3_object *object, const struct http_reply *reply)
{
    struct s3_reclaim *reclaim = object->reclaim;
    struct listed listed;
    char more[8];
    size_t found = 0;
    listed_init(&listed, reply);
    while (listed_next(&listed)) {
        if (is_ours(store, reclaim, listed.key) && !is_live(store, listed.key, listed.id)) {
            s3_object_orphan(store, listed.key, listed.id);
            found++;
        }
    }
    if (found > 0) {
        store->host->log(store->host, SLUICE_INFO,
                         "%zu uploads of %s that a former task left unfinished are aborted", found,
                         reclaim->topic);
    }
    if (!aws_xml_text(listed.xml, listed.size, "IsTruncated", more, sizeof(more)) ||
        strcmp(more, "true") != 0 ||
        !aws_xml_text(listed.xml, listed.size, "NextKeyMarker", reclaim->key_marker,
                      sizeof(reclaim->key_marker))) {
        return;
    }
    if (listed.encoded) {
        aws_uri_decode(reclaim->key_marker);
    }
    aws_xml_text(listed.xml, listed.size, "NextUploadIdMarker", reclaim->id_marker,
                 sizeof(reclaim->id_marker));
    struct s3_request *request = s3_request_new(store, object, S3_RECLAIM);
    if (request) {
        s3_enqueue(request);
    }
}

void s3_reclaim_query(const struct s3_reclaim *reclaim, struct s3_draft *draft)
{
    if (reclaim->key_marker[0]) {
        draft->query[draft->query_count++] = (struct sigv4_pair){"key-marker", reclaim->key_marker};
        draft->query[draft->query_count++] = (struct sigv4_pair){"upload-id-marker", reclaim->id_marker};
    }
}

void s3_reclaim_free(struct s3_reclaim *reclaim)
{
    free(reclaim);
}

void s3_reclaim_begin(struct s3_store *store, struct upload *upload)
{
    struct s3_reclaim *reclaim = upload->state;
    struct s3_object *object = store->no_reclaim ? NULL : s3_object_new(store, upload);
    if (!object) {
        s3_reclaim_free(reclaim);
        upload_free(upload);
        return;
    }
    object->reclaim = reclaim;
    object->dropped = object->complete = true;
    struct s3_request *request = s3_request_new(store, object, S3_RECLAIM);
    if (request) {
        s3_enqueue(request);
    } else {
        s3_object_drop(store, object);
    }
}

void s3_reclaim(struct store *base, const char *topic, const int32_t *partitions, size_t count)
{
    const struct settings *settings = ((struct s3_store *)base)->settings;
    if (!settings->abort_orphans) {
        return;
    }
    struct s3_reclaim *reclaim = calloc(1, sizeof(*reclaim) + count * sizeof(*partitions));
    struct upload *upload = calloc(1, sizeof(*upload));
    struct piece *piece = calloc(1, sizeof(*piece));
    if (!reclaim || !upload || !piece ||
        asprintf(&upload->key, "%s%s%s%s", settings->topics_dir,
                 settings->topics_dir[0] ? settings->directory_delim : "", topic,
                 settings->directory_delim) < 0) {
        free(reclaim);
        free(upload);
        free(piece);
        return;
    }
    snprintf(reclaim->topic, sizeof(reclaim->topic), "%s", topic);
    reclaim->count = count;
    memcpy(reclaim->partitions, partitions, count * sizeof(*partitions));
    upload->state = reclaim;
    base->vtable->send(base, upload, piece);
}
