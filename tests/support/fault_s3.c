/*
 * A strict S3 service that fails on purpose, for chaos tests and benchmarks: one thread, objects in
 * memory.
 *
 *   fault_s3 [--port N] [--delay MS] [--discard] [--seed N] [--faults PER_MILLE] [--access K] [--secret S]
 *
 * Prints `PORT n` and serves until its standard input ends. --delay is added to every request, --discard
 * keeps no data. Every signature and payload hash is verified; parts below 5 MiB, wrong ETags and the
 * like are refused as S3 refuses them.
 *
 * Of every 1000 requests, PER_MILLE fail: 500, 503 SlowDown, a 200 with an error in it, a connection
 * reset before, amid and behind the request (done, but the answer is lost), a slow answer, an expired
 * token, a clock that jumps by an hour, 409. Which, follows from the seed.
 *
 * Unsigned, for tests: GET /_control/state (JSON), /_control/keys (a line each: size, puts, key),
 * /_control/object?KEY (its bytes), POST /_control/faults?PER_MILLE.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/aws/sigv4.h"
#include "lib/util/buffer.h"

enum { PART_MIN = 5 << 20, TABLE = 1 << 16, EVENTS = 256, BODY_MAX = 256 << 20, PAIRS = 40 };

static struct {
    int port, delay, faults;
    bool discard;
    uint64_t random;
    const char *access, *secret;
} options = {.access = "access", .secret = "secret", .random = 88172645463325252u};

static struct {
    uint64_t requests, faults, puts, completes, objects, bytes;
    uint64_t errors;           /* signatures and the like that were wrong */
    size_t uploads;
    char last_error[300];
} counts;

static int64_t clock_skew; /* seconds: what --faults does to our clock */

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

static uint64_t random_next(void)
{
    options.random ^= options.random << 13;
    options.random ^= options.random >> 7;
    options.random ^= options.random << 17;
    return options.random;
}

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

static void digest_hex(const EVP_MD *kind, const void *data, size_t size, char *hex)
{
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    EVP_Digest(data, size, out, &length, kind, NULL);
    for (unsigned i = 0; i < length; i++) {
        sprintf(hex + (size_t)2 * i, "%02x", out[i]);
    }
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

/* -- connections -- */

struct connection {
    struct connection *next, *previous;
    int fd;
    struct buffer in, out;
    size_t sent;
    int64_t answer_at;      /* ms; 0: nothing waits */
    bool close, continued;
};

struct request {
    char *method, *path, *query, *headers;
    char *body;
    size_t body_size;
    char key[2048];         /* decoded, without the bucket */
    bool bucket_only;
    struct sigv4_pair pairs[PAIRS]; /* of the query, decoded */
    size_t pair_count;
};

static struct connection *connections;
static int poller;

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static const char *header(const struct request *request, const char *name, char *value, size_t size)
{
    size_t length = strlen(name);
    value[0] = '\0';
    for (const char *line = request->headers; line && *line; line = strstr(line, "\r\n")) {
        line += strncmp(line, "\r\n", 2) == 0 ? 2 : 0;
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            const char *from = line + length + 1 + strspn(line + length + 1, " ");
            snprintf(value, size, "%.*s", (int)strcspn(from, "\r"), from);
            return value;
        }
        if (!*line) {
            break;
        }
    }
    return NULL;
}

static const char *param(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->pair_count; i++) {
        if (strcmp(request->pairs[i].name, name) == 0) {
            return request->pairs[i].value;
        }
    }
    return NULL;
}

static void decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        unsigned byte = (unsigned char)*from;
        if (*from == '%' && sscanf(from + 1, "%2x", &byte) == 1) {
            from += 2;
        }
        *to++ = (char)byte;
    }
    *to = '\0';
}

static void answer(struct connection *connection, const struct request *request, int status,
                   const char *more_headers, const void *body, size_t size)
{
    char date[64];
    time_t now = time(NULL) + clock_skew;
    struct tm utc;
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &utc));
    buffer_printf(&connection->out, "HTTP/1.1 %d X\r\nDate: %s\r\nContent-Length: %zu\r\n%s\r\n", status,
                  date, size, more_headers);
    if (size > 0 && strcmp(request->method, "HEAD") != 0) {
        buffer_append(&connection->out, body, size);
    }
}

