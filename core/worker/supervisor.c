#include "core/worker/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/channel.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/log_levels.h"
#include "core/base/process_usage.h"
#include "core/base/subprocess.h"
#include "core/host/sanitizer.h"
#include "core/host/symbolize.h"
#include "core/worker/host_log.h"
#include "core/worker/host_trace.h"

#define LOGGER "sluice.worker.supervisor"

enum {
    OUT_MAX = 32 << 20,   /* bytes that wait for a host that does not read */
    MESSAGES_A_TURN = 32, /* so that one host cannot keep the loop to itself */
    SYMBOLIZE_TIMEOUT_MS = 5000,
    MEMORY_CHECK_MS = 1000,
    OWN_SHARED = 1 << 20, /* the metrics page is a memfd as well */
    MUTE_MS = 1000, /* from the end of the log pipe to the end of the process */
    LAST_READS = 64,      /* of the log pipe, after the end */
    STOP_MARGIN_MS = 250, /* the host knows the same deadline and may end itself in time */
};

struct supervisor {
    struct loop *loop;
    const char *host_path;
    int stdin_fd;
    struct host *hosts;
    size_t count;
    struct loop_timer *memory_timer; /* NULL: no host has a limit */
    void (*on_idle)(void *user);
    void *on_idle_user;
};

struct host {
    struct supervisor *supervisor;
    struct host *prev, *next;
    struct subprocess process;
    char *subject;
    struct channel channel;
    struct buffer out; /* framed messages that wait for room in the socket */
    struct host_log log;
    struct metrics_page *page;
    struct loop_watch *watch_channel, *watch_log, *watch_process;
    struct loop_timer *deadline, *stop_timer, *mute_timer;
    int64_t deadline_ms, stop_timeout_ms, memory_limit;
    int64_t shared, data; /* memory it was killed for; 0: it was not */
    bool killed_for_stop, killed_for_deadline, deaf, mute, abandoned;
    int64_t killed_at;
    int status;
    char *failure; /* trace of its own "failed" message */
    char *failure_message, *failure_class;
    int failure_code;
    char *frames;
    void (*on_message)(void *user, const char *type, json_t *message);
    void (*on_end)(void *user, const struct host_end *end);
    void *user;
};

struct supervisor *supervisor_create(struct loop *loop, const char *host_path, int stdin_fd)
{
    struct supervisor *supervisor = calloc(1, sizeof(*supervisor));
    if (supervisor) {
        supervisor->loop = loop;
        supervisor->host_path = host_path;
        supervisor->stdin_fd = stdin_fd;
    }
    return supervisor;
}

void supervisor_destroy(struct supervisor *supervisor)
{
    if (supervisor) {
        loop_cancel(supervisor->memory_timer);
    }
    free(supervisor);
}

size_t supervisor_count(const struct supervisor *supervisor)
{
    return supervisor->count;
}

void supervisor_on_idle(struct supervisor *supervisor, void (*fn)(void *user), void *user)
{
    supervisor->on_idle = fn;
    supervisor->on_idle_user = user;
}

void supervisor_kill_all(struct supervisor *supervisor)
{
    for (struct host *host = supervisor->hosts; host; host = host->next) {
        subprocess_signal(&host->process, SIGKILL);
    }
}

void supervisor_push_log_levels(struct supervisor *supervisor)
{
    for (struct host *host = supervisor->hosts; host; host = host->next) {
        host_send(host, json_pack("{s:s,s:o}", "type", "log_levels", "log_levels", log_levels_json()));
    }
}

int host_pid(const struct host *host)
{
    return (int)host->process.pid;
}

struct metrics_page *host_page(struct host *host)
{
    return host->page;
}

/* -- the end -- */

