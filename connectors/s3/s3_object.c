/*
 * One object on its way to S3: a single PUT where it is one piece, else a multipart upload whose parts
 * go out side by side. Requests are queued here and driven by s3_store.c.
 */
#include "connectors/s3/s3_store.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/aws/xml.h"

static void free_waiting(struct s3_object *object, struct memory *memory)
{
    while (object->first) {
        struct piece *next = object->first->next;
        piece_free(memory, object->first);
        object->first = next;
    }
    object->last = NULL;
}

struct s3_object *s3_object_new(struct s3_store *store, struct upload *upload)
{
    struct s3_object *object = calloc(1, sizeof(*object));
    if (object) {
        object->upload = upload;
        upload->state = object;
        object->all_next = store->objects;
        if (store->objects) {
            store->objects->all_previous = object;
        }
        store->objects = object;
    }
    return object;
}

/* The object is done with; its upload goes back. */
static void finish(struct s3_store *store, struct s3_object *object, enum upload_outcome outcome)
{
    struct upload *upload = object->upload;
    upload->outcome = outcome;
    upload->size = object->size;
    upload->state = NULL;
    if (object->all_previous) {
        object->all_previous->all_next = object->all_next;
    } else {
        store->objects = object->all_next;
    }
    if (object->all_next) {
        object->all_next->all_previous = object->all_previous;
    }
    free_waiting(object, store->memory);
    free(object->answers);
    s3_reclaim_free(object->reclaim);
    free(object);
    if (upload->owner) {
        store->client->done(store->client, upload);
    } else {
        upload_free(upload);
    }
}

/*
 * A dropped object leaves when its last request is gone, its multipart upload aborted, and nobody will
 * send a piece of it any more.
 */
static void settle(struct s3_store *store, struct s3_object *object)
{
    if (!object->dropped || object->active > 0) {
        return;
    }
    if (object->upload_id[0]) {
        struct s3_request *request = s3_request_new(store, object, S3_ABORT);
        if (request) {
            s3_enqueue(request);
            return;
        }
        object->upload_id[0] = '\0';
    }
    if (object->complete) {
        finish(store, object, UPLOAD_DROPPED);
    }
}

void s3_object_drop(struct s3_store *store, struct s3_object *object)
{
    if (!object->dropped) {
        object->dropped = true;
        free_waiting(object, store->memory);
        s3_forget(store, object);
    }
    settle(store, object);
}

void s3_object_orphan(struct s3_store *store, const char *key, const char *upload_id)
{
    struct upload *upload = calloc(1, sizeof(*upload));
    if (!upload || !(upload->key = strdup(key)) || !s3_object_new(store, upload)) {
        upload_free(upload); /* left to a lifecycle rule of the bucket */
        return;
    }
    struct s3_object *object = upload->state;
    snprintf(object->upload_id, sizeof(object->upload_id), "%s", upload_id);
    object->complete = true;
    s3_object_drop(store, object);
}

void s3_objects_end(struct s3_store *store)
{
    while (store->objects) {
        finish(store, store->objects, UPLOAD_DROPPED);
    }
}

/* -- steps -- */

static bool enqueue(struct s3_store *store, struct s3_object *object, enum s3_kind kind,
                    struct piece *piece)
{
    struct s3_request *request = s3_request_new(store, object, kind);
    if (!request) {
        piece_free(store->memory, piece);
        s3_fail(store, "Out of memory");
        s3_object_drop(store, object);
        return false;
    }
    request->piece = piece;
    if (kind == S3_PART) {
        request->part = ++object->parts;
    }
    s3_enqueue(request);
    return true;
}

static void complete(struct s3_store *store, struct s3_object *object)
{
    struct s3_request *request = s3_request_new(store, object, S3_COMPLETE);
    if (!request) {
        s3_fail(store, "Out of memory");
        s3_object_drop(store, object);
        return;
    }
    (void)buffer_append_text(&request->body,
                             "<CompleteMultipartUpload "
                             "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (int i = 0; i < object->parts; i++) {
        char etag[ETAG_SIZE * 6];
        const char *crc = object->answers[i].crc32c;
        (void)aws_xml_escape(object->answers[i].etag, etag, sizeof(etag));
        (void)buffer_printf(&request->body,
                            "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag>%s%s%s</Part>", i + 1, etag,
                            crc[0] ? "<ChecksumCRC32C>" : "", crc, crc[0] ? "</ChecksumCRC32C>" : "");
    }
    (void)buffer_append_text(&request->body, "</CompleteMultipartUpload>");
    object->finishing = true;
    s3_enqueue(request);
}

