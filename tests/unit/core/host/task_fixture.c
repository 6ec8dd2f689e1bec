#include "tests/unit/core/host/task_fixture.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"

static struct task task;
static struct host_process process;
static struct channel control, worker;
static struct metrics_page page;
static struct error error;
static pthread_t runner, listener;
static int (*run_task)(struct task *, struct error *);
static int result;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t told = PTHREAD_COND_INITIALIZER;
static char state[32], offsets[1024];
static enum fixture_store store; /* under lock, as all above */
static int not_stored;

/* -- raw converter -- */

static void *converter_new(const struct sluice_host *host)
{
    const struct sluice_host **self = malloc(sizeof(*self));
    *self = host;
    return self;
}

static enum sluice_result configure(void *self, const char *class_name, const struct sluice_config *config,
                                    enum sluice_converter_role role)
{
    (void)self;
    (void)class_name;
    (void)config;
    (void)role;
    return SLUICE_OK;
}

static enum sluice_result to_connect(void *self, struct sluice_batch *batch, const char *topic,
                                     const char *header, struct sluice_span bytes,
                                     const struct sluice_schema **ret_schema,
                                     const struct sluice_value **ret_value)
{
    (void)topic;
    (void)header;
    const struct sluice_host *host = *(const struct sluice_host **)self;
    if (bytes.size == 3 && memcmp(bytes.data, "bad", 3) == 0) {
        return host->error(host, SLUICE_BAD_RECORD, SLUICE_DATA_EXCEPTION, "bad value");
    }
    *ret_schema = NULL;
    *ret_value = bytes.data ? host->data->new_bytes_view(batch, bytes.data, bytes.size) : NULL;
    return SLUICE_OK;
}

static enum sluice_result from_connect(void *self, struct sluice_batch *batch, const char *topic,
                                       const char *header, const struct sluice_schema *schema,
                                       const struct sluice_value *value, struct sluice_span *ret_bytes)
{
    (void)batch;
    (void)topic;
    (void)header;
    (void)schema;
    const struct sluice_host *host = *(const struct sluice_host **)self;
    *ret_bytes = host->data->text(value);
    if (ret_bytes->size == 3 && memcmp(ret_bytes->data, "bad", 3) == 0) {
        return host->error(host, SLUICE_BAD_RECORD, SLUICE_DATA_EXCEPTION, "bad value");
    }
    return SLUICE_OK;
}

static const struct sluice_converter raw_vtable = {
    .size = sizeof(raw_vtable), .create = converter_new,     .destroy = free,
    .configure = configure,     .to_connect = to_connect, .from_connect = from_connect,
};

const struct sluice_descriptor raw_converter = {
    .size = sizeof(raw_converter), .kind = SLUICE_CONVERTER, .class_name = "test.Raw",
    .version = "1",                .doc = "bytes as they are", .vtable = &raw_vtable,
};

/* -- running -- */

static void *run_main(void *user)
{
    (void)user;
    result = run_task(&task, &error);
    return NULL;
}

/* The worker's side: remembers states, stores offsets. */
static void *listen_main(void *user)
{
    (void)user;
    for (;;) {
        json_t *message = NULL;
        struct error why = {0};
        if (channel_receive(&worker, &message, &why) != 1) {
            error_clear(&why);
            return NULL;
        }
        const char *type = json_string_value(json_object_get(message, "type"));
        pthread_mutex_lock(&lock);
        if (strcmp(type, "state") == 0) {
            (void)snprintf(state, sizeof(state), "%s", json_string_value(json_object_get(message, "state")));
        } else if (strcmp(type, "offsets") == 0) {
            char *text = json_dumps(json_object_get(message, "offsets"), JSON_COMPACT);
            (void)snprintf(offsets, sizeof(offsets), "%s", text);
            free(text);
            not_stored += store != FIXTURE_STORES;
            pthread_mutex_lock(&task.lock);
            if (store != FIXTURE_SILENT) {
                task.reply = json_pack("{s:s,s:s?}", "type", "offsets_stored", "error",
                                       store == FIXTURE_REFUSES ? "the disk is full" : NULL);
            }
            pthread_cond_broadcast(&task.changed);
            pthread_mutex_unlock(&task.lock);
        }
        pthread_cond_broadcast(&told);
        pthread_mutex_unlock(&lock);
        json_decref(message);
    }
}

