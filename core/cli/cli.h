/*
 * The command line: one verb, one file (core/cli/<verb>.c), listed in main.c by name.
 * Every verb answers --help and, where it prints data, --json. Results are exit codes.
 */
#ifndef CORE_CLI_CLI_H
#define CORE_CLI_CLI_H

enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,      /* failed while running */
    CLI_BAD_INPUT = 2,   /* bad input or configuration */
    CLI_ENVIRONMENT = 3, /* a server, file or permission is missing */
};

/** argv[0] is the verb. */
int verb_check(int argc, char **argv);
/** Any of those that ask an admin API; argv[0] tells which. */
int verb_client(int argc, char **argv);
int verb_consume(int argc, char **argv);
int verb_plugins(int argc, char **argv);
int verb_produce(int argc, char **argv);
int verb_run(int argc, char **argv);
int verb_schedule(int argc, char **argv);
int verb_standalone(int argc, char **argv);
int verb_test(int argc, char **argv);
int verb_topics(int argc, char **argv);
int verb_transform(int argc, char **argv);

/**
 * Path of a program or folder of ours beside this executable or installed: "sluice-host",
 * "sluice-log", "plugins". Owned by the caller; NULL where it is not there.
 */
char *cli_find(const char *name);

#endif
