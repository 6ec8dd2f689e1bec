/* Objects and uploads in memory, and what can be done to them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/fault_s3/fault_s3.h"

enum { TABLE = 1 << 16 };

/* -- objects -- */

struct object {
    struct object *next;
    char *key, *data;
    size_t size;
    char etag[48];
    unsigned puts;
};

struct part {
    char *data;
    size_t size;
    char etag[48];
};

struct upload {
    struct upload *next;
    char *key;
    char id[32];
    struct part *parts;
    int count;
};

static struct object *table[TABLE];
static struct upload *uploads;
static uint64_t next_id;

static struct object **slot_of(const char *key)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (const char *c = key; *c; c++) {
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3;
    }
    struct object **slot = &table[hash % TABLE];
    while (*slot && strcmp((*slot)->key, key) != 0) {
        slot = &(*slot)->next;
    }
    return slot;
}

/* Takes data over. */
static void store_object(const char *key, char *data, size_t size, const char *etag)
{
    struct object **slot = slot_of(key);
    if (!*slot) {
        *slot = calloc(1, sizeof(**slot));
        (*slot)->key = strdup(key);
        counts.objects++;
    }
    free((*slot)->data);
    (*slot)->data = data;
    (*slot)->size = size;
    (*slot)->puts++;
    snprintf((*slot)->etag, sizeof((*slot)->etag), "%s", etag);
    counts.bytes += size;
}

/* -- operations -- */

static char *copy_body(const struct request *request)
{
    if (options.discard) {
        return NULL;
    }
    char *data = malloc(request->body_size + 1);
    memcpy(data, request->body, request->body_size);
    return data;
}

static void body_etag(const struct request *request, char etag[48])
{
    if (options.discard) {
        snprintf(etag, 48, "%032" PRIx64, ++next_id);
    } else {
        digest_hex(EVP_md5(), request->body, request->body_size, etag);
    }
}

static bool refused_by_condition(struct connection *connection, const struct request *request)
{
    char value[16];
    if (header(request, "If-None-Match", value, sizeof(value)) && *slot_of(request->key)) {
        fail(connection, request, 412, "PreconditionFailed", "It is there already.");
        return true;
    }
    return false;
}

static bool md5_matches(struct connection *connection, const struct request *request)
{
    char given[64], expected[64];
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (!header(request, "Content-MD5", given, sizeof(given))) {
        return true;
    }
    EVP_Digest(request->body, request->body_size, out, &size, EVP_md5(), NULL);
    EVP_EncodeBlock((unsigned char *)expected, out, (int)size);
    if (strcmp(given, expected) == 0) {
        return true;
    }
    wrong(connection, request, 400, "BadDigest", "Content-MD5");
    return false;
}

static void put_object(struct connection *connection, const struct request *request)
{
    char etag[48], line[80];
    if (refused_by_condition(connection, request) || !md5_matches(connection, request)) {
        return;
    }
    body_etag(request, etag);
    store_object(request->key, copy_body(request), request->body_size, etag);
    counts.puts++;
    snprintf(line, sizeof(line), "ETag: \"%s\"\r\n", etag);
    answer(connection, request, 200, line, "", 0);
}

static void get_object(struct connection *connection, const struct request *request)
{
    const struct object *object = *slot_of(request->key);
    char line[160], range[64];
    if (!object) {
        fail(connection, request, 404, "NoSuchKey", "The specified key does not exist.");
        return;
    }
    size_t first = 0, last = object->size ? object->size - 1 : 0;
    bool part = header(request, "Range", range, sizeof(range)) &&
                sscanf(range, "bytes=%zu-%zu", &first, &last) == 2;
    if (part && first >= object->size) {
        fail(connection, request, 416, "InvalidRange", "not satisfiable");
        return;
    }
    last = last < object->size ? last : object->size - 1;
    snprintf(line, sizeof(line), "ETag: \"%s\"\r\n", object->etag);
    answer(connection, request, part ? 206 : 200, line, object->data ? object->data + first : NULL,
           object->size ? last - first + 1 : 0);
}

