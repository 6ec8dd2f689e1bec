#include "core/worker/host_log.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "lib/util/utf8.h"

enum { LINE_MAX_BYTES = 512 * 1024, READ_SIZE = 64 * 1024, LAST_LINE = 500, OUTPUT_MOST = 500 };

#define OUTPUT_LOGGER "sluice.host.output" /* what plugins print to stdout and stderr */

void host_log_init(struct host_log *log, int fd, const char *context)
{
    *log = (struct host_log){.fd = fd, .context = strdup(context ? context : "")};
    buffer_init(&log->in, LINE_MAX_BYTES + 2 * READ_SIZE);
}

void host_log_finish(struct host_log *log)
{
    if (log->context) {
        if (log->fd >= 0) {
            close(log->fd);
        }
        free(log->context);
    }
    buffer_finish(&log->in);
    for (size_t i = 0; i < HOST_LOG_LAST; i++) {
        free(log->last[i]);
        log->last[i] = NULL;
    }
    log->context = NULL;
    log->fd = -1;
}

static void remember(struct host_log *log, const char *level, const char *text)
{
    char **slot = &log->last[log->next++ % HOST_LOG_LAST];
    free(*slot);
    size_t size = strlen(level) + strnlen(text, LAST_LINE) + 2;
    *slot = malloc(size);
    if (*slot) {
        int wanted = snprintf(*slot, size, "%s %s", level, text);
        if (wanted >= (int)size) {
            utf8_trim(*slot, size - 1);
        }
    }
}

/* What our own programs without a log pipe write: `[time] LEVEL text (logger)`. -1: something else.
 */
static int own_line(char *line, char **ret_text, const char **ret_logger)
{
    char *level = *line == '[' ? strstr(line, "] ") : NULL;
    char *text = level ? strchr(level + 2, ' ') : NULL;
    char *logger = text ? strrchr(text, '(') : NULL;
    if (!text) {
        return -1;
    }
    *text = '\0';
    int parsed = log_level_parse(level + 2);
    *text = ' ';
    if (parsed >= 0) {
        *ret_text = text + 1;
        if (logger && logger[-1] == ' ' && logger[strlen(logger) - 1] == ')') {
            logger[-1] = '\0';
            logger[strlen(logger + 1)] = '\0';
            *ret_logger = logger + 1;
        }
    }
    return parsed;
}

/* What a plugin prints is not limited where it is printed, as log lines are. */
static bool within_limit(struct host_log *log)
{
    int64_t now = clock_monotonic_ms();
    if (now - log->output_since >= 1000) {
        if (log->output_left_out > 0) {
            log_line(LOG_LEVEL_WARN, OUTPUT_LOGGER, log->context,
                     "%d lines of output were left out (limit: %d/s)", log->output_left_out,
                     OUTPUT_MOST);
        }
        log->output_since = now;
        log->output_lines = log->output_left_out = 0;
    }
    if (log->output_lines < OUTPUT_MOST) {
        log->output_lines++;
        return true;
    }
    log->output_left_out++;
    return false;
}

/* One line, NUL-terminated, without its newline. */
static void handle(struct host_log *log, char *line)
{
    char *logger = strchr(line, '\x1f');
    char *context = logger ? strchr(logger + 1, '\x1f') : NULL;
    char *text = context ? strchr(context + 1, '\x1f') : NULL;
    char level_text[8] = "";
    if (text && logger - line < (ptrdiff_t)sizeof(level_text)) {
        memcpy(level_text, line, (size_t)(logger - line));
    }
    int level = log_level_parse(level_text);
    if (level < 0) { /* printed by a plugin, not written by the log */
        const char *output = OUTPUT_LOGGER;
        level = own_line(line, &line, &output);
        if (*line && within_limit(log)) {
            remember(log, level < 0 ? "OUT" : log_level_name((enum log_level)level), line);
            log_line(level < 0 ? LOG_LEVEL_INFO : (enum log_level)level, output, log->context, "%s",
                     line);
        }
        return;
    }
    *logger++ = '\0';
    *context++ = '\0';
    *text++ = '\0';
    for (char *p = text; *p; p++) {
        *p = *p == '\x1e' ? '\n' : *p;
    }
    remember(log, level_text, text);
    log_line((enum log_level)level, logger, *context ? context : log->context, "%s", text);
}

static void handle_lines(struct host_log *log)
{
    size_t done = 0;
    char *data = log->in.data;
    while (done < log->in.size) {
        char *end = memchr(data + done, '\n', log->in.size - done);
        if (!end) {
            break;
        }
        *end = '\0';
        handle(log, data + done);
        done = (size_t)(end - data) + 1;
    }
    if (done == 0 && log->in.size >= LINE_MAX_BYTES) {
        handle(log, data); /* longer than any line may be: what is here of it */
        done = log->in.size;
    }
    buffer_consume(&log->in, done);
}

int host_log_read(struct host_log *log)
{
    if (log->fd < 0) {
        return -1;
    }
    if (buffer_reserve(&log->in, READ_SIZE + 1) != 0) {
        buffer_reset(&log->in); /* without memory a line is lost, not the pipe */
        return 0;
    }
    ssize_t got;
    do {
        got = read(log->fd, log->in.data + log->in.size, READ_SIZE);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN) {
        return 0;
    }
    if (got <= 0) {
        if (log->in.size > 0) {
            (void)buffer_append_char(&log->in, '\n');
            handle_lines(log);
        }
        return -1;
    }
    log->in.size += (size_t)got;
    log->in.data[log->in.size] = '\0';
    handle_lines(log);
    return 0;
}

size_t host_log_last(const struct host_log *log, const char *indent, struct buffer *text)
{
    size_t count = 0;
    for (size_t i = 0; i < HOST_LOG_LAST; i++) {
        const char *line = log->last[(log->next + i) % HOST_LOG_LAST];
        if (line) {
            (void)buffer_printf(text, "%s%s\n", indent, line);
            count++;
        }
    }
    return count;
}
