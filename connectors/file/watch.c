#include "connectors/file/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum { SETTLE_MS = 50 }; /* lines that trickle in make a batch, not one each */

struct watch {
    void (*changed)(void *user);
    void *user;
    pthread_t thread;
    pid_t tid;    /* of thread: the only one that gets the signal */
    sem_t ready;
    atomic_bool armed, stop;
    int folder;   /* -1: none yet */
    char *path;   /* of the file, when folder was opened */
};

/* Where only this kernel writes, so that it knows of every change. */
static bool is_local(int fd)
{
    static const unsigned long known[] = {
        0xEF53,     /* ext2, ext3, ext4 */
        0x58465342, /* XFS */
        0x9123683E, /* Btrfs */
        0x01021994, /* tmpfs */
        0x794C7630, /* overlayfs */
        0xF2F52010, /* F2FS */
        0x2FC12FC1, /* ZFS */
    };
    struct statfs status;
    if (fstatfs(fd, &status) != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (((unsigned long)status.f_type & 0xFFFFFFFF) == known[i]) {
            return true;
        }
    }
    return false;
}

static void *watch_main(void *user)
{
    struct watch *watch = user;
    const struct timespec settle = {.tv_nsec = SETTLE_MS * 1000000};
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGIO);
    watch->tid = (pid_t)syscall(SYS_gettid);
    sem_post(&watch->ready);
    while (!atomic_load(&watch->stop)) {
        if (sigwaitinfo(&signals, NULL) != SIGIO || atomic_load(&watch->stop)) {
            continue;
        }
        (void)sigtimedwait(&signals, NULL, &settle);
        /* Before the call: what the caller does not see when it looks now, it arms for again. */
        atomic_store(&watch->armed, false);
        if (!atomic_load(&watch->stop)) {
            watch->changed(watch->user);
        }
    }
    return NULL;
}

struct watch *watch_create(void (*changed)(void *user), void *user)
{
    struct watch *watch = calloc(1, sizeof(*watch));
    if (!watch) {
        return NULL;
    }
    watch->changed = changed;
    watch->user = user;
    watch->folder = -1;
    (void)sem_init(&watch->ready, 0, 0);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* the thread has it blocked from its beginning */
    int result = pthread_create(&watch->thread, NULL, watch_main, watch);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result != 0) {
        (void)sem_destroy(&watch->ready);
        free(watch);
        return NULL;
    }
    while (sem_wait(&watch->ready) != 0) {
    }
    return watch;
}

static void forget(struct watch *watch)
{
    if (watch->folder >= 0) {
        (void)close(watch->folder); /* disarms it too */
        watch->folder = -1;
    }
    free(watch->path);
    watch->path = NULL;
}

void watch_destroy(struct watch *watch)
{
    if (!watch) {
        return;
    }
    forget(watch);
    atomic_store(&watch->stop, true);
    (void)pthread_kill(watch->thread, SIGIO);
    pthread_join(watch->thread, NULL);
    (void)sem_destroy(&watch->ready);
    free(watch);
}

/* Opens the folder that has the file now, by whatever name it was opened and was moved to since. */
static bool find_folder(struct watch *watch, int fd, const struct stat *file)
{
    char link[64], path[PATH_MAX];
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof(path) - 1);
    if (size <= 0) {
        return false;
    }
    path[size] = '\0';
    if (watch->path && strcmp(watch->path, path) == 0) {
        return true;
    }
    forget(watch);
    char *name = strrchr(path, '/');
    if (!name || !(watch->path = strdup(path))) {
        return false;
    }
    *name++ = '\0';
    watch->folder = open(*path ? path : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat there;
    const struct f_owner_ex owner = {.type = F_OWNER_TID, .pid = watch->tid};
    if (watch->folder < 0 || fstatat(watch->folder, name, &there, AT_SYMLINK_NOFOLLOW) != 0 ||
        there.st_dev != file->st_dev || there.st_ino != file->st_ino || !is_local(watch->folder) ||
        fcntl(watch->folder, F_SETOWN_EX, &owner) != 0) {
        forget(watch);
        return false;
    }
    return true;
}

bool watch_arm(struct watch *watch, int fd)
{
    struct stat status;
    if (atomic_load(&watch->armed)) {
        return true;
    }
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink != 1 ||
        !find_folder(watch, fd, &status)) {
        return false; /* with a second name it may be written in another folder */
    }
    atomic_store(&watch->armed, true);
    if (fcntl(watch->folder, F_NOTIFY, DN_MODIFY | DN_RENAME | DN_DELETE) != 0) {
        atomic_store(&watch->armed, false);
        return false;
    }
    return true;
}

bool watch_armed(const struct watch *watch)
{
    return atomic_load(&watch->armed);
}
