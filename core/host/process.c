/*
 * Parts that every role of sluice-host uses: messages, phases, limits, log lines. Owned by main.c;
 * each function says its thread, the rest is for the main thread.
 */
#include "core/host/process.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/json_text.h"
#include "core/base/lineage.h"
#include "core/base/log.h"
#include "core/base/log_levels.h"
#include "core/host/protocol.h"
#include "core/host/resolve.h"
#include "core/host/sanitizer.h"
#include "lib/util/buffer.h"

enum {
    LOG_LINE_MOST = 256 * 1024,
    LOG_LINES_MOST = 500, /* of one kind a second: a line a record shall not fill a disk */
    DESCRIPTORS_MOST = 65536,
};

/* -- what host.h promises -- */

/* [task thread]; read by the worker after an end, and by it alone when a call takes too long. */
void host_phase(struct host_process *process, const char *call, const char *class_name)
{
    struct metrics_page *page = process->page;
    if (!page) {
        return;
    }
    size_t call_size = strnlen(call, sizeof(page->phase) - 2);
    size_t class_size = strnlen(class_name, sizeof(page->phase) - 2 - call_size);
    char *p = page->phase;
    memcpy(p, call, call_size);
    p += call_size;
    if (class_size > 0) {
        *p++ = ' ';
        memcpy(p, class_name, class_size);
        p += class_size;
    }
    *p = '\0';
    atomic_store_explicit(&page->phase_since, call_size ? clock_monotonic_ms() : 0,
                          memory_order_release);
}

void host_fail(struct host_process *process, const struct error *error)
{
    char *plain = error_trace(error);
    char *trace = plain ? resolve_hide(plain) : NULL; /* invariant 7 */
    char *message = resolve_hide(error->message ? error->message : "");
    process_send(process, json_pack("{s:s,s:i,s:s,s:o,s:o}", "type", "failed", "code",
                                    (int)error->code, "class",
                                    error->java_class ? error->java_class : "", "message",
                                    json_text(message ? message : ""), "trace",
                                    json_text(trace ? trace : "out of memory")));
    free(plain);
    free(trace);
    free(message);
}

/* -- messages -- */

void process_send(struct host_process *process, json_t *message)
{
    struct error error = {0};
    if (channel_send(process->control, message, &error) != 0) {
        process_orphaned();
    }
}

const char *process_text(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

void process_properties(struct properties *properties, json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        if (json_is_string(value)) {
            properties_set(properties, name, json_string_value(value));
        }
    }
}

static void on_file(void *user, const char *path, const struct error *error)
{
    (void)user;
    (void)path; /* the message names it */
    if (error) {
        log_warn("sluice.host", "Not loaded: %s", error->message);
    }
}

void process_load_plugins(struct registry *registry, json_t *paths)
{
    size_t count = json_array_size(paths);
    const char **texts = calloc(count + 1, sizeof(*texts));
    if (!texts) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        texts[i] = json_string_value(json_array_get(paths, i));
    }
    registry_scan(registry, texts, count, NULL, on_file, NULL);
    free(texts);
}

/* -- the worker's end -- */

void process_orphaned(void)
{
    lineage_kill_own();
    _exit(HOST_EXIT_ORPHAN);
}

static void on_worker_gone(int signal)
{
    (void)signal;
    process_orphaned();
}

/* Not SIGKILL, as until here: it comes at the same moment as the end of the channel, and would leave
 * plugins' own processes behind. A signal that no library is known to take for itself. */
void process_die_with_worker(void)
{
    struct sigaction action = {.sa_handler = on_worker_gone, .sa_flags = SA_ONSTACK};
    (void)sigfillset(&action.sa_mask);
    (void)sigaction(SIGRTMAX, &action, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGRTMAX);
}

static void *watch(void *user)
{
    struct host_process *process = user;
    for (;;) {
        json_t *message = NULL;
        struct error error = {0};
        int got = channel_receive(process->control, &message, &error);
        process_log_levels(message);
        json_decref(message);
        error_clear(&error);
        if (got < 0) {
            process_orphaned();
        }
    }
    return NULL;
}

int process_watch(struct host_process *process)
{
    pthread_t thread;
    int result = pthread_create(&thread, NULL, watch, process);
    if (result == 0) {
        (void)pthread_detach(thread);
    }
    return result == 0 ? 0 : -1;
}

/* -- limits -- */

static void limit(int resource, rlim_t most)
{
    struct rlimit now;
    if (getrlimit(resource, &now) == 0) {
        now.rlim_cur = most < now.rlim_max ? most : now.rlim_max;
        (void)setrlimit(resource, &now);
    }
}

void process_limit(json_t *first)
{
    json_int_t memory = json_integer_value(json_object_get(first, "memory_limit"));
    limit(RLIMIT_NOFILE, DESCRIPTORS_MOST);
    if (!json_is_true(json_object_get(first, "core"))) {
        limit(RLIMIT_CORE, 0); /* invariant 7: a core file holds every secret there is */
    }
    if (memory > 0 && !UNDER_SANITIZER) {
        limit(RLIMIT_DATA,
              (rlim_t)memory); /* invariants 5, 6: one plugin's memory is its own affair */
    }
}

/* -- log lines -- */

static void append_clean(struct buffer *line, const char *text)
{
    for (const char *p = text; *p; p++) {
        char c = *p == '\n' ? '\x1e' : *p == '\x1f' || *p == '\x1e' ? ' ' : *p;
        (void)buffer_append_char(line, c);
    }
}

/* Under the log's lock, so one line is not mixed with another. */
static void write_line(void *user, enum log_level level, const char *logger, const char *context,
                       const char *text)
{
    struct buffer *line = user;
    buffer_reset(line);
    (void)buffer_append_text(line, log_level_name(level));
    (void)buffer_append_char(line, '\x1f');
    append_clean(line, logger);
    (void)buffer_append_char(line, '\x1f');
    append_clean(line, context ? context : "");
    (void)buffer_append_char(line, '\x1f');
    char *hidden = resolve_hide(text); /* invariant 7 */
    append_clean(line, hidden ? hidden : "");
    free(hidden);
    if (line->failed) { /* longer than a line may be: what fits */
        line->failed = false;
    }
    if (!line->data) {
        return;
    }
    const char *p = line->data;
    size_t left = line->size + 1;
    line->data[line->size] = '\n'; /* in place of the terminator */
    while (left > 0) {
        ssize_t put = write(HOST_FD_LOG, p, left);
        if (put < 0 && errno != EINTR) {
            break; /* nobody reads: the control thread will notice */
        }
        p += put > 0 ? put : 0;
        left -= put > 0 ? (size_t)put : 0;
    }
}

void process_environment(json_t *first)
{
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(first, "environment"), name, value)
    {
        (void)setenv(name, json_string_value(value), 0);
    }
}

void process_log_levels(json_t *message)
{
    json_t *levels = json_object_get(message, "log_levels");
    if (json_is_object(levels)) {
        log_levels_take(levels);
    }
}

void process_log_to_pipe(void)
{
    static struct buffer line;
    buffer_init(&line, LOG_LINE_MOST);
    log_set_limit(LOG_LINES_MOST);
    log_set_writer(write_line, &line);
}
