/*
 * Who descends from a child, whatever it did to get away: setsid() and a double fork, closed descriptors,
 * an empty environment, a new name. Each child carries a mark that all it starts inherit, by fork and exec,
 * and that none without CAP_SYS_RESOURCE can shed: the hard RLIMIT_LOCKS, which no Linux since 2.4 enforces and which
 * prlimit() tells of any process of the same user. A mark is a family (all children of this process, and
 * of its successors) and a number in it. [any thread]
 */
#ifndef CORE_BASE_LINEAGE_H
#define CORE_BASE_LINEAGE_H

#include <stdint.h>

/** Sets the family of marks made from now on; without it, it is one of chance. */
void lineage_set_family(uint32_t family);
/** A mark of the family that no child had yet. */
uint64_t lineage_make(void);
/** Marks this process. Has no effect where a mark of others is carried already. Async-signal-safe. */
void lineage_take(uint64_t mark);
/** Kills all that descend from the child with this mark, but for the caller. Async-signal-safe. */
void lineage_kill(uint64_t mark);
/** The same of this process' own mark, where it has one. Async-signal-safe. */
void lineage_kill_own(void);
/** The same of every mark of a family. */
void lineage_kill_family(uint32_t family);

#endif