static void step(struct s3_store *store, struct s3_object *object)
{
    if (object->dropped || object->finishing || object->sweeping > 0) {
        return;
    }
    if (!object->upload_id[0]) {
        struct piece *first = object->first;
        if (first && first->last && !object->creating) {
            object->first = object->last = NULL;
            object->finishing = true;
            (void)enqueue(store, object, S3_PUT, first);
        } else if (first && !object->creating) {
            object->creating = true;
            (void)enqueue(store, object, S3_CREATE, NULL);
        }
        return;
    }
    while (object->first) {
        struct piece *piece = object->first;
        object->first = piece->next;
        if (object->parts == PARTS_MAX) {
            s3_fail(store, "%s needs more than %d parts: raise s3.part.size or lower flush.size",
                    object->upload->key, PARTS_MAX);
            piece_free(store->memory, piece);
            s3_object_drop(store, object);
            return;
        }
        if (!enqueue(store, object, S3_PART, piece)) {
            return;
        }
    }
    object->last = NULL;
    if (object->complete && object->parts_done == object->parts) {
        complete(store, object);
    }
}

void s3_object_piece(struct s3_store *store, struct piece *piece)
{
    if (!piece->upload->owner) {
        s3_reclaim_begin(store, piece->upload);
        free(piece);
        return;
    }
    struct s3_object *object = piece->upload->state;
    if (!object) {
        object = s3_object_new(store, piece->upload);
        if (!object) {
            s3_fail(store, "Out of memory");
            if (piece->last || piece->cancel) {
                piece->upload->outcome = UPLOAD_DROPPED;
                store->client->done(store->client, piece->upload);
            }
            piece_free(store->memory, piece);
            return;
        }
        /* Where an earlier piece found no memory, this one is not the beginning: failed says so. */
    }
    object->complete = piece->last || piece->cancel;
    if (piece->cancel || object->dropped || store->failed) {
        piece_free(store->memory, piece);
        s3_object_drop(store, object);
        return;
    }
    object->size += piece->chain.size;
    piece->next = NULL;
    if (object->last) {
        object->last->next = piece;
    } else {
        object->first = piece;
    }
    object->last = piece;
    step(store, object);
}

/* -- answers -- */

void s3_object_lost(struct s3_request *request)
{
    struct s3_store *store = request->store;
    struct s3_object *object = request->object;
    if (request->kind == S3_LIST || request->stray) {
        object->sweeping--;
    } else if (request->kind == S3_ABORT) {
        object->upload_id[0] = '\0'; /* left to a lifecycle rule of the bucket */
    }
    s3_request_free(request);
    object->active--;
    if (object->dropped) {
        settle(store, object);
    } else {
        step(store, object);
    }
}

/* ETag of a multipart upload: MD5 over the parts' MD5s, and their number. "" where parts have others. */
static void reckon_etag(struct s3_object *object)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    bool good = context && EVP_DigestInit_ex(context, EVP_md5(), NULL) == 1;
    for (int i = 0; good && i < object->parts; i++) {
        const char *hex = object->answers[i].etag + (object->answers[i].etag[0] == '"');
        unsigned char part[16];
        for (size_t at = 0; good && at < sizeof(part); at++) {
            unsigned byte = 0;
            good = sscanf(hex + 2 * at, "%2x", &byte) == 1;
            part[at] = (unsigned char)byte;
        }
        good = good && EVP_DigestUpdate(context, part, sizeof(part)) == 1;
    }
    good = good && EVP_DigestFinal_ex(context, out, &size) == 1;
    EVP_MD_CTX_free(context);
    object->etag[0] = '\0';
    for (unsigned i = 0; good && i < size; i++) {
        snprintf(object->etag + (size_t)2 * i, 3, "%02x", out[i]);
    }
    if (good) {
        snprintf(object->etag + 32, sizeof(object->etag) - 32, "-%d", object->parts);
    }
}

