#include "core/worker/embedded_log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/subprocess.h"
#include "core/worker/host_log.h"
#include "lib/util/buffer.h"

#define LOGGER "sluice.worker.log"

enum {
    FIRST_PAUSE_MS = 50,
    MOST_PAUSE_MS = 5000,
    QUIET_MS = 30000, /* it ran so long: the next pause is the first again */
    LOOK_MS = 2,      /* between looks whether it takes connections */
    LAST_READS = 16,
};

struct embedded_log {
    struct loop *loop;
    char *program, *dir;
    int stdin_fd;
    const struct properties *worker;
    struct subprocess process;
    int life;
    struct host_log log;
    struct loop_watch *watch_log, *watch_process;
    struct loop_timer *timer; /* next look, or next start */
    int64_t pause_ms, started_at;
    bool stopping;
    void (*on_ready)(void *user, const struct error *error);
    void *ready_user;
    void (*on_stopped)(void *user);
    void *stopped_user;
};

struct embedded_log *embedded_log_create(struct loop *loop, const char *program, const char *dir,
                                         int stdin_fd, const struct properties *worker)
{
    struct embedded_log *log = calloc(1, sizeof(*log));
    if (!log) {
        return NULL;
    }
    *log = (struct embedded_log){.loop = loop,
                                 .program = strdup(program),
                                 .dir = strdup(dir),
                                 .stdin_fd = stdin_fd,
                                 .worker = worker,
                                 .life = -1,
                                 .process = {.pidfd = -1},
                                 .log.fd = -1,
                                 .pause_ms = FIRST_PAUSE_MS};
    if (!log->program || !log->dir) {
        embedded_log_destroy(log);
        return NULL;
    }
    return log;
}

static void ready(struct embedded_log *log, const struct error *error)
{
    void (*on_ready)(void *, const struct error *) = log->on_ready;
    log->on_ready = NULL;
    if (on_ready) {
        on_ready(log->ready_user, error);
    }
}

/* True where DIR/log.sock takes connections. By the folder's descriptor: a path may be too long. */
static bool takes_connections(const struct embedded_log *log)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int dir = open(log->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/log.sock", dir);
    bool taken =
        dir >= 0 && fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    if (fd >= 0) {
        close(fd);
    }
    if (dir >= 0) {
        close(dir);
    }
    return taken;
}

static void look(void *user)
{
    struct embedded_log *log = user;
    log->timer = NULL;
    if (log->process.pid == 0) {
        return;
    }
    if (takes_connections(log)) {
        ready(log, NULL);
    } else {
        log->timer = loop_after(log->loop, LOOK_MS, look, log);
    }
}

static void on_log(void *user, uint32_t events)
{
    struct embedded_log *log = user;
    (void)events;
    if (host_log_read(&log->log) != 0) {
        loop_unwatch(log->watch_log);
        log->watch_log = NULL;
    }
}

static void release(struct embedded_log *log)
{
    loop_unwatch(log->watch_log);
    loop_unwatch(log->watch_process);
    log->watch_log = log->watch_process = NULL;
    subprocess_close(&log->process);
    host_log_finish(&log->log);
    if (log->life >= 0) {
        close(log->life);
        log->life = -1;
    }
    loop_cancel(log->timer);
    log->timer = NULL;
}

static void start(void *user);

static void on_exit_of(void *user, uint32_t events)
{
    struct embedded_log *log = user;
    int status;
    (void)events;
    if (!subprocess_reap(&log->process, &status)) {
        return;
    }
    for (int i = 0; i < LAST_READS && log->watch_log && host_log_read(&log->log) == 0; i++) {
    }
    struct buffer last;
    buffer_init(&last, 16384);
    (void)host_log_last(&log->log, "  ", &last);
    release(log);
    if (log->stopping) {
        if (log->on_stopped) {
            log->on_stopped(log->stopped_user);
        }
        buffer_finish(&last);
        return;
    }
    struct error error = {0};
    (void)error_set(&error, ERROR_BROKER, "The embedded log %s ended (%s %d)%s%s", log->dir,
                    WIFSIGNALED(status) ? "signal" : "exit status",
                    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
                    last.data ? ":\n" : "", last.data ? last.data : "");
    buffer_finish(&last);
    if (log->on_ready) {
        log->stopping =
            true; /* it never worked: whoever waits decides, and it is not tried again */
        ready(log, &error);
    } else {
        if (clock_monotonic_ms() - log->started_at >= QUIET_MS) {
            log->pause_ms = FIRST_PAUSE_MS;
        }
        log_error(LOGGER, "%s; it is started again in %lld ms", error.message,
                  (long long)log->pause_ms);
        log->timer = loop_after(log->loop, log->pause_ms, start, log);
        log->pause_ms = log->pause_ms * 2 < MOST_PAUSE_MS ? log->pause_ms * 2 : MOST_PAUSE_MS;
    }
    error_clear(&error);
}

