/* See load.h. libltdl loads, the plain loader explains. [one thread at a time] */
#include "core/plugin/load.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <ltdl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_DESCRIPTORS = 1000 };

/* A file that was copied in part: the loader would map what is not there and die of SIGBUS. */
static int check_length(const char *path, int fd, const Elf64_Ehdr *header, off_t size,
                        struct error *error)
{
    uint64_t end = header->e_phoff + (uint64_t)header->e_phnum * sizeof(Elf64_Phdr);
    bool readable = header->e_phentsize == sizeof(Elf64_Phdr) && header->e_phoff < end;
    for (unsigned i = 0; readable && end <= (uint64_t)size && i < header->e_phnum; i++) {
        Elf64_Phdr part;
        off_t at = (off_t)(header->e_phoff + i * sizeof(part));
        readable = pread(fd, &part, sizeof(part), at) == (ssize_t)sizeof(part) &&
                   part.p_offset <= UINT64_MAX - part.p_filesz;
        if (readable && part.p_offset + part.p_filesz > (uint64_t)size) {
            end = part.p_offset + part.p_filesz;
        }
    }
    if (!readable) {
        return error_set(
            error, ERROR_PLUGIN_LOAD,
            "'%s' is damaged: its program headers make no sense; build or copy it again", path);
    }
    if (end > (uint64_t)size) {
        return error_set(
            error, ERROR_PLUGIN_LOAD,
            "'%s' is cut off: it has %lld bytes of at least %llu; copy it again (under "
            "another name, and rename it when it is complete)",
            path, (long long)size, (unsigned long long)end);
    }
    return 0;
}

static int check_header(const char *path, int fd, const struct stat *status, struct error *error)
{
    Elf64_Ehdr header = {0};
    ssize_t got = S_ISREG(status->st_mode) ? pread(fd, &header, sizeof(header), 0) : 0;
    if (got >= 4 && memcmp(&header, "PK\3\4", 4) == 0) {
        return error_set(
            error, ERROR_PLUGIN_LOAD,
            "'%s' is a Java archive; sluice loads shared objects (.so) built for its own "
            "interface",
            path);
    }
    if (got < SELFMAG || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
        return error_set(
            error, ERROR_PLUGIN_LOAD,
            "'%s' is not a shared object (it does not begin as an ELF file does); build it "
            "with `cc -shared -fPIC`",
            path);
    }
    if (got < (ssize_t)sizeof(header)) {
        return error_set(error, ERROR_PLUGIN_LOAD,
                         "'%s' is cut off: it has %zd bytes; copy it again", path, got);
    }
#if defined(__x86_64__)
    const unsigned machine = EM_X86_64;
#elif defined(__aarch64__)
    const unsigned machine = EM_AARCH64;
#else
    const unsigned machine = header.e_machine;
#endif
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != machine) {
        return error_set(
            error, ERROR_PLUGIN_LOAD,
            "'%s' is built for another machine (ELF machine %u, this is %u); rebuild it here", path,
            (unsigned)header.e_machine, machine);
    }
    if (header.e_type != ET_DYN) {
        return error_set(error, ERROR_PLUGIN_LOAD,
                         "'%s' is an ELF file but no shared object; link it with -shared", path);
    }
    return check_length(path, fd, &header, status->st_size, error);
}

/* The loader's own words for these are "invalid ELF header" and worse, so the file is looked at
 * first. */
static int check_file(const char *path, struct error *error)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) != 0) {
        int saved = errno;
        if (fd >= 0) {
            close(fd);
        }
        (void)error_set_errno(error, saved, "Plugin '%s' cannot be read", path);
        error->code = ERROR_PLUGIN_LOAD;
        return -1;
    }
    int result = check_header(path, fd, &status, error);
    close(fd);
    return result;
}

/* libltdl says "file not found" for every failure; the plain loader tells the reason. */
static int explain(const char *path, struct error *error)
{
    void *again = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const char *why = again ? NULL : dlerror();
    const char *missing = why ? strstr(why, "undefined symbol: ") : NULL;
    if (missing) {
        return error_set(
            error, ERROR_PLUGIN_LOAD,
            "Plugin '%s' needs the symbol %s, which nothing provides: link the library "
            "that has it into the plugin (plugins get the host's services through struct "
            "sluice_host only)",
            path, missing + strlen("undefined symbol: "));
    }
    return error_set(error, ERROR_PLUGIN_LOAD, "Plugin '%s' could not be loaded: %s", path,
                     why ? why : lt_dlerror());
}

