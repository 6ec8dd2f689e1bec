/* sluice-client VERB ...: started by `sluice VERB` (core/cli/client_verbs.c). */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core/cli/client/client.h"
#include "core/cli/streams.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} verbs[] = {
    {"connectors", client_connectors}, {"logs", client_logs},     {"offsets", client_offsets},
    {"pause", client_life},            {"restart", client_life},  {"resume", client_life},
    {"status", client_status},         {"stop", client_life},     {"top", client_top},
    {"validate", client_validate},
};

int main(int argc, char **argv)
{
    streams_hold();
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    (void)signal(SIGPIPE, SIG_DFL);
    for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verbs[i].name, argv[1]) == 0) {
            return streams_written("sluice", verbs[i].run(argc - 1, argv + 1));
        }
    }
    (void)fputs("sluice-client is started by `sluice VERB`; it is of no use by hand\n", stderr);
    return CLI_BAD_INPUT;
}