static void host_free(struct host *host)
{
    loop_unwatch(host->watch_channel);
    loop_unwatch(host->watch_log);
    loop_unwatch(host->watch_process);
    subprocess_close(&host->process);
    loop_cancel(host->deadline);
    loop_cancel(host->stop_timer);
    loop_cancel(host->mute_timer);
    channel_finish(&host->channel);
    buffer_finish(&host->out);
    host_log_finish(&host->log);
    if (host->page) {
        (void)munmap(host->page, sizeof(*host->page));
    }
    free(host->subject);
    free(host->failure);
    free(host->failure_message);
    free(host->failure_class);
    free(host->frames);
    free(host);
}

/* First line of a trace, without `org.apache...Exception: `. */
static char *first_sentence(const char *trace)
{
    size_t size = strcspn(trace, "\n");
    const char *colon = memchr(trace, ':', size);
    bool has_class = colon && colon[1] == ' ' && !memchr(trace, ' ', (size_t)(colon - trace)) &&
                     memchr(trace, '.', (size_t)(colon - trace));
    const char *begin = has_class ? colon + 2 : trace;
    return strndup(begin, size - (size_t)(begin - trace));
}

static char *copy_member(json_t *message, const char *name)
{
    const char *text = json_string_value(json_object_get(message, name));
    return strdup(text ? text : "");
}

/* Tells the owner, frees, and says so when it was the last. */
static void finish(void *user)
{
    struct host *host = user;
    struct supervisor *supervisor = host->supervisor;
    struct host_end end = {.clean = WIFEXITED(host->status) && WEXITSTATUS(host->status) == 0};
    char *trace = NULL, *line = NULL;
    if (host->failure) {
        end = (struct host_end){false, host->failure_code, host->failure, host->failure_message,
                                host->failure_class};
    } else if (!end.clean) {
        const struct host_ending ending = {
            .subject = host->subject,
            .status = host->status,
            .page = host->page,
            .frames = host->frames,
            .stop_timeout_ms = host->killed_for_stop ? host->stop_timeout_ms : 0,
            .deadline_ms = host->killed_for_deadline ? host->deadline_ms : 0,
            .deaf = host->deaf,
            .mute = host->mute && WIFSIGNALED(host->status),
            .ended_at = host->killed_at ? host->killed_at : clock_monotonic_ms(),
            .memory_limit = host->memory_limit,
            .shared = host->shared,
            .data = host->data,
            .log = &host->log,
        };
        end.trace = trace = host_trace(&ending, &end.code);
        end.message = line = first_sentence(trace);
        end.class_name = "";
    }
    if (!host->abandoned && host->on_end) {
        host->on_end(host->user, &end);
    }
    free(trace);
    free(line);
    *(host->prev ? &host->prev->next : &supervisor->hosts) = host->next;
    if (host->next) {
        host->next->prev = host->prev;
    }
    supervisor->count--;
    host_free(host);
    if (supervisor->count == 0 && supervisor->on_idle) {
        supervisor->on_idle(supervisor->on_idle_user);
    }
}

/* [a thread of its own] Reading debug information takes a moment. */
static void *symbolize(void *user)
{
    struct host *host = user;
    if (symbolize_crash(host->supervisor->host_path, &host->page->crash, SYMBOLIZE_TIMEOUT_MS,
                        &host->frames) != 0) {
        host->frames = NULL;
    }
    loop_post(host->supervisor->loop, finish, host);
    return NULL;
}

static int read_messages(struct host *host, int most);

/* As a failure of its own. */
static void never_started(struct host *host, int number)
{
    struct error error = {0};
    (void)error_set_errno(&error, number, "Could not start %s", host->supervisor->host_path);
    host->failure = error_trace(&error);
    host->failure_message = strdup(error.message);
    host->failure_class = strdup(error.java_class ? error.java_class : "");
    host->failure_code = (int)error.code;
    error_clear(&error);
}

