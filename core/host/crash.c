/*
 * What is left of a crash: a signal handler that writes frames, mappings and the plugin call under
 * way into the page shared with the worker, and then lets the signal do what it does.
 *
 * Everything in the handler is async-signal-safe and bounded: no allocation, no lock of ours,
 * memory that may not be there is read through the kernel, and an alarm ends a handler that hangs.
 * The record is valid from its first address on, so that even then signal and place are known. [any
 * thread]
 */
#include "core/host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include "core/base/arena.h"
#include "core/host/protocol.h"

enum {
    ALTERNATE_STACK = 64 * 1024,
    HANDLER_SECONDS = 5,
    UNMAPPED_PAGE = 65536, /* no code lies below (vm.mmap_min_addr) */
};

static const int fatal_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS};

static struct metrics_page *shared;
static atomic_flag taken = ATOMIC_FLAG_INIT;

struct registers {
    uintptr_t pc, sp, fp;
};

static struct registers registers_of(const void *context)
{
    const ucontext_t *user = context;
#if defined(__x86_64__)
    const greg_t *r = user->uc_mcontext.gregs;
    return (struct registers){(uintptr_t)r[REG_RIP], (uintptr_t)r[REG_RSP], (uintptr_t)r[REG_RBP]};
#elif defined(__aarch64__)
    return (struct registers){user->uc_mcontext.pc, user->uc_mcontext.sp,
                              user->uc_mcontext.regs[29]};
#else
    (void)user;
    return (struct registers){0};
#endif
}

static void push(struct crash_record *crash, uintptr_t address)
{
    if (crash->frame_count < CRASH_FRAMES) {
        crash->frames[crash->frame_count++] = address;
    }
}

/* -- walking the stack -- */

struct walk {
    struct crash_record *crash;
    uintptr_t from; /* address of the frame to begin behind */
    int skip;       /* or number of frames to leave out, where there is no such address */
};

static _Unwind_Reason_Code walk_frame(struct _Unwind_Context *context, void *user)
{
    struct walk *walk = user;
    int exact = 0;
    uintptr_t address = _Unwind_GetIPInfo(context, &exact);
    if (walk->from) {
        walk->from = address == walk->from ? 0 : walk->from;
    } else if (walk->skip > 0) {
        walk->skip--;
    } else if (address) {
        push(walk->crash, exact ? address : address - 1); /* a return address is behind its call */
    }
    return walk->crash->frame_count < CRASH_FRAMES ? _URC_NO_REASON : _URC_END_OF_STACK;
}

/* A word of memory that may not be there. */
static bool peek(uintptr_t address, uintptr_t *ret_word)
{
    struct iovec to = {ret_word, sizeof(*ret_word)};
    struct iovec from = {(void *)address, sizeof(*ret_word)};
    return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == (ssize_t)sizeof(*ret_word);
}

/* Where the unwinder finds nothing (a jump to nowhere): the caller, then frame pointers. */
static void walk_pointers(struct crash_record *crash, const struct registers *at)
{
    uintptr_t word, fp = at->fp, next;
    if (at->pc < UNMAPPED_PAGE && peek(at->sp, &word)) {
        push(crash, word - 1);
    }
    while (crash->frame_count < CRASH_FRAMES && fp % sizeof(word) == 0 &&
           peek(fp + sizeof(word), &word) && peek(fp, &next) && word > UNMAPPED_PAGE) {
        push(crash, word - 1);
        if (next <= fp) { /* stacks grow downwards, callers are above */
            break;
        }
        fp = next;
    }
}

/* -- what the kernel knows -- */

static uint32_t read_file(const char *path, char *to, size_t size)
{
    size_t got = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && got < size) {
        ssize_t some = read(fd, to + got, size - got);
        if (some < 0 && errno == EINTR) {
            continue;
        }
        if (some <= 0) {
            break;
        }
        got += (size_t)some;
    }
    if (fd >= 0) {
        close(fd);
    }
    return (uint32_t)got;
}

