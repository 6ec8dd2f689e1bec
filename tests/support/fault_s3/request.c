/* Requests and answers as S3 has them: headers, parameters, errors, signatures. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "tests/support/fault_s3/fault_s3.h"

const char *header(const struct request *request, const char *name, char *value, size_t size)
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

const char *param(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->pair_count; i++) {
        if (strcmp(request->pairs[i].name, name) == 0) {
            return request->pairs[i].value;
        }
    }
    return NULL;
}

void decode(char *text)
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

void answer(struct connection *connection, const struct request *request, int status,
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

void fail(struct connection *connection, const struct request *request, int status,
                 const char *code, const char *why)
{
    char body[600];
    int size = snprintf(body, sizeof(body), "<?xml version='1.0'?><Error><Code>%s</Code><Message>%s"
                                            "</Message><RequestId>42</RequestId></Error>", code, why);
    answer(connection, request, status, "", body, (size_t)size);
}

void wrong(struct connection *connection, const struct request *request, int status,
                  const char *code, const char *why)
{
    counts.errors++;
    snprintf(counts.last_error, sizeof(counts.last_error), "%s %.100s: %s %s", request->method,
             request->path, code, why);
    fail(connection, request, status, code, why);
}

/* -- signatures -- */

void digest_hex(const EVP_MD *kind, const void *data, size_t size, char *hex)
{
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    EVP_Digest(data, size, out, &length, kind, NULL);
    for (unsigned i = 0; i < length; i++) {
        sprintf(hex + (size_t)2 * i, "%02x", out[i]);
    }
}

bool verify(struct connection *connection, const struct request *request)
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