void fixture_start(int (*run)(struct task *, struct error *), const struct sluice_entry *classes,
                   const char *class_name, ...)
{
    int ends[2];
    error_clear(&error);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
        abort();
    }
    channel_init(&control, ends[0]);
    channel_init(&worker, ends[1]);
    memset(&page, 0, sizeof(page));
    process = (struct host_process){&control, &page};
    state[0] = offsets[0] = '\0';
    store = FIXTURE_STORES;
    not_stored = 0;
    task = (struct task){.process = &process, .connector = strdup("c"), .context = strdup("[c|task-0] ")};
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&task.changed, &attributes);
    pthread_mutex_init(&task.lock, NULL);
    task.registry = registry_create();
    if (registry_add(task.registry, "test", classes, &error) != 0) {
        abort();
    }
    task.environment = (struct plugin_environment){.registry = task.registry, .page = &page, .user = &task};
    static const char *const common[][2] = {{"key.converter", "test.Raw"},
                                            {"value.converter", "test.Raw"},
                                            {"header.converter", "test.Raw"},
                                            {"topics", "t"}};
    for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
        properties_set(&task.config, common[i][0], common[i][1]);
    }
    properties_set(&task.config, "connector.class", class_name);
    va_list args;
    va_start(args, class_name);
    for (const char *key = va_arg(args, const char *); key; key = va_arg(args, const char *)) {
        properties_set(&task.config, key, va_arg(args, const char *));
    }
    va_end(args);
    run_task = run;
    if (pthread_create(&listener, NULL, listen_main, NULL) != 0 ||
        pthread_create(&runner, NULL, run_main, NULL) != 0) {
        abort();
    }
}

int fixture_join(void)
{
    pthread_join(runner, NULL);
    (void)shutdown(control.fd, SHUT_RDWR);
    pthread_join(listener, NULL);
    channel_finish(&control);
    channel_finish(&worker);
    if (result != 0) { /* a host that failed leaves its instance as it is, for the trace */
        plugin_instance_destroy(task.instance);
    }
    properties_finish(&task.config);
    used_topics_reset(&task.topics);
    free(task.topics.names);
    task.topics.names = NULL;
    registry_destroy(task.registry);
    json_decref(task.reply);
    free(task.connector);
    free(task.context);
    return result;
}

int fixture_stop(void)
{
    pthread_mutex_lock(&task.lock);
    task.stopping = true;
    task.stop_deadline = clock_monotonic_ms() + 5000;
    pthread_mutex_unlock(&task.lock);
    task_kick(&task);
    return fixture_join();
}

const struct error *fixture_error(void)
{
    return &error;
}

struct task *fixture_task(void)
{
    return &task;
}

void fixture_pause(bool pause)
{
    pthread_mutex_lock(&task.lock);
    task.paused = pause;
    pthread_mutex_unlock(&task.lock);
    task_kick(&task);
}

void fixture_store(enum fixture_store how)
{
    pthread_mutex_lock(&lock);
    store = how;
    pthread_mutex_unlock(&lock);
}

int fixture_not_stored(void)
{
    pthread_mutex_lock(&lock);
    int times = not_stored;
    pthread_mutex_unlock(&lock);
    return times;
}

static void wait_for(const char *what, const char *expected)
{
    struct timespec deadline;
    (void)clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 20;
    pthread_mutex_lock(&lock);
    while (strcmp(what, expected) != 0) {
        if (pthread_cond_timedwait(&told, &lock, &deadline) != 0) {
            fprintf(stderr, "waited in vain for '%s', it is '%s'\n", expected, what);
            abort();
        }
    }
    pthread_mutex_unlock(&lock);
}

void fixture_wait_state(const char *expected)
{
    wait_for(state, expected);
}

void fixture_wait_offsets(const char *json)
{
    wait_for(offsets, json);
}