static void read_memory(struct crash_record *crash)
{
    char status[4096];
    struct rlimit limit;
    status[read_file("/proc/self/status", status, sizeof(status) - 1)] = '\0';
    const char *p = strstr(status, "VmData:");
    uint64_t kilobytes = 0;
    for (p = p ? p + strlen("VmData:") : ""; *p == ' ' || *p == '\t'; p++) {
    }
    for (; *p >= '0' && *p <= '9'; p++) {
        kilobytes = kilobytes * 10 + (uint64_t)(*p - '0');
    }
    crash->data_used = kilobytes * 1024;
    crash->data_limit =
        getrlimit(RLIMIT_DATA, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? limit.rlim_cur : 0;
}

static void limit_time(void)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    (void)sigaction(SIGALRM, &plain, NULL);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    (void)alarm(HANDLER_SECONDS);
}

/* Everything but frames; false where another thread has begun: it will end the process. */
static bool begin(int signal, int code, uintptr_t address)
{
    if (atomic_flag_test_and_set(&taken)) {
        return false;
    }
    struct crash_record *crash = &shared->crash;
    crash->signal = signal;
    crash->code = code;
    crash->address = address;
    crash->frame_count = 0;
    memcpy(crash->phase, shared->phase, sizeof(crash->phase));
    crash->phase[sizeof(crash->phase) - 1] = '\0';
    return true;
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
    struct registers at = registers_of(context);
    if (!begin(signal, info->si_code, (uintptr_t)info->si_addr)) {
        for (;;) {
            (void)pause();
        }
    }
    struct crash_record *crash = &shared->crash;
    push(crash, at.pc);
    atomic_store(&crash->valid, 1);
    limit_time();
    crash->maps_size = read_file("/proc/self/maps", crash->maps, sizeof(crash->maps));
    read_memory(crash);
    struct walk walk = {.crash = crash, .from = at.pc};
    if (at.pc >= UNMAPPED_PAGE) {
        (void)_Unwind_Backtrace(walk_frame, &walk);
    }
    if (crash->frame_count == 1) {
        walk_pointers(crash, &at);
    }
    /* Back to the instruction, or the raised signal, with nobody in its way: a true end, a true
     * core. */
    struct sigaction plain = {.sa_handler = SIG_DFL};
    (void)sigaction(signal, &plain, NULL);
    if (info->si_code <= 0) {
        (void)raise(signal);
    }
}

static void on_exhaustion(size_t wanted)
{
    if (begin(0, 0, wanted)) {
        struct crash_record *crash = &shared->crash;
        limit_time();
        crash->maps_size = read_file("/proc/self/maps", crash->maps, sizeof(crash->maps));
        read_memory(crash);
        struct walk walk = {.crash = crash, .skip = 2}; /* this function and the arena's */
        (void)_Unwind_Backtrace(walk_frame, &walk);
        atomic_store(&crash->valid, 1);
    }
    _exit(HOST_EXIT_MEMORY);
}

static _Unwind_Reason_Code nothing(struct _Unwind_Context *context, void *user)
{
    (void)context;
    (void)user;
    return _URC_NO_REASON;
}

void crash_thread(void)
{
    /* Lives as long as the process, as the threads do that ask for it. */
    void *memory = mmap(NULL, ALTERNATE_STACK, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory != MAP_FAILED) {
        const stack_t stack = {.ss_sp = memory, .ss_size = ALTERNATE_STACK};
        (void)sigaltstack(&stack, NULL);
    }
}

void crash_install(struct metrics_page *page)
{
    shared = page;
    crash_thread();
    (void)_Unwind_Backtrace(nothing, NULL); /* what it sets up on first use is not for a handler */
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    (void)sigfillset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(fatal_signals) / sizeof(fatal_signals[0]); i++) {
        (void)sigaction(fatal_signals[i], &action, NULL);
    }
    arena_on_exhaustion(on_exhaustion);
}
