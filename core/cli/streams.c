#include "core/cli/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "core/cli/cli.h"

void streams_hold(void)
{
    for (int fd = 0; fd < 3; fd++) { /* the lowest that is free is given */
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
            (void)open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
        }
    }
}

int streams_written(const char *program, int result)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) {
        return result;
    }
    if (result != CLI_ENVIRONMENT) { /* else it was told */
        fprintf(stderr, "%s: standard output cannot be written: %s\n", program, strerror(errno));
    }
    return result == CLI_OK ? CLI_ENVIRONMENT : result;
}
