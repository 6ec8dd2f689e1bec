#include "core/base/subprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/close_range.h>
#include <unistd.h>

#include "core/base/lineage.h"

extern char **environ;

/* HIGH_FD: above all targets, and no higher: a limit (ulimit -n) may be low. */
enum { HIGH_FD = SUBPROCESS_FDS, VARIABLES = 128 };

/* A name ending in `*` takes every variable that begins so. */
static const char *const kept[] = {"PATH",
                                   "HOME",
                                   "LANG",
                                   "LC_*",
                                   "TZ",
                                   "TMPDIR",
                                   "SSL_CERT_*",
                                   "http_proxy",
                                   "https_proxy",
                                   "HTTPS_PROXY",
                                   "no_proxy",
                                   "NO_PROXY",
                                   "AWS_*",
                                   "ASAN_OPTIONS",
                                   "LSAN_OPTIONS",
                                   "TSAN_OPTIONS",
                                   "UBSAN_OPTIONS",
                                   "LLVM_PROFILE_FILE",
                                   NULL};

static bool keep(const char *variable)
{
    for (const char *const *name = kept; *name; name++) {
        size_t size = strlen(*name);
        bool family = (*name)[size - 1] == '*';
        if (strncmp(variable, *name, family ? size - 1 : size) == 0 &&
            (family || variable[size] == '=')) {
            return true;
        }
    }
    return false;
}

static void make_environment(const struct subprocess_options *options,
                             const char *environment[VARIABLES + 1])
{
    size_t count = 0;
    environment[count++] = "LD_BIND_NOW=1";
    for (const char *const *v = options->variables; v && *v && count < VARIABLES; v++) {
        environment[count++] = *v;
    }
    for (char **v = environ; v && *v && count < VARIABLES; v++) {
        if (keep(*v)) {
            environment[count++] = *v;
        }
    }
    environment[count] = NULL;
}

/* [child] Async-signal-safe calls only: other threads of the parent may have held any lock. */
static void become(const struct subprocess_options *options, const int *high, int report,
                   const char *const *environment, pid_t parent, uint64_t mark)
{
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < NSIG; number++) {
        (void)signal(number, SIG_DFL);
    }
    (void)setpgid(0, 0);
    lineage_take(mark);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(127); /* the parent died before the line above */
    }
    for (size_t i = 0; i < options->fd_count; i++) {
        if (high[i] >= 0 && dup2(high[i], (int)i) < 0) {
            goto fail;
        }
    }
    (void)close_range((unsigned)options->fd_count, ~0u, CLOSE_RANGE_CLOEXEC);
    if (fcntl(report, F_SETFD, FD_CLOEXEC) == 0) {
        (void)execve(options->path, (char *const *)(uintptr_t)options->argv,
                     (char *const *)(uintptr_t)environment);
    }
fail:;
    int failure = errno;
    while (write(report, &failure, sizeof(failure)) < 0 && errno == EINTR) {
    }
    _exit(127);
}

/* Copies out of the way of their targets, so that dup2() in the child cannot run over one. */
static int raise_fds(const struct subprocess_options *options, int *high)
{
    for (size_t i = 0; i < options->fd_count; i++) {
        int fd = options->fds[i];
        int null = -1;
        if (fd < 0 && i <= 2) {
            fd = null = open("/dev/null", O_RDWR | O_CLOEXEC);
        }
        high[i] = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD) : -1;
        if (null >= 0) {
            close(null);
        }
        if (high[i] < 0 && (options->fds[i] >= 0 || i <= 2)) {
            return -1;
        }
    }
    return 0;
}

int subprocess_start(const struct subprocess_options *options, struct subprocess *ret_process,
                     struct error *error)
{
    const char *environment[VARIABLES + 1];
    int high[SUBPROCESS_FDS] = {-1, -1, -1, -1, -1, -1, -1, -1};
    int report[2] = {-1, -1};
    int failure = 0;
    pid_t parent = getpid(), child = -1;
    uint64_t mark = lineage_make();
    make_environment(options, environment);
    if (pipe2(report, O_CLOEXEC) != 0 || raise_fds(options, high) != 0) {
        failure = errno;
    } else if ((child = fork()) == 0) {
        int out = fcntl(report[1], F_DUPFD, HIGH_FD);
        become(options, high, out, environment, parent, mark);
    } else if (child < 0) {
        failure = errno;
    }
    for (size_t i = 0; i < SUBPROCESS_FDS; i++) {
        if (high[i] >= 0) {
            close(high[i]);
        }
    }
    if (report[1] >= 0) {
        close(report[1]);
    }
    if (child > 0 && !options->in_background) {
        ssize_t got;
        do { /* ends with the child's exec */
            got = read(report[0], &failure, sizeof(failure));
        } while (got < 0 && errno == EINTR);
        failure = got == (ssize_t)sizeof(failure) ? failure : 0;
    }
    int pidfd = child > 0 && failure == 0 ? (int)syscall(SYS_pidfd_open, child, 0) : -1;
    if (child > 0 && pidfd < 0) {
        failure = failure ? failure : errno;
        (void)kill(child, SIGKILL);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    bool watched = failure == 0 && options->in_background;
    if (report[0] >= 0 && !watched) {
        close(report[0]);
    }
    if (failure != 0) {
        return error_set_errno(error, failure, "Could not start %s", options->path);
    }
    *ret_process = (struct subprocess){
        .pid = child, .pidfd = pidfd, .mark = mark, .report = watched ? report[0] : 0};
    return 0;
}

void subprocess_signal(const struct subprocess *process, int signal)
{
    if (process->pid > 0) {
        (void)kill(-process->pid, signal);
        (void)kill(process->pid, signal); /* where it had not made its group yet */
    }
}

int subprocess_reap(struct subprocess *process, int *ret_status)
{
    siginfo_t info = {0};
    if (process->pid <= 0 ||
        waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
        info.si_pid == 0) {
        return 0;
    }
    /* Its number is not given to anybody else before it is reaped: only now the group can be ended.
     */
    (void)kill(-process->pid, SIGKILL);
    int status = 0;
    while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR) {
    }
    process->pid = 0;
    lineage_kill(process->mark);
    *ret_status = status;
    return 1;
}

int subprocess_failure(const struct subprocess *process)
{
    int failure = 0;
    ssize_t got = -1;
    while (process->report > 0 && (got = read(process->report, &failure, sizeof(failure))) < 0 &&
           errno == EINTR) {
    }
    return got == (ssize_t)sizeof(failure) ? failure : 0;
}

void subprocess_close(struct subprocess *process)
{
    if (process->report > 0) {
        close(process->report);
        process->report = 0;
    }
    if (process->pidfd >= 0) {
        close(process->pidfd);
        process->pidfd = -1;
    }
}