static struct upload **upload_of(const struct request *request)
{
    const char *id = param(request, "uploadId");
    struct upload **slot = &uploads;
    while (*slot && (strcmp((*slot)->id, id) != 0 || strcmp((*slot)->key, request->key) != 0)) {
        slot = &(*slot)->next;
    }
    return slot;
}

static void free_upload(struct upload **slot)
{
    struct upload *upload = *slot;
    *slot = upload->next;
    for (int i = 0; i < upload->count; i++) {
        free(upload->parts[i].data);
    }
    free(upload->parts);
    free(upload->key);
    free(upload);
    counts.uploads--;
}

static void create_upload(struct connection *connection, const struct request *request)
{
    struct upload *upload = calloc(1, sizeof(*upload));
    char body[200];
    upload->key = strdup(request->key);
    snprintf(upload->id, sizeof(upload->id), "u+/=%" PRIu64, ++next_id);
    upload->next = uploads;
    uploads = upload;
    counts.uploads++;
    int size = snprintf(body, sizeof(body), "<R><UploadId>%s</UploadId></R>", upload->id);
    answer(connection, request, 200, "", body, (size_t)size);
}

static void put_part(struct connection *connection, const struct request *request)
{
    struct upload *upload = *upload_of(request);
    int number = atoi(param(request, "partNumber"));
    char line[80];
    if (!upload) {
        fail(connection, request, 404, "NoSuchUpload", "The specified upload does not exist.");
        return;
    }
    if (number < 1 || number > 10000 || !md5_matches(connection, request)) {
        return;
    }
    if (number > upload->count) {
        upload->parts = realloc(upload->parts, (size_t)number * sizeof(struct part));
        memset(upload->parts + upload->count, 0, (size_t)(number - upload->count) * sizeof(struct part));
        upload->count = number;
    }
    struct part *part = &upload->parts[number - 1];
    free(part->data);
    part->data = copy_body(request);
    part->size = request->body_size;
    body_etag(request, part->etag);
    snprintf(line, sizeof(line), "ETag: \"%s\"\r\n", part->etag);
    answer(connection, request, 200, line, "", 0);
}

static void complete_upload(struct connection *connection, const struct request *request)
{
    struct upload **slot = upload_of(request), *upload = *slot;
    const char *at = request->body;
    size_t size = 0;
    int last = 0;
    unsigned char sums[10000 / 50][16];
    if (!upload) {
        fail(connection, request, 404, "NoSuchUpload", "The specified upload does not exist.");
        return;
    }
    if (refused_by_condition(connection, request)) {
        return;
    }
    while ((at = strstr(at, "<PartNumber>"))) {
        int number = atoi(at + 12);
        const char *etag = strstr(at, "<ETag>");
        etag = etag ? etag + 6 : "";
        etag += strncmp(etag, "&quot;", 6) == 0 ? 6 : *etag == '"';
        if (number != last + 1 || number > upload->count || number > 200 ||
            strncmp(etag, upload->parts[number - 1].etag, 32) != 0) {
            wrong(connection, request, 400, "InvalidPart", "parts or their ETags are wrong");
            return;
        }
        if (last > 0 && upload->parts[last - 1].size < PART_MIN) {
            wrong(connection, request, 400, "EntityTooSmall", "a part is smaller than the minimum");
            return;
        }
        for (int i = 0; i < 16; i++) {
            unsigned byte = 0;
            sscanf(upload->parts[number - 1].etag + (size_t)2 * (size_t)i, "%2x", &byte);
            sums[number - 1][i] = (unsigned char)byte;
        }
        size += upload->parts[number - 1].size;
        last = number;
        at += 12;
    }
    char *data = options.discard ? NULL : malloc(size + 1);
    for (int i = 0, to = 0; data && i < last; to += (int)upload->parts[i].size, i++) {
        memcpy(data + to, upload->parts[i].data, upload->parts[i].size);
    }
    char etag[48], body[200];
    digest_hex(EVP_md5(), sums, (size_t)last * 16, etag);
    snprintf(etag + 32, sizeof(etag) - 32, "-%d", last);
    store_object(request->key, data, size, etag);
    counts.completes++;
    free_upload(slot);
    int length = snprintf(body, sizeof(body), "\n \n<R><ETag>&quot;%s&quot;</ETag></R>", etag);
    answer(connection, request, 200, "", body, (size_t)length);
}

