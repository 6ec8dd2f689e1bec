/*
 * From the addresses of a crash to functions and lines, for whoever started the host that crashed.
 *
 * Debug information is read in a child, `sluice-symbolize`, which stands beside sluice-host:
 * reading it takes memory and libdw, and a worker shall be lean and not depend on what is in a
 * plugin's file. stdin   the bytes of struct crash_record (core/metrics/page.h; both are of one
 * build) stdout  a line a frame, innermost first: `  at function (file.c:12) in plugin.so`     with
 * debug information `  at function+0x1f in plugin.so`            with symbols only `  at
 * plugin.so+0x11f9`                      with neither exit    0; 1: no frames could be told
 */
#ifndef CORE_HOST_SYMBOLIZE_H
#define CORE_HOST_SYMBOLIZE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/metrics/page.h"

/**
 * One line that says what happened, without a newline: `crashed in put of x.Sink: SIGSEGV at
 * address 0x0 (a NULL pointer was used)`, `reached the memory limit of 512 MB in poll of x.Source:
 * ..`. Put the connector or plugin in front. False, and text is empty, where the page holds no
 * crash.
 */
bool crash_headline(const struct crash_record *crash, char *text, size_t size);

/**
 * Starts the child, gives it the record and collects its lines; blocks, at most timeout_ms, and
 * kills the child then. host_path is that of sluice-host. 0: *ret_text holds at least one line,
 * owned by the caller. -1: no frames could be told in that time; *ret_text is untouched. [any
 * thread]
 */
int symbolize_crash(const char *host_path, const struct crash_record *crash, int timeout_ms,
                    char **ret_text);

#endif
