/* What goes wrong, and how often. */
#include <string.h>
#include <sys/socket.h>

#include "tests/support/fault_s3/fault_s3.h"

uint64_t random_next(void)
{
    options.random ^= options.random << 13;
    options.random ^= options.random >> 7;
    options.random ^= options.random << 17;
    return options.random;
}

void reset_connection(struct connection *connection)
{
    struct linger now = {1, 0};
    setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    buffer_reset(&connection->out);
    connection->close = true;
}

bool disturb(struct connection *connection, struct request *request)
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
