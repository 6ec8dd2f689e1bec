/*
 * Connecting to the owner of an embedded log, and starting one. No state; any thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/broker/local.h"

extern char **environ;

enum { MESSAGE_MAX = 1000, ARGUMENTS = 32, PAIR_MAX = 128 };

void local_note_epoch(struct local *local, int64_t epoch)
{
    long long now = atomic_load(&local->epoch);
    while (now < epoch && !atomic_compare_exchange_weak(&local->epoch, &now, epoch)) {
    }
}

int local_number(const struct properties *properties, const char *key, int64_t def, int64_t min,
                 int64_t max, int64_t *ret_number, struct error *error)
{
    const char *text = properties_get(properties, key);
    *ret_number = def;
    if (!text) {
        return 0;
    }
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0') {
        return error_set_class(error, ERROR_CONFIG,
                               "org.apache.kafka.common.config.ConfigException",
                               "Invalid value %s for configuration %s: Not a number", text, key);
    }
    *ret_number = number < min ? min : number > max ? max : number;
    return 0;
}

static int unavailable(struct error *error, const struct local *local, const char *what, int number)
{
    (void)error_set_class(error, ERROR_BROKER_UNAVAILABLE, LOCAL_DISCONNECT_CLASS,
                          "The embedded log %s cannot be reached: %s: %s", local->dir, what,
                          strerror(number));
    error->retriable = true;
    return -1;
}

/* -- starting an owner -- */

/* sluice-log beside this program, or one folder up (tests). */
static bool find_program(char path[PATH_MAX])
{
    static const char *const places[] = {"/sluice-log", "/../sluice-log",
                                         "/../libexec/sluice/sluice-log"};
    char self[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (size <= 0) {
        return false;
    }
    self[size] = '\0';
    char *slash = strrchr(self, '/');
    if (slash) {
        *slash = '\0';
    }
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (snprintf(path, PATH_MAX, "%s%s", self, places[i]) < PATH_MAX &&
            access(path, X_OK) == 0) {
            return true;
        }
    }
    return false;
}

/* Runs it until it has gone into the background; what it says on stderr goes into said. */
static int spawn_owner(const char *program, char *const *arguments, char said[MESSAGE_MAX],
                       int *ret_status)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return errno;
    }
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    (void)posix_spawn_file_actions_init(&files);
    (void)posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    (void)posix_spawn_file_actions_adddup2(&files, ends[1], 2);
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setsigdefault(&attributes, &all);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    pid_t child;
    int failed = posix_spawn(&child, program, &files, &attributes, arguments, environ);
    (void)posix_spawn_file_actions_destroy(&files);
    (void)posix_spawnattr_destroy(&attributes);
    close(ends[1]);
    size_t size = 0;
    for (ssize_t n = 1; failed == 0 && n != 0 && size < MESSAGE_MAX - 1;) {
        n = read(ends[0], said + size, MESSAGE_MAX - 1 - size);
        if (n < 0 && errno != EINTR) {
            break;
        }
        size += n > 0 ? (size_t)n : 0;
    }
    said[size] = '\0';
    close(ends[0]);
    *ret_status = 0;
    while (failed == 0 && waitpid(child, ret_status, 0) < 0) {
        if (errno != EINTR) {
            *ret_status = 0; /* somebody else has waited for it; connecting tells */
            break;
        }
    }
    return failed;
}

static int start_owner(struct local *local, struct error *error)
{
    char program[PATH_MAX], said[MESSAGE_MAX], pairs[8][PAIR_MAX];
    char *arguments[ARGUMENTS] = {"sluice-log", local->dir, "--detach"};
    size_t count = 3;
    if (!find_program(program)) {
        return error_set(
            error, ERROR_BROKER_UNAVAILABLE,
            "The embedded log %s has no owner, and the program sluice-log that would be "
            "started is not beside this one; install it there",
            local->dir);
    }
    for (size_t i = 0; i < local->log_configs.count && i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        const struct property *config = &local->log_configs.items[i];
        (void)snprintf(pairs[i], sizeof(pairs[i]), "%s=%s", config->name, config->value);
        arguments[count++] = "--config";
        arguments[count++] = pairs[i];
    }
    int status;
    int failed = spawn_owner(program, arguments, said, &status);
    if (failed != 0) {
        return unavailable(error, local, "its owner could not be started", failed);
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        said[strcspn(said, "\n")] = '\0';
        return error_set_class(error, ERROR_BROKER_UNAVAILABLE, LOCAL_DISCONNECT_CLASS,
                               "The embedded log %s could not be opened: %s", local->dir,
                               *said ? said : "its owner ended at once");
    }
    return 0;
}

/* -- connecting -- */

static int connect_socket(const struct local *local, int *ret_errno)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int dir = open(local->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = dir < 0 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        /* A path may be longer than an address. */
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/log.sock",
                       dir);
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
            *ret_errno = errno;
            close(fd);
            fd = -1;
        }
    } else {
        *ret_errno = errno;
    }
    if (dir >= 0) {
        close(dir);
    }
    return fd;
}

