/* FieldMatches$Key and $Value, for the table in predicates.c. */
#ifndef PREDICATES_FIELD_MATCHES_H
#define PREDICATES_FIELD_MATCHES_H

#include <sluice/plugin.h>

extern const struct sluice_descriptor field_matches_key, field_matches_value;

#endif
