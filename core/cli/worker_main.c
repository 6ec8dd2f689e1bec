#include "core/cli/worker_main.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <sluice/host.h>

#include "core/base/clock.h"
#include "core/base/log_output.h"
#include "core/cli/cli.h"
#include "core/cli/cluster_find.h"
#include "core/cli/worker_resolve.h"

#define LOGGER "sluice.cli.worker"

enum { ORPHANS_WAIT_MS = 15000, ONE_SIGNAL_MS = 500 };

static int complain(const struct worker_main *worker, const struct error *error)
{
    fprintf(stderr, "sluice %s: [SLUICE-%d] %s\n", worker->config.verb, (int)error->code,
            error->message);
    return error->code == ERROR_CONFIG || error->code == ERROR_SYNTAX ? CLI_BAD_INPUT
                                                                      : worker->environment_result;
}

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
            fprintf(stderr, "sluice %s: warning: plugin.path names '%s', which is not there\n",
                    config->verb, part);
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

static int parse_list(struct worker_main *worker, const char *text, bool admin)
{
    char *copy = strdup(text), *save = NULL;
    struct error error = {0};
    int result = 0;
    for (char *part = strtok_r(copy, ", \t", &save); part && result == 0;
         part = strtok_r(NULL, ", \t", &save)) {
        if (worker->listener_count == WORKER_LISTENERS) {
            fprintf(stderr, "sluice %s: at most %d listeners\n", worker->config.verb,
                    (int)WORKER_LISTENERS);
            result = CLI_BAD_INPUT;
            break;
        }
        struct rest_listener *listener = &worker->listeners[worker->listener_count++];
        if (rest_parse_listener(part, listener, &error) != 0) {
            result = complain(worker, &error);
        }
        listener->admin = admin;
    }
    error_clear(&error);
    free(copy);
    return result;
}

/* `listeners`, then `admin.listeners`: not set, /admin is served by the former; empty: not at all. */
static int parse_listeners(struct worker_main *worker)
{
    const char *text =
        worker->rest_url ? worker->rest_url : properties_get(&worker->config.worker, "listeners");
    const char *admin = properties_get(&worker->config.worker, "admin.listeners");
    if (!text || strcmp(text, "off") == 0 || !*text) {
        return 0;
    }
    worker->admin_apart = admin != NULL;
    int result = parse_list(worker, text, false);
    return result == 0 && admin ? parse_list(worker, admin, true) : result;
}

/* The one that others are to use: rest.advertised.listener, else http before https. */
static const struct rest_listener *advertised(const struct worker_main *worker)
{
    const char *wanted = properties_get(&worker->config.worker, "rest.advertised.listener");
    for (int https = wanted && strcasecmp(wanted, "https") == 0; https < 2; https++) {
        for (size_t i = 0; i < worker->listener_count; i++) {
            if (worker->listeners[i].https == (https == 1) && !worker->listeners[i].admin) {
                return &worker->listeners[i];
            }
        }
    }
    return worker->listener_count > 0 ? &worker->listeners[0] : NULL;
}

/* host:port as others reach this worker. */
static char *make_worker_id(const struct worker_main *worker)
{
    const struct properties *properties = &worker->config.worker;
    const char *host = properties_get(properties, "rest.advertised.host.name");
    const char *port = properties_get(properties, "rest.advertised.port");
    char name[256] = "127.0.0.1", number[16] = "8083", *text = NULL;
    const struct rest_listener *listener = advertised(worker);
    if (listener) {
        if (*listener->host) {
            (void)snprintf(name, sizeof(name), "%s", listener->host);
        } else if (gethostname(name, sizeof(name) - 1) != 0) {
            (void)snprintf(name, sizeof(name), "localhost");
        }
        (void)snprintf(number, sizeof(number), "%d", listener->port);
    }
    if (asprintf(&text, "%s:%s", host && *host ? host : name, port && *port ? port : number) < 0) {
        abort();
    }
    return text;
}

/* -- signals and the end -- */

static void on_stopped(void *user)
{
    struct worker_main *worker = user;
    loop_stop(worker->loop);
}

