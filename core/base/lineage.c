#include "core/base/lineage.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"

enum {
    FAMILY_SHIFT = 32,
    FAMILY_MASK = 0x7fffffff, /* a mark stays below what kernels take for "no limit" */
    GIVE_UP_MS = 250,         /* who forks faster than it is killed */
    PAUSE_MS = 1,
    ENTRIES = 4096,           /* bytes, of one read of /proc: this may run on an alternate stack */
};

static atomic_uint_fast32_t family; /* 0: none yet */
static atomic_uint_fast32_t last;

void lineage_set_family(uint32_t wanted)
{
    atomic_store(&family, (wanted & FAMILY_MASK) | 1);
}

uint64_t lineage_make(void)
{
    if (atomic_load(&family) == 0) {
        uint32_t chance = 0;
        if (getrandom(&chance, sizeof(chance), 0) != (ssize_t)sizeof(chance)) {
            chance = (uint32_t)getpid();
        }
        lineage_set_family(chance);
    }
    return (uint64_t)atomic_load(&family) << FAMILY_SHIFT |
           (uint32_t)(atomic_fetch_add(&last, 1) + 1);
}

void lineage_take(uint64_t mark)
{
    const struct rlimit limit = {.rlim_cur = mark, .rlim_max = mark};
    (void)setrlimit(RLIMIT_LOCKS, &limit);
}

static uint64_t mark_of(pid_t pid)
{
    struct rlimit limit;
    return prlimit(pid, RLIMIT_LOCKS, NULL, &limit) == 0 ? limit.rlim_max : 0;
}

/* True where it was alive. Its number may be another's by now: what the descriptor names is looked at again. */
static bool end(pid_t pid, uint64_t mark, uint64_t mask)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd ended = {.fd = fd, .events = POLLIN};
    bool alive = fd >= 0 && poll(&ended, 1, 0) == 0 && (mark_of(pid) & mask) == mark;
    if (alive) {
        (void)syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
    }
    if (fd >= 0) {
        close(fd);
    }
    return alive;
}

static pid_t number_of(const char *text)
{
    pid_t number = 0;
    for (; *text >= '0' && *text <= '9'; text++) {
        number = number * 10 + (*text - '0');
    }
    return *text == '\0' ? number : 0;
}

/* How many were alive. Neither memory nor a lock is taken: other threads may be stopped anywhere. */
static int kill_once(uint64_t mark, uint64_t mask)
{
    _Alignas(struct dirent64) char entries[ENTRIES];
    int found = 0, proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ssize_t got;
    pid_t self = getpid();
    while (proc >= 0 && (got = getdents64(proc, entries, sizeof(entries))) > 0) {
        for (const char *p = entries; p < entries + got; p += ((const struct dirent64 *)p)->d_reclen) {
            pid_t pid = number_of(((const struct dirent64 *)p)->d_name);
            if (pid > 0 && pid != self && (mark_of(pid) & mask) == mark) {
                found += end(pid, mark, mask);
            }
        }
    }
    if (proc >= 0) {
        close(proc);
    }
    return found;
}

/* Until none is seen any more: what was killed was perhaps just starting another one. */
static void kill_all(uint64_t mark, uint64_t mask)
{
    int64_t give_up = clock_monotonic_ms() + GIVE_UP_MS;
    while (kill_once(mark, mask) > 0 && clock_monotonic_ms() < give_up) {
        (void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
    }
}

void lineage_kill(uint64_t mark)
{
    kill_all(mark, UINT64_MAX);
}

void lineage_kill_own(void)
{
    struct rlimit limit;
    /* A family is odd, and above what anybody limits locks to; no limit has the highest bit. */
    if (getrlimit(RLIMIT_LOCKS, &limit) == 0 && limit.rlim_max >> FAMILY_SHIFT & 1 &&
        limit.rlim_max >> FAMILY_SHIFT <= FAMILY_MASK) {
        lineage_kill(limit.rlim_max);
    }
}

void lineage_kill_family(uint32_t wanted)
{
    kill_all((uint64_t)((wanted & FAMILY_MASK) | 1) << FAMILY_SHIFT, ~(uint64_t)UINT32_MAX);
}