static void abort_upload(struct connection *connection, const struct request *request)
{
    struct upload **slot = upload_of(request);
    if (!*slot) {
        fail(connection, request, 404, "NoSuchUpload", "The specified upload does not exist.");
        return;
    }
    free_upload(slot);
    answer(connection, request, 204, "", "", 0);
}

static void list_uploads(struct connection *connection, const struct request *request)
{
    const char *prefix = param(request, "prefix") ? param(request, "prefix") : "";
    struct buffer body;
    buffer_init(&body, 8 << 20);
    buffer_append_text(&body, "<R><IsTruncated>false</IsTruncated>");
    for (const struct upload *upload = uploads; upload; upload = upload->next) {
        if (strncmp(upload->key, prefix, strlen(prefix)) == 0) {
            buffer_printf(&body, "<Upload><Key>%s</Key><UploadId>%s</UploadId></Upload>", upload->key,
                          upload->id);
        }
    }
    buffer_append_text(&body, "</R>");
    answer(connection, request, 200, "", body.data, body.size);
    buffer_finish(&body);
}

void control(struct connection *connection, struct request *request)
{
    struct buffer body;
    buffer_init(&body, BODY_MAX);
    const char *what = request->path + strlen("/_control/");
    if (strcmp(what, "state") == 0) {
        buffer_printf(&body,
                      "{\"requests\": %" PRIu64 ", \"faults\": %" PRIu64 ", \"puts\": %" PRIu64
                      ", \"completes\": %" PRIu64 ", \"objects\": %" PRIu64 ", \"bytes\": %" PRIu64
                      ", \"errors\": %" PRIu64 ", \"uploads\": %zu, \"last_error\": \"%s\"}",
                      counts.requests, counts.faults, counts.puts, counts.completes, counts.objects,
                      counts.bytes, counts.errors, counts.uploads, counts.last_error);
    } else if (strcmp(what, "keys") == 0) {
        for (size_t i = 0; i < TABLE; i++) {
            for (const struct object *object = table[i]; object; object = object->next) {
                buffer_printf(&body, "%zu %u %s\n", object->size, object->puts, object->key);
            }
        }
    } else if (strcmp(what, "uploads") == 0) {
        for (const struct upload *upload = uploads; upload; upload = upload->next) {
            buffer_printf(&body, "%s %d %s\n", upload->id, upload->count, upload->key);
        }
    } else if (strcmp(what, "object") == 0) {
        decode(request->query);
        const struct object *object = *slot_of(request->query);
        if (object && object->data) {
            buffer_append(&body, object->data, object->size);
        }
    } else if (strcmp(what, "faults") == 0) {
        options.faults = atoi(request->query);
        clock_skew = options.faults ? clock_skew : 0;
    }
    answer(connection, request, 200, "", body.data, body.size);
    buffer_finish(&body);
}

void serve(struct connection *connection, struct request *request)
{
    const char *method = request->method;
    if (!verify(connection, request)) {
        return;
    }
    if (request->bucket_only) {
        if (param(request, "uploads")) {
            list_uploads(connection, request);
        } else {
            answer(connection, request, 200, "", "", 0);
        }
    } else if (strcmp(method, "PUT") == 0 && param(request, "uploadId")) {
        put_part(connection, request);
    } else if (strcmp(method, "PUT") == 0) {
        put_object(connection, request);
    } else if (strcmp(method, "POST") == 0 && param(request, "uploads")) {
        create_upload(connection, request);
    } else if (strcmp(method, "POST") == 0) {
        complete_upload(connection, request);
    } else if (strcmp(method, "DELETE") == 0) {
        abort_upload(connection, request);
    } else {
        get_object(connection, request);
    }
}
