#include "core/base/process_usage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int read_file(int pid, const char *name, char *text, size_t size)
{
    char path[64];
    if (pid > 0) {
        (void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    } else {
        (void)snprintf(path, sizeof(path), "/proc/self/%s", name);
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, size - 1) : -1;
    if (fd >= 0) {
        close(fd);
    }
    text[got > 0 ? got : 0] = '\0';
    return got > 0 ? 0 : -1;
}

static int64_t kilobytes_of(const char *status, const char *name)
{
    const char *line = strstr(status, name);
    return line ? strtoll(line + strlen(name), NULL, 10) : 0;
}

int64_t process_shared_beyond(int pid, int64_t limit, int64_t *ret_data)
{
    char text[4096];
    long long shared, data;
    int64_t page = sysconf(_SC_PAGESIZE);
    /* statm's shared has files in it, and its data the stack: it can only be too much */
    if (read_file(pid, "statm", text, sizeof(text)) != 0 ||
        sscanf(text, "%*d %*d %lld %*d %*d %lld", &shared, &data) != 2 ||
        (shared + data) * page <= limit || read_file(pid, "status", text, sizeof(text)) != 0) {
        return 0;
    }
    int64_t own = kilobytes_of(text, "\nRssShmem:") * 1024;
    *ret_data = kilobytes_of(text, "\nVmData:") * 1024;
    return own + *ret_data > limit ? own : 0;
}

int process_usage_of(int pid, struct process_usage *ret)
{
    char text[1024];
    long long all, resident, shared;
    *ret = (struct process_usage){0};
    if (read_file(pid, "statm", text, sizeof(text)) != 0 ||
        sscanf(text, "%lld %lld %lld", &all, &resident, &shared) != 3) {
        return -1;
    }
    int64_t page = sysconf(_SC_PAGESIZE);
    ret->resident = resident * page;
    ret->own = (resident - shared) * page;
    if (read_file(pid, "stat", text, sizeof(text)) != 0) {
        return -1;
    }
    /* The name in parentheses may hold anything; utime is field 14, stime 15, num_threads 20. */
    const char *p = strrchr(text, ')');
    unsigned long long user, kernel;
    long long threads;
    if (!p || sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %lld",
                     &user, &kernel, &threads) != 3) {
        return -1;
    }
    ret->cpu_ms = (int64_t)((user + kernel) * 1000 / (unsigned long long)sysconf(_SC_CLK_TCK));
    ret->threads = threads;
    return 0;
}
