/*
 * sluice run: a standalone worker with any number of connectors, and an embedded log where no
 * broker is named, with its progress on the terminal. [main thread: the worker's event loop]
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/cli/cli.h"
#include "core/cli/run_progress.h"
#include "core/cli/worker_main.h"

#define LOGGER "sluice.cli.run"

enum {
    READY_LOOK_MS = 2,
    READY_MOST_MS = 5000, /* a plugin that hangs does not keep the others from being ready */
    TABLE_MS = 250,  /* on a terminal */
    LOOK_MS = 50,
    IDLE_PATIENCE = 10, /* times --exit-when-idle, for what does not come to an end */
    LAST_PATIENCE_MS = 60000, /* a group may wait for a member that was killed: session.timeout.ms, 45 s, and a
                               * rebalance; a put() or a commit may wait for a slow disk */
};

static const char help[] =
    "usage: sluice run [OPTION...] FILE...\n"
    "\n"
    "Runs connectors until Ctrl-C. FILE: .properties (or JSON) of a connector, which names a\n"
    "connector.class, or of the worker, which does not; at most one of these. Without one: an "
    "embedded\n"
    "log in ./sluice-data, admin API on 127.0.0.1:8083, keys as text, values as JSON without "
    "schemas.\n"
    "\n"
    "  --data DIR            where the worker keeps what it needs between runs (default: the "
    "embedded\n"
    "                        log's folder, or ./sluice-data)\n"
    "  --config-dir DIR      connectors that are kept for good: a file each in DIR; what the admin API\n"
    "                        changes is written there, what changes there is taken at once\n"
    "  --rest URL|off        where the admin API listens (http://127.0.0.1:8083)\n"
    "  --exit-when-idle MS   ends once records have moved, every sink has written all there is and "
    "nothing\n"
    "                        has moved for so many milliseconds; after ten times as long gives up on\n"
    "                        what is not written, and where a connector failed and nothing moved;\n"
    "                        what is just being committed has a minute\n"
    "  --log-level LEVEL     TRACE, DEBUG, INFO (default), WARN, ERROR, FATAL or OFF\n"
    "  --log-file FILE       log lines are added to FILE, opened anew on SIGHUP (default: standard\n"
    "                        error; on a terminal sluice.log in the data folder)\n"
    "  --log-format FORMAT   text (default) or json\n"
    "  --json                progress as JSON, a line per connector when it changed\n"
    "\n"
    "Ctrl-C drains and stops within task.shutdown.graceful.timeout.ms; a second one ends at once.\n"
    "Exit status: 0; 1 a connector had failed, or records were not written, at the end of "
    "--exit-when-idle,\n"
    "or was ended at once. A connector whose file is bad is FAILED, with the reasons in its status, "
    "and the\n"
    "rest runs; `sluice check` tells beforehand. 2 bad\n"
    "files; 3 a port, folder or program is missing or in use.\n";

struct run {
    struct worker_main worker;
    struct run_progress *progress;
    int64_t idle_ms; /* --exit-when-idle; 0: never */
    bool json, terminal;
    int64_t began;   /* monotonic ms */
    size_t creating; /* connectors whose creation is not answered yet */
    int64_t moved, moved_at; /* for --exit-when-idle */
    bool commit_asked;       /* since something moved */
};

/* -- while it runs -- */

/* Nothing moved for long, but not all is done. */
static void give_up(struct run *run, const struct run_summary *summary, size_t unread)
{
    if (run->moved == 0) {
        fprintf(stderr, "sluice run: no record has moved, and %d of %d connectors failed.\n",
                summary->failed, summary->connectors);
    } else if (summary->active > 0) {
        fprintf(stderr,
                "sluice run: %lld records were read but not written: they wait for an object to "
                "fill, or the store does not take them. They are read again by the next run.\n",
                (long long)summary->active);
    } else {
        fprintf(stderr,
                "sluice run: %zu topics that a source wrote were not read by a sink that subscribes "
                "to them. The next run reads them.\n",
                unread);
    }
    worker_main_stop(&run->worker, CLI_FAILED);
}

/* The end of --exit-when-idle: something moved, nothing is left, and nothing moved for a while. */
static void check_idle(struct run *run, const struct run_summary *summary)
{
    int64_t now = clock_monotonic_ms(), quiet = now - run->moved_at;
    if (summary->moved != run->moved || !summary->settled || summary->lag > 0 || run->creating > 0) {
        run->moved = summary->moved;
        run->moved_at = now;
        run->commit_asked = false;
        return;
    }
    if (quiet < run->idle_ms || (run->moved == 0 && summary->failed == 0)) {
        return;
    }
    size_t unread = herder_unread(run->worker.herder);
    if (run->moved > 0 && summary->active == 0 && unread == 0) {
        worker_main_stop(&run->worker, summary->failed > 0 ? CLI_FAILED : CLI_OK);
    } else if (!run->commit_asked) {
        run->commit_asked = true; /* else a sink tells only after offset.flush.interval.ms */
        herder_commit(run->worker.herder);
    } else if (quiet >= IDLE_PATIENCE * run->idle_ms &&
               ((unread == 0 && !summary->committing) || quiet >= LAST_PATIENCE_MS)) {
        give_up(run, summary, unread);
    }
}