static void fail(struct connection *connection, const struct request *request, int status,
                 const char *code, const char *why)
{
    char body[600];
    int size = snprintf(body, sizeof(body), "<?xml version='1.0'?><Error><Code>%s</Code><Message>%s"
                                            "</Message><RequestId>42</RequestId></Error>", code, why);
    answer(connection, request, status, "", body, (size_t)size);
}

static void wrong(struct connection *connection, const struct request *request, int status,
                  const char *code, const char *why)
{
    counts.errors++;
    snprintf(counts.last_error, sizeof(counts.last_error), "%s %.100s: %s %s", request->method,
             request->path, code, why);
    fail(connection, request, status, code, why);
}

/* -- signatures -- */

static bool verify(struct connection *connection, const struct request *request)
{
    char given[2000], date[40], hash[80], hex[EVP_MAX_MD_SIZE * 2 + 1], scope[300], signed_names[600];
    char values[PAIRS][1200];
    struct sigv4_pair headers[PAIRS];
    size_t count = 0;
    if (!header(request, "Authorization", given, sizeof(given)) ||
        sscanf(given, "AWS4-HMAC-SHA256 Credential=%299[^,], SignedHeaders=%599[^,], Signature=", scope,
               signed_names) != 2 ||
        !header(request, "x-amz-date", date, sizeof(date)) ||
        !header(request, "x-amz-content-sha256", hash, sizeof(hash))) {
        wrong(connection, request, 403, "AccessDenied", "not signed");
        return false;
    }
    size_t access = strcspn(scope, "/");
    if (strlen(options.access) != access || strncmp(scope, options.access, access) != 0) {
        wrong(connection, request, 403, "InvalidAccessKeyId", "unknown access key");
        return false;
    }
    char region[64] = "";
    sscanf(scope + access, "/%*[^/]/%63[^/]/", region);
    struct tm utc = {0};
    strptime(date, "%Y%m%dT%H%M%SZ", &utc);
    int64_t then = timegm(&utc), off = then - (time(NULL) + clock_skew);
    if (off > 900 || off < -900) {
        fail(connection, request, 403, "RequestTimeTooSkewed", "The difference is too large.");
        return false;
    }
    if (strcmp(hash, SIGV4_UNSIGNED_PAYLOAD) != 0) {
        digest_hex(EVP_sha256(), request->body, request->body_size, hex);
        if (strcmp(hash, hex) != 0) {
            wrong(connection, request, 400, "XAmzContentSHA256Mismatch", "the payload is another one");
            return false;
        }
    }
    for (char *rest = signed_names, *name; (name = strsep(&rest, ";")) && count < PAIRS; count++) {
        header(request, name, values[count], sizeof(values[count]));
        headers[count] = (struct sigv4_pair){name, values[count]};
    }
    struct sigv4_signer signer;
    struct buffer expected;
    sigv4_signer_init(&signer, region, "s3");
    buffer_init(&expected, 4096);
    struct sigv4_request to_sign = {.method = request->method, .path = request->path,
                                    .query = request->pairs, .query_count = request->pair_count,
                                    .headers = headers, .header_count = count, .payload_hash = hash,
                                    .time = then};
    bool good = sigv4_sign(&signer, options.access, options.secret, &to_sign, &expected, NULL) == 0 &&
                strcmp(expected.data, given) == 0;
    sigv4_signer_finish(&signer);
    buffer_finish(&expected);
    if (!good) {
        wrong(connection, request, 403, "SignatureDoesNotMatch", "the signature is another one");
    }
    return good;
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

static void control(struct connection *connection, struct request *request)
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

static void serve(struct connection *connection, struct request *request)
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

/* -- faults -- */

static void reset_connection(struct connection *connection)
{
    struct linger now = {1, 0};
    setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    buffer_reset(&connection->out);
    connection->close = true;
}

/* True where it was the answer. */
static bool disturb(struct connection *connection, struct request *request)
{
    if (options.faults == 0 || random_next() % 1000 >= (uint64_t)options.faults) {
        return false;
    }
    counts.faults++;
    switch (random_next() % 9) {
    case 0:
        fail(connection, request, 500, "InternalError", "We encountered an internal error.");
        return true;
    case 1:
        fail(connection, request, 503, "SlowDown", "Please reduce your request rate.");
        return true;
    case 2:
        if (strcmp(request->method, "POST") == 0 && param(request, "uploadId")) {
            static const char body[] = "<?xml version='1.0'?>\n\n<Error><Code>InternalError</Code>"
                                       "<Message>We encountered an internal error.</Message></Error>";
            answer(connection, request, 200, "", body, sizeof(body) - 1);
        } else {
            fail(connection, request, 500, "InternalError", "We encountered an internal error.");
        }
        return true;
    case 3:
        reset_connection(connection);
        return true;
    case 4: /* done, but the answer is lost */
        serve(connection, request);
        reset_connection(connection);
        return true;
    case 5:
        connection->answer_at = now_ms() + 100 + (int64_t)(random_next() % 900);
        return false;
    case 6:
        fail(connection, request, 400, "ExpiredToken", "The provided token has expired.");
        return true;
    case 7:
        clock_skew = clock_skew ? 0 : random_next() % 2 ? 3600 : -3600;
        return false;
    default: {
        char value[16];
        if (header(request, "If-None-Match", value, sizeof(value))) {
            fail(connection, request, 409, "ConditionalRequestConflict", "At the same time.");
            return true;
        }
        fail(connection, request, 500, "InternalError", "We encountered an internal error.");
        return true;
    }
    }
}

/* -- HTTP -- */

static void split_query(struct request *request)
{
    for (char *rest = request->query, *pair; rest && *rest && (pair = strsep(&rest, "&"));) {
        char *value = strchr(pair, '=');
        if (value) {
            *value++ = '\0';
        }
        if (request->pair_count < PAIRS) {
            decode(pair);
            if (value) {
                decode(value);
            }
            request->pairs[request->pair_count++] = (struct sigv4_pair){pair, value ? value : ""};
        }
    }
}

/* A whole request is in the buffer: head of so many bytes, then the body. */
static void handle(struct connection *connection, size_t head, size_t body_size)
{
    struct request request = {.body = connection->in.data + head, .body_size = body_size};
    char *line = connection->in.data;
    char saved = request.body[body_size];
    request.body[body_size] = '\0';
    line[head - 2] = '\0';
    request.method = strsep(&line, " ");
    request.path = strsep(&line, " ");
    request.headers = line ? strstr(line, "\r\n") : NULL;
    request.query = request.path ? strchr(request.path, '?') : NULL;
    if (request.query) {
        *request.query++ = '\0';
    } else {
        static char none[1];
        request.query = none;
    }
    counts.requests++;
    if (strncmp(request.path, "/_control/", 10) == 0) {
        control(connection, &request);
        goto out;
    }
    split_query(&request);
    const char *slash = strchr(request.path + 1, '/');
    request.bucket_only = !slash || !slash[1];
    if (!request.bucket_only) {
        snprintf(request.key, sizeof(request.key), "%s", slash + 1);
        decode(request.key);
    }
    connection->answer_at = options.delay ? now_ms() + options.delay : 0;
    if (!disturb(connection, &request)) {
        serve(connection, &request);
    }
out:
    request.body[body_size] = saved;
    buffer_consume(&connection->in, head + body_size);
    connection->continued = false;
}

static void destroy(struct connection *connection)
{
    if (connection->previous) {
        connection->previous->next = connection->next;
    } else {
        connections = connection->next;
    }
    if (connection->next) {
        connection->next->previous = connection->previous;
    }
    close(connection->fd);
    buffer_finish(&connection->in);
    buffer_finish(&connection->out);
    free(connection);
}

/* False: it is gone. */
static bool flush_out(struct connection *connection)
{
    while (connection->sent < connection->out.size) {
        ssize_t sent = send(connection->fd, connection->out.data + connection->sent,
                            connection->out.size - connection->sent, MSG_NOSIGNAL);
        if (sent < 0) {
            return errno == EAGAIN;
        }
        connection->sent += (size_t)sent;
    }
    buffer_reset(&connection->out);
    connection->sent = 0;
    return !connection->close;
}

/* Handles whole requests; false: the connection is done with. */
static bool advance(struct connection *connection)
{
    for (;;) {
        if (connection->answer_at > now_ms()) {
            return true;
        }
        connection->answer_at = 0;
        if (!flush_out(connection)) {
            return false;
        }
        if (connection->out.size > 0 || connection->in.size == 0) {
            return true;
        }
        char *end = memmem(connection->in.data, connection->in.size, "\r\n\r\n", 4);
        if (!end) {
            return connection->in.size < 64 << 10;
        }
        size_t head = (size_t)(end - connection->in.data) + 4;
        char *length = strcasestr(connection->in.data, "\r\ncontent-length:");
        size_t body = length && length < end ? strtoull(length + 17, NULL, 10) : 0;
        if (body > BODY_MAX) {
            return false;
        }
        char *expect = strcasestr(connection->in.data, "\r\nexpect: 100");
        if (expect && expect < end && !connection->continued) {
            connection->continued = true;
            buffer_append_text(&connection->out, "HTTP/1.1 100 Continue\r\n\r\n");
            continue;
        }
        if (connection->in.size < head + body) {
            /* amid a large part, now and then */
            if (options.faults > 0 && body > PART_MIN / 2 && connection->in.size > body / 2 &&
                random_next() % 20000 < (uint64_t)options.faults) {
                counts.faults++;
                reset_connection(connection);
                return false;
            }
            return buffer_reserve(&connection->in, head + body + 1 - connection->in.size) == 0;
        }
        if (buffer_reserve(&connection->in, 1) != 0) {
            return false;
        }
        handle(connection, head, body);
    }
}

static bool read_in(struct connection *connection)
{
    for (;;) {
        if (buffer_reserve(&connection->in, 64 << 10) != 0) {
            return false;
        }
        size_t room = connection->in.capacity - connection->in.size - 1;
        ssize_t got = recv(connection->fd, connection->in.data + connection->in.size, room, 0);
        if (got == 0) {
            return false;
        }
        if (got < 0) {
            return errno == EAGAIN;
        }
        connection->in.size += (size_t)got;
        connection->in.data[connection->in.size] = '\0';
        if ((size_t)got < room) {
            return true;
        }
    }
}

static void accept_all(int listener)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *connection = calloc(1, sizeof(*connection));
        int yes = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
        connection->fd = fd;
        buffer_init(&connection->in, BODY_MAX + (1 << 20));
        buffer_init(&connection->out, BODY_MAX + (1 << 20));
        connection->next = connections;
        if (connections) {
            connections->previous = connection;
        }
        connections = connection;
        struct epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLET, {.ptr = connection}};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    }
}

