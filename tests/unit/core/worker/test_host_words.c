/* What the worker makes of a host's log pipe, of its end, and of its numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/host/protocol.h"
#include "core/metrics/prometheus.h"
#include "core/worker/host_log.h"
#include "core/worker/host_trace.h"

static char seen[65536];

static void collect(void *user, enum log_level level, const char *logger, const char *context,
                    const char *text)
{
    size_t used = strlen(seen);
    (void)user;
    snprintf(seen + used, sizeof(seen) - used, "%s|%s|%s|%s;", log_level_name(level), logger,
             context ? context : "", text);
}

static void feed(struct host_log *log, const char *text)
{
    int fds[2];
    assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    host_log_init(log, fds[0], "[c|task-0] ");
    assert_int_equal(write(fds[1], text, strlen(text)), strlen(text));
    close(fds[1]);
    seen[0] = '\0';
    log_set_writer(collect, NULL);
    while (host_log_read(log) == 0) {
    }
    log_set_writer(NULL, NULL);
}

static void test_log_lines(void **state)
{
    (void)state;
    struct host_log log;
    feed(&log, "WARN\x1fx.y\x1f[a|task-1] \x1fone\x1etwo\n"
               "INFO\x1fx.y\x1f\x1fno context\n"
               "printed by a plugin\n"
               "[2026-01-01 00:00:00,000] ERROR broken (sluice.log)\n"
               "NOTALEVEL\x1f"
               "a\x1f"
               "b\x1f"
               "c\n"
               "cut short");
    assert_string_equal(seen, "WARN|x.y|[a|task-1] |one\ntwo;"
                              "INFO|x.y|[c|task-0] |no context;"
                              "INFO|sluice.host.output|[c|task-0] |printed by a plugin;"
                              "ERROR|sluice.log|[c|task-0] |broken;"
                              "INFO|sluice.host.output|[c|task-0] |NOTALEVEL\x1f"
                              "a\x1f"
                              "b\x1f"
                              "c;"
                              "INFO|sluice.host.output|[c|task-0] |cut short;");
    host_log_finish(&log);
}

static char *trace_of(struct host_ending *ending, int expected_code)
{
    int code = 0;
    char *trace = host_trace(ending, &code);
    assert_int_equal(code, expected_code);
    return trace;
}

static void test_traces(void **state)
{
    (void)state;
    struct host_log log;
    feed(&log, "WARN\x1fx\x1f\x1flast words\n");
    static struct metrics_page page;
    strcpy(page.phase, "put x.Sink");
    atomic_store(&page.phase_since, 1000);
    struct host_ending ending = {
        .subject = "Task a-0", .page = &page, .log = &log, .ended_at = 6000};

    ending.status = SIGKILL;
    char *trace = trace_of(&ending, ERROR_PLUGIN_CRASH);
    assert_string_equal(
        trace, "org.apache.kafka.connect.errors.ConnectException: Task a-0 was killed by signal "
               "9 (SIGKILL), not by sluice: by somebody, or by the kernel where memory was "
               "short; it was in put() of x.Sink for 5000 ms\nLast log lines:\n"
               "\tWARN last words\n");
    free(trace);

    ending.stop_timeout_ms = 5000;
    trace = trace_of(&ending, ERROR_PLUGIN_TIMEOUT);
    assert_non_null(
        strstr(trace, "Task a-0 did not return from stop() within 5000 ms and was killed"));
    free(trace);

    ending.stop_timeout_ms = 0;
    ending.status = 9 << 8;
    trace = trace_of(&ending, ERROR_PLUGIN_EXIT);
    assert_non_null(strstr(trace, "ended by itself with exit status 9"));
    free(trace);

    ending.status = HOST_EXIT_MEMORY << 8;
    ending.memory_limit = 64 << 20;
    trace = trace_of(&ending, ERROR_PLUGIN_MEMORY);
    assert_non_null(strstr(trace, "reached its memory limit of 64 MB"));
    free(trace);

    page.crash.signal = SIGSEGV;
    page.crash.code = 1;
    strcpy(page.crash.phase, "put x.Sink");
    atomic_store(&page.crash.valid, 1);
    ending.status = SIGSEGV;
    ending.frames = "  at f (a.c:1)";
    trace = trace_of(&ending, ERROR_PLUGIN_CRASH);
    assert_non_null(strstr(trace, "Task a-0 crashed in put of x.Sink: SIGSEGV at address 0x0"));
    assert_non_null(strstr(trace, "\n  at f (a.c:1)\nLast log lines:\n"));
    free(trace);
    host_log_finish(&log);
}

/* The end of a line that is cut is no half character: the whole trace would be no text in a status. */
static void test_a_last_line_is_cut_between_characters(void **state)
{
    (void)state;
    for (int shift = 0; shift < 3; shift++) {
        struct host_log log;
        char line[1000] = "WARN\x1fx\x1f\x1f";
        memset(line + strlen(line), 'x', (size_t)shift);
        while (strlen(line) < sizeof(line) - 10) {
            strcat(line, "\xe2\x82\xac");
        }
        strcat(line, "\n");
        feed(&log, line);
        struct host_ending ending = {.subject = "Task a-0", .log = &log, .status = SIGKILL};
        char *trace = trace_of(&ending, ERROR_PLUGIN_CRASH);
        json_t *text = json_string(trace);
        assert_non_null(text);
        json_decref(text);
        free(trace);
        host_log_finish(&log);
    }
}