static void on_exit_of(void *user, uint32_t events)
{
    struct host *host = user;
    (void)events;
    if (!subprocess_reap(&host->process, &host->status)) {
        return;
    }
    loop_unwatch(host->watch_process);
    host->watch_process = NULL;
    int failure = subprocess_failure(&host->process);
    subprocess_close(&host->process);
    if (failure != 0) {
        never_started(host, failure);
    }
    loop_cancel(host->deadline);
    loop_cancel(host->stop_timer);
    loop_cancel(host->mute_timer);
    host->deadline = host->stop_timer = host->mute_timer = NULL;
    /* What it said last counts: its state, its failure, its offsets. */
    while (read_messages(host, MESSAGES_A_TURN) > 0) {
    }
    for (int i = 0; i < LAST_READS && host_log_read(&host->log) == 0; i++) {
    }
    loop_unwatch(host->watch_channel);
    loop_unwatch(host->watch_log);
    host->watch_channel = host->watch_log = NULL;

    /* The plugin could write to the page as well: texts in it end where they must. */
    host->page->crash.phase[sizeof(host->page->crash.phase) - 1] = '\0';
    pthread_t thread;
    bool crashed = atomic_load(&host->page->crash.valid) != 0 && !host->failure && !host->abandoned;
    if (crashed && pthread_create(&thread, NULL, symbolize, host) == 0) {
        (void)pthread_detach(thread);
        return;
    }
    finish(host);
}

static void kill_host(struct host *host)
{
    if (host->killed_at == 0) {
        host->killed_at = clock_monotonic_ms();
    }
    subprocess_signal(&host->process, SIGKILL);
}

/* invariant 6: a class that hangs costs its own process */
static void on_deadline(void *user)
{
    struct host *host = user;
    host->deadline = NULL;
    host->killed_for_deadline = true;
    kill_host(host);
}

static void on_stop_timeout(void *user)
{
    struct host *host = user;
    host->stop_timer = NULL;
    host->killed_for_stop = true;
    kill_host(host);
}

/* invariants 5, 6: RLIMIT_DATA ends what takes memory of its own; shared memory is looked at here */
static void check_memory(void *user)
{
    struct supervisor *supervisor = user;
    supervisor->memory_timer = NULL;
    bool limited = false;
    for (struct host *host = supervisor->hosts; host; host = host->next) {
        if (host->memory_limit <= 0 || host->process.pid <= 0 || host->killed_at) {
            continue;
        }
        limited = true;
        host->shared = process_shared_beyond((int)host->process.pid,
                                             host->memory_limit + OWN_SHARED, &host->data);
        if (host->shared > 0) {
            kill_host(host);
        }
    }
    if (limited) {
        supervisor->memory_timer =
            loop_after(supervisor->loop, MEMORY_CHECK_MS, check_memory, supervisor);
    }
}

/* -- messages -- */

/* Handles up to `most`; their number, or -1 at the end. */
static int read_messages(struct host *host, int most)
{
    for (int i = 0; i < most; i++) {
        json_t *message = NULL;
        struct error error = {0};
        int got = channel_receive(&host->channel, &message, &error);
        if (got <= 0) {
            if (got == -1) { /* rubbish: nothing after it can be understood */
                log_error(LOGGER, "%s: %s; it is ended", host->subject, error.message);
                error_clear(&error);
                host->deaf = true;
                kill_host(host);
            }
            return got < 0 ? -1 : i;
        }
        const char *type = json_string_value(json_object_get(message, "type"));
        if (type && strcmp(type, "failed") == 0) {
            const char *trace = json_string_value(json_object_get(message, "trace"));
            free(host->failure);
            host->failure = strdup(trace ? trace : "failed");
            free(host->failure_message);
            host->failure_message = copy_member(message, "message");
            free(host->failure_class);
            host->failure_class = copy_member(message, "class");
            host->failure_code = (int)json_integer_value(json_object_get(message, "code"));
        } else if (type && host->on_message && !host->abandoned) {
            host->on_message(host->user, type, message);
        }
        json_decref(message);
    }
    return most;
}

