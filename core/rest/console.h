/* Files of the web console (ui/), made part of the program by the build. */
#ifndef CORE_REST_CONSOLE_H
#define CORE_REST_CONSOLE_H

struct console_file {
    const char *name, *type;
    const char *text; /* NUL-terminated */
};

/** Closed by a name that is NULL. */
extern const struct console_file console_files[];

#endif
