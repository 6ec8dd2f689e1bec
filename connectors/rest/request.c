/* Requests and their answers, see request.h. */
#include "connectors/rest/request.h"

#include "connectors/rest/streams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NUMBER_MAX = 24,
    ANSWER_MAX = 256 << 20, /* records.max times the longest entry stays far below */
};

struct rest_request *rest_request_create(void)
{
    struct rest_request *request = calloc(1, sizeof(*request));
    if (request) {
        buffer_init(&request->answer, ANSWER_MAX);
    }
    return request;
}

int rest_request_results(struct rest_request *request, size_t count)
{
    if (count > request->result_capacity) {
        struct rest_result *results = realloc(request->results, count * sizeof(*results));
        if (!results) {
            return -1;
        }
        request->results = results;
        request->result_capacity = count;
    }
    for (size_t i = 0; i < count; i++) {
        request->results[i] = (struct rest_result){.request = request, .partition = -1};
    }
    request->count = count;
    atomic_store_explicit(&request->left, count, memory_order_relaxed);
    return 0;
}

void rest_result_fail(struct rest_result *result, int32_t code, const char *message)
{
    result->code = code;
    result->message = strdup(message ? message : "");
}

/* Length of the UTF-8 sequence at text, 0 where it is none (Unicode 15, table 3-7). */
static size_t sequence(const unsigned char *text)
{
    unsigned char a = text[0], b = a < 0x80 ? 0 : text[1];
    if (a < 0x80) {
        return 1;
    }
    bool tail = (b & 0xc0) == 0x80;
    if (a >= 0xc2 && a <= 0xdf) {
        return tail ? 2 : 0;
    }
    if (a >= 0xe0 && a <= 0xef) {
        tail = tail && !(a == 0xe0 && b < 0xa0) && !(a == 0xed && b > 0x9f);
        return tail && (text[2] & 0xc0) == 0x80 ? 3 : 0;
    }
    if (a >= 0xf0 && a <= 0xf4) {
        tail = tail && !(a == 0xf0 && b < 0x90) && !(a == 0xf4 && b > 0x8f);
        return tail && (text[2] & 0xc0) == 0x80 && (text[3] & 0xc0) == 0x80 ? 4 : 0;
    }
    return 0;
}

void rest_append_json(struct buffer *buffer, const char *text)
{
    (void)buffer_append_char(buffer, '"');
    for (const char *at = text; *at;) {
        unsigned char c = (unsigned char)*at;
        size_t size = sequence((const unsigned char *)at);
        if (size == 0) {
            (void)buffer_append(buffer, "\xef\xbf\xbd", 3);
            at++;
            continue;
        }
        if (c == '"' || c == '\\') {
            (void)buffer_append_char(buffer, '\\');
            (void)buffer_append_char(buffer, *at);
        } else if (strchr("\b\t\n\f\r", c)) {
            (void)buffer_append_char(buffer, '\\');
            (void)buffer_append_char(buffer, "btn_fr"[c - '\b']);
        } else if (c < 0x20) {
            (void)buffer_printf(buffer, "\\u%04X", c);
        } else {
            (void)buffer_append(buffer, at, size);
        }
        at += size;
    }
    (void)buffer_append_char(buffer, '"');
}

/* Writes it at `to`, at most NUMBER_MAX characters; returns the end. */
static char *put_number(char *to, int64_t number)
{
    char digits[NUMBER_MAX];
    char *at = digits + sizeof(digits);
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        *--at = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (number < 0) {
        *--at = '-';
    }
    size_t size = (size_t)(digits + sizeof(digits) - at);
    memcpy(to, at, size);
    return to + size;
}

static void append_number(struct buffer *buffer, int64_t number)
{
    char digits[NUMBER_MAX];
    (void)buffer_append(buffer, digits, (size_t)(put_number(digits, number) - digits));
}

#define LITERAL(buffer, text) (void)buffer_append(buffer, text, sizeof(text) - 1)

static void append_fault(struct buffer *answer, const struct rest_fault *fault)
{
    LITERAL(answer, "{\"error_code\":");
    append_number(answer, fault->code);
    LITERAL(answer, ",\"message\":");
    rest_append_json(answer, fault->message);
    LITERAL(answer, "}");
}

