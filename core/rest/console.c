/* /ui: the web console, a page and what it needs. It uses the admin API as any client does. */
#include "core/rest/console.h"

#include <string.h>

#include "core/rest/request.h"

static void answer(struct rest_request *request, const char *name)
{
    for (const struct console_file *file = console_files; file->name; file++) {
        if (strcmp(file->name, name) == 0) {
            request->page = true;
            rest_answer_text(request, 200, file->type, file->text);
            return;
        }
    }
    rest_answer_error(request, 404, "HTTP 404 Not Found");
}

void console_get(struct rest_request *request)
{
    answer(request, request->name ? request->name : "index.html");
}
