/* What /metrics says of each metric; the table is docs/metrics.md's. Constant: [any thread]. */
#include <stdlib.h>
#include <string.h>

#include "core/metrics/prometheus_help.h"

struct help {
    const char *name, *text;
};

/* Sorted by name, without the front that all have. */
static const struct help helps[] = {
    {"connect_worker_metrics_connector_count", "Connectors of this worker."},
    {"connect_worker_metrics_connector_destroyed_task_count", "Tasks of the connector that are DESTROYED."},
    {"connect_worker_metrics_connector_failed_task_count", "Tasks of the connector that are FAILED."},
    {"connect_worker_metrics_connector_paused_task_count", "Tasks of the connector that are PAUSED."},
    {"connect_worker_metrics_connector_restarting_task_count", "Tasks of the connector that are RESTARTING."},
    {"connect_worker_metrics_connector_running_task_count", "Tasks of the connector that are RUNNING."},
    {"connect_worker_metrics_connector_startup_attempts_total", "Starts of connectors that were tried."},
    {"connect_worker_metrics_connector_startup_failure_percentage",
     "Share of the starts of connectors that failed, 0 to 1."},
    {"connect_worker_metrics_connector_startup_failure_total", "Starts of connectors that failed."},
    {"connect_worker_metrics_connector_startup_success_percentage",
     "Share of the starts of connectors that succeeded, 0 to 1."},
    {"connect_worker_metrics_connector_startup_success_total", "Starts of connectors that succeeded."},
    {"connect_worker_metrics_connector_total_task_count", "Tasks of the connector on this worker."},
    {"connect_worker_metrics_connector_unassigned_task_count", "Tasks of the connector that are UNASSIGNED."},
    {"connect_worker_metrics_process_cpu_seconds_total", "Processor time of the worker's own process."},
    {"connect_worker_metrics_process_private_bytes",
     "Memory of the worker's own process, without what is shared with files."},
    {"connect_worker_metrics_process_resident_bytes", "Memory of the worker's own process."},
    {"connect_worker_metrics_process_threads", "Threads of the worker's own process."},
    {"connect_worker_metrics_task_count", "Tasks of this worker."},
    {"connect_worker_metrics_task_startup_attempts_total", "Starts of tasks that were tried."},
    {"connect_worker_metrics_task_startup_failure_percentage", "Share of the starts of tasks that failed, 0 to 1."},
    {"connect_worker_metrics_task_startup_failure_total", "Starts of tasks that failed."},
    {"connect_worker_metrics_task_startup_success_percentage",
     "Share of the starts of tasks that succeeded, 0 to 1."},
    {"connect_worker_metrics_task_startup_success_total", "Starts of tasks that succeeded."},
    {"connector_metrics_connector_class", "Class of the connector, as a label of 1."},
    {"connector_metrics_connector_type", "Whether it is a source or a sink, as a label of 1."},
    {"connector_metrics_connector_version", "Version of the connector, as a label of 1."},
    {"connector_metrics_status", "State of the connector, as a label of 1."},
    {"connector_task_metrics_batch_size_avg", "Average records of a batch lately."},
    {"connector_task_metrics_batch_size_max", "Most records of a batch lately."},
    {"connector_task_metrics_offset_commit_avg_time_ms", "Average time of a commit of offsets lately."},
    {"connector_task_metrics_offset_commit_failure_percentage",
     "Share of commits of offsets that failed lately, 0 to 1."},
    {"connector_task_metrics_offset_commit_max_time_ms", "Longest commit of offsets lately."},
    {"connector_task_metrics_offset_commit_success_percentage",
     "Share of commits of offsets that succeeded lately, 0 to 1."},
    {"connector_task_metrics_pause_ratio", "Share of the task's time in which it was PAUSED."},
    {"connector_task_metrics_process_cpu_seconds_total", "Processor time of the task's process."},
    {"connector_task_metrics_process_private_bytes",
     "Memory of the task's process, without what is shared with files."},
    {"connector_task_metrics_process_resident_bytes", "Memory of the task's process."},
    {"connector_task_metrics_process_threads", "Threads of the task's process."},
    {"connector_task_metrics_running_ratio", "Share of the task's time in which it was RUNNING."},
    {"connector_task_metrics_sink_bytes_in_flight", "Bytes consumed and not yet given back."},
    {"connector_task_metrics_sink_bytes_total", "Bytes of keys and values read."},
    {"connector_task_metrics_source_bytes_in_flight", "Bytes with the producer and not yet acknowledged."},
    {"connector_task_metrics_source_bytes_total", "Bytes of keys and values acknowledged."},
    {"connector_task_metrics_stage_latency_seconds",
     "Time by stage: poll, convert, transform (of one record), put, commit, produce (until acknowledged)."},
    {"connector_task_metrics_status", "State of the task, as a label of 1."},
    {"sink_task_metrics_offset_commit_completion_rate", "Commits of offsets a second that succeeded."},
    {"sink_task_metrics_offset_commit_completion_total", "Commits of offsets that succeeded."},
    {"sink_task_metrics_offset_commit_seq_no", "Number of the latest commit of offsets."},
    {"sink_task_metrics_partition_count", "Partitions of topics that the task has."},
    {"sink_task_metrics_put_batch_avg_time_ms", "Average time that the connector took for a batch lately."},
    {"sink_task_metrics_put_batch_max_time_ms", "Longest time that the connector took for a batch lately."},
    {"sink_task_metrics_sink_record_active_count", "Records read and not yet committed."},
    {"sink_task_metrics_sink_record_active_count_avg", "Average records read and not yet committed lately."},
    {"sink_task_metrics_sink_record_active_count_max", "Most records read and not yet committed lately."},
    {"sink_task_metrics_sink_record_lag", "Records that are not read yet, all partitions of the task."},
    {"sink_task_metrics_sink_record_lag_max", "Most records of a partition that are not read yet."},
    {"sink_task_metrics_sink_record_read_rate", "Records read a second, before transforms."},
    {"sink_task_metrics_sink_record_read_total", "Records read, before transforms."},
    {"sink_task_metrics_sink_record_send_rate", "Records given to the connector a second, behind transforms."},
    {"sink_task_metrics_sink_record_send_total", "Records given to the connector, behind transforms."},
    {"source_task_metrics_poll_batch_avg_time_ms", "Average time that the connector took for a batch lately."},
    {"source_task_metrics_poll_batch_max_time_ms", "Longest time that the connector took for a batch lately."},
    {"source_task_metrics_source_record_active_count", "Records polled and not yet written."},
    {"source_task_metrics_source_record_active_count_avg", "Average records polled and not yet written lately."},
    {"source_task_metrics_source_record_active_count_max", "Most records polled and not yet written lately."},
    {"source_task_metrics_source_record_poll_rate", "Records a second from the connector, before transforms."},
    {"source_task_metrics_source_record_poll_total", "Records from the connector, before transforms."},
    {"source_task_metrics_source_record_write_rate", "Records written a second, behind transforms."},
    {"source_task_metrics_source_record_write_total", "Records written, behind transforms."},
    {"task_error_metrics_deadletterqueue_produce_failures", "Records that the dead letter queue did not take."},
    {"task_error_metrics_deadletterqueue_produce_requests", "Records on their way to the dead letter queue."},
    {"task_error_metrics_last_error_timestamp", "When the task met its latest error, milliseconds since 1970."},
    {"task_error_metrics_total_errors_logged", "Errors that were logged."},
    {"task_error_metrics_total_record_errors", "Operations on records that failed, tries included."},
    {"task_error_metrics_total_record_failures", "Records whose processing failed."},
    {"task_error_metrics_total_records_skipped", "Records left out because of errors."},
    {"task_error_metrics_total_retries", "Operations that were tried again."},
};

static int compare(const void *name, const void *help)
{
    return strcmp(name, ((const struct help *)help)->name);
}

const char *prometheus_help(const char *name)
{
    static const char front[] = "kafka_connect_";
    const struct help *found =
        strncmp(name, front, sizeof(front) - 1) == 0
            ? bsearch(name + sizeof(front) - 1, helps, sizeof(helps) / sizeof(helps[0]), sizeof(helps[0]), compare)
            : NULL;
    return found ? found->text : NULL;
}
