/*
 * Credentials of the place we run in: container (ECS, EKS Pod Identity) and instance (IMDSv2).
 * Never through a proxy; short timeouts, since outside of AWS nobody answers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/aws/credentials_source.h"
#include "lib/aws/uri.h"
#include "lib/http/client.h"

enum { TIMEOUT_MS = 2000, TRIES = 3, TOKEN_MAX = 64 << 10, REPLY_MAX = 64 << 10 };

static void finish(struct http_reply *reply)
{
    if (reply->body.data) {
        explicit_bzero(reply->body.data, reply->body.capacity); /* invariant 7 */
    }
    http_reply_finish(reply);
}

static void fetch(const char *method, const char *url, const char *const *headers,
                  struct http_reply *reply)
{
    struct http_options options = {.connect_timeout_ms = TIMEOUT_MS};
    struct http_request request = {
        .method = method,
        .url = url,
        .headers = headers,
        .total_timeout_ms = TIMEOUT_MS,
        .reply_max = REPLY_MAX,
        .no_proxy = true,
    };
    for (int try = 1;; try++) {
        http_fetch(&options, &request, reply);
        bool busy = reply->failure == HTTP_FINE && (reply->status >= 500 || reply->status == 429);
        if (!busy || try == TRIES) { /* where nobody answers, that is for good: another machine */
            return;
        }
        finish(reply);
        usleep((useconds_t)try * 200000);
    }
}

static void say_why(const struct http_reply *reply, const char *who, char *message, size_t size)
{
    if (reply->failure != HTTP_FINE) {
        snprintf(message, size, "%s: %s", who, reply->message);
    } else {
        snprintf(message, size, "%s answered HTTP %d", who, reply->status);
    }
}

/* -- container -- */

/* Over plain HTTP only where the request cannot leave the machine. */
static bool may_be_plain(const char *host)
{
    bool loops = strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == strlen(host);
    return loops || strcasecmp(host, "localhost") == 0 ||
           strcmp(host, "[::1]") == 0 || strcmp(host, "169.254.170.2") == 0 ||
           strcmp(host, "169.254.170.23") == 0 || strcasecmp(host, "[fd00:ec2::23]") == 0;
}

enum aws_fetch aws_fetch_container(struct aws_credentials *ret, char *message, size_t size)
{
    const char *relative = getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    char url[2048];
    if (relative && *relative) {
        snprintf(url, sizeof(url), "http://169.254.170.2%s", relative);
    } else if (full && *full) {
        char bare[2048];
        struct aws_url parts;
        snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(full, "?"), full);
        if (!aws_url_parse(bare, &parts) || (!parts.tls && !may_be_plain(parts.host))) {
            snprintf(message, size,
                     "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or http to this host");
            return AWS_FAILED;
        }
        snprintf(url, sizeof(url), "%s", full);
    } else {
        return AWS_NOT_HERE;
    }
    const char *token_file = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    char *read = NULL, *header = NULL;
    if (token_file && *token_file) {
        token = read = aws_read_file(token_file, TOKEN_MAX);
        if (!read) {
            snprintf(message, size, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE cannot be read: %m");
            return AWS_FAILED;
        }
    }
    enum aws_fetch result = AWS_FAILED;
    struct http_reply reply = {0};
    if (token && strpbrk(token, "\r\n")) {
        snprintf(message, size, "the container's authorization token has a line break in it");
        goto clean_up;
    }
    if (token && *token && asprintf(&header, "Authorization: %s", token) < 0) {
        header = NULL;
        snprintf(message, size, "out of memory");
        goto clean_up;
    }
    const char *headers[] = {header, NULL};
    fetch("GET", url, headers, &reply);
    if (reply.failure == HTTP_FINE && reply.status == 200) {
        result = aws_credentials_json(reply.body.data, reply.body.size, "Token",
                                      "the container's credentials service", ret, message, size);
    } else {
        say_why(&reply, "the container's credentials service", message, size);
    }
clean_up:
    finish(&reply);
    free(header);
    free(read);
    return result;
}