static void test_prometheus(void **state)
{
    (void)state;
    static struct metrics_page page;
    struct prometheus out;
    atomic_store(&metrics_slot(&page, "sink-record-read-total", 1)->value, 7);
    atomic_store(&metrics_slot(&page, "objects-written", 1)->value, 3);
    prometheus_init(&out);
    prometheus_page(&out, "a\"b\\c\n", 2, &page);
    prometheus_page(&out, "z", 0, &page);
    prometheus_add(&out, "connect-worker-metrics", "connector-count", PROMETHEUS_GAUGE, NULL, 1);
    prometheus_add(&out, "connect-worker-metrics", "task-count", PROMETHEUS_GAUGE, NULL, 2);
    char *text = prometheus_take(&out);
    assert_string_equal(
        text,
        "# HELP kafka_connect_connect_worker_metrics_connector_count Connectors of this worker.\n"
        "# TYPE kafka_connect_connect_worker_metrics_connector_count gauge\n"
        "kafka_connect_connect_worker_metrics_connector_count 1\n"
        "# HELP kafka_connect_connect_worker_metrics_task_count Tasks of this worker.\n"
        "# TYPE kafka_connect_connect_worker_metrics_task_count gauge\n"
        "kafka_connect_connect_worker_metrics_task_count 2\n"
        "# TYPE kafka_connect_connector_task_metrics_objects_written counter\n"
        "kafka_connect_connector_task_metrics_objects_written{connector=\"a\\\"b\\\\c\\n\",task="
        "\"2\"} 3\n"
        "kafka_connect_connector_task_metrics_objects_written{connector=\"z\",task=\"0\"} 3\n"
        "# HELP kafka_connect_sink_task_metrics_sink_record_read_total Records read, before transforms.\n"
        "# TYPE kafka_connect_sink_task_metrics_sink_record_read_total counter\n"
        "kafka_connect_sink_task_metrics_sink_record_read_total{connector=\"a\\\"b\\\\c\\n\",task="
        "\"2\"} 7\n"
        "kafka_connect_sink_task_metrics_sink_record_read_total{connector=\"z\",task=\"0\"} 7\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log_lines),
        cmocka_unit_test(test_traces),
        cmocka_unit_test(test_a_last_line_is_cut_between_characters),
        cmocka_unit_test(test_prometheus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
