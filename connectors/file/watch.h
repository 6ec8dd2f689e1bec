/*
 * Tells when an open file may have changed, so that nobody has to look every second. (dnotify, on the
 * file's folder: an inotify instance a task would use up the 128 that a user has, also for other
 * programs.) Owned by one source task; [task thread] but for its own thread, which waits.
 */
#ifndef CONNECTORS_FILE_WATCH_H
#define CONNECTORS_FILE_WATCH_H

#include <stdbool.h>

struct watch;

/** changed: called from the watch's thread, some time after a change. NULL: there can be no watch. */
struct watch *watch_create(void (*changed)(void *user), void *user);
/** No call comes after this. Accepts NULL. */
void watch_destroy(struct watch *watch);
/**
 * From now on the next change makes a call, one. False where it might not: a file system that others
 * write too, a file with several names or none. What came before is for the caller to look at.
 */
bool watch_arm(struct watch *watch, int fd);
/** Armed, and the call has not come yet. */
bool watch_armed(const struct watch *watch);

#endif
