/*
 * sluice-symbolize: tells functions and lines of a crash record on stdin (symbolize.h), with libdw,
 * from the files that were mapped in the process that crashed. A process of its own,
 * single-threaded; whoever started it kills it when it takes too long.
 */
#include "core/host/symbolize.h"

#include <dlfcn.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/host/sanitizer.h"

enum { MEMORY_MOST = 1 << 30, SECONDS_MOST = 30, LINE_MOST = 1024 };

static bool read_record(struct crash_record *crash)
{
    char *to = (char *)crash;
    size_t left = sizeof(*crash);
    while (left > 0) {
        ssize_t got = read(STDIN_FILENO, to, left);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        to += got;
        left -= (size_t)got;
    }
    return crash->frame_count <= CRASH_FRAMES && crash->maps_size <= CRASH_MAPS;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/*
 * Source file of an address, or NULL. The library finds compilation units by .debug_aranges only,
 * which clang does not write: then each unit is asked.
 */
static const char *find_source(Dwfl_Module *module, Dwarf_Addr address, int *ret_line)
{
    Dwfl_Line *known = dwfl_module_getsrc(module, address);
    if (known) {
        return dwfl_lineinfo(known, NULL, ret_line, NULL, NULL, NULL);
    }
    Dwarf_Addr bias = 0;
    Dwarf_Die *unit = NULL;
    while ((unit = dwfl_module_nextcu(module, unit, &bias))) {
        Dwarf_Line *line =
            dwarf_haspc(unit, address - bias) > 0 ? dwarf_getsrc_die(unit, address - bias) : NULL;
        if (line && dwarf_lineno(line, ret_line) == 0) {
            return dwarf_linesrc(line, NULL, NULL);
        }
    }
    return NULL;
}

/*
 * Below a plugin's own frames there are only those of the host that called it, and below main() or
 * a thread's start those of the C library: neither tells anything.
 */
static bool is_end(const char *object, const char *name, bool *plugin_seen)
{
    bool host = strcmp(object, "sluice-host") == 0;
    bool library = strncmp(object, "libc.so", strlen("libc.so")) == 0;
    bool end = host ? *plugin_seen
                    : library && name &&
                          (strncmp(name, "__libc_start", strlen("__libc_start")) == 0 ||
                           strcmp(name, "start_thread") == 0);
    *plugin_seen = *plugin_seen || (!host && !library);
    return end;
}

/* What a C++ function is called in its source, where this machine has C++'s library; else NULL. Owned by the caller. */
static char *demangle(const char *name)
{
    typedef char *demangle_function(const char *, char *, size_t *, int *);
    static demangle_function *function;
    if (strncmp(name, "_Z", 2) != 0) {
        return NULL;
    }
    if (!function) {
        void *library = dlopen("libstdc++.so.6", RTLD_NOW);
        void *symbol = library ? dlsym(library, "__cxa_demangle") : NULL;
        memcpy(&function, &symbol, sizeof(symbol));
    }
    return function ? function(name, NULL, NULL, NULL) : NULL;
}

/* False where the frame is one that is not shown any more. */
static bool tell_frame(Dwfl *dwfl, uint64_t address, bool *plugin_seen, char *line, size_t size)
{
    Dwfl_Module *module = dwfl_addrmodule(dwfl, address);
    if (!module) {
        (void)snprintf(line, size, "0x%llx (no code is mapped there)", (unsigned long long)address);
        return true;
    }
    Dwarf_Addr start = 0;
    const char *path = dwfl_module_info(module, NULL, &start, NULL, NULL, NULL, NULL, NULL);
    const char *object = path ? file_name(path) : "?";
    GElf_Off offset = 0;
    GElf_Sym symbol;
    const char *name = dwfl_module_addrinfo(module, address, &offset, &symbol, NULL, NULL, NULL);
    if (is_end(object, name, plugin_seen)) {
        return false;
    }
    int number = 0;
    const char *source = find_source(module, address, &number);
    /* A compiler's clones of a function (read.cold, read.isra.0) are that function to a person. */
    char *plain = name ? strndup(name, name[0] == '.' ? strlen(name) : strcspn(name, ".")) : NULL;
    char *known = plain ? demangle(plain) : NULL;
    const char *told = known ? known : plain;
    if (told && source) {
        (void)snprintf(line, size, "%s (%s:%d) in %s", told, file_name(source), number, object);
    } else if (told) {
        (void)snprintf(line, size, "%s+0x%llx in %s", told, (unsigned long long)offset, object);
    } else {
        (void)snprintf(line, size, "%s+0x%llx", object, (unsigned long long)(address - start));
    }
    free(known);
    free(plain);
    return true;
}

int main(void)
{
    static struct crash_record crash;
    static const Dwfl_Callbacks callbacks = {
        .find_elf = dwfl_linux_proc_find_elf,
        .find_debuginfo = dwfl_standard_find_debuginfo,
    };
    const struct rlimit memory = {MEMORY_MOST, MEMORY_MOST};
    if (!UNDER_SANITIZER) {
        (void)setrlimit(RLIMIT_DATA, &memory);
    }
    (void)alarm(SECONDS_MOST);
    if (!read_record(&crash) || crash.maps_size == 0 || crash.frame_count == 0) {
        return 1;
    }
    FILE *maps = fmemopen(crash.maps, crash.maps_size, "r");
    Dwfl *dwfl = dwfl_begin(&callbacks);
    if (!maps || !dwfl || dwfl_linux_proc_maps_report(dwfl, maps) != 0 ||
        dwfl_report_end(dwfl, NULL, NULL) != 0) {
        return 1;
    }
    static char line[LINE_MOST], former[LINE_MOST];
    bool plugin_seen = false;
    uint32_t again = 0; /* a recursion without end is told once */
    for (uint32_t i = 0; i < crash.frame_count; i++) {
        /* Without frame information the walk ends in rubbish; the faulting address is always shown.
         */
        if ((i > 0 && !dwfl_addrmodule(dwfl, crash.frames[i])) ||
            !tell_frame(dwfl, crash.frames[i], &plugin_seen, line, sizeof(line))) {
            break;
        }
        bool same = strcmp(line, former) == 0;
        if (again > 0 && !same) {
            printf("  .. %u times\n", again + 1);
        }
        if (!same) {
            printf("  at %s\n", line);
            memcpy(former, line, sizeof(line));
        }
        again = same ? again + 1 : 0;
    }
    if (again > 0) {
        printf("  .. %u times%s\n", again + 1, crash.frame_count == CRASH_FRAMES ? " or more" : "");
    }
    dwfl_end(dwfl);
    (void)fclose(maps);
    return 0;
}
