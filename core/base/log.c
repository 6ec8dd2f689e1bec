#include "core/base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const char *const names[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR"};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int threshold = LOG_LEVEL_INFO;
static log_writer_fn writer;
static void *writer_user;

static void write_stderr(enum log_level level, const char *logger, const char *context,
                         const char *text)
{
    struct timespec now;
    struct tm local;
    char when[32];
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)localtime_r(&now.tv_sec, &local);
    (void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &local);
    fprintf(stderr, "[%s,%03d] %s %s%s (%s)\n", when, (int)(now.tv_nsec / 1000000), names[level],
            context ? context : "", text, logger);
}

void log_set_writer(log_writer_fn fn, void *user)
{
    pthread_mutex_lock(&lock);
    writer = fn;
    writer_user = user;
    pthread_mutex_unlock(&lock);
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&threshold, (int)level, memory_order_relaxed);
}

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&threshold, memory_order_relaxed);
}

void log_line(enum log_level level, const char *logger, const char *context, const char *format, ...)
{
    if (!log_enabled(level)) {
        return;
    }
    char small[512];
    char *text = small;
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(small, sizeof(small), format, args);
    va_end(args);
    if (size >= (int)sizeof(small)) {
        text = malloc((size_t)size + 1);
        if (text) {
            (void)vsnprintf(text, (size_t)size + 1, format, again);
        } else {
            text = small;
        }
    }
    va_end(again);
    pthread_mutex_lock(&lock);
    if (writer) {
        writer(writer_user, level, logger, context, text);
    } else {
        write_stderr(level, logger, context, text);
    }
    pthread_mutex_unlock(&lock);
    if (text != small) {
        free(text);
    }
}

const char *log_level_name(enum log_level level)
{
    return names[level];
}

int log_level_parse(const char *text)
{
    for (int i = 0; i < (int)(sizeof(names) / sizeof(names[0])); i++) {
        if (strcasecmp(text, names[i]) == 0) {
            return i;
        }
    }
    return -1;
}