/* -- instance -- */

static const char instance_service[] = "the instance metadata service";

static void instance_url(const char *path, char *url, size_t size)
{
    const char *endpoint = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *mode = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    char base[512];
    if (endpoint && *endpoint) {
        snprintf(base, sizeof(base), "%s", endpoint);
        size_t length = strlen(base);
        while (length > 0 && base[length - 1] == '/') {
            base[--length] = '\0';
        }
    } else {
        snprintf(base, sizeof(base), "http://%s",
                 mode && strcasecmp(mode, "IPv6") == 0 ? "[fd00:ec2::254]" : "169.254.169.254");
    }
    snprintf(url, size, "%s/latest/%s", base, path);
}

static bool instance_get(const char *path, const char *token, char *text, size_t text_size,
                         struct http_reply *reply)
{
    char url[1024], header[600];
    instance_url(path, url, sizeof(url));
    snprintf(header, sizeof(header), "x-aws-ec2-metadata-token: %s", token);
    const char *headers[] = {header, NULL};
    fetch("GET", url, headers, reply);
    if (reply->failure != HTTP_FINE || reply->status != 200 || !reply->body.data) {
        return false;
    }
    if (text) {
        snprintf(text, text_size, "%.*s", (int)strcspn(reply->body.data, "\r\n"),
                 reply->body.data);
    }
    return true;
}

/* A session token of the metadata service (IMDSv2). False: why is in message. */
static bool instance_token(char *token, size_t token_size, char *message, size_t size)
{
    char url[1024];
    const char *headers[] = {"x-aws-ec2-metadata-token-ttl-seconds: 21600", NULL};
    const char *disabled = getenv("AWS_EC2_METADATA_DISABLED");
    struct http_reply reply = {0};
    if (disabled && strcasecmp(disabled, "true") == 0) {
        snprintf(message, size, "switched off by AWS_EC2_METADATA_DISABLED");
        return false;
    }
    instance_url("api/token", url, sizeof(url));
    fetch("PUT", url, headers, &reply);
    bool good = reply.failure == HTTP_FINE && reply.status == 200 && reply.body.data;
    if (good) {
        snprintf(token, token_size, "%.*s", (int)strcspn(reply.body.data, "\r\n"),
                 reply.body.data);
    } else {
        say_why(&reply, instance_service, message, size);
    }
    finish(&reply);
    return good;
}

bool aws_fetch_instance_region(char *region, size_t size)
{
    char token[512] = "", message[200];
    struct http_reply reply = {0};
    bool found = instance_token(token, sizeof(token), message, sizeof(message)) &&
                 instance_get("meta-data/placement/region", token, region, size, &reply);
    finish(&reply);
    explicit_bzero(token, sizeof(token));
    return found;
}

enum aws_fetch aws_fetch_instance(struct aws_credentials *ret, char *message, size_t size)
{
    char token[512] = "", role[256] = "", path[400];
    struct http_reply reply = {0};
    enum aws_fetch result = AWS_NOT_HERE;
    if (!instance_token(token, sizeof(token), message, size)) {
        goto clean_up;
    }
    if (!instance_get("meta-data/iam/security-credentials/", token, role, sizeof(role), &reply)) {
        if (reply.failure == HTTP_FINE && (reply.status == 404 || reply.status == 200)) {
            snprintf(message, size, "this instance has no role");
        } else {
            say_why(&reply, instance_service, message, size);
            result = AWS_FAILED;
        }
        goto clean_up;
    }
    finish(&reply);
    snprintf(path, sizeof(path), "meta-data/iam/security-credentials/%s", role);
    if (!instance_get(path, token, NULL, 0, &reply)) {
        say_why(&reply, instance_service, message, size);
        result = AWS_FAILED;
        goto clean_up;
    }
    result = aws_credentials_json(reply.body.data, reply.body.size, "Token", instance_service, ret, message, size);
clean_up:
    finish(&reply);
    explicit_bzero(token, sizeof(token));
    return result;
}
