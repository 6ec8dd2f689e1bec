/*
 * One question to a sluice-host: how tools let plugin code run without running it themselves.
 * Blocking, single-threaded; the worker has its supervisor for this.
 */
#ifndef CORE_CLI_HOST_ASK_H
#define CORE_CLI_HOST_ASK_H

#include <jansson.h>

#include "core/base/error.h"

struct host_answer {
    json_t *messages; /* all that came, in order */
    char *failure; /* NULL: the host ended well. Else a text for a person: what the plugin said, or
                      how it crashed and where, or which call did not return */
    char *log;     /* last lines it logged or printed; "" where there were none */
};

/**
 * Starts a host, sends the first message (steals question) and collects what it says until it ends
 * or timeout_ms is over: then it is killed. -1 with error where no host could be started: the
 * installation or the machine is at fault. *ret_answer is finished by the caller in either case.
 */
int host_ask(json_t *question, int timeout_ms, struct host_answer *ret_answer,
             struct error *error) CHECKED;
void host_answer_finish(struct host_answer *answer);
/** The first message of a type; NULL where there is none. Borrowed. */
json_t *host_answer_find(const struct host_answer *answer, const char *type);

#endif
