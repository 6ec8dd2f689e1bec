#include "core/worker/host_trace.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "core/base/error.h"
#include "core/host/protocol.h"
#include "core/host/symbolize.h"

enum { TRACE_MAX = 256 * 1024 };

#define EXCEPTION "org.apache.kafka.connect.errors.ConnectException: "

/* "; it was in put of x.Sink for 5012 ms": the call into the plugin that was under way. */
static void add_phase(const struct host_ending *ending, struct buffer *text)
{
    const struct metrics_page *page = ending->page;
    int64_t since = page ? atomic_load(&page->phase_since) : 0;
    char phase[sizeof(page->phase)];
    if (since <= 0) {
        return;
    }
    memcpy(phase, page->phase, sizeof(phase));
    phase[sizeof(phase) - 1] = '\0';
    int call = (int)strcspn(phase, " ");
    if (call == 0) {
        return;
    }
    (void)buffer_printf(text, "; it was in %.*s()%s%s for %lld ms", call, phase,
                        phase[call] ? " of " : "", phase[call] ? phase + call + 1 : "",
                        (long long)(ending->ended_at - since));
}

static int add_kill(const struct host_ending *ending, struct buffer *text)
{
    if (ending->stop_timeout_ms > 0) {
        (void)buffer_printf(text, " did not return from stop() within %lld ms and was killed",
                            (long long)ending->stop_timeout_ms);
    } else if (ending->deadline_ms > 0) {
        (void)buffer_printf(text, " was not done within %lld ms and was killed",
                            (long long)ending->deadline_ms);
    } else if (ending->mute) {
        (void)buffer_append_text(text, " closed descriptors that are not its own (3, 4 and 5 are the "
                                       "worker's) and was killed");
    } else {
        (void)buffer_append_text(text, " took no messages any more and was killed");
    }
    add_phase(ending, text);
    return ERROR_PLUGIN_TIMEOUT;
}

static int add_shared(const struct host_ending *ending, struct buffer *text)
{
    (void)buffer_printf(text,
                        " reached its memory limit of %lld MB, with %lld MB of data and %lld MB of "
                        "shared memory, and was killed",
                        (long long)(ending->memory_limit >> 20), (long long)(ending->data >> 20),
                        (long long)(ending->shared >> 20));
    add_phase(ending, text);
    return ERROR_PLUGIN_MEMORY;
}

static int add_signal(const struct host_ending *ending, struct buffer *text)
{
    int number = WTERMSIG(ending->status);
    const char *name = sigabbrev_np(number);
    (void)buffer_printf(text, " was killed by signal %d (SIG%s), not by sluice", number,
                        name ? name : "?");
    if (number == SIGKILL) {
        (void)buffer_append_text(text, ": by somebody, or by the kernel where memory was short");
    }
    add_phase(ending, text);
    return ERROR_PLUGIN_CRASH;
}

static int add_exit(const struct host_ending *ending, struct buffer *text)
{
    int status = WEXITSTATUS(ending->status);
    if (status == HOST_EXIT_MEMORY) {
        (void)buffer_printf(text, " reached its memory limit of %lld MB",
                            (long long)(ending->memory_limit >> 20));
        add_phase(ending, text);
        return ERROR_PLUGIN_MEMORY;
    }
    (void)buffer_printf(
        text, " ended by itself with exit status %d; a plugin shall not end its process", status);
    return ERROR_PLUGIN_EXIT;
}

char *host_trace(const struct host_ending *ending, int *ret_code)
{
    struct buffer text;
    char headline[512];
    bool crashed = ending->page && crash_headline(&ending->page->crash, headline, sizeof(headline));
    buffer_init(&text, TRACE_MAX);
    (void)buffer_printf(&text, EXCEPTION "%s", ending->subject);
    if (ending->stop_timeout_ms > 0 || ending->deadline_ms > 0 || ending->deaf ||
        ending->mute) {
        *ret_code = add_kill(ending, &text);
    } else if (ending->shared > 0) {
        *ret_code = add_shared(ending, &text);
    } else if (crashed) {
        (void)buffer_printf(&text, " %s", headline);
        *ret_code = ending->page->crash.signal ? ERROR_PLUGIN_CRASH : ERROR_PLUGIN_MEMORY;
    } else if (WIFSIGNALED(ending->status)) {
        *ret_code = add_signal(ending, &text);
    } else {
        *ret_code = add_exit(ending, &text);
    }
    if (*ret_code == ERROR_PLUGIN_MEMORY) {
        (void)buffer_append_text(&text, " (sluice.task.memory.limit.bytes sets it)");
    }
    (void)buffer_append_char(&text, '\n');
    if (ending->frames) {
        (void)buffer_append_text(&text, ending->frames);
        if (text.size > 0 && text.data[text.size - 1] != '\n') {
            (void)buffer_append_char(&text, '\n');
        }
    }
    size_t before = text.size;
    (void)buffer_append_text(&text, "Last log lines:\n");
    if (!ending->log || host_log_last(ending->log, "\t", &text) == 0) {
        text.size = before;
        text.data[text.size] = '\0';
    }
    return buffer_take(&text);
}
