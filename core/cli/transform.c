/*
 * `sluice transform`: runs sluice-transform (core/host/offline.c), because plugins are code of
 * somebody else's and never run in here; a crash becomes a sentence.
 */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "core/cli/cli.h"

extern char **environ;

static volatile sig_atomic_t child, asked;

/* Signals are meant for the child, too: a terminal tells both, a supervisor us alone. */
static void on_signal(int number)
{
    asked = number;
    (void)kill(child, number);
}

static void pass_signals(pid_t pid)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    child = pid;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct sigaction before, action = {.sa_handler = on_signal};
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
            (void)sigaction(numbers[i], &action, NULL);
        }
    }
}

static int wait_for(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return CLI_ENVIRONMENT;
        }
    }
    if (WIFEXITED(status)) {
        return WEXITSTATUS(status);
    }
    if (asked) { /* it ended as it was told to, and so do we */
        (void)signal(asked, SIG_DFL);
        (void)raise(asked);
    }
    fprintf(stderr,
            "sluice transform: the process that ran the plugins was ended by signal %d (%s); with "
            "--explain the last step shown is the one before the crash\n",
            WTERMSIG(status), strsignal(WTERMSIG(status)));
    return CLI_FAILED;
}

int verb_transform(int argc, char **argv)
{
    int code = CLI_ENVIRONMENT;
    char *program = cli_find("sluice-transform"), *plugins = cli_find("plugins");
    char **arguments = calloc((size_t)argc + 3, sizeof(*arguments));
    if (!program || !plugins || !arguments) {
        fprintf(stderr, "sluice transform: %s is not beside this program\n",
                program ? "the folder `plugins`" : "sluice-transform");
        goto out;
    }
    size_t count = 0;
    arguments[count++] = argv[0];
    arguments[count++] = "--own-plugins";
    arguments[count++] = plugins;
    for (int i = 1; i < argc; i++) {
        arguments[count++] = argv[i];
    }
    pid_t pid;
    int result = posix_spawn(&pid, program, NULL, NULL, arguments, environ);
    if (result != 0) {
        fprintf(stderr, "sluice transform: cannot start %s: %s\n", program, strerror(result));
        goto out;
    }
    pass_signals(pid);
    code = wait_for(pid);
out:
    free(arguments);
    free(program);
    free(plugins);
    return code;
}
