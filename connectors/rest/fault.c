/* Refusals, see fault.h. Any thread. */
#include "connectors/rest/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int rest_fault_set(struct rest_fault *fault, int status, int code, const char *format, ...)
{
    fault->status = status;
    fault->code = code;
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(fault->message, sizeof(fault->message), format, arguments);
    va_end(arguments);
    if (size >= (int)sizeof(fault->message)) {
        /* The cut may have split a UTF-8 sequence; what is left of it would make the answer bad JSON. */
        size_t end = sizeof(fault->message) - 1;
        while (end > 0 && ((unsigned char)fault->message[end - 1] & 0xc0) == 0x80) {
            end--;
        }
        if (end > 0 && (unsigned char)fault->message[end - 1] >= 0xc0) {
            end--;
        }
        fault->message[end] = '\0';
    }
    return -1;
}

int rest_fault_status(struct rest_fault *fault, int status)
{
    const char *words = "Internal Server Error";
    switch (status) {
    case 400: words = "Bad Request"; break;
    case 404: words = "Not Found"; break;
    case 405: words = "Method Not Allowed"; break;
    case 406: words = "Not Acceptable"; break;
    case 413: words = "Request Entity Too Large"; break;
    case 415: words = "Unsupported Media Type"; break;
    default: break;
    }
    return status == 500 ? rest_fault_set(fault, 500, 500, "%s", words)
                         : rest_fault_set(fault, status, status, "HTTP %d %s", status, words);
}
