/* A file's content replaced as a whole. [any thread] */
#ifndef CORE_STORE_REPLACE_FILE_H
#define CORE_STORE_REPLACE_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "core/base/error.h"

/**
 * Puts content in place of path: whole or not at all, and on the disk before it returns. mode: of a
 * new file; one that was there keeps its own. A file whose folder lets nobody put another one in its
 * place (mounted by itself, a folder of somebody else's) is written in place, not at once.
 * Where path is a symbolic link, it stays one: the file that it names is replaced.
 * lock: NULL, or a descriptor of the file that is there, locked (core/base/file_lock.h); it becomes one of
 * the new file, which is locked before it gets its name, so that the name never stands for an unlocked one.
 */
int replace_file(const char *path, const char *content, size_t size, mode_t mode, int *lock,
                 struct error *error) CHECKED;

#endif
