/* Locks that live as long as a descriptor and its copies: flock(), with a little patience. [any thread] */
#ifndef CORE_BASE_FILE_LOCK_H
#define CORE_BASE_FILE_LOCK_H

#include <stdbool.h>

/**
 * How long a lock may still be held by what a killed process leaves: a child of its that had not become
 * another program yet.
 */
#define FILE_LOCK_WAIT_MS 500

/**
 * Takes the lock on an open file for itself. 0; else an errno: EWOULDBLOCK when wait_ms have passed. There
 * is no waiting with a deadline and no event for a lock's end: it is looked for often.
 * waiting (NULL: none) is called once, when it has to wait.
 */
int file_lock(int fd, int wait_ms, void (*waiting)(void *user), void *user);

#endif
