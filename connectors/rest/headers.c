/* Headers, see headers.h. libmicrohttpd reads the body by the first header of a name and lets all of this pass. */
#include "connectors/rest/headers.h"

#include <string.h>
#include <strings.h>

struct reading {
    struct rest_headers *headers;
    const char *wrong;
};

static void take_length(struct reading *reading, const char *value)
{
    struct rest_headers *headers = reading->headers;
    if (!headers->length) {
        headers->length = value;
    } else if (strcmp(headers->length, value) != 0) {
        reading->wrong = "Two different Content-Length headers"; /* RFC 9112 §6.3 */
    }
}

static void take_transfer(struct reading *reading, const char *value)
{
    if (strcasecmp(value, "chunked") != 0 || reading->headers->chunked) {
        reading->wrong = "Transfer-Encoding other than chunked"; /* RFC 9112 §6.1: whose end is not known */
    }
    reading->headers->chunked = true;
}

static enum MHD_Result take(void *cls, enum MHD_ValueKind kind, const char *key, size_t key_size,
                            const char *value, size_t value_size)
{
    (void)kind;
    (void)value_size;
    struct reading *reading = cls;
    struct rest_headers *headers = reading->headers;
    if (!value) {
        value = "";
    }
    if (key_size > 0 && (key[key_size - 1] == ' ' || key[key_size - 1] == '\t')) {
        reading->wrong = "A blank between a header's name and its colon"; /* RFC 9112 §5.1 */
        return MHD_YES;
    }
    switch (key_size) {
    case 6:
        if (strcasecmp(key, "Accept") == 0) {
            headers->accept = headers->accept ? headers->accept : value;
        } else if (strcasecmp(key, "Expect") == 0) {
            headers->expects = true;
        }
        break;
    case 12:
        if (strcasecmp(key, "Content-Type") == 0) {
            headers->type = headers->type ? headers->type : value;
        }
        break;
    case 14:
        if (strcasecmp(key, "Content-Length") == 0) {
            take_length(reading, value);
        }
        break;
    case 17:
        if (strcasecmp(key, "Transfer-Encoding") == 0) {
            take_transfer(reading, value);
        }
        break;
    default:
        break;
    }
    return MHD_YES;
}

int rest_headers_read(struct MHD_Connection *connection, struct rest_headers *headers,
                      struct rest_fault *fault)
{
    struct reading reading = {.headers = headers};
    *headers = (struct rest_headers){0};
    (void)MHD_get_connection_values_n(connection, MHD_HEADER_KIND, take, &reading);
    if (!reading.wrong && headers->chunked && headers->length) {
        reading.wrong = "Content-Length beside Transfer-Encoding";
    }
    return reading.wrong ? rest_fault_set(fault, 400, 400, "%s", reading.wrong) : 0;
}
