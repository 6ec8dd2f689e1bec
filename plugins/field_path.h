/*
 * Paths to nested fields, for what is beyond Connect's own options: `a.b[0].c`. A part in backticks is
 * one name whatever it holds (as in KIP-821), with a backslash before a backtick of its own; [n] is an
 * element, from the end where n is negative; [*] is every element. Made in configure(), then read-only.
 */
#ifndef PLUGINS_FIELD_PATH_H
#define PLUGINS_FIELD_PATH_H

#include <sluice/plugin.h>

enum { FIELD_PATH_STEPS = 64 };

enum field_step_kind { STEP_NAME, STEP_ELEMENT, STEP_ALL };

struct field_step {
    enum field_step_kind kind;
    const struct sluice_name *name; /* STEP_NAME */
    ptrdiff_t element;              /* STEP_ELEMENT; negative: from the end */
};

struct field_path {
    struct field_step steps[FIELD_PATH_STEPS];
    size_t count;
};

/** NULL, or what is wrong with the text (static). */
const char *field_path_parse(struct field_path *path, const struct sluice_data *data,
                             const char *text);
/** Element that a step means in an array of so many; -1: there is none. */
ptrdiff_t field_step_element(const struct field_step *step, size_t count);

#endif