static bool keep_answer(struct s3_object *object, int part, const char *crc32c,
                        const struct http_reply *reply)
{
    while ((size_t)part > object->answer_capacity) {
        size_t capacity = object->answer_capacity ? object->answer_capacity * 2 : 8;
        struct part_answer *grown = realloc(object->answers, capacity * sizeof(*grown));
        if (!grown) {
            return false;
        }
        object->answers = grown;
        object->answer_capacity = capacity;
    }
    struct part_answer *answer = &object->answers[part - 1];
    snprintf(answer->crc32c, sizeof(answer->crc32c), "%s", crc32c);
    return http_reply_header(reply, "ETag", answer->etag, sizeof(answer->etag));
}

static void tag(struct s3_store *store, struct s3_object *object)
{
    struct s3_request *request = s3_request_new(store, object, S3_TAG);
    if (!request) {
        finish(store, object, UPLOAD_DURABLE);
        return;
    }
    /* The tags are percent-encoded "a=b&c=d"; XML wants them plain. */
    (void)buffer_append_text(&request->body, "<Tagging><TagSet>");
    for (const char *at = object->upload->tags; *at;) {
        char plain[2][256], escaped[2][1600];
        for (int side = 0; side < 2; side++) {
            size_t size = 0;
            for (; *at && *at != '=' && *at != '&' && size < sizeof(plain[0]) - 1; at++) {
                unsigned byte = (unsigned char)*at;
                if (*at == '%' && sscanf(at + 1, "%2x", &byte) == 1) {
                    at += 2;
                }
                plain[side][size++] = (char)byte;
            }
            plain[side][size] = '\0';
            at += *at != '\0';
            (void)aws_xml_escape(plain[side], escaped[side], sizeof(escaped[side]));
        }
        (void)buffer_printf(&request->body, "<Tag><Key>%s</Key><Value>%s</Value></Tag>", escaped[0],
                            escaped[1]);
    }
    (void)buffer_append_text(&request->body, "</TagSet></Tagging>");
    s3_enqueue(request);
}

/* Uploads that lost tries to begin this object's have left. */
struct sweep {
    struct s3_store *store;
    struct s3_object *object;
};

static void abort_stray(void *user, const char *id)
{
    const struct sweep *sweep = user;
    struct s3_request *request = s3_request_new(sweep->store, sweep->object, S3_ABORT);
    if (request && (request->stray = strdup(id)) != NULL) {
        sweep->object->sweeping++;
        s3_enqueue(request);
    } else {
        s3_request_free(request);
    }
}

static void sweep(struct s3_store *store, struct s3_object *object, const struct http_reply *reply)
{
    struct sweep sweep = {store, object};
    /* invariant 3: were the partition somebody else's by now, the upload could be, too */
    if (store->client->may_finish(store->client, object->upload)) {
        s3_strays(reply, object->upload->key, object->upload_id, abort_stray, &sweep);
    }
}

void s3_object_done(struct s3_request *request, struct http_reply *reply)
{
    struct s3_store *store = request->store;
    struct s3_object *object = request->object;
    enum s3_kind kind = request->kind;
    int part = request->part;
    bool stray = request->stray != NULL;
    char crc32c[sizeof(request->crc32c)];
    memcpy(crc32c, request->crc32c, sizeof(crc32c));
    s3_request_free(request);
    object->active--;
    switch (kind) {
    case S3_PUT:
        finish(store, object, UPLOAD_DURABLE); /* invariant 1: S3 has said 200 to the whole object */
        return;
    case S3_COMPLETE:
        if (object->upload->tags) {
            tag(store, object);
        } else {
            finish(store, object, UPLOAD_DURABLE); /* invariant 1 */
        }
        return;
    case S3_TAG:
        finish(store, object, UPLOAD_DURABLE);
        return;
    case S3_ABORT:
        if (stray) {
            object->sweeping--;
        } else {
            object->upload_id[0] = '\0';
        }
        break;
    case S3_LIST:
        sweep(store, object, reply);
        object->sweeping--;
        break;
    case S3_RECLAIM:
        s3_reclaim_listed(store, object, reply);
        break;
    case S3_CREATE:
        object->creating = false;
        if (!aws_xml_text(reply->body.data, reply->body.size, "UploadId", object->upload_id,
                          sizeof(object->upload_id)) ||
            !object->upload_id[0]) {
            s3_fail(store, "The S3 service begins an upload of %s without giving an UploadId",
                    object->upload->key);
            s3_object_drop(store, object);
            return;
        }
        if (object->doubtful && store->settings->abort_orphans && !object->dropped &&
            enqueue(store, object, S3_LIST, NULL)) {
            object->sweeping++;
        }
        break;
    case S3_PART:
        if (!object->dropped && !keep_answer(object, part, crc32c, reply)) {
            s3_fail(store, "The S3 service takes a part of %s without giving an ETag",
                    object->upload->key);
            s3_object_drop(store, object);
            return;
        }
        object->parts_done++;
        break;
    default:
        break;
    }
    if (object->dropped) {
        settle(store, object);
    } else {
        step(store, object);
    }
}

