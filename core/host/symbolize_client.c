/* The worker's side of symbolize.h: words for a crash, and the child that finds its lines. */
#include "core/host/symbolize.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "lib/util/buffer.h"

enum { TEXT_MAX = 64 * 1024 };

static const char *hint(const struct crash_record *crash)
{
    switch (crash->signal) {
    case SIGSEGV:
        return crash->address < 65536 && crash->code > 0 ? " (a NULL pointer was used)" : "";
    case SIGFPE:
        return crash->code == FPE_INTDIV ? " (division by zero)" : "";
    case SIGABRT:
        return " (abort() was called, as a failed assert() does)";
    case SIGILL:
        return " (an instruction that does not exist, or __builtin_trap())";
    default:
        return "";
    }
}

/* Memory that is refused ends most programs with a NULL pointer; say so where the limit was near.
 */
static bool limit_was_near(const struct crash_record *crash)
{
    return crash->data_limit > 0 && crash->data_used >= crash->data_limit / 8 * 7;
}

bool crash_headline(const struct crash_record *crash, char *text, size_t size)
{
    text[0] = '\0';
    if (!atomic_load(&crash->valid)) {
        return false;
    }
    char where[2 * sizeof(crash->phase)] = "";
    size_t call = strcspn(crash->phase, " ");
    if (crash->phase[0] != '\0') {
        (void)snprintf(where, sizeof(where), " in %.*s%s%s", (int)call, crash->phase,
                       crash->phase[call] ? " of " : "",
                       crash->phase[call] ? crash->phase + call + 1 : "");
    }
    const unsigned long long mega = 1 << 20;
    char limit[128] = "", address[32] = "";
    if (crash->signal == 0) {
        (void)snprintf(limit, sizeof(limit), "reached the memory limit of %llu MB",
                       crash->data_limit / mega);
        (void)snprintf(text, size, "%s%s: %llu bytes more were wanted",
                       crash->data_limit ? limit : "ran out of memory", where,
                       (unsigned long long)crash->address);
        return true;
    }
    if (limit_was_near(crash)) {
        (void)snprintf(limit, sizeof(limit), "; memory limit of %llu MB reached (%llu MB in use)",
                       crash->data_limit / mega, crash->data_used / mega);
    }
    if (crash->code > 0 && crash->signal != SIGABRT) {
        (void)snprintf(address, sizeof(address), " at address 0x%llx",
                       (unsigned long long)crash->address);
    }
    const char *name = sigabbrev_np(crash->signal);
    (void)snprintf(text, size, "crashed%s: SIG%s%s%s%s", where, name ? name : "?", address,
                   hint(crash), limit);
    return true;
}

/* The record as a file to read from: it is larger than a pipe holds. */
static int record_file(const struct crash_record *crash)
{
    int fd = memfd_create("crash", MFD_CLOEXEC);
    const char *data = (const char *)crash;
    size_t left = sizeof(*crash);
    while (fd >= 0 && left > 0) {
        ssize_t put = write(fd, data, left);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            close(fd);
            return -1;
        }
        data += put;
        left -= (size_t)put;
    }
    return fd >= 0 && lseek(fd, 0, SEEK_SET) == 0 ? fd : -1;
}

static pid_t start(const char *host_path, int in, int out)
{
    char *path = NULL;
    const char *slash = strrchr(host_path, '/');
    int folder = slash ? (int)(slash - host_path + 1) : 0;
    if (asprintf(&path, "%.*ssluice-symbolize", folder, host_path) < 0) {
        return -1;
    }
    char *const argv[] = {path, NULL};
    char *const environment[] = {NULL}; /* nothing to inherit: no debuginfod, no secrets */
    posix_spawn_file_actions_t actions;
    pid_t child = -1;
    if (posix_spawn_file_actions_init(&actions) == 0) {
        if (posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO) != 0 ||
            posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO) != 0 ||
            posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) !=
                0 ||
            posix_spawn(&child, path, &actions, NULL, argv, environment) != 0) {
            child = -1;
        }
        posix_spawn_file_actions_destroy(&actions);
    }
    free(path);
    return child;
}

static void collect(int fd, int64_t deadline, struct buffer *text)
{
    char block[4096];
    for (;;) {
        int64_t left = deadline - clock_monotonic_ms();
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = left > 0 ? poll(&wait, 1, (int)left) : 0;
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        ssize_t got = ready > 0 ? read(fd, block, sizeof(block)) : 0;
        if (got <= 0 || buffer_append(text, block, (size_t)got) != 0) {
            return;
        }
    }
}

int symbolize_crash(const char *host_path, const struct crash_record *crash, int timeout_ms,
                    char **ret_text)
{
    int64_t deadline = clock_monotonic_ms() + timeout_ms;
    struct buffer text;
    buffer_init(&text, TEXT_MAX);
    int out[2] = {-1, -1};
    int in = record_file(crash);
    if (in < 0 || pipe2(out, O_CLOEXEC) != 0) {
        if (in >= 0) {
            close(in);
        }
        return -1;
    }
    pid_t child = start(host_path, in, out[1]);
    close(in);
    close(out[1]);
    if (child > 0) {
        collect(out[0], deadline, &text);
        (void)kill(child, SIGKILL); /* it has said all, or is late */
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    close(out[0]);
    char *lines = buffer_take(&text);
    if (!lines || !*lines) {
        free(lines);
        return -1;
    }
    *ret_text = lines;
    return 0;
}
