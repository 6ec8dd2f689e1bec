/*
 * Source offsets that may be stored: per source partition, an offset counts once its record and all
 * before it are delivered (KAFKA-12226; kafka-connect.md §7.2). invariant 1
 * [any thread; locked inside]
 */
#ifndef CORE_HOST_SOURCE_OFFSETS_H
#define CORE_HOST_SOURCE_OFFSETS_H

#include <jansson.h>
#include <sluice/record.h>

#include "core/base/error.h"

struct source_offsets;
struct submitted;

struct source_offsets *source_offsets_create(void);
void source_offsets_destroy(struct source_offsets *offsets);
/** Connect's rules: source partition and offset are maps, of primitive values. */
int source_offsets_check(const struct sluice_record *record, struct error *error) CHECKED;
/** A record is about to be sent; NULL where it carries no offset. Holds a reference of its batch. */
struct submitted *source_offsets_submit(struct source_offsets *offsets,
                                        const struct sluice_record *record);
/** Delivered, filtered or skipped: it no longer holds back those behind it. NULL is fine. */
void source_offsets_done(struct source_offsets *offsets, struct submitted *submitted);
/** [[partition, offset], ..] not handed out before, a message full of them; NULL: nothing is new. */
json_t *source_offsets_take(struct source_offsets *offsets);
/** Whether source_offsets_take() would give something. */
bool source_offsets_fresh(struct source_offsets *offsets);
/** They could not be stored: they are handed out again, unless newer ones came. */
void source_offsets_untake(struct source_offsets *offsets);

#endif
