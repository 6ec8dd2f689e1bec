/* See host_ask.h. */
#include "core/cli/host_ask.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/channel.h"
#include "core/base/clock.h"
#include "core/base/subprocess.h"
#include "core/cli/cli.h"
#include "core/host/protocol.h"
#include "core/host/symbolize.h"
#include "core/metrics/page.h"
#include "lib/util/buffer.h"

enum {
    LOG_MOST = 1 << 20,
    LOG_LAST = 4096,       /* bytes of it that are shown */
    SYMBOLS_WITHIN = 5000, /* ms */
    MESSAGES_MOST = 100000,
};

struct asking {
    char *host_path;
    struct channel control;
    int log;
    struct metrics_page *page;
    int page_fd;
    struct subprocess process;
    struct buffer lines;
    int status;
    bool late;
};

static int open_page(struct asking *asking, struct error *error)
{
    asking->page_fd = memfd_create("metrics", MFD_CLOEXEC);
    void *page = MAP_FAILED;
    if (asking->page_fd >= 0 && ftruncate(asking->page_fd, sizeof(struct metrics_page)) == 0) {
        page = mmap(NULL, sizeof(struct metrics_page), PROT_READ | PROT_WRITE, MAP_SHARED,
                    asking->page_fd, 0);
    }
    if (page == MAP_FAILED) {
        return error_set_errno(error, errno, "Could not make a page for a host process");
    }
    asking->page = page;
    asking->page->magic = METRICS_PAGE_MAGIC;
    asking->page->size = sizeof(struct metrics_page);
    return 0;
}

static int start(struct asking *asking, const char *role, struct error *error)
{
    int pair[2] = {-1, -1}, log[2] = {-1, -1};
    asking->host_path = cli_find("sluice-host");
    if (!asking->host_path) {
        return error_set(error, ERROR_SYSTEM,
                         "sluice-host is not beside this program, nor in libexec/sluice: the "
                         "installation is not complete");
    }
    if (open_page(asking, error) != 0) {
        return -1;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0 ||
        pipe2(log, O_CLOEXEC) != 0) {
        (void)error_set_errno(error, errno, "Could not make channels to a host process");
        if (pair[0] >= 0) {
            close(pair[0]);
            close(pair[1]);
        }
        return -1;
    }
    const char *const argv[] = {"sluice-host", role, NULL};
    const struct subprocess_options options = {
        .path = asking->host_path,
        .argv = argv,
        .fds = {-1, log[1], log[1], pair[1], log[1], asking->page_fd},
        .fd_count = HOST_FD_PAGE + 1,
    };
    int result = subprocess_start(&options, &asking->process, error);
    close(pair[1]);
    close(log[1]);
    (void)fcntl(pair[0], F_SETFL, O_NONBLOCK);
    (void)fcntl(log[0], F_SETFL, O_NONBLOCK);
    channel_init(&asking->control, pair[0]);
    asking->log = log[0];
    return result;
}

static void take_log(struct asking *asking)
{
    char block[4096];
    ssize_t got;
    while ((got = read(asking->log, block, sizeof(block))) > 0) {
        if (asking->lines.size + (size_t)got > LOG_MOST) {
            buffer_consume(&asking->lines, asking->lines.size / 2); /* the last lines matter */
        }
        (void)buffer_append(&asking->lines, block, (size_t)got);
    }
}

/* False when the channel has ended. */
static bool take_messages(struct asking *asking, json_t *messages)
{
    for (;;) {
        json_t *message = NULL;
        struct error ignored = {0};
        int got = channel_receive(&asking->control, &message, &ignored);
        error_clear(&ignored);
        if (got == 1 && json_array_size(messages) < MESSAGES_MOST) {
            json_array_append_new(messages, message);
        } else if (got == 1) {
            json_decref(message);
        } else {
            return got == 0;
        }
    }
}

static void collect(struct asking *asking, int64_t deadline, json_t *messages)
{
    bool open = true;
    for (;;) {
        struct pollfd wait[] = {
            {.fd = asking->process.pidfd, .events = POLLIN},
            {.fd = asking->log, .events = POLLIN},
            {.fd = open ? asking->control.fd : -1, .events = POLLIN},
        };
        int64_t left = deadline - clock_monotonic_ms();
        if (left <= 0) {
            asking->late = true;
            subprocess_signal(&asking->process, SIGKILL);
            left = -1; /* the end of a killed process is certain */
        }
        if (poll(wait, 3, (int)left) < 0 && errno != EINTR) {
            return;
        }
        bool ended = wait[0].revents != 0;
        if (wait[1].revents & POLLHUP && !ended) {
            (void)poll(wait, 1, 10); /* it has closed its outputs: do not spin until it ends */
        }
        take_log(asking);
        open = open && take_messages(asking, messages);
        if (ended && subprocess_reap(&asking->process, &asking->status)) {
            return;
        }
    }
}