static void flush(struct host *host)
{
    while (host->out.size > 0) {
        ssize_t sent = send(host->channel.fd, host->out.data, host->out.size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0) {
            if (errno != EAGAIN) {
                buffer_reset(&host->out); /* it is gone; the pidfd will tell */
            }
            break;
        }
        buffer_consume(&host->out, (size_t)sent);
    }
    if (host->watch_channel) {
        loop_watch_events(host->watch_channel, host->out.size > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
}

static void on_channel(void *user, uint32_t events)
{
    struct host *host = user;
    if (events & EPOLLOUT) {
        flush(host);
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && read_messages(host, MESSAGES_A_TURN) < 0) {
        loop_unwatch(host->watch_channel);
        host->watch_channel = NULL;
    }
}

/* It lives on without the pipe that it never closes by itself: a plugin closed what is not its own. */
static void on_mute(void *user)
{
    struct host *host = user;
    host->mute_timer = NULL;
    host->mute = host->killed_at == 0;
    kill_host(host);
}

static void on_log(void *user, uint32_t events)
{
    struct host *host = user;
    (void)events;
    if (host_log_read(&host->log) != 0) {
        loop_unwatch(host->watch_log);
        host->watch_log = NULL;
        host->mute_timer = loop_after(host->supervisor->loop, MUTE_MS, on_mute, host);
    }
}

void host_send(struct host *host, json_t *message)
{
    char *text = json_dumps(message, JSON_COMPACT);
    json_decref(message);
    size_t size = text ? strlen(text) : 0;
    const unsigned char length[4] = {(unsigned char)size, (unsigned char)(size >> 8),
                                     (unsigned char)(size >> 16), (unsigned char)(size >> 24)};
    if (!text || size > CHANNEL_MAX || buffer_reserve(&host->out, size + sizeof(length)) != 0) {
        log_error(LOGGER, "%s does not take its messages; it is ended", host->subject);
        buffer_reset(&host->out);
        host->deaf = true;
        kill_host(host);
    } else {
        (void)buffer_append(&host->out, length, sizeof(length));
        (void)buffer_append(&host->out, text, size);
        flush(host);
    }
    free(text);
}

void host_stop(struct host *host, int64_t timeout_ms)
{
    if (host->stop_timer || host->killed_at) {
        return;
    }
    host->stop_timeout_ms = timeout_ms > 0 ? timeout_ms : 1;
    host_send(host, json_pack("{s:s,s:I}", "type", "stop", "timeout_ms",
                              (json_int_t)host->stop_timeout_ms));
    host->stop_timer = loop_after(host->supervisor->loop, host->stop_timeout_ms + STOP_MARGIN_MS,
                                  on_stop_timeout, host);
}

void host_abandon(struct host *host)
{
    if (host) {
        host->abandoned = true;
        kill_host(host);
    }
}

/* -- the start -- */

static int make_page(struct host *host, int *ret_fd, struct error *error)
{
    *ret_fd = memfd_create("sluice-page", MFD_CLOEXEC);
    if (*ret_fd < 0 || ftruncate(*ret_fd, sizeof(*host->page)) != 0) {
        return error_set_errno(error, errno, "Could not make a metrics page");
    }
    void *page = mmap(NULL, sizeof(*host->page), PROT_READ | PROT_WRITE, MAP_SHARED, *ret_fd, 0);
    if (page == MAP_FAILED) {
        return error_set_errno(error, errno, "Could not map a metrics page");
    }
    host->page = page;
    host->page->magic = METRICS_PAGE_MAGIC;
    host->page->size = sizeof(*host->page);
    return 0;
}

static int start_process(struct host *host, const struct host_options *options, struct error *error)
{
    int control[2] = {-1, -1}, log[2] = {-1, -1}, page = -1;
    int result = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) != 0 ||
        pipe2(log, O_CLOEXEC) != 0 || fcntl(control[0], F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(log[0], F_SETFL, O_NONBLOCK) != 0) {
        (void)error_set_errno(error, errno, "Could not make the channels of a host process");
        goto out;
    }
    if (make_page(host, &page, error) != 0) {
        goto out;
    }
    const char *const argv[] = {"sluice-host", options->role, options->name, NULL};
    const struct subprocess_options process = {
        .path = host->supervisor->host_path,
        .argv = argv,
        .fds = {host->supervisor->stdin_fd, log[1], log[1], control[1], log[1], page},
        .fd_count = 6,
        .in_background = true, /* on a busy machine an exec takes a while, and the loop has more to do */
    };
    if (subprocess_start(&process, &host->process, error) != 0) {
        goto out;
    }
    channel_init(&host->channel, control[0]);
    control[0] = -1;
    host_log_init(&host->log, log[0], options->context);
    log[0] = -1;
    result = 0;
out:
    for (int i = 0; i < 2; i++) {
        if (control[i] >= 0) {
            close(control[i]);
        }
        if (log[i] >= 0) {
            close(log[i]);
        }
    }
    if (page >= 0) {
        close(page);
    }
    return result;
}

json_t *supervisor_environment(void)
{
    json_t *object = json_object();
    for (char **item = environ; item && *item; item++) {
        const char *equals = strchr(*item, '=');
        char *name = equals ? strndup(*item, (size_t)(equals - *item)) : NULL;
        json_t *value = name ? json_string(equals + 1) : NULL;
        if (value) {
            json_object_set_new(object, name, value);
        }
        free(name);
    }
    return object;
}

struct host *host_start(struct supervisor *supervisor, const struct host_options *options,
                        struct error *error)
{
    struct host *host = calloc(1, sizeof(*host));
    if (!host) {
        json_decref(options->first);
        (void)error_set(error, ERROR_NO_MEMORY, "Out of memory for a host process");
        return NULL;
    }
    host->supervisor = supervisor;
    host->channel.fd = -1;
    host->log.fd = -1;
    host->process.pidfd = -1;
    host->subject = strdup(options->subject);
    host->on_message = options->on_message;
    host->on_end = options->on_end;
    host->user = options->user;
    host->memory_limit = json_integer_value(json_object_get(options->first, "memory_limit"));
    buffer_init(&host->out, OUT_MAX);
    if (!host->subject || start_process(host, options, error) != 0) {
        json_decref(options->first);
        host_free(host);
        return NULL;
    }
    struct loop *loop = supervisor->loop;
    host->watch_channel = loop_watch_fd(loop, host->channel.fd, EPOLLIN, on_channel, host);
    host->watch_log = loop_watch_fd(loop, host->log.fd, EPOLLIN, on_log, host);
    host->watch_process = loop_watch_fd(loop, host->process.pidfd, EPOLLIN, on_exit_of, host);
    if (!host->watch_channel || !host->watch_log || !host->watch_process) {
        int status;
        (void)error_set(error, ERROR_SYSTEM, "Could not watch a host process");
        json_decref(options->first);
        subprocess_signal(&host->process, SIGKILL);
        (void)waitpid(host->process.pid, &status, 0);
        host_free(host);
        return NULL;
    }
    if (options->deadline_ms > 0) {
        host->deadline_ms = options->deadline_ms;
        host->deadline = loop_after(loop, options->deadline_ms, on_deadline, host);
    }
    if (host->memory_limit > 0 && !UNDER_SANITIZER && !supervisor->memory_timer) {
        supervisor->memory_timer = loop_after(loop, MEMORY_CHECK_MS, check_memory, supervisor);
    }
    host->next = supervisor->hosts;
    if (host->next) {
        host->next->prev = host;
    }
    supervisor->hosts = host;
    supervisor->count++;
    json_object_set_new(options->first, "log_levels", log_levels_json());
    if (json_object_get(json_object_get(options->first, "worker"), "config.providers")) {
        json_object_set_new(options->first, "environment", supervisor_environment());
    }
    host_send(host, options->first);
    return host;
}
