#include "core/base/file_lock.h"

#include <errno.h>
#include <stdint.h>
#include <sys/file.h>
#include <time.h>

#include "core/base/clock.h"

enum { PAUSE_MS = 10 };

int file_lock(int fd, int wait_ms, void (*waiting)(void *user), void *user)
{
    int64_t begin = clock_monotonic_ms();
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) {
            continue;
        }
        if (errno != EWOULDBLOCK || clock_monotonic_ms() - begin >= wait_ms) {
            return errno;
        }
        if (waiting) {
            waiting(user);
            waiting = NULL;
        }
        (void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
    }
    return 0;
}