static char *explain_crash(struct asking *asking)
{
    char headline[512];
    const struct crash_record *crash = &asking->page->crash;
    char *frames = NULL, *text = NULL;
    if (!crash_headline(crash, headline, sizeof(headline))) {
        const char *name =
            WIFSIGNALED(asking->status) ? sigabbrev_np(WTERMSIG(asking->status)) : NULL;
        (void)snprintf(headline, sizeof(headline),
                       name ? "was ended by SIG%s" : "ended with status %s",
                       name ? name : "unknown");
        if (WIFEXITED(asking->status)) {
            const char *phase = asking->page->phase;
            size_t call = strcspn(phase, " ");
            (void)snprintf(headline, sizeof(headline), "ended with exit status %d during %.*s%s%s",
                           WEXITSTATUS(asking->status), (int)(*phase ? call : 14), *phase ? phase : "no plugin call",
                           phase[call] ? " of " : "", phase[call] ? phase + call + 1 : "");
        }
    }
    (void)symbolize_crash(asking->host_path, crash, SYMBOLS_WITHIN, &frames);
    if (asprintf(&text, "%s%s%s", headline, frames ? "\n" : "", frames ? frames : "") < 0) {
        text = NULL;
    }
    free(frames);
    size_t size = text ? strlen(text) : 0;
    if (size > 0 && text[size - 1] == '\n') {
        text[size - 1] = '\0';
    }
    return text;
}

static char *explain_late(const struct asking *asking, int timeout_ms)
{
    char *text = NULL;
    const char *phase = asking->page->phase;
    size_t call = strcspn(phase, " ");
    int size = phase[0] ? asprintf(&text, "%.*s%s%s did not return within %d ms and was killed",
                                   (int)call, phase, phase[call] ? " of " : "",
                                   phase[call] ? phase + call + 1 : "", timeout_ms)
                        : asprintf(&text, "did not end within %d ms and was killed", timeout_ms);
    return size < 0 ? NULL : text;
}

static char *explain(struct asking *asking, const struct host_answer *answer, int timeout_ms)
{
    json_t *failed = host_answer_find(answer, "failed");
    if (asking->late) {
        return explain_late(asking, timeout_ms);
    }
    if (failed) {
        const char *trace = json_string_value(json_object_get(failed, "trace"));
        return strdup(trace ? trace : "failed without a reason");
    }
    bool well = WIFEXITED(asking->status) && WEXITSTATUS(asking->status) == 0;
    return well ? NULL : explain_crash(asking);
}

/* Last lines, with the fields of structured ones made readable. */
static char *last_lines(struct buffer *lines)
{
    if (lines->size > LOG_LAST) {
        const char *cut = memchr(lines->data + lines->size - LOG_LAST, '\n', LOG_LAST);
        buffer_consume(lines, cut ? (size_t)(cut + 1 - lines->data) : lines->size - LOG_LAST);
    }
    char *text = buffer_take(lines);
    for (char *p = text; p && *p; p++) {
        *p = *p == '\x1f' || *p == '\x1e' ? ' ' : *p;
    }
    return text ? text : strdup("");
}

int host_ask(json_t *question, int timeout_ms, struct host_answer *ret_answer, struct error *error)
{
    struct asking asking = {
        .control = {.fd = -1}, .log = -1, .page_fd = -1, .process = {.pidfd = -1}};
    const char *role = json_string_value(json_object_get(question, "type"));
    *ret_answer = (struct host_answer){.messages = json_array()};
    buffer_init(&asking.lines, LOG_MOST + 4096);
    int result = start(&asking, role ? role : "", error);
    if (result == 0) {
        struct error ignored = {0};
        if (channel_send(&asking.control, json_incref(question), &ignored) != 0) {
            error_clear(&ignored); /* it ended already: its status tells why */
        }
        collect(&asking, clock_monotonic_ms() + timeout_ms, ret_answer->messages);
        ret_answer->failure = explain(&asking, ret_answer, timeout_ms);
        ret_answer->log = last_lines(&asking.lines);
    }
    json_decref(question);
    if (asking.control.fd >= 0) {
        channel_finish(&asking.control);
    }
    if (asking.log >= 0) {
        close(asking.log);
    }
    subprocess_close(&asking.process);
    if (asking.page) {
        (void)munmap(asking.page, sizeof(*asking.page));
    }
    if (asking.page_fd >= 0) {
        close(asking.page_fd);
    }
    buffer_finish(&asking.lines);
    free(asking.host_path);
    return result;
}

void host_answer_finish(struct host_answer *answer)
{
    json_decref(answer->messages);
    free(answer->failure);
    free(answer->log);
    *answer = (struct host_answer){0};
}

json_t *host_answer_find(const struct host_answer *answer, const char *type)
{
    size_t i;
    json_t *message;
    json_array_foreach(answer->messages, i, message)
    {
        const char *its = json_string_value(json_object_get(message, "type"));
        if (its && strcmp(its, type) == 0) {
            return message;
        }
    }
    return NULL;
}
