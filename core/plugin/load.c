/* See load.h. libltdl loads, the plain loader explains. [one thread at a time] */
#include "core/plugin/load.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <ltdl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_DESCRIPTORS = 1000 };

/* The loader's own words for these are "invalid ELF header" and worse, so the file is looked at first. */
static int check_file(const char *path, struct error *error)
{
    Elf64_Ehdr header;
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
    ssize_t got = S_ISREG(status.st_mode) ? pread(fd, &header, sizeof(header), 0) : 0;
    close(fd);
    if (got >= 4 && memcmp(&header, "PK\3\4", 4) == 0) {
        return error_set(error, ERROR_PLUGIN_LOAD,
                         "'%s' is a Java archive; sluice loads shared objects (.so) built for its own "
                         "interface",
                         path);
    }
    if (got < (ssize_t)sizeof(header.e_ident) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
        return error_set(error, ERROR_PLUGIN_LOAD,
                         "'%s' is not a shared object (it does not begin as an ELF file does); build it "
                         "with `cc -shared -fPIC`",
                         path);
    }
#if defined(__x86_64__)
    const unsigned machine = EM_X86_64;
#elif defined(__aarch64__)
    const unsigned machine = EM_AARCH64;
#else
    const unsigned machine = header.e_machine;
#endif
    if (got < (ssize_t)sizeof(header) || header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_machine != machine) {
        return error_set(error, ERROR_PLUGIN_LOAD,
                         "'%s' is built for another machine (ELF machine %u, this is %u); rebuild it here",
                         path, got < (ssize_t)sizeof(header) ? 0u : (unsigned)header.e_machine, machine);
    }
    if (header.e_type != ET_DYN) {
        return error_set(error, ERROR_PLUGIN_LOAD,
                         "'%s' is an ELF file but no shared object; link it with -shared", path);
    }
    return 0;
}

/* libltdl says "file not found" for every failure; the plain loader tells the reason. */
static int explain(const char *path, struct error *error)
{
    void *again = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const char *why = again ? NULL : dlerror();
    const char *missing = why ? strstr(why, "undefined symbol: ") : NULL;
    if (missing) {
        return error_set(error, ERROR_PLUGIN_LOAD,
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
                         "Plugin '%s': descriptor %zu says its size is %u, at least %zu is needed", path,
                         i, (unsigned)descriptor->size, sizeof(struct sluice_descriptor));
    }
    const char *missing = !descriptor->kind || !*descriptor->kind               ? "kind"
                          : !descriptor->class_name || !*descriptor->class_name ? "class_name"
                          : !descriptor->version                                ? "version"
                          : !descriptor->vtable                                 ? "vtable"
                                                                                : NULL;
    if (missing) {
        return error_set(error, ERROR_PLUGIN_ABI, "Plugin '%s': descriptor %zu (%s) has no %s", path, i,
                         descriptor->class_name ? descriptor->class_name : "unnamed", missing);
    }
    uint32_t vtable_size = *(const uint32_t *)descriptor->vtable;
    if (vtable_size < 4 * sizeof(void *) || vtable_size > 65536) {
        return error_set(error, ERROR_PLUGIN_ABI,
                         "Plugin '%s': the vtable of %s says its size is %u; set .size = sizeof(struct ..)",
                         path, descriptor->class_name, (unsigned)vtable_size);
    }
    for (const struct sluice_option *o = descriptor->options; o && o->name; o++) {
        if (o->size < sizeof(struct sluice_option)) {
            return error_set(error, ERROR_PLUGIN_ABI,
                             "Plugin '%s': option %s of %s says its size is %u, at least %zu is needed",
                             path, o->name, descriptor->class_name, (unsigned)o->size,
                             sizeof(struct sluice_option));
        }
    }
    return 0;
}

static int check_entry(const char *path, const struct sluice_entry *entry, struct error *error)
{
    static const char magic[8] = SLUICE_ABI_MAGIC;
    if (!entry || memcmp(entry->magic, magic, sizeof(magic)) != 0) {
        return error_set(error, ERROR_PLUGIN_ABI,
                         "Plugin '%s': sluice_plugin_entry() returned no sluice entry; define it with "
                         "SLUICE_PLUGIN()",
                         path);
    }
    if (entry->abi_major != SLUICE_ABI_MAJOR) {
        return error_set(error, ERROR_PLUGIN_ABI,
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
        return error_set(error, ERROR_PLUGIN_LOAD,
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
