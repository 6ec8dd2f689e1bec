/* The worker's standard input and output; a host's own are others. No state: [any thread]. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "connectors/file/file.h"

int file_open_standard(int number)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getppid(), number);
    return open(path, number == 0 ? O_RDONLY | O_NONBLOCK | O_CLOEXEC : O_WRONLY | O_APPEND | O_CLOEXEC);
}
