/*
 * sluice run: a standalone worker with any number of connectors, and an embedded log where no
 * broker is named. The main thread is the worker's event loop; the admin API has a thread of its
 * own.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log_output.h"
#include "core/cli/cli.h"
#include "core/cli/run_config.h"
#include "core/cli/run_log.h"
#include "core/cli/run_progress.h"
#include "core/rest/rest.h"

#define LOGGER "sluice.cli.run"

enum {
    ORPHANS_WAIT_MS = 15000,
    READY_LOOK_MS = 2,
    READY_MOST_MS = 5000, /* a plugin that hangs does not keep the others from being ready */
    TABLE_MS = 250,
    LOOK_MS = 50,
    IDLE_PATIENCE = 10, /* times --exit-when-idle, for what is read but not written */
    LISTENERS = 8,
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
    "  --rest URL|off        where the admin API listens (http://127.0.0.1:8083)\n"
    "  --exit-when-idle MS   ends once records have moved, every sink has written all there is and "
    "nothing\n"
    "                        has moved for so many milliseconds; gives up on what is not written "
    "after\n"
    "                        ten times as long\n"
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

struct options {
    const char *data, *rest;
    int64_t idle_ms; /* 0: never */
    bool json;
    struct run_log log;
};

struct run {
    struct options options;
    struct run_config config;
    struct loop *loop;
    struct herder *herder;
    struct rest *rest;
    struct run_progress *progress;
    struct rest_listener listeners[LISTENERS];
    size_t listener_count;
    int signals;
    struct loop_watch *signal_watch;
    bool terminal, stopping;
    int64_t began;   /* monotonic ms */
    size_t creating; /* connectors whose creation is not answered yet */
    bool ready;
    int64_t moved, moved_at; /* for --exit-when-idle */
    int result;
};

static int complain(const struct error *error)
{
    fprintf(stderr, "sluice run: [SLUICE-%d] %s\n", (int)error->code, error->message);
    return error->code == ERROR_CONFIG || error->code == ERROR_SYNTAX ? CLI_BAD_INPUT
                                                                      : CLI_ENVIRONMENT;
}

/* -- the end -- */

static void on_stopped(void *user)
{
    struct run *run = user;
    loop_stop(run->loop);
}

static void stop(struct run *run, int result)
{
    if (run->stopping) {
        return;
    }
    run->stopping = true;
    run->result = result;
    log_info(LOGGER, "Kafka Connect stopping");
    herder_stop(run->herder, on_stopped, run);
}

static void on_signal(void *user, uint32_t events)
{
    struct run *run = user;
    struct signalfd_siginfo info;
    (void)events;
    if (read(run->signals, &info, sizeof(info)) != (ssize_t)sizeof(info)) {
        return;
    }
    if (info.ssi_signo == SIGHUP && !run->terminal) {
        log_output_reopen();
    } else if (run->stopping) {
        log_warn(LOGGER, "Asked twice: everything is ended at once");
        run->result = CLI_FAILED;
        herder_kill(run->herder);
    } else {
        stop(run, CLI_OK);
    }
}

/* -- while it runs -- */

/* The end of --exit-when-idle: something moved, nothing is left, and nothing moved for a while. */
static void check_idle(struct run *run, const struct run_summary *summary)
{
    int64_t now = clock_monotonic_ms();
    if (summary->moved != run->moved || !summary->settled || summary->lag > 0) {
        run->moved = summary->moved;
        run->moved_at = now;
    } else if (run->moved > 0 && now - run->moved_at >= run->options.idle_ms) {
        if (summary->active == 0) {
            stop(run, summary->failed > 0 ? CLI_FAILED : CLI_OK);
        } else if (now - run->moved_at >= IDLE_PATIENCE * run->options.idle_ms) {
            fprintf(stderr,
                    "sluice run: %lld records were read but not written: they wait for an object to "
                    "fill, or the store does not take them. They are read again by the next run.\n",
                    (long long)summary->active);
            stop(run, CLI_FAILED);
        }
    }
}

static void on_tick(void *user)
{
    struct run *run = user;
    if (run->stopping) {
        return;
    }
    run_progress_show(run->progress);
    if (run->options.idle_ms > 0) {
        struct run_summary summary;
        run_summarise(run->herder, &summary);
        check_idle(run, &summary);
    }
    (void)loop_after(run->loop, run->options.idle_ms > 0 ? LOOK_MS : TABLE_MS, on_tick, run);
}

