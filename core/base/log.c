#include "core/base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/base/clock.h"
#include "lib/util/plain_text.h"

static const char *const names[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF", "ALL"};

enum { LEVELS_MOST = 1024, KINDS = 64, LINE_MOST = 64 << 20 };

/* A logger that is known by name. */
struct named {
    char *name;
    bool own; /* has a level of its own, else that of the nearest above it */
    enum log_level level;
    int64_t modified;
};

/* Lines of one logger and format in the second that began at `since`. */
struct kind {
    uint64_t key;
    int64_t since; /* monotonic ms */
    int lines, left_out;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int lowest = LOG_LEVEL_INFO; /* of all levels: below it nothing is written */
static atomic_bool named_any;
static atomic_int root = LOG_LEVEL_INFO;
static int64_t root_modified = -1;
static struct named *named; /* by name; under lock, as all below */
static size_t named_count;
static log_writer_fn writer;
static void *writer_user;
static atomic_int limit;
static struct kind kinds[KINDS];

void log_write_text(FILE *file, const struct timespec *now, enum log_level level, const char *logger,
                    const char *context, const char *text)
{
    struct tm local;
    char when[32];
    struct buffer line; /* one write, where the file has no buffer */
    (void)localtime_r(&now->tv_sec, &local);
    (void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &local);
    buffer_init(&line, LINE_MOST);
    (void)buffer_printf(&line, "[%s,%03d] %s ", when, (int)(now->tv_nsec / 1000000), names[level]);
    (void)plain_text_append(&line, context ? context : "");
    (void)plain_text_append(&line, text);
    (void)buffer_append_text(&line, " (");
    (void)plain_text_append(&line, logger);
    if (buffer_append_text(&line, ")\n") == 0) {
        (void)fwrite(line.data, 1, line.size, file);
    } else {
        fprintf(file, "[%s] %s (a line for which there was no memory) (%s)\n", when, names[level], logger);
    }
    buffer_finish(&line);
}

static void write_stderr(enum log_level level, const char *logger, const char *context,
                         const char *text)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    log_write_text(stderr, &now, level, logger, context, text);
}

void log_set_writer(log_writer_fn fn, void *user)
{
    pthread_mutex_lock(&lock);
    writer = fn;
    writer_user = user;
    pthread_mutex_unlock(&lock);
}

void log_set_limit(int lines)
{
    atomic_store(&limit, lines);
}

/* -- levels -- */

/* The least level that is written where this one is set. */
static int threshold(enum log_level level)
{
    return level == LOG_LEVEL_ALL ? LOG_LEVEL_TRACE : (int)level;
}

/* Lock held. */
static void refresh(void)
{
    int most = threshold((enum log_level)atomic_load(&root));
    bool any = false;
    for (size_t i = 0; i < named_count; i++) {
        int least = threshold(named[i].level);
        any = any || named[i].own;
        most = named[i].own && least < most ? least : most;
    }
    atomic_store(&lowest, most);
    atomic_store(&named_any, any);
}

static bool below(const char *name, const char *above)
{
    size_t size = strlen(above);
    return strncmp(name, above, size) == 0 && name[size] == '.';
}

/* The nearest name with a level at or above this one; NULL: root. Lock held. */
static const struct named *nearest(const char *logger)
{
    const struct named *best = NULL;
    for (size_t i = 0; i < named_count; i++) {
        const struct named *one = &named[i];
        if (one->own && (strcmp(one->name, logger) == 0 || below(logger, one->name)) &&
            (!best || strlen(one->name) > strlen(best->name))) {
            best = one;
        }
    }
    return best;
}

/* Lock held. */
static enum log_level effective(const char *logger)
{
    const struct named *one = nearest(logger);
    return one ? one->level : (enum log_level)atomic_load(&root);
}

void log_set_level(enum log_level level)
{
    pthread_mutex_lock(&lock);
    atomic_store(&root, (int)level);
    refresh();
    pthread_mutex_unlock(&lock);
}

/* Lock held. */
static struct named *find(const char *logger)
{
    for (size_t i = 0; i < named_count; i++) {
        if (strcmp(named[i].name, logger) == 0) {
            return &named[i];
        }
    }
    return NULL;
}

/* Lock held. */
static void add(const char *logger)
{
    struct named *grown = named_count < LEVELS_MOST
                              ? realloc(named, (named_count + 1) * sizeof(*named))
                              : NULL;
    char *copy = grown ? strdup(logger) : NULL;
    named = grown ? grown : named;
    if (!copy) {
        return;
    }
    size_t at = 0;
    while (at < named_count && strcmp(named[at].name, logger) < 0) {
        at++;
    }
    memmove(named + at + 1, named + at, (named_count - at) * sizeof(*named));
    named[at] = (struct named){.name = copy, .modified = -1};
    named_count++;
}

void log_know(const char *logger)
{
    pthread_mutex_lock(&lock);
    if (strcmp(logger, LOG_ROOT) != 0 && !find(logger)) {
        add(logger);
    }
    pthread_mutex_unlock(&lock);
}

/* What has that level already is left as it is. Lock held. */
static void set_one(struct named *one, enum log_level level, int64_t now)
{
    if (effective(one->name) != level) {
        one->own = true;
        one->level = level;
        one->modified = now;
    }
}

void log_set_level_of(const char *logger, enum log_level level)
{
    int64_t now = clock_wall_ms();
    bool all = strcmp(logger, LOG_ROOT) == 0;
    log_know(logger);
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < named_count; i++) {
        if (all || strncmp(named[i].name, logger, strlen(logger)) == 0) {
            set_one(&named[i], level, now);
        }
    }
    if (all && atomic_load(&root) != (int)level) {
        atomic_store(&root, (int)level);
        root_modified = now;
    }
    refresh();
    pthread_mutex_unlock(&lock);
}