static int check_descriptor(const char *path, const struct sluice_descriptor *descriptor, size_t i,
                            struct error *error)
{
    if (descriptor->size < sizeof(struct sluice_descriptor)) {
        return error_set(error, ERROR_PLUGIN_ABI,
                         "Plugin '%s': descriptor %zu says its size is %u, at least %zu is needed",
                         path, i, (unsigned)descriptor->size, sizeof(struct sluice_descriptor));
    }
    const char *missing = !descriptor->kind || !*descriptor->kind               ? "kind"
                          : !descriptor->class_name || !*descriptor->class_name ? "class_name"
                          : !descriptor->version                                ? "version"
                          : !descriptor->vtable                                 ? "vtable"
                                                                                : NULL;
    if (missing) {
        return error_set(error, ERROR_PLUGIN_ABI, "Plugin '%s': descriptor %zu (%s) has no %s",
                         path, i, descriptor->class_name ? descriptor->class_name : "unnamed",
                         missing);
    }
    uint32_t vtable_size = *(const uint32_t *)descriptor->vtable;
    if (vtable_size < 4 * sizeof(void *) || vtable_size > 65536) {
        return error_set(
            error, ERROR_PLUGIN_ABI,
            "Plugin '%s': the vtable of %s says its size is %u; set .size = sizeof(struct ..)",
            path, descriptor->class_name, (unsigned)vtable_size);
    }
    for (const struct sluice_option *o = descriptor->options; o && o->name; o++) {
        if (o->size < sizeof(struct sluice_option)) {
            return error_set(
                error, ERROR_PLUGIN_ABI,
                "Plugin '%s': option %s of %s says its size is %u, at least %zu is needed", path,
                o->name, descriptor->class_name, (unsigned)o->size, sizeof(struct sluice_option));
        }
    }
    return 0;
}

static int check_entry(const char *path, const struct sluice_entry *entry, struct error *error)
{
    static const char magic[8] = SLUICE_ABI_MAGIC;
    if (!entry || memcmp(entry->magic, magic, sizeof(magic)) != 0) {
        return error_set(
            error, ERROR_PLUGIN_ABI,
            "Plugin '%s': sluice_plugin_entry() returned no sluice entry; define it with "
            "SLUICE_PLUGIN()",
            path);
    }
    if (entry->abi_major != SLUICE_ABI_MAJOR) {
        return error_set(
            error, ERROR_PLUGIN_ABI,
            "Plugin '%s' is built for plugin interface %u.%u, this sluice speaks %d.%d; "
            "rebuild it with this sluice's headers",
            path, (unsigned)entry->abi_major, (unsigned)entry->abi_minor, SLUICE_ABI_MAJOR,
            SLUICE_ABI_MINOR);
    }
    if (entry->size < sizeof(struct sluice_entry) || !entry->descriptors) {
        return error_set(error, ERROR_PLUGIN_ABI,
                         "Plugin '%s': its entry says its size is %u, at least %zu is needed", path,
                         (unsigned)entry->size, sizeof(struct sluice_entry));
    }
    size_t count = 0;
    while (count < MOST_DESCRIPTORS && entry->descriptors[count]) {
        if (check_descriptor(path, entry->descriptors[count], count, error) != 0) {
            return -1;
        }
        count++;
    }
    if (count == 0 || count == MOST_DESCRIPTORS) {
        return error_set(error, ERROR_PLUGIN_ABI,
                         count == 0 ? "Plugin '%s' offers no class"
                                    : "Plugin '%s': the array of descriptors is not closed by NULL",
                         path);
    }
    return 0;
}

int plugin_load(const char *path, const struct sluice_entry **ret_entry, struct error *error)
{
    static int ready = -1;
    char beside[PATH_MAX];
    if (!strchr(path, '/') && /* a file here, where the loader would look in the libraries' folders */
        (size_t)snprintf(beside, sizeof(beside), "./%s", path) < sizeof(beside)) {
        path = beside;
    }
    if (ready < 0) {
        ready = lt_dlinit() == 0;
    }
    if (check_file(path, error) != 0) {
        return -1;
    }
    lt_dladvise advise;
    lt_dlhandle handle = NULL;
    if (ready == 1 && lt_dladvise_init(&advise) == 0) {
        (void)lt_dladvise_local(&advise);
        (void)lt_dladvise_resident(&advise);
        handle = lt_dlopenadvise(path, advise);
        (void)lt_dladvise_destroy(&advise);
    }
    if (!handle) {
        return explain(path, error);
    }
    const struct sluice_entry *(*entry_fn)(void) = NULL;
    *(void **)&entry_fn = lt_dlsym(handle, "sluice_plugin_entry");
    if (!entry_fn) {
        return error_set(
            error, ERROR_PLUGIN_LOAD,
            "'%s' exports no sluice_plugin_entry(): it is no sluice plugin, or the function "
            "is hidden (declare it with SLUICE_PLUGIN())",
            path);
    }
    const struct sluice_entry *entry = entry_fn();
    if (check_entry(path, entry, error) != 0) {
        return -1;
    }
    *ret_entry = entry;
    return 0;
}