static void say_ready(struct run *run, const struct run_summary *summary)
{
    char api[320] = "no admin API";
    if (run->listener_count > 0) {
        const struct rest_listener *first = &run->listeners[0];
        (void)snprintf(api, sizeof(api), "admin API http://%s:%d",
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
    if (run->stopping) {
        return;
    }
    run_summarise(run->herder, &summary);
    bool all = run->creating == 0 && summary.settled;
    if (!all && clock_monotonic_ms() - run->began < READY_MOST_MS) {
        (void)loop_after(run->loop, READY_LOOK_MS, look_ready, run);
        return;
    }
    run->ready = true;
    say_ready(run, &summary);
    bool hopeless = all && run->listener_count == 0 && summary.connectors > 0 &&
                    summary.failed == summary.connectors;
    if (hopeless) { /* nothing runs, and nobody can mend it */
        stop(run, CLI_BAD_INPUT);
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

static void on_herder_ready(void *user, const struct error *error)
{
    struct run *run = user;
    if (error) {
        stop(run, complain(error));
        return;
    }
    if (run->rest) {
        log_info(LOGGER,
                 "REST resources initialized; server is started and ready to handle requests");
    }
    for (size_t i = 0; i < run->config.connector_count; i++) {
        struct run_connector *connector = &run->config.connectors[i];
        const struct herder_request request = {
            .verb = HERDER_CREATE,
            .name = connector->name,
            .body = json_incref(connector->config),
            .initial_state = connector->initial_state,
            .keep_failed = true,
            .done = on_created,
            .user = run,
        };
        run->creating++;
        herder_submit(run->herder, &request);
    }
    look_ready(run);
}

/* -- the start -- */

/* Entries of plugin.path, absolute, the built-in folder last. */
static char **plugin_paths(const struct run_config *config, size_t *ret_count)
{
    const char *text = properties_get(&config->worker, "plugin.path");
    char *copy = strdup(text ? text : ""), *save = NULL;
    char **paths = calloc(strlen(copy) + 2, sizeof(*paths));
    size_t count = 0;
    for (char *part = strtok_r(copy, ",", &save); paths && part;
         part = strtok_r(NULL, ",", &save)) {
        part += strspn(part, " \t");
        part[strcspn(part, "\r\n")] = '\0';
        for (size_t size = strlen(part);
             size > 0 && (part[size - 1] == ' ' || part[size - 1] == '\t');) {
            part[--size] = '\0';
        }
        char *real = *part ? realpath(part, NULL) : NULL;
        if (real) {
            paths[count++] = real;
        } else if (*part) {
            fprintf(stderr, "sluice run: warning: plugin.path names '%s', which is not there\n",
                    part);
        }
    }
    free(copy);
    char *own = cli_find("plugins");
    if (paths && own) {
        paths[count++] = own;
    }
    *ret_count = count;
    return paths;
}

static int parse_listeners(struct run *run)
{
    const char *text =
        run->options.rest ? run->options.rest : properties_get(&run->config.worker, "listeners");
    if (!text || strcmp(text, "off") == 0 || !*text) {
        return 0;
    }
    char *copy = strdup(text), *save = NULL;
    struct error error = {0};
    int result = 0;
    for (char *part = strtok_r(copy, ", \t", &save); part && result == 0;
         part = strtok_r(NULL, ", \t", &save)) {
        if (run->listener_count == LISTENERS) {
            fprintf(stderr, "sluice run: at most %d listeners\n", (int)LISTENERS);
            result = CLI_BAD_INPUT;
        } else if (rest_parse_listener(part, &run->listeners[run->listener_count++], &error) != 0) {
            result = complain(&error);
        }
    }
    error_clear(&error);
    free(copy);
    return result;
}

/* host:port as others reach this worker. */
static char *make_worker_id(const struct run *run)
{
    const struct properties *worker = &run->config.worker;
    const char *host = properties_get(worker, "rest.advertised.host.name");
    const char *port = properties_get(worker, "rest.advertised.port");
    char name[256] = "127.0.0.1", number[16] = "8083", *text = NULL;
    if (run->listener_count > 0) {
        if (*run->listeners[0].host) {
            (void)snprintf(name, sizeof(name), "%s", run->listeners[0].host);
        } else if (gethostname(name, sizeof(name) - 1) != 0) {
            (void)snprintf(name, sizeof(name), "localhost");
        }
        (void)snprintf(number, sizeof(number), "%d", run->listeners[0].port);
    }
    if (asprintf(&text, "%s:%s", host && *host ? host : name, port && *port ? port : number) < 0) {
        abort();
    }
    return text;
}

/* Before any thread: all inherit the mask, and signals come through the loop only. */
static int take_signals(struct run *run, struct error *error)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigaddset(&set, SIGHUP); /* a terminal's window was closed; elsewhere: log files anew */
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 ||
        (run->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0) {
        return error_set_errno(error, errno, "Could not take signals");
    }
    run->signal_watch = loop_watch_fd(run->loop, run->signals, EPOLLIN, on_signal, run);
    return 0;
}

static int start(struct run *run, const struct data_dir *data, char **paths, size_t path_count,
                 struct error *error)
{
    char *host = cli_find("sluice-host"), *log = cli_find("sluice-log");
    char *worker_id = NULL, *log_path = data_dir_file(data, "sluice.log");
    int result = -1;
    run->loop = loop_create(error);
    if (!run->loop || take_signals(run, error) != 0 ||
        run_log_open(&run->options.log, &run->config.worker, run->terminal ? log_path : NULL,
                     error) != 0) {
        goto out;
    }
    if (!host || (run->config.log_dir && !log)) {
        (void)error_set(error, ERROR_SYSTEM,
                        "%s is not installed beside sluice; build or install all of it",
                        host ? "sluice-log" : "sluice-host");
        goto out;
    }
    if (run->listener_count > 0 &&
        rest_start(run->listeners, run->listener_count, &run->rest, error) != 0) {
        goto out;
    }
    worker_id = make_worker_id(run);
    const struct herder_options options = {
        .loop = run->loop,
        .worker = &run->config.worker,
        .host_path = host,
        .log_path = log,
        .log_dir = run->config.log_dir,
        .plugin_paths = (const char *const *)paths,
        .plugin_path_count = path_count,
        .data = data,
        .worker_id = worker_id,
    };
    run->herder = herder_create(&options, error);
    run->progress =
        run->herder ? run_progress_create(run->herder, run->terminal, run->options.json) : NULL;
    if (!run->herder || !run->progress) {
        goto out;
    }
    log_info(LOGGER, "Kafka Connect starting");
    if (run->rest) {
        rest_open(run->rest, run->herder);
    }
    herder_start(run->herder, on_herder_ready, run);
    result = loop_run(run->loop, error);
    run_progress_clear(run->progress);
out:
    rest_stop(run->rest);
    run_progress_destroy(run->progress);
    herder_destroy(run->herder);
    loop_unwatch(run->signal_watch);
    loop_destroy(run->loop);
    if (run->signals >= 0) {
        close(run->signals);
    }
    log_output_close();
    free(worker_id);
    free(log_path);
    free(host);
    free(log);
    return result;
}

static int run_worker(struct run *run, char **files, size_t count)
{
    struct data_dir data = {.worker_lock = -1, .hosts_lock = -1};
    struct error error = {0};
    size_t path_count = 0;
    char **paths = NULL;
    run->began = clock_monotonic_ms();
    run->terminal = isatty(STDOUT_FILENO) && !run->options.json;
    int result = run_config_load(&run->config, files, count, run->options.data);
    if (result != 0) {
        return result;
    }
    result = parse_listeners(run);
    if (result == 0) {
        paths = plugin_paths(&run->config, &path_count);
        if (!paths || data_dir_init(&data, run->config.data_dir, ORPHANS_WAIT_MS, &error) != 0 ||
            start(run, &data, paths, path_count, &error) != 0) {
            result = complain(&error);
        } else {
            result = run->result;
        }
        data_dir_finish(&data);
    }
    for (size_t i = 0; i < path_count; i++) {
        free(paths[i]);
    }
    free(paths);
    error_clear(&error);
    run_config_finish(&run->config);
    return result;
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
        {"rest", required_argument, NULL, 'r'},
        {"exit-when-idle", required_argument, NULL, 'i'},
        {"json", no_argument, NULL, 'j'},
        {"log-file", required_argument, NULL, 'f'},
        {"log-format", required_argument, NULL, 'o'},
        {"log-level", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    static struct run run = {.signals = -1}; /* large, and there is one */
    char *end;
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        switch (option) {
        case 'd':
            run.options.data = optarg;
            break;
        case 'r':
            run.options.rest = optarg;
            break;
        case 'i':
            run.options.idle_ms = strtoll(optarg, &end, 10);
            if (end == optarg || *end != '\0' || run.options.idle_ms <= 0) {
                return bad_option("--exit-when-idle takes milliseconds, not", optarg);
            }
            break;
        case 'j':
            run.options.json = true;
            break;
        case 'l':
            if (log_level_parse(optarg) < 0) {
                return bad_option("there is no log level", optarg);
            }
            run.options.log.level = optarg;
            break;
        case 'f':
            run.options.log.file = optarg;
            break;
        case 'o':
            run.options.log.format = optarg;
            break;
        case 'h':
            fputs(help, stdout);
            return CLI_OK;
        default:
            fprintf(stderr, "`sluice run --help` lists the options\n");
            return CLI_BAD_INPUT;
        }
    }
    return run_worker(&run, argv + optind, (size_t)(argc - optind));
}
