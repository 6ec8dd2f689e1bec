#include "core/base/log_output.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/json_text.h"
#include "core/base/log_tail.h"

#define LOGGER "sluice.log"

/* Lines are written under the log's own lock, the tail is read without it: hence a lock of ours,
 * taken inside the other one and never the other way round. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    char *path; /* NULL: standard error */
    FILE *file;
    bool to_stdout, json;
    void (*also)(void *user, enum log_level level, const char *context, const char *text);
    void *user;
} output;

static void write_string(FILE *file, const char *text)
{
    json_t *string = json_text(text);
    (void)json_dumpf(string ? string : json_null(), file, JSON_ENCODE_ANY);
    json_decref(string);
}

static void write_json(FILE *file, const char *when, enum log_level level, const char *logger,
                       const char *connector, int task, const char *text)
{
    fprintf(file, "{\"time\":\"%s\",\"level\":\"%s\",\"logger\":", when, log_level_name(level));
    write_string(file, logger);
    if (connector) {
        (void)fputs(",\"connector\":", file);
        write_string(file, connector);
    }
    if (task >= 0) {
        fprintf(file, ",\"task\":%d", task);
    }
    (void)fputs(",\"message\":", file);
    write_string(file, text);
    (void)fputs("}\n", file);
}

/* Under the log's lock. */
static void write_line(void *user, enum log_level level, const char *logger, const char *context,
                       const char *text)
{
    struct timespec now;
    struct tm utc;
    char when[48], second[32];
    int task = -1;
    (void)user;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &utc);
    (void)strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(when, sizeof(when), "%s.%03dZ", second, (int)(now.tv_nsec / 1000000));
    char *connector = log_context_parse(context, &task);
    pthread_mutex_lock(&lock);
    FILE *file = output.file ? output.file : output.to_stdout ? stdout : stderr;
    if (output.json) {
        write_json(file, when, level, logger, connector, task, text);
    } else {
        log_write_text(file, &now, level, logger, context, text);
    }
    (void)fflush(file);
    if (connector) {
        log_tail_add(connector, task, when, log_level_name(level), logger, text);
    }
    if (output.also) {
        output.also(output.user, level, context, text);
    }
    pthread_mutex_unlock(&lock);
    free(connector);
}

int log_output_open(const struct log_output_options *options, struct error *error)
{
    FILE *file = options->file ? fopen(options->file, "ae") : NULL;
    char *path = options->file ? strdup(options->file) : NULL;
    if (options->file && (!file || !path)) {
        int why = errno;
        if (file) {
            (void)fclose(file);
        }
        free(path);
        return error_set_errno(error, why, "The log file '%s' cannot be opened", options->file);
    }
    log_output_close();
    output.path = path;
    output.file = file;
    output.to_stdout = options->to_stdout;
    output.json = options->json;
    log_set_writer(write_line, NULL);
    return 0;
}

void log_output_also(void (*fn)(void *user, enum log_level level, const char *context,
                                const char *text),
                     void *user)
{
    pthread_mutex_lock(&lock);
    output.also = fn;
    output.user = user;
    pthread_mutex_unlock(&lock);
}

void log_output_reopen(void)
{
    pthread_mutex_lock(&lock);
    FILE *file = output.path ? fopen(output.path, "ae") : NULL;
    int why = errno;
    bool failed = output.path && !file;
    if (file) {
        (void)fclose(output.file);
        output.file = file;
    }
    pthread_mutex_unlock(&lock);
    if (failed) {
        log_error(LOGGER, "The log file '%s' cannot be opened again, the old one is used on: %s",
                  output.path, strerror(why));
    } else if (file) {
        log_info(LOGGER, "The log file was opened again");
    }
}

void log_output_close(void)
{
    log_set_writer(NULL, NULL);
    pthread_mutex_lock(&lock);
    if (output.file) {
        (void)fclose(output.file);
    }
    free(output.path);
    memset(&output, 0, sizeof(output));
    log_tail_clear();
    pthread_mutex_unlock(&lock);
}

json_t *log_output_lines(const char *connector, int64_t after, int most)
{
    pthread_mutex_lock(&lock);
    json_t *lines = log_tail_lines(connector, after, most);
    pthread_mutex_unlock(&lock);
    return lines;
}

void log_output_forget(const char *connector)
{
    pthread_mutex_lock(&lock);
    log_tail_forget(connector);
    pthread_mutex_unlock(&lock);
}
