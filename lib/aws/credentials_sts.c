/*
 * Roles: AssumeRole with the credentials of another source, and AssumeRoleWithWebIdentity (EKS IRSA),
 * which needs none. Blocking.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/aws/credentials_source.h"
#include "lib/aws/reply.h"
#include "lib/aws/sigv4.h"
#include "lib/aws/uri.h"
#include "lib/aws/xml.h"
#include "lib/http/client.h"

enum { TIMEOUT_MS = 10000, TOKEN_MAX = 64 << 10, BODY_MAX = 128 << 10, TRIES = 3 };

static void add(struct buffer *body, const char *name, const char *value)
{
    if (value && *value) {
        (void)buffer_printf(body, "&%s=", name);
        aws_uri_encode(body, value, strlen(value), false);
    }
}

static const char *region_of(const struct aws_role *role)
{
    return role->region && *role->region ? role->region : "us-east-1";
}

/* An endpoint given by configuration, or the region's own. */
static bool endpoint_of(const struct aws_role *role, struct aws_url *ret_url)
{
    char text[300];
    const char *region = region_of(role);
    const char *given = role->endpoint && *role->endpoint ? role->endpoint
                                                          : getenv("AWS_ENDPOINT_URL_STS");
    if (given && *given) {
        return aws_url_parse(given, ret_url);
    }
    if (strcmp(region, "aws-global") == 0) {
        return aws_url_parse("https://sts.amazonaws.com", ret_url);
    }
    snprintf(text, sizeof(text), "https://sts.%s.amazonaws.com%s", region,
             strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
    return aws_url_parse(text, ret_url);
}

/* Signed where base is given. */
static void ask(const struct aws_role *role, const struct aws_credentials *base,
                const struct buffer *body, struct http_reply *reply)
{
    struct aws_url url;
    *reply = (struct http_reply){.failure = HTTP_MISUSE, .message = "the STS endpoint is no URL"};
    if (!endpoint_of(role, &url)) {
        return;
    }
    static const char type[] = "application/x-www-form-urlencoded; charset=utf-8";
    char address[900], date[SIGV4_DATE_SIZE], hash[SIGV4_HASH_SIZE];
    char date_line[64], type_line[96], hash_line[96];
    char *token_line = NULL, *signature_line = NULL;
    snprintf(address, sizeof(address), "%s://%s%s/", url.tls ? "https" : "http", url.authority,
             url.path);
    int64_t now = time(NULL);
    sigv4_date(now, date);
    sigv4_hash(body->data, body->size, hash);
    snprintf(type_line, sizeof(type_line), "Content-Type: %s", type);
    const char *headers[6] = {type_line};
    if (base) {
        struct sigv4_pair pairs[5] = {{"host", url.authority}, {"content-type", type},
                                      {"x-amz-date", date}, {"x-amz-content-sha256", hash}};
        size_t count = 4;
        if (base->token[0]) {
            pairs[count++] = (struct sigv4_pair){"x-amz-security-token", base->token};
        }
        char path[600];
        snprintf(path, sizeof(path), "%s/", url.path);
        struct sigv4_request request = {"POST", path, NULL, 0, pairs, count, hash, now};
        struct sigv4_signer signer;
        struct buffer authorization;
        buffer_init(&authorization, 16 << 10);
        /* the global endpoint is us-east-1's in signatures */
        const char *region = region_of(role);
        sigv4_signer_init(&signer, strcmp(region, "aws-global") == 0 ? "us-east-1" : region, "sts");
        bool made = sigv4_sign(&signer, base->access_key, base->secret_key, &request,
                               &authorization, NULL) == 0 &&
                    asprintf(&signature_line, "Authorization: %s", authorization.data) >= 0 &&
                    (!base->token[0] ||
                     asprintf(&token_line, "x-amz-security-token: %s", base->token) >= 0);
        sigv4_signer_finish(&signer);
        buffer_finish(&authorization);
        if (!made) {
            free(signature_line);
            return;
        }
        snprintf(date_line, sizeof(date_line), "x-amz-date: %s", date);
        snprintf(hash_line, sizeof(hash_line), "x-amz-content-sha256: %s", hash);
        headers[1] = date_line;
        headers[2] = hash_line;
        headers[3] = signature_line;
        headers[4] = token_line;
    }
    struct http_options options = {.connect_timeout_ms = TIMEOUT_MS / 2,
                                   .ca_file = getenv("AWS_CA_BUNDLE")};
    struct http_request request = {
        .method = "POST",
        .url = address,
        .headers = headers,
        .body = body->data,
        .body_size = body->size,
        .total_timeout_ms = TIMEOUT_MS,
    };
    http_fetch(&options, &request, reply);
    free(token_line);
    free(signature_line);
}

/* A text that was cut would be a wrong key, or a token that signs nothing. */
static bool take(const struct http_reply *reply, const char *name, char *field, size_t size)
{
    return aws_xml_text(reply->body.data, reply->body.size, name, field, size) &&
           strlen(field) + 1 < size;
}

static enum aws_fetch read_reply(const struct http_reply *reply, struct aws_credentials *ret,
                                 char *message, size_t size)
{
    char expires[64];
    *ret = (struct aws_credentials){0};
    if (!take(reply, "AccessKeyId", ret->access_key, sizeof(ret->access_key)) ||
        !take(reply, "SecretAccessKey", ret->secret_key, sizeof(ret->secret_key)) ||
        !take(reply, "SessionToken", ret->token, sizeof(ret->token))) {
        snprintf(message, size, "STS answered without credentials, or with too long ones");
        return AWS_FAILED;
    }
    aws_xml_text(reply->body.data, reply->body.size, "Expiration", expires, sizeof(expires));
    ret->expires = aws_parse_time(expires);
    if (ret->expires == 0) {
        ret->expires = time(NULL) + 900;
    }
    return AWS_FETCHED;
}

enum aws_fetch aws_fetch_role(const struct aws_role *role, const struct aws_credentials *base,
                              const char *token_file, struct aws_credentials *ret, char *message,
                              size_t size)
{
    char session[64], duration[16], text[500];
    char *token = NULL;
    snprintf(session, sizeof(session), "sluice-%lld", (long long)time(NULL));
    snprintf(duration, sizeof(duration), "%d",
             role->duration_seconds > 0 ? role->duration_seconds : 3600);
    if (!base && !(token = aws_read_file(token_file, TOKEN_MAX))) {
        snprintf(message, size, "the web identity token %s cannot be read: %m", token_file);
        return AWS_FAILED;
    }
    struct buffer body;
    buffer_init(&body, BODY_MAX);
    (void)buffer_printf(&body, "Action=%s&Version=2011-06-15",
                        base ? "AssumeRole" : "AssumeRoleWithWebIdentity");
    add(&body, "RoleArn", role->arn);
    add(&body, "RoleSessionName",
        role->session_name && *role->session_name ? role->session_name : session);
    add(&body, "DurationSeconds", duration);
    if (base) {
        add(&body, "ExternalId", role->external_id);
    } else {
        add(&body, "WebIdentityToken", token);
    }
    enum aws_fetch result = AWS_FAILED;
    if (body.failed) {
        snprintf(message, size, "the request for role %s is too large", role->arn);
    }
    for (int try = 1; !body.failed && try <= TRIES && result != AWS_FETCHED; try++) {
        struct http_reply reply;
        struct aws_fault fault;
        ask(role, base, &body, &reply);
        aws_classify(&reply, false, &fault);
        if (fault.class == AWS_FINE) {
            result = read_reply(&reply, ret, message, size);
        } else {
            snprintf(message, size, "STS refuses role %s: %s", role->arn,
                     aws_fault_text(&fault, text, sizeof(text)));
        }
        if (reply.body.data) {
            explicit_bzero(reply.body.data, reply.body.capacity); /* invariant 7 */
        }
        http_reply_finish(&reply);
        if (fault.class != AWS_TRANSIENT && fault.class != AWS_THROTTLED) {
            break;
        }
        usleep((useconds_t)try * 200000);
    }
    if (token) {
        explicit_bzero(token, strlen(token));
        free(token);
    }
    if (body.data) {
        explicit_bzero(body.data, body.size); /* the token is in it */
    }
    buffer_finish(&body);
    return result;
}

enum aws_fetch aws_fetch_web_identity(const char *region, const char *sts_endpoint,
                                      struct aws_credentials *ret, char *message, size_t size)
{
    const char *token_file = getenv("AWS_WEB_IDENTITY_TOKEN_FILE");
    const char *arn = getenv("AWS_ROLE_ARN");
    if (!token_file || !*token_file || !arn || !*arn) {
        return AWS_NOT_HERE;
    }
    const char *own_region = getenv("AWS_REGION");
    struct aws_role role = {
        .arn = arn,
        .session_name = getenv("AWS_ROLE_SESSION_NAME"),
        .region = region && *region ? region : own_region,
        .endpoint = sts_endpoint,
    };
    return aws_fetch_role(&role, NULL, token_file, ret, message, size);
}