void log_set_level_only(const char *logger, enum log_level level)
{
    log_know(logger);
    pthread_mutex_lock(&lock);
    struct named *one = find(logger);
    if (one) {
        one->own = true;
        one->level = level;
        one->modified = clock_wall_ms();
    }
    refresh();
    pthread_mutex_unlock(&lock);
}

enum log_level log_level_of(const char *logger, int64_t *ret_modified)
{
    pthread_mutex_lock(&lock);
    enum log_level level = effective(logger);
    if (ret_modified) {
        const struct named *one = find(logger);
        *ret_modified = one                             ? one->modified
                        : strcmp(logger, LOG_ROOT) == 0 ? root_modified
                                                        : -1;
    }
    pthread_mutex_unlock(&lock);
    return level;
}

bool log_knows(const char *logger)
{
    pthread_mutex_lock(&lock);
    bool known = strcmp(logger, LOG_ROOT) == 0 || find(logger);
    pthread_mutex_unlock(&lock);
    return known;
}

void log_each_level(void (*fn)(void *user, const char *logger, bool own, enum log_level level,
                               int64_t modified),
                    void *user)
{
    pthread_mutex_lock(&lock);
    fn(user, LOG_ROOT, true, (enum log_level)atomic_load(&root), root_modified);
    for (size_t i = 0; i < named_count; i++) {
        fn(user, named[i].name, named[i].own, named[i].level, named[i].modified);
    }
    pthread_mutex_unlock(&lock);
}

void log_clear_levels(void)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < named_count; i++) {
        free(named[i].name);
    }
    free(named);
    named = NULL;
    named_count = 0;
    refresh();
    pthread_mutex_unlock(&lock);
}

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&lowest, memory_order_relaxed);
}

bool log_enabled_for(enum log_level level, const char *logger)
{
    if (!log_enabled(level)) {
        return false;
    }
    if (!atomic_load_explicit(&named_any, memory_order_relaxed)) {
        return (int)level >=
               threshold((enum log_level)atomic_load_explicit(&root, memory_order_relaxed));
    }
    return (int)level >= threshold(log_level_of(logger, NULL));
}

/* -- lines -- */

/* Lock held. */
static void put(enum log_level level, const char *logger, const char *context, const char *text)
{
    if (writer) {
        writer(writer_user, level, logger, context, text);
    } else {
        write_stderr(level, logger, context, text);
    }
}

static uint64_t key_of(const char *logger, const char *format)
{
    uint64_t hash = 1469598103934665603ull ^ (uint64_t)(uintptr_t)format;
    for (const char *p = logger; *p; p++) {
        hash = (hash ^ (unsigned char)*p) * 1099511628211ull;
    }
    return hash;
}

/* False: this line is one too many. Lock held. */
static bool within_limit(enum log_level level, const char *logger, const char *context,
                         const char *format)
{
    int most = atomic_load(&limit);
    int64_t now = clock_monotonic_ms();
    uint64_t key = key_of(logger, format);
    struct kind *kind = &kinds[key % KINDS];
    if (kind->key != key || now - kind->since >= 1000) {
        int left_out = kind->key == key ? kind->left_out : 0;
        *kind = (struct kind){.key = key, .since = now};
        if (left_out > 0) {
            char text[96];
            (void)snprintf(text, sizeof(text), "%d lines like the next were left out (limit: %d/s)",
                           left_out, most);
            put(level, logger, context, text);
        }
    }
    if (kind->lines >= most) {
        kind->left_out++;
        return false;
    }
    kind->lines++;
    return true;
}

void log_line(enum log_level level, const char *logger, const char *context, const char *format, ...)
{
    if (!log_enabled_for(level, logger)) {
        return;
    }
    char small[512];
    char *text = small;
    if (atomic_load_explicit(&limit, memory_order_relaxed) > 0) {
        pthread_mutex_lock(&lock);
        bool wanted = within_limit(level, logger, context, format);
        pthread_mutex_unlock(&lock);
        if (!wanted) {
            return;
        }
    }
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
    put(level, logger, context, text);
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