static void begin_stop(void *user)
{
    struct worker_main *worker = user;
    herder_stop(worker->herder, on_stopped, worker);
}

void worker_main_stop(struct worker_main *worker, int result)
{
    if (worker->stopping) {
        return;
    }
    worker->stopping = true;
    worker->stop_asked = clock_monotonic_ms();
    worker->result = result;
    log_info(LOGGER, "Kafka Connect stopping");
    loop_post(worker->loop, begin_stop, worker); /* not from within an answer of the herder's */
}

static void on_signal(void *user, uint32_t events)
{
    struct worker_main *worker = user;
    struct signalfd_siginfo infos[4]; /* there are three kinds */
    bool asked = false;
    (void)events;
    ssize_t got = read(worker->signals, infos, sizeof(infos));
    for (size_t i = 0; got > 0 && i < (size_t)got / sizeof(infos[0]); i++) {
        if (infos[i].ssi_signo == SIGHUP && !worker->terminal) {
            log_output_reopen();
        } else {
            asked = true;
        }
    }
    /* timeout(1), and whatever passes a signal on to a whole group, sends it twice: that is one */
    if (!asked || (worker->stopping && clock_monotonic_ms() - worker->stop_asked < ONE_SIGNAL_MS)) {
        return;
    }
    if (worker->stopping) {
        log_warn(LOGGER, "Asked twice: everything is ended at once");
        worker->result = CLI_FAILED;
        herder_kill(worker->herder);
    } else {
        worker_main_stop(worker, CLI_OK);
    }
}

/* Each host takes a handful; the shells' usual limit of 1,024 is for 200 of them. */
static void raise_descriptors(void)
{
    struct rlimit limit;
    const rlim_t wanted = 65536;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Before any thread: all inherit the mask, and signals come through the loop only. */
static int take_signals(struct worker_main *worker, struct error *error)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP); /* a terminal's window was closed; elsewhere: log files anew */
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 ||
        (worker->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0) {
        return error_set_errno(error, errno, "Could not take signals");
    }
    worker->signal_watch =
        loop_watch_fd(worker->loop, worker->signals, EPOLLIN, on_signal, worker);
    return 0;
}

/* -- the start -- */

void worker_main_create(struct worker_main *worker, bool keep_failed,
                        void (*done)(void *user, const struct herder_reply *reply), void *user)
{
    for (size_t i = 0; i < worker->config.connector_count; i++) {
        struct run_connector *connector = &worker->config.connectors[i];
        const struct herder_request request = {
            .verb = HERDER_CREATE,
            .name = connector->name,
            .body = json_incref(connector->config),
            .initial_state = connector->initial_state,
            .keep_failed = keep_failed,
            .done = done,
            .user = user,
        };
        herder_submit(worker->herder, &request);
    }
}

static void on_herder_ready(void *user, const struct error *error)
{
    struct worker_main *worker = user;
    if (error) {
        worker_main_stop(worker, complain(worker, error));
        return;
    }
    if (worker->rest) {
        log_info(LOGGER,
                 "REST resources initialized; server is started and ready to handle requests");
    }
    worker->ready(worker);
}

static int start_rest(struct worker_main *worker, char **paths, size_t path_count,
                      struct error *error)
{
    struct properties resolved = {0};
    const struct rest_options options = {
        .listeners = worker->listeners,
        .count = worker->listener_count,
        .admin_apart = worker->admin_apart,
        .worker = &resolved,
    };
    int result =
        worker_resolve(&worker->config.worker, paths, path_count, &resolved, error);
    result = result == 0 ? rest_start(&options, &worker->rest, error) : result;
    for (size_t i = 0; i < resolved.count; i++) { /* secrets may be among them */
        explicit_bzero(resolved.items[i].value, strlen(resolved.items[i].value));
    }
    properties_finish(&resolved);
    return result;
}

static void on_cluster(void *user, const struct error *error)
{
    if (error) {
        worker_main_stop(user, complain(user, error));
    }
}

