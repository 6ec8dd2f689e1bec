/* Classes of AWS' answers; see reply.h. */
#include "lib/aws/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <jansson.h>

#include "lib/aws/xml.h"

struct rule {
    const char *code;
    enum aws_class class;
};

/* Codes that say more than the HTTP status does. */
static const struct rule rules[] = {
    {"RequestTimeout", AWS_TRANSIENT},
    {"RequestTimeoutException", AWS_TRANSIENT},
    {"InternalError", AWS_TRANSIENT},
    {"InternalFailure", AWS_TRANSIENT},
    {"ServiceUnavailable", AWS_TRANSIENT},
    {"BadDigest", AWS_TRANSIENT},
    {"IncompleteBody", AWS_TRANSIENT},
    {"PriorRequestNotComplete", AWS_TRANSIENT},
    {"OperationAborted", AWS_TRANSIENT},
    {"IDPCommunicationError", AWS_TRANSIENT},
    {"XMinioServerNotInitialized", AWS_TRANSIENT},
    {"SlowDown", AWS_THROTTLED},
    {"SlowDownRead", AWS_THROTTLED},
    {"SlowDownWrite", AWS_THROTTLED},
    {"Throttling", AWS_THROTTLED},
    {"ThrottlingException", AWS_THROTTLED},
    {"ThrottledException", AWS_THROTTLED},
    {"RequestThrottled", AWS_THROTTLED},
    {"RequestThrottledException", AWS_THROTTLED},
    {"TooManyRequestsException", AWS_THROTTLED},
    {"RequestLimitExceeded", AWS_THROTTLED},
    {"BandwidthLimitExceeded", AWS_THROTTLED},
    {"LimitExceededException", AWS_THROTTLED},
    {"ProvisionedThroughputExceededException", AWS_THROTTLED},
    {"KMSThrottlingException", AWS_THROTTLED},
    {"RequestTimeTooSkewed", AWS_SKEWED},
    {"RequestExpired", AWS_SKEWED},
    {"RequestInTheFuture", AWS_SKEWED},
    {"ExpiredToken", AWS_EXPIRED},
    {"ExpiredTokenException", AWS_EXPIRED},
    {"InvalidToken", AWS_EXPIRED},
    {"TokenRefreshRequired", AWS_EXPIRED},
    {"PermanentRedirect", AWS_REDIRECTED},
    {"TemporaryRedirect", AWS_REDIRECTED},
    {"AuthorizationHeaderMalformed", AWS_REDIRECTED},
    {"ResourceNotFoundException", AWS_MISSING},
    {"AccessDeniedException", AWS_DENIED},
    {"UnrecognizedClientException", AWS_DENIED},
    {"PreconditionFailed", AWS_CONDITION},
    {"ConditionalRequestConflict", AWS_CONDITION},
};

static enum aws_class class_of_status(int status)
{
    switch (status) {
    case 301:
    case 302:
    case 307:
    case 308:
        return AWS_REDIRECTED;
    case 401:
    case 403:
        return AWS_DENIED;
    case 404:
        return AWS_MISSING;
    case 408:
        return AWS_TRANSIENT;
    case 412:
        return AWS_CONDITION;
    case 429:
        return AWS_THROTTLED;
    case 501: /* encryption, ACLs or tags that a server like S3 does not have */
    case 505:
        return AWS_REFUSED;
    default:
        return status >= 500 ? AWS_TRANSIENT : AWS_REFUSED;
    }
}

static int64_t server_time(const struct http_reply *reply)
{
    char date[64];
    struct tm utc = {0};
    if (!http_reply_header(reply, "Date", date, sizeof(date)) ||
        !strptime(date, "%a, %d %b %Y %H:%M:%S", &utc)) {
        return 0;
    }
    return timegm(&utc);
}

static int retry_after(const struct http_reply *reply)
{
    char text[32];
    if (!http_reply_header(reply, "Retry-After", text, sizeof(text))) {
        return -1;
    }
    char *end = NULL;
    long seconds = strtol(text, &end, 10);
    return end == text || seconds < 0 || seconds > 3600 ? -1 : (int)seconds * 1000;
}

