/* Where our own programs and folders are: in a build tree beside the executable, or as installed.
 */
#include "core/cli/cli.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *cli_find(const char *name)
{
    /* Relative to the executable's folder, so that an installation can be moved. */
    static const char *const folders[] = {
        "",    "../libexec/sluice/", "../" SLUICE_LIBDIR "/sluice/", "../share/sluice/",
        "../", /* include */
    };
    char self[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (size <= 0) {
        return NULL;
    }
    self[size] = '\0';
    *(strrchr(self, '/') + 1) = '\0';
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        char *path = NULL, *real = NULL;
        if (asprintf(&path, "%s%s%s", self, folders[i], name) >= 0) {
            real = realpath(path, NULL);
            free(path);
        }
        if (real) {
            return real;
        }
    }
    return NULL;
}