static int start(struct worker_main *worker, struct data_dir *data, char **paths,
                 size_t path_count, struct error *error)
{
    char *host = cli_find("sluice-host"), *log = cli_find("sluice-log");
    struct cluster_find *find = NULL;
    char *worker_id = NULL, *log_path = data_dir_file(data, "sluice.log");
    int result = -1;
    worker->loop = loop_create(error);
    if (!worker->loop ||
        run_log_open(&worker->log, &worker->config.worker, worker->terminal ? log_path : NULL,
                     worker->log_stdout, error) != 0) {
        goto out;
    }
    if (!host || (worker->config.log_dir && !log)) {
        (void)error_set(error, ERROR_SYSTEM,
                        "%s is not installed beside sluice; build or install all of it",
                        host ? "sluice-log" : "sluice-host");
        goto out;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    raise_descriptors();
    /* Before signals are taken: Ctrl-C ends the wait. */
    if ((!worker->config.log_dir &&
         cluster_find_begin(&worker->config.worker, data, worker->terminal, &find, error) != 0) ||
        take_signals(worker, error) != 0 ||
        cluster_find_go_on(find, worker->loop, on_cluster, worker, error) != 0) {
        goto out;
    }
    if (worker->listener_count > 0 && start_rest(worker, paths, path_count, error) != 0) {
        goto out;
    }
    worker_id = make_worker_id(worker);
    const struct herder_options options = {
        .loop = worker->loop,
        .worker = &worker->config.worker,
        .host_path = host,
        .log_path = log,
        .log_dir = worker->config.log_dir,
        .plugin_paths = (const char *const *)paths,
        .plugin_path_count = path_count,
        .data = data,
        .worker_id = worker_id,
        .config_dir = worker->config_dir,
    };
    worker->herder = herder_create(&options, error);
    if (!worker->herder) {
        goto out;
    }
    if (worker->prepare && worker->prepare(worker) != 0) {
        (void)error_set(error, ERROR_NO_MEMORY, "Out of memory");
        goto out;
    }
    log_info(LOGGER, "Kafka Connect starting");
    if (worker->rest) {
        rest_open(worker->rest, worker->herder);
    }
    herder_start(worker->herder, on_herder_ready, worker);
    result = loop_run(worker->loop, error);
out:
    cluster_find_end(find);
    rest_stop(worker->rest);
    if (worker->ended) {
        worker->ended(worker);
    }
    herder_destroy(worker->herder);
    loop_unwatch(worker->signal_watch);
    loop_destroy(worker->loop);
    if (worker->signals >= 0) {
        close(worker->signals);
    }
    log_output_close();
    free(worker_id);
    free(log_path);
    free(host);
    free(log);
    return result;
}

/*
 * invariant 7: a core file of the worker, of a host or of the log has no memory in it, wherever it goes
 * (a limit of 0 does not hold for those that are piped to a program). Inherited by every child.
 */
static void keep_memory_out_of_cores(const struct properties *properties)
{
    const char *wanted = properties_get(properties, "sluice.core.files");
    FILE *file = wanted && strcasecmp(wanted, "true") == 0
                     ? NULL
                     : fopen("/proc/self/coredump_filter", "we");
    if (file) {
        (void)fputs("0\n", file);
        (void)fclose(file);
    }
}

int worker_main_run(struct worker_main *worker)
{
    struct data_dir data = {.worker_lock = -1, .hosts_lock = -1};
    struct error error = {0};
    size_t path_count = 0;
    char **paths = NULL;
    worker->signals = -1;
    keep_memory_out_of_cores(&worker->config.worker);
    int result = parse_listeners(worker);
    if (result == 0) {
        paths = plugin_paths(&worker->config, &path_count);
        if (!paths ||
            data_dir_init(&data, worker->config.data_dir, ORPHANS_WAIT_MS, &error) != 0 ||
            start(worker, &data, paths, path_count, &error) != 0) {
            result = complain(worker, &error);
        } else {
            result = worker->result;
        }
        data_dir_finish(&data);
    }
    for (size_t i = 0; i < path_count; i++) {
        free(paths[i]);
    }
    free(paths);
    error_clear(&error);
    run_config_finish(&worker->config);
    return result;
}