/* Answers whose time has come; ms until the next. */
static int advance_delayed(void)
{
    int64_t now = now_ms(), next = now + 1000;
    for (struct connection *connection = connections, *after; connection; connection = after) {
        after = connection->next;
        if (connection->answer_at == 0) {
            continue;
        }
        if (connection->answer_at <= now && !advance(connection)) {
            destroy(connection);
            continue;
        }
        if (connection->answer_at > 0 && connection->answer_at < next) {
            next = connection->answer_at;
        }
    }
    return next > now ? (int)(next - now) : 0;
}

static int listen_on(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t size = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 1024) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        perror("fault_s3");
        exit(3);
    }
    printf("PORT %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void read_arguments(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--discard") == 0) {
            options.discard = true;
            continue;
        }
        if (strcmp(argv[i], "--port") == 0) {
            options.port = atoi(value);
        } else if (strcmp(argv[i], "--delay") == 0) {
            options.delay = atoi(value);
        } else if (strcmp(argv[i], "--faults") == 0) {
            options.faults = atoi(value);
        } else if (strcmp(argv[i], "--seed") == 0) {
            options.random ^= strtoull(value, NULL, 10) * 0x9e3779b97f4a7c15u;
            options.random |= 1;
        } else if (strcmp(argv[i], "--access") == 0) {
            options.access = value;
        } else if (strcmp(argv[i], "--secret") == 0) {
            options.secret = value;
        } else {
            fprintf(stderr, "fault_s3: unknown argument %s\n", argv[i]);
            exit(2);
        }
        i++;
    }
}

int main(int argc, char **argv)
{
    read_arguments(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    poller = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_on(options.port);
    static char input, listening;
    struct epoll_event event = {EPOLLIN, {.ptr = &listening}};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    event = (struct epoll_event){EPOLLIN | EPOLLHUP, {.ptr = &input}};
    bool watched = epoll_ctl(poller, EPOLL_CTL_ADD, 0, &event) == 0; /* not so where it is a file */
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(poller, events, EVENTS, advance_delayed());
        for (int i = 0; i < count; i++) {
            char text[64];
            if (events[i].data.ptr == &listening) {
                accept_all(listener);
            } else if (events[i].data.ptr == &input) {
                if (watched && read(0, text, sizeof(text)) <= 0) {
                    return 0;
                }
            } else {
                struct connection *connection = events[i].data.ptr;
                if (!read_in(connection) || !advance(connection)) {
                    destroy(connection);
                }
            }
        }
    }
}
