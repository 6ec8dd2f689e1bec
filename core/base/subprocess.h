/*
 * Child processes: nothing is inherited but what is named. Each gets a process group of its own, so
 * that a Ctrl-C at the terminal does not reach it, and a mark, so that it and all that it started can be
 * ended together (lineage.h), and dies with the thread that started it (PR_SET_PDEATHSIG).
 */
#ifndef CORE_BASE_SUBPROCESS_H
#define CORE_BASE_SUBPROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/error.h"

#define SUBPROCESS_FDS 8

struct subprocess_options {
    const char *path;             /* of the program; no search */
    const char *const *argv;      /* closed by NULL */
    const char *const *variables; /* further `NAME=value`, closed by NULL; NULL: none */
    int fds[SUBPROCESS_FDS];      /* becomes 0, 1, ..; -1: /dev/null up to 2, closed above */
    size_t fd_count;
    bool in_background; /* do not wait for the exec: subprocess_failure() tells after the end */
};

struct subprocess {
    pid_t pid; /* 0: none */
    int pidfd;  /* readable when it has ended */
    uint64_t mark;
    int report; /* in_background: says why it could not become the program; 0: none */
};

/**
 * The environment is minimal: PATH, HOME, LANG, LC_*, TZ, TMPDIR, SSL_CERT_*, proxies, AWS_* and
 * sanitizers' options as they are here, and LD_BIND_NOW=1. Descriptors stay the caller's.
 * [thread that lives as long as the child shall]
 */
int subprocess_start(const struct subprocess_options *options, struct subprocess *ret_process,
                     struct error *error) CHECKED;
/** A signal to the whole group; nothing where it was reaped. */
void subprocess_signal(const struct subprocess *process, int signal);
/**
 * Takes the wait status of one that has ended and kills all that is left of what it started. 1: *ret_status
 * is filled and pid is 0; 0: it still runs. The descriptor stays open, for who watches it.
 */
int subprocess_reap(struct subprocess *process, int *ret_status);
/** Why one that was started in_background never became its program: an errno; 0: it did. Once ended. */
int subprocess_failure(const struct subprocess *process);
/** Closes the descriptors, after any loop_unwatch() of it. */
void subprocess_close(struct subprocess *process);

#endif
