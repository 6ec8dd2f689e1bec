/*
 * sluice-host: a process that runs plugins on behalf of a worker, one role each (protocol.h).
 * This file takes what the worker hands over, reads the first message and calls the role.
 * [main thread]
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/host/host.h"
#include "core/host/process.h"
#include "core/host/protocol.h"

/* A JVM's default too. glibc's 8 MB for each thread would count against the memory limit. */
enum { THREAD_STACK = 1 << 20 };

struct role {
    const char *type;
    int (*run)(struct host_process *process, json_t *first);
    bool watches; /* reads the control channel itself */
};

static const struct role roles[] = {
    {"check", host_check, false},       {"connector", host_connector, false},
    {"offsets", host_offsets, false},
    {"resolve", host_resolve, false},
    {"scan", host_scan, false},
    {"task", host_task, true},
    {"validate", host_validate, false}, {"validate_class", host_validate_class, false},
};

static struct metrics_page *map_page(void)
{
    struct stat status;
    if (fstat(HOST_FD_PAGE, &status) != 0 || status.st_size < (off_t)sizeof(struct metrics_page)) {
        return NULL;
    }
    void *page = mmap(NULL, sizeof(struct metrics_page), PROT_READ | PROT_WRITE, MAP_SHARED,
                      HOST_FD_PAGE, 0);
    return page == MAP_FAILED ? NULL : page;
}

/* Descriptors of ours are nobody else's: not of plugins' children, and none came along by accident.
 */
static int take_descriptors(void)
{
    if (close_range(HOST_FD_PAGE + 1, ~0u, 0) != 0) {
        return -1;
    }
    for (int fd = HOST_FD_CONTROL; fd <= HOST_FD_PAGE; fd++) {
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
            return -1;
        }
    }
    return 0;
}

static void set_thread_stack(void)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) == 0) {
        (void)pthread_attr_setstacksize(&attributes, THREAD_STACK);
        (void)pthread_setattr_default_np(&attributes);
        (void)pthread_attr_destroy(&attributes);
    }
}

static int run_role(struct host_process *process, json_t *first)
{
    const char *type = process_text(first, "type");
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        if (strcmp(roles[i].type, type) == 0) {
            if (!roles[i].watches && process_watch(process) != 0) {
                break;
            }
            return roles[i].run(process, first);
        }
    }
    struct error error = {0};
    (void)error_set(&error, ERROR_INTERNAL, "A host knows no role '%s', or could not start it",
                    type);
    host_fail(process, &error);
    error_clear(&error);
    return 1;
}

int main(void)
{
    process_die_with_worker();
    (void)signal(SIGPIPE, SIG_IGN);
    struct metrics_page *page = map_page();
    if (!page || take_descriptors() != 0) {
        (void)fputs(
            "sluice-host is started by sluice, with its channels on descriptors 3, 4 and 5; "
            "it is of no use by hand\n",
            stderr);
        return 2;
    }
    struct channel control;
    struct host_process process = {.control = &control, .page = page};
    channel_init(&control, HOST_FD_CONTROL);
    process_log_to_pipe();
    crash_install(page);
    set_thread_stack();

    json_t *first = NULL;
    struct error error = {0};
    int got;
    do {
        got = channel_receive(&control, &first, &error);
    } while (got == 0);
    if (got < 0) {
        process_orphaned();
    }
    process_log_levels(first);
    process_environment(first);
    process_limit(first);
    int status = run_role(&process, first);
    (void)fflush(NULL);
    /* Not exit(): threads and destructors of plugins have no say in how this ends. */
    _exit(status);
}