/* The entry of a record that did not fail: in one piece, as an answer has as many as its request. */
static void append_written(struct buffer *answer, const struct rest_result *result)
{
    static const char partition[] = "{\"partition\":", offset[] = ",\"offset\":",
                      end[] = ",\"error_code\":null,\"error\":null}",
                      filtered[] = "{\"partition\":null,\"offset\":null";
    char entry[sizeof(filtered) + sizeof(partition) + sizeof(offset) + sizeof(end) + 2 * NUMBER_MAX];
    char *at = entry;
    if (result->partition < 0) { /* filtered by a transform: neither written nor failed */
        at = mempcpy(at, filtered, sizeof(filtered) - 1);
    } else {
        at = mempcpy(at, partition, sizeof(partition) - 1);
        at = put_number(at, result->partition);
        at = mempcpy(at, offset, sizeof(offset) - 1);
        at = put_number(at, result->offset);
    }
    at = mempcpy(at, end, sizeof(end) - 1);
    (void)buffer_append(answer, entry, (size_t)(at - entry));
}

/* The HTTP status is the first security error's, else 200, whatever failed (§4.1). */
static int append_results(struct rest_request *request)
{
    struct buffer *answer = &request->answer;
    int status = 200;
    LITERAL(answer, "{\"offsets\":[");
    for (size_t i = 0; i < request->count; i++) {
        const struct rest_result *result = &request->results[i];
        if (i > 0) {
            LITERAL(answer, ",");
        }
        if (result->code != 0) {
            LITERAL(answer, "{\"partition\":null,\"offset\":null,\"error_code\":");
            append_number(answer, result->code);
            LITERAL(answer, ",\"error\":");
            rest_append_json(answer, result->message ? result->message : "");
            LITERAL(answer, "}");
            if (status == 200 && result->code == REST_UNAUTHENTICATED) {
                status = 401;
            } else if (status == 200 && result->code == REST_FORBIDDEN) {
                status = 403;
            }
            continue;
        }
        append_written(answer, result);
    }
    LITERAL(answer, "],\"key_schema_id\":null,\"value_schema_id\":null}");
    return status;
}

int rest_request_answer(struct rest_request *request)
{
    int status = 200;
    if (rest_streams_is(&request->route) && (request->fault.status != 0 || request->count > 0)) {
        buffer_reset(&request->answer);
        status = request->fault.status != 0 ? rest_streams_fault(&request->answer, &request->fault)
                                            : rest_streams_results(request);
    } else if (request->fault.status != 0) {
        buffer_reset(&request->answer);
        append_fault(&request->answer, &request->fault);
        status = request->fault.status;
    } else if (request->count > 0) {
        buffer_reset(&request->answer);
        status = append_results(request);
    }
    if (request->answer.failed) {
        static const struct rest_fault memory = {500, 500, "Out of memory"};
        buffer_reset(&request->answer);
        append_fault(&request->answer, &memory);
        status = 500;
    }
    return status;
}

/* Frees body and results that are larger than that. */
static void release(struct rest_request *request, size_t most)
{
    for (size_t i = 0; i < request->count; i++) {
        free(request->results[i].message);
    }
    request->count = 0;
    request->size = 0;
    if (request->result_capacity * sizeof(*request->results) > most) {
        free(request->results);
        request->results = NULL;
        request->result_capacity = 0;
    }
    if (request->capacity > most) {
        free(request->body);
        request->body = NULL;
        request->capacity = 0;
    }
}

size_t rest_request_shrink(struct rest_request *request)
{
    release(request, REST_KEEP);
    return request->answer.capacity + request->capacity +
           request->result_capacity * sizeof(*request->results);
}

void rest_request_reset(struct rest_request *request, bool keep)
{
    release(request, keep ? REST_KEEP : 0);
    if (!keep || request->answer.capacity > REST_KEEP) {
        buffer_finish(&request->answer);
    }
    buffer_reset(&request->answer);
    request->fault.status = 0;
    request->connection = NULL;
    request->state = REST_READING;
    request->discard = request->told = request->close = request->restart = request->expired = false;
}

void rest_request_destroy(struct rest_request *request)
{
    if (!request) {
        return;
    }
    release(request, 0);
    buffer_finish(&request->answer);
    free(request);
}
