/* What a sink can do to its process and to the machine: `mode` says what. `file` takes what a test is to know. */
#include "bad_sink.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEP = 8 << 20 };

static char mode[32], file[4096];

static bool is(const char *name)
{
    return strcmp(mode, name) == 0;
}

/* As daemon(3), and more thoroughly. */
static void leave_a_daemon(void)
{
    int ready[2];
    char byte;
    if (pipe(ready) != 0 || fork() != 0) {
        close(ready[1]);
        (void)!read(ready[0], &byte, 1); /* ends when the daemon has closed all it had */
        return;
    }
    (void)setsid();
    if (fork() != 0) {
        _exit(0);
    }
    FILE *told = fopen(file, "w");
    if (told) {
        (void)fprintf(told, "%d", (int)getpid());
        (void)fclose(told);
    }
    for (int number = 1; number < 65; number++) {
        (void)signal(number, SIG_IGN);
    }
    char *const nothing[] = {NULL}, *const arguments[] = {(char *)"sleep", (char *)"60", NULL};
    (void)chdir("/");
    (void)close_range(0, ~0u, 0);
    (void)execve("/bin/sleep", arguments, nothing);
    _exit(1);
}

/* What a library may change for itself and forget to change back. */
static void change_surroundings(void)
{
    const struct rlimit few = {.rlim_cur = 64, .rlim_max = 64};
    sigset_t all;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_BLOCK, &all, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGCHLD, SIG_IGN);
    (void)umask(0777);
    (void)chdir("/");
    (void)setlocale(LC_ALL, "");
    (void)setenv("TZ", "Asia/Kathmandu", 1);
    (void)clearenv();
    (void)setrlimit(RLIMIT_NOFILE, &few);
    (void)close(0);
}

static enum sluice_result start(void *self, const struct sluice_config *config)
{
    (void)self;
    (void)snprintf(mode, sizeof(mode), "%s", bad_host->config->get_string(config, "mode"));
    (void)snprintf(file, sizeof(file), "%s", bad_host->config->get_string(config, "file"));
    if (is("daemon")) {
        leave_a_daemon();
    } else if (is("surroundings")) {
        change_surroundings();
    }
    return SLUICE_OK;
}

static void take_memory(void)
{
    int fd = is("memfd") ? memfd_create("hostile", MFD_CLOEXEC) : -1;
    for (off_t size = 0;; size += STEP) {
        if (fd >= 0 && ftruncate(fd, size + STEP) != 0) {
            return;
        }
        void *more = mmap(NULL, STEP, PROT_READ | PROT_WRITE, MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0),
                          fd, fd < 0 ? 0 : size);
        if (more == MAP_FAILED) {
            return;
        }
        memset(more, 1, STEP);
        (void)usleep(20000); /* some 400 MB a second at most */
    }
}

static enum sluice_result put(void *self, struct sluice_batch *batch)
{
    (void)self;
    if (bad_host->records->count(batch) == 0) {
        return SLUICE_OK;
    }
    if (is("shared") || is("memfd")) {
        take_memory();
    } else if (is("close")) {
        (void)close_range(0, ~0u, 0);
    }
    FILE *told = fopen(file, "a");
    if (told) {
        (void)fprintf(told, "put\n");
        (void)fclose(told);
    }
    return SLUICE_OK;
}

__attribute__((destructor)) static void at_the_end(void)
{
    while (is("destructor")) {
        (void)pause();
    }
}

static const struct sluice_sink vtable = {
    .size = sizeof(struct sluice_sink),
    .create = bad_create,
    .destroy = bad_destroy,
    .start = start,
    .put = put,
    .stop = good_stop,
};

static const struct sluice_option options[] = {
    {.size = sizeof(struct sluice_option), .name = "mode", .type = SLUICE_OPTION_STRING, .required = true,
     .importance = SLUICE_HIGH, .doc = "What it does wrong."},
    {.size = sizeof(struct sluice_option), .name = "file", .type = SLUICE_OPTION_STRING, .required = true,
     .importance = SLUICE_HIGH, .doc = "Where it tells about it."},
    {.name = NULL},
};

static const struct sluice_descriptor descriptor = {
    .size = sizeof(struct sluice_descriptor), .kind = SLUICE_SINK, .class_name = "bad.Hostile",
    .version = "1.0", .doc = "Daemons, shared memory, changed surroundings.", .options = options,
    .vtable = &vtable};

static const struct sluice_descriptor *const descriptors[] = {&descriptor, NULL};
SLUICE_PLUGIN(descriptors)
