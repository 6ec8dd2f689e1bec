/* The verbs that ask an admin API: sluice-client (core/cli/client) takes over. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cli/cli.h"

int verb_client(int argc, char **argv)
{
    char *program = cli_find("sluice-client");
    char **arguments = calloc((size_t)argc + 2, sizeof(*arguments));
    int why = ENOENT;
    if (program && arguments) {
        arguments[0] = program;
        memcpy(arguments + 1, argv, (size_t)argc * sizeof(*argv));
        (void)execv(program, arguments);
        why = errno;
    }
    fprintf(stderr, "sluice %s: sluice-client cannot be started: %s\n", argv[0], strerror(why));
    free(arguments);
    free(program);
    return CLI_ENVIRONMENT;
}