/* -- is it there already? -- */

static void ask_head(struct s3_request *request)
{
    struct s3_store *store = request->store;
    struct s3_object *object = request->object;
    if (request->kind == S3_COMPLETE) {
        reckon_etag(object);
    } else if (request->piece) {
        /* ETag of a single PUT: the MD5 of its data, unless the bucket encrypts with KMS. */
        unsigned char out[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        char chunk[16384];
        size_t got;
        bool good = context && EVP_DigestInit_ex(context, EVP_md5(), NULL) == 1;
        chain_rewind(&request->reader, store->memory, &request->piece->chain);
        while (good && (got = chain_read(&request->reader, chunk, sizeof(chunk))) > 0) {
            good = EVP_DigestUpdate(context, chunk, got) == 1;
        }
        good = good && EVP_DigestFinal_ex(context, out, &size) == 1;
        EVP_MD_CTX_free(context);
        object->etag[0] = '\0';
        for (unsigned i = 0; good && i < size; i++) {
            snprintf(object->etag + (size_t)2 * i, 3, "%02x", out[i]);
        }
    }
    s3_request_free(request);
    object->active--;
    (void)enqueue(store, object, S3_HEAD, NULL);
}

void s3_object_exists(struct s3_request *request)
{
    ask_head(request);
}

void s3_object_head(struct s3_request *request, const struct http_reply *reply,
                    const struct aws_fault *fault)
{
    struct s3_store *store = request->store;
    struct s3_object *object = request->object;
    char size[32] = "", etag[ETAG_SIZE] = "";
    if (request->kind == S3_COMPLETE) {
        ask_head(request); /* NoSuchUpload: an earlier try whose answer was lost may have done it */
        return;
    }
    s3_request_free(request);
    object->active--;
    if (fault->class == AWS_FINE) {
        http_reply_header(reply, "Content-Length", size, sizeof(size));
        http_reply_header(reply, "ETag", etag, sizeof(etag));
        const char *bare = etag + (etag[0] == '"');
        bool same_size = strtoull(size, NULL, 10) == object->size;
        if (same_size && object->etag[0] &&
            strncmp(bare, object->etag, strlen(object->etag)) == 0) {
            /* invariant 3: a former life, or try, of this task wrote the same bytes */
            finish(store, object, UPLOAD_DURABLE);
            return;
        }
        if (store->settings->original_faults) {
            object->upload->exists = true;
            s3_object_drop(store, object);
            return;
        }
        s3_fail(store, "An object is at %s already, and not the one to be written (%s bytes with ETag "
                       "%s; expected %zu with %s). Remove it, or set enable.conditional.writes=false",
                object->upload->key, size, etag, object->size,
                object->etag[0] ? object->etag : "an unknown one");
    } else if (fault->class == AWS_MISSING) {
        s3_fail(store, "The multipart upload of %s is gone, and so is its data: somebody, or a "
                       "lifecycle rule of the bucket, aborted it. Restart the task",
                object->upload->key);
        object->upload_id[0] = '\0';
    } else {
        char why[500];
        s3_fail(store, "Whether %s is there already cannot be seen: %s. Allow s3:GetObject",
                object->upload->key, aws_fault_text(fault, why, sizeof(why)));
    }
    s3_object_drop(store, object);
}