static int wait_for(int fd, short events, int64_t deadline)
{
    struct pollfd wait = {.fd = fd, .events = events};
    for (;;) {
        int64_t left = deadline - clock_monotonic_ms();
        int n = poll(&wait, 1, left < 0 ? 0 : (int)left);
        if (n > 0) {
            return 0;
        }
        if (n == 0) {
            return ETIMEDOUT;
        }
        if (errno != EINTR) {
            return errno;
        }
    }
}

int local_send(int fd, const void *data, size_t size, int timeout_ms, struct error *error)
{
    const char *at = data;
    int64_t deadline = clock_monotonic_ms() + timeout_ms;
    while (size > 0) {
        ssize_t n = send(fd, at, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        int failed = n < 0 ? errno : 0;
        if (failed == EAGAIN) {
            failed = wait_for(fd, POLLOUT, deadline);
        }
        if (failed != 0 && failed != EINTR) {
            (void)error_set_class(error, ERROR_BROKER_UNAVAILABLE, LOCAL_DISCONNECT_CLASS,
                                  "The owner of the embedded log takes no requests: %s",
                                  strerror(failed));
            error->retriable = true;
            return -1;
        }
        if (n > 0) {
            at += n;
            size -= (size_t)n;
        }
    }
    return 0;
}

static int receive_exactly(int fd, void *data, size_t size, int64_t deadline)
{
    char *at = data;
    while (size > 0) {
        ssize_t n = recv(fd, at, size, MSG_DONTWAIT);
        int failed = n == 0 ? ECONNRESET : n < 0 ? errno : 0;
        if (failed == EAGAIN) {
            failed = wait_for(fd, POLLIN, deadline);
        }
        if (failed != 0 && failed != EINTR) {
            return failed;
        }
        if (n > 0) {
            at += n;
            size -= (size_t)n;
        }
    }
    return 0;
}

static int greet(struct local *local, int fd, const char *client_id, bool watch, int timeout_ms,
                 struct local_welcome *ret_welcome, struct error *error)
{
    char name[100];
    (void)snprintf(name, sizeof(name), "%.*s", (int)sizeof(name) - 1, client_id);
    struct buffer hello;
    buffer_init(&hello, 4096);
    size_t begin = wire_begin(&hello, WIRE_HELLO, 0);
    wire_put_u32(&hello, WIRE_MAGIC);
    wire_put_u32(&hello, WIRE_VERSION);
    wire_put_u32(&hello, watch);
    wire_put_text(&hello, name);
    wire_end(&hello, begin);
    int result = hello.failed ? unavailable(error, local, "no memory", ENOMEM)
                              : local_send(fd, hello.data, hello.size, timeout_ms, error);
    buffer_finish(&hello);
    if (result != 0) {
        return -1;
    }
    struct wire_head head = {0};
    int64_t body[2];
    int64_t deadline = clock_monotonic_ms() + timeout_ms;
    int failed = receive_exactly(fd, &head, sizeof(head), deadline);
    if (failed == 0 && (head.type != WIRE_WELCOME || head.size != sizeof(body))) {
        return error_set(error, ERROR_BROKER,
                         "The owner of the embedded log %s speaks another version's protocol; stop "
                         "what uses the folder with that version",
                         local->dir);
    }
    if (failed == 0) {
        failed = receive_exactly(fd, body, sizeof(body), deadline);
    }
    if (failed == ETIMEDOUT) { /* it is there: a disk may be slow to sync what it commits */
        (void)error_set_class(error, ERROR_TIMEOUT, LOCAL_TIMEOUT_CLASS,
                              "The owner of the embedded log %s did not answer in time", local->dir);
        error->retriable = true;
        return -1;
    }
    if (failed != 0) {
        return unavailable(error, local, "its owner does not answer", failed);
    }
    ret_welcome->epoch = body[0];
    ret_welcome->producer_id = (uint64_t)body[1];
    local_note_epoch(local, body[0]);
    return 0;
}

int local_connect(struct local *local, const char *client_id, bool watch, bool start,
                  int timeout_ms, struct local_welcome *ret_welcome, struct error *error)
{
    int failed = 0;
    int fd = connect_socket(local, &failed);
    if (fd < 0 && (failed == ENOENT || failed == ECONNREFUSED) && start && local->may_start) {
        if (start_owner(local, error) != 0) {
            return -1;
        }
        fd = connect_socket(local, &failed);
    }
    if (fd < 0) {
        (void)unavailable(error, local, "nobody serves it", failed);
        /* Waiting helps when an owner is gone, not when the folder is none or closed to us. */
        error->retriable = failed != ENOTDIR && failed != EACCES && failed != ELOOP;
        return -1;
    }
    if (greet(local, fd, client_id, watch, timeout_ms, ret_welcome, error) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

int local_reply(struct wire_reader *reader, struct error *error)
{
    uint32_t code = wire_get_u32(reader);
    if (reader->failed) {
        return error_set(error, ERROR_BROKER, "An answer of the embedded log is malformed");
    }
    if (code == 0) {
        return 0;
    }
    char java_class[200], message[2000];
    bool retriable = wire_get_u32(reader) != 0;
    wire_get_text(reader, java_class, sizeof(java_class));
    wire_get_text(reader, message, sizeof(message));
    (void)error_set_class(error, (enum error_code)code, *java_class ? java_class : NULL, "%s",
                          message);
    error->retriable = retriable;
    return -1;
}