/* {"__type":"com.amazonaws.kinesis.v20131202#SomeException","message":".."}: the JSON protocols. */
static void read_json(const struct http_reply *reply, struct aws_fault *fault)
{
    json_t *object = json_loadb(reply->body.data, reply->body.size, 0, NULL);
    const char *type = json_string_value(json_object_get(object, "__type"));
    const char *message = json_string_value(json_object_get(object, "message"));
    const char *hash = type ? strrchr(type, '#') : NULL;
    if (!message) {
        message = json_string_value(json_object_get(object, "Message"));
    }
    snprintf(fault->code, sizeof(fault->code), "%s", hash ? hash + 1 : type ? type : "");
    snprintf(fault->message, sizeof(fault->message), "%s", message ? message : "");
    /* Its words for a clock that is off; the code is that of any wrong signature. */
    if (strcmp(fault->code, "InvalidSignatureException") == 0 &&
        (strstr(fault->message, "Signature expired") || strstr(fault->message, "not yet current"))) {
        snprintf(fault->code, sizeof(fault->code), "RequestTimeTooSkewed");
    }
    json_decref(object);
    http_reply_header(reply, "x-amzn-RequestId", fault->request_id, sizeof(fault->request_id));
}

static void read_body(const struct http_reply *reply, struct aws_fault *fault)
{
    const char *body = reply->body.data;
    size_t size = reply->body.size;
    if (size > 0 && body[0] == '{') {
        read_json(reply, fault);
        return;
    }
    aws_xml_text(body, size, "Code", fault->code, sizeof(fault->code));
    aws_xml_text(body, size, "Message", fault->message, sizeof(fault->message));
    if (!aws_xml_text(body, size, "RequestId", fault->request_id, sizeof(fault->request_id))) {
        http_reply_header(reply, "x-amz-request-id", fault->request_id, sizeof(fault->request_id));
    }
    if (!http_reply_header(reply, "x-amz-bucket-region", fault->region, sizeof(fault->region))) {
        aws_xml_text(body, size, "Region", fault->region, sizeof(fault->region));
    }
}

void aws_classify(const struct http_reply *reply, bool body_decides, struct aws_fault *ret_fault)
{
    *ret_fault = (struct aws_fault){.status = reply->status, .retry_after_ms = -1};
    if (reply->failure != HTTP_FINE) {
        /* A certificate does not get better by trying, neither does a URL. */
        ret_fault->class = reply->failure == HTTP_TLS || reply->failure == HTTP_MISUSE ||
                                   reply->failure == HTTP_TOO_LARGE
                               ? AWS_REFUSED
                               : AWS_TRANSIENT;
        snprintf(ret_fault->message, sizeof(ret_fault->message), "%s", reply->message);
        return;
    }
    bool good = reply->status >= 200 && reply->status < 300;
    if (good && body_decides) {
        char code[4];
        size_t cursor = 0, size = 0;
        const char *content = NULL;
        good = !(reply->body.data && aws_xml_next(reply->body.data, reply->body.size, &cursor,
                                                  "Error", &content, &size)) &&
               !aws_xml_text(reply->body.data, reply->body.size, "Code", code, sizeof(code));
    }
    if (good) {
        ret_fault->class = AWS_FINE;
        return;
    }
    read_body(reply, ret_fault);
    bool hidden = reply->status < 300;
    ret_fault->class = hidden ? AWS_TRANSIENT : class_of_status(reply->status);
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (strcmp(ret_fault->code, rules[i].code) == 0) {
            ret_fault->class = rules[i].class;
        }
    }
    if (reply->status == 409 && strcmp(ret_fault->code, "ConditionalRequestConflict") != 0 &&
        ret_fault->class == AWS_CONDITION) {
        ret_fault->class = AWS_REFUSED;
    }
    if (ret_fault->class == AWS_SKEWED) {
        ret_fault->server_time = server_time(reply);
    }
    ret_fault->retry_after_ms = retry_after(reply);
}

const char *aws_fault_text(const struct aws_fault *fault, char *text, size_t size)
{
    if (fault->status == 0) {
        snprintf(text, size, "%s", fault->message);
        return text;
    }
    int length = snprintf(text, size, "%s%s(HTTP %d)%s%s", fault->code, fault->code[0] ? " " : "",
                          fault->status, fault->message[0] ? ": " : "", fault->message);
    if (fault->request_id[0] && length > 0 && (size_t)length < size) {
        snprintf(text + length, size - (size_t)length, " [request %s]", fault->request_id);
    }
    return text;
}
