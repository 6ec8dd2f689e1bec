/*
 * sluice standalone: connect-standalone's files, words and exit codes. Log lines go to standard
 * output, as there. [main thread: the worker's event loop]
 */
#include <getopt.h>
#include <stdio.h>

#include "core/base/log.h"
#include "core/cli/cli.h"
#include "core/cli/worker_main.h"

#define LOGGER "sluice.cli.standalone"

/* Connect's own; AbstractConnectCli and ConnectStandalone. */
enum { EXIT_USAGE = 1, EXIT_START = 2, EXIT_CONNECTOR = 3 };

static const char help[] =
    "usage: sluice standalone WORKER [CONNECTOR...]\n"
    "\n"
    "Runs a worker and its connectors as connect-standalone does: WORKER is a .properties file, "
    "each\n"
    "CONNECTOR one of .properties or JSON (a flat map, or {name, config, initial_state}). The broker "
    "is\n"
    "Kafka, or the embedded log where WORKER says bootstrap.servers=local:DIR. Without "
    "'listeners' the\n"
    "admin API is on port 8083. Ctrl-C and SIGTERM stop within task.shutdown.graceful.timeout.ms; a "
    "second\n"
    "one ends at once.\n"
    "\n"
    "  --config-dir DIR      connectors that are kept for good: a file each in DIR; what the admin API\n"
    "                        changes is written there, what changes there is taken at once\n"
    "  --log-level LEVEL     TRACE, DEBUG, INFO (default), WARN, ERROR, FATAL or OFF\n"
    "  --log-file FILE       log lines are added to FILE, opened anew on SIGHUP (default: standard "
    "output)\n"
    "  --log-format FORMAT   text (default) or json\n"
    "\n"
    "Exit status: 0 stopped; 1 usage, or ended at once; 2 the worker could not start; 3 a connector "
    "could\n"
    "not be created. A connector without 'name' is called by its file's base name (Connect ends "
    "with 3).\n";

static void on_created(void *user, const struct herder_reply *reply)
{
    struct worker_main *worker = user;
    if (worker->stopping) {
        return;
    }
    if (reply->status >= 400) {
        log_error(LOGGER, "Stopping after connector error: %s",
                  reply->message ? reply->message : "");
        worker_main_stop(worker, EXIT_CONNECTOR);
        return;
    }
    const char *name = json_string_value(json_object_get(reply->body, "name"));
    log_info(LOGGER, "Created connector %s", name ? name : "");
}

static void ready(struct worker_main *worker)
{
    log_info(LOGGER, "Kafka Connect started");
    worker_main_create(worker, false, on_created, worker);
}

int verb_standalone(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"config-dir", required_argument, NULL, 'c'},
        {"log-file", required_argument, NULL, 'f'},
        {"log-format", required_argument, NULL, 'o'},
        {"log-level", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    static struct worker_main worker; /* large, and there is one */
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        switch (option) {
        case 'c':
            worker.config_dir = optarg;
            break;
        case 'f':
            worker.log.file = optarg;
            break;
        case 'o':
            worker.log.format = optarg;
            break;
        case 'l':
            worker.log.level = optarg;
            break;
        case 'h':
            fputs(help, stdout);
            return CLI_OK;
        default:
            fprintf(stderr, "`sluice standalone --help` lists the options\n");
            return EXIT_USAGE;
        }
    }
    if (optind == argc) {
        fputs(help, stderr);
        return EXIT_USAGE;
    }
    int result =
        run_config_load_standalone(&worker.config, argv + optind, (size_t)(argc - optind));
    if (result != 0) {
        return result;
    }
    worker.environment_result = EXIT_START;
    worker.log_stdout = true;
    worker.ready = ready;
    return worker_main_run(&worker);
}
