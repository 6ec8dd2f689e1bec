/* See names.h. Pure. [any thread] */
#include "core/plugin/names.h"

#include <string.h>

bool names_match(const char *known, const char *wanted)
{
    static const char *const words[] = {"Connector", "Converter", "Transformation", "Predicate"};
    const char *dot = strrchr(known, '.');
    const char *simple = dot ? dot + 1 : known;
    if (strcmp(known, wanted) == 0 || strcmp(simple, wanted) == 0) {
        return true;
    }
    size_t size = strlen(wanted);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (size > 0 && strncmp(simple, wanted, size) == 0 &&
            strcmp(simple + size, words[i]) == 0) {
            return true;
        }
    }
    return false;
}