static void on_tick(void *user)
{
    struct run *run = user;
    if (run->worker.stopping) {
        return;
    }
    run_progress_show(run->progress);
    if (run->idle_ms > 0) {
        struct run_summary summary;
        run_summarise(run->worker.herder, &summary);
        check_idle(run, &summary);
    }
    unsigned next = run->idle_ms > 0 ? LOOK_MS : run->terminal ? TABLE_MS : RUN_PROGRESS_LINES_MS;
    (void)loop_after(run->worker.loop, next, on_tick, run);
}

static void say_ready(struct run *run, const struct run_summary *summary)
{
    char api[320] = "no admin API";
    if (run->worker.listener_count > 0) {
        const struct rest_listener *first = &run->worker.listeners[0];
        (void)snprintf(api, sizeof(api), "admin API %s://%s:%d",
                       first->https ? "https" : "http",
                       *first->host ? first->host : "0.0.0.0", first->port);
    }
    run_progress_clear(run->progress);
    printf("ready in %lld ms: %d connector%s, %d task%s%s; %s\n",
           (long long)(clock_monotonic_ms() - run->began), summary->connectors,
           summary->connectors == 1 ? "" : "s", summary->tasks, summary->tasks == 1 ? "" : "s",
           summary->failed    ? ", some FAILED"
           : summary->settled ? ""
                              : ", some still starting",
           api);
    (void)fflush(stdout);
    log_info(LOGGER, "Kafka Connect started");
}

static void look_ready(void *user)
{
    struct run *run = user;
    struct run_summary summary;
    if (run->worker.stopping) {
        return;
    }
    run_summarise(run->worker.herder, &summary);
    bool all = run->creating == 0 && summary.settled;
    if (!all && clock_monotonic_ms() - run->began < READY_MOST_MS) {
        (void)loop_after(run->worker.loop, READY_LOOK_MS, look_ready, run);
        return;
    }
    say_ready(run, &summary);
    bool hopeless = all && run->worker.listener_count == 0 && summary.connectors > 0 &&
                    summary.failed == summary.connectors;
    if (hopeless) { /* nothing runs, and nobody can mend it */
        worker_main_stop(&run->worker, CLI_BAD_INPUT);
        return;
    }
    run->moved_at = clock_monotonic_ms();
    on_tick(run);
}

static void on_created(void *user, const struct herder_reply *reply)
{
    struct run *run = user;
    (void)reply; /* a failure is in the log and in the connector's status */
    run->creating--;
}

static void create_connectors(struct worker_main *worker)
{
    struct run *run = worker->user;
    run->creating = worker->config.connector_count;
    worker_main_create(worker, true, on_created, run);
    look_ready(run);
}

/* -- the start -- */

static int prepare(struct worker_main *worker)
{
    struct run *run = worker->user;
    run->progress = run_progress_create(worker->herder, run->terminal, run->json);
    return run->progress ? 0 : -1;
}

static void ended(struct worker_main *worker)
{
    struct run *run = worker->user;
    if (run->progress) {
        run_progress_clear(run->progress);
    }
    run_progress_destroy(run->progress);
}

static int bad_option(const char *what, const char *value)
{
    fprintf(stderr, "sluice run: %s '%s'; `sluice run --help` tells more\n", what, value);
    return CLI_BAD_INPUT;
}

int verb_run(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"data", required_argument, NULL, 'd'},
        {"config-dir", required_argument, NULL, 'c'},
        {"rest", required_argument, NULL, 'r'},
        {"exit-when-idle", required_argument, NULL, 'i'},
        {"json", no_argument, NULL, 'j'},
        {"log-file", required_argument, NULL, 'f'},
        {"log-format", required_argument, NULL, 'o'},
        {"log-level", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    static struct run run; /* large, and there is one */
    const char *data = NULL;
    char *end;
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        switch (option) {
        case 'd':
            data = optarg;
            break;
        case 'c':
            run.worker.config_dir = optarg;
            break;
        case 'r':
            run.worker.rest_url = optarg;
            break;
        case 'i':
            run.idle_ms = strtoll(optarg, &end, 10);
            if (end == optarg || *end != '\0' || run.idle_ms <= 0 || run.idle_ms > INT32_MAX) {
                return bad_option("--exit-when-idle takes milliseconds, not", optarg);
            }
            break;
        case 'j':
            run.json = true;
            break;
        case 'l':
            if (log_level_parse(optarg) < 0) {
                return bad_option("there is no log level", optarg);
            }
            run.worker.log.level = optarg;
            break;
        case 'f':
            run.worker.log.file = optarg;
            break;
        case 'o':
            run.worker.log.format = optarg;
            break;
        case 'h':
            fputs(help, stdout);
            return CLI_OK;
        default:
            fprintf(stderr, "`sluice run --help` lists the options\n");
            return CLI_BAD_INPUT;
        }
    }
    run.began = run.moved_at = clock_monotonic_ms();
    run.terminal = isatty(STDOUT_FILENO) && !run.json;
    run.worker.terminal = run.terminal;
    run.worker.environment_result = CLI_ENVIRONMENT;
    run.worker.prepare = prepare;
    run.worker.ready = create_connectors;
    run.worker.ended = ended;
    run.worker.user = &run;
    int result = run_config_load(&run.worker.config, argv + optind, (size_t)(argc - optind), data,
                                 run.worker.config_dir != NULL);
    return result ? result : worker_main_run(&run.worker);
}