/* The broker's keys that the embedded log takes, as Kafka names them. */
static const char *const log_keys[] = {
    "log.retention.ms",    "log.retention.minutes",           "log.retention.hours",
    "log.retention.bytes", "log.retention.check.interval.ms", "message.max.bytes",
    "num.partitions",
};
enum { LOG_KEYS = sizeof(log_keys) / sizeof(log_keys[0]), PAIR_SIZE = 100 };

/* argv has room for 5 + 2 * LOG_KEYS. */
static void arguments(const struct embedded_log *log, char pairs[LOG_KEYS][PAIR_SIZE],
                      const char **argv)
{
    size_t count = 0;
    argv[count++] = "sluice-log";
    argv[count++] = log->dir;
    argv[count++] = "--fd";
    argv[count++] = "3";
    for (size_t i = 0; i < LOG_KEYS; i++) {
        const char *value = properties_get(log->worker, log_keys[i]);
        if (value) {
            (void)snprintf(pairs[i], PAIR_SIZE, "%s=%s", log_keys[i], value);
            argv[count++] = "--config";
            argv[count++] = pairs[i];
        }
    }
    argv[count] = NULL;
}

static int start_process(struct embedded_log *log, struct error *error)
{
    int life[2], out[2];
    char pairs[LOG_KEYS][PAIR_SIZE];
    const char *argv[5 + 2 * LOG_KEYS];
    arguments(log, pairs, argv);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, life) != 0) {
        return error_set_errno(error, errno, "Could not make a socket pair for the embedded log");
    }
    if (pipe2(out, O_CLOEXEC | O_NONBLOCK) != 0) {
        close(life[0]);
        close(life[1]);
        return error_set_errno(error, errno, "Could not make a pipe for the embedded log");
    }
    (void)fcntl(out[1], F_SETFL, 0); /* only the reading end is ours */
    const struct subprocess_options options = {
        .path = log->program,
        .argv = argv,
        .fds = {log->stdin_fd, out[1], out[1], life[1]},
        .fd_count = 4,
    };
    int result = subprocess_start(&options, &log->process, error);
    close(life[1]);
    close(out[1]);
    if (result != 0) {
        close(life[0]);
        close(out[0]);
        return -1;
    }
    log->life = life[0];
    host_log_init(&log->log, out[0], "[log] ");
    log->watch_log = loop_watch_fd(log->loop, out[0], EPOLLIN, on_log, log);
    log->watch_process = loop_watch_fd(log->loop, log->process.pidfd, EPOLLIN, on_exit_of, log);
    return 0;
}

static void start(void *user)
{
    struct embedded_log *log = user;
    struct error error = {0};
    log->timer = NULL;
    log->started_at = clock_monotonic_ms();
    if (start_process(log, &error) == 0) {
        log->timer = log->on_ready ? loop_after(log->loop, LOOK_MS, look, log) : NULL;
    } else if (log->on_ready) {
        ready(log, &error);
    } else {
        log_error(LOGGER, "%s; it is tried again in %lld ms", error.message,
                  (long long)log->pause_ms);
        log->timer = loop_after(log->loop, log->pause_ms, start, log);
    }
    error_clear(&error);
}

void embedded_log_start(struct embedded_log *log,
                        void (*on_ready)(void *user, const struct error *error), void *user)
{
    log->on_ready = on_ready;
    log->ready_user = user;
    start(log);
}

void embedded_log_stop(struct embedded_log *log, void (*on_stopped)(void *user), void *user)
{
    log->stopping = true;
    log->on_ready = NULL;
    loop_cancel(log->timer);
    log->timer = NULL;
    if (log->process.pid == 0) {
        on_stopped(user);
        return;
    }
    log->on_stopped = on_stopped;
    log->stopped_user = user;
    close(log->life); /* its reason to live */
    log->life = -1;
}

void embedded_log_kill(struct embedded_log *log)
{
    subprocess_signal(&log->process, SIGKILL);
}

void embedded_log_destroy(struct embedded_log *log)
{
    if (!log) {
        return;
    }
    if (log->process.pid > 0) {
        int status;
        struct pollfd wait = {.fd = log->process.pidfd, .events = POLLIN};
        subprocess_signal(&log->process, SIGKILL);
        while (poll(&wait, 1, -1) < 0 && errno == EINTR) {
        }
        (void)subprocess_reap(&log->process, &status);
    }
    release(log);
    free(log->program);
    free(log->dir);
    free(log);
}
