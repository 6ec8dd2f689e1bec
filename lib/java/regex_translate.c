/* What both dialects share is passed on. */
#include "lib/java/regex_translate.h"

#include <stdio.h>
#include <string.h>

int regex_translate(const char *pattern, struct buffer *out, struct regex_error *error)
{
    if (strlen(pattern) > REGEX_PATTERN_MAX || buffer_append_text(out, pattern)) {
        error->java_class = "java.util.regex.PatternSyntaxException";
        snprintf(error->message, sizeof(error->message), "Pattern is longer than %d bytes",
                 REGEX_PATTERN_MAX);
        return -1;
    }
    return 0;
}
