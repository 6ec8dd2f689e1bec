/*
 * Multipart uploads that a killed process left behind: found and aborted when their topic partition comes
 * to this task, before anything of it is begun anew. Only keys this connector would write are touched.
 * [task thread; s3_strays: store's thread]
 */
#include "connectors/s3/s3_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/aws/xml.h"

enum { KEY_SIZE = 4096, TRIES = 3, LIST_MAX = 8 << 20, LIST_AGAIN_S = 30 };

static bool ask(struct s3_store *store, struct s3_draft *draft, struct http_reply *reply,
                struct aws_fault *fault)
{
    struct s3_access *access = &store->aside;
    const struct s3_draft fresh = *draft;
    char message[500];
    for (int try = 0;; try++) {
        struct s3_signed ready;
        *draft = fresh;
        if (!s3_access_sign(access, draft, &ready, message, sizeof(message))) {
            snprintf(fault->message, sizeof(fault->message), "%.290s", message);
            return false;
        }
        struct http_request http = {.method = draft->method, .url = ready.url,
                                    .headers = (const char *const *)ready.lines,
                                    .total_timeout_ms = 10000, .reply_max = LIST_MAX};
        struct http_options options = s3_access_http(access, 1);
        http_fetch(&options, &http, reply);
        s3_signed_finish(&ready);
        aws_classify(reply, false, fault);
        bool again = fault->class == AWS_TRANSIENT || fault->class == AWS_THROTTLED;
        if (fault->class == AWS_EXPIRED && access->credentials) {
            aws_provider_refresh(access->credentials);
            again = true;
        }
        if (fault->class == AWS_SKEWED && fault->server_time) {
            access->clock_offset = fault->server_time - time(NULL);
            again = true;
        }
        if (fault->class == AWS_FINE || !again || try == TRIES) {
            return fault->class == AWS_FINE;
        }
        http_reply_finish(reply);
        *reply = (struct http_reply){0};
        nanosleep(&(struct timespec){.tv_nsec = 50000000L << try}, NULL);
    }
}

/* DELIM TOPIC + PARTITION + DIGITS EXTENSION at the end of a key. */
static bool is_ours(const struct settings *settings, const char *key, const char *topic,
                    const int32_t *partitions, size_t count, const char *const extensions[])
{
    char name[600];
    for (size_t i = 0; i < count; i++) {
        int length = snprintf(name, sizeof(name), "%s%s%s%" PRId32 "%s", settings->directory_delim, topic,
                              settings->file_delim, partitions[i], settings->file_delim);
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
                return true;
            }
        }
    }
    return false;
}

static bool abort_one(struct s3_store *store, const char *key, const char *id)
{
    struct s3_draft draft = {.method = "DELETE", .key = key, .payload_hash = SIGV4_EMPTY_PAYLOAD,
                             .query = {{"uploadId", id}}, .query_count = 1};
    struct http_reply reply = {0};
    struct aws_fault fault = {0};
    char why[500];
    bool good = ask(store, &draft, &reply, &fault) || fault.class == AWS_MISSING;
    http_reply_finish(&reply);
    if (!good) {
        store->host->log(store->host, SLUICE_WARN, "An unfinished upload of %s cannot be aborted: %s", key,
                         aws_fault_text(&fault, why, sizeof(why)));
    }
    return good;
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

static size_t abort_listed(struct s3_store *store, const struct http_reply *reply, const char *topic,
                           const int32_t *partitions, size_t count)
{
    struct listed listed;
    size_t aborted = 0;
    listed_init(&listed, reply);
    while (listed_next(&listed)) {
        aborted +=
            is_ours(store->settings, listed.key, topic, partitions, count, store->base.extensions) &&
            abort_one(store, listed.key, listed.id);
    }
    return aborted;
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

void s3_reclaim(struct store *base, const char *topic, const int32_t *partitions, size_t count)
{
    struct s3_store *store = (struct s3_store *)base;
    const struct settings *settings = store->settings;
    char prefix[1200], key_marker[KEY_SIZE] = "", id_marker[UPLOAD_ID_SIZE] = "", more[8];
    size_t aborted = 0;
    if (store->no_reclaim && store->reclaim_again && time(NULL) >= store->reclaim_again) {
        store->no_reclaim = false;
    }
    if (!settings->abort_orphans || store->no_reclaim) {
        return;
    }
    snprintf(prefix, sizeof(prefix), "%s%s%s%s", settings->topics_dir,
             settings->topics_dir[0] ? settings->directory_delim : "", topic, settings->directory_delim);
    for (;;) {
        struct s3_draft draft = {
            .method = "GET",
            .payload_hash = SIGV4_EMPTY_PAYLOAD,
            .query = {{"uploads", ""}, {"encoding-type", "url"}, {"prefix", prefix},
                      {"key-marker", key_marker}, {"upload-id-marker", id_marker}},
            .query_count = key_marker[0] ? 5 : 3,
        };
        struct http_reply reply = {0};
        struct aws_fault fault = {0};
        char why[500];
        if (!ask(store, &draft, &reply, &fault)) {
            store->host->log(store->host, fault.class == AWS_DENIED ? SLUICE_INFO : SLUICE_WARN,
                             "Uploads that former tasks left unfinished cannot be looked for: %s. A "
                             "lifecycle rule of the bucket (AbortIncompleteMultipartUpload) removes them",
                             aws_fault_text(&fault, why, sizeof(why)));
            http_reply_finish(&reply);
            /* Or each topic would wait as long for the same answer; one that may change is asked for again
             * when partitions come the next time. */
            store->no_reclaim = true;
            store->reclaim_again = fault.class == AWS_TRANSIENT || fault.class == AWS_THROTTLED
                                       ? time(NULL) + LIST_AGAIN_S : 0;
            return;
        }
        aborted += abort_listed(store, &reply, topic, partitions, count);
        bool truncated = aws_xml_text(reply.body.data, reply.body.size, "IsTruncated", more, sizeof(more)) &&
                         strcmp(more, "true") == 0 &&
                         aws_xml_text(reply.body.data, reply.body.size, "NextKeyMarker", key_marker,
                                      sizeof(key_marker));
        aws_xml_text(reply.body.data, reply.body.size, "NextUploadIdMarker", id_marker, sizeof(id_marker));
        http_reply_finish(&reply);
        if (!truncated) {
            break;
        }
        aws_uri_decode(key_marker);
    }
    if (aborted > 0) {
        store->host->log(store->host, SLUICE_INFO,
                         "%zu uploads of %s that a former task left unfinished are aborted", aborted, topic);
    }
}
