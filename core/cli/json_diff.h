/*
 * What differs between two JSON values, member by member, for people to read. One thread.
 */
#ifndef CORE_CLI_JSON_DIFF_H
#define CORE_CLI_JSON_DIFF_H

#include <stdio.h>

#include <sluice/data.h>

/**
 * Prints a line a difference, `    - path: expected` and `    + path: got`; path as a.b[0].c. Values
 * are the same whatever the order of their members.
 */
void json_diff(FILE *out, const struct sluice_value *expected, const struct sluice_value *got);

#endif
