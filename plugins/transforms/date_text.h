/* A java.util.Date as Connect's Values writes it (Values.dateFormatFor), in UTC. Stateless. */
#ifndef TRANSFORMS_DATE_TEXT_H
#define TRANSFORMS_DATE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#define DATE_TEXT_SIZE 48

/**
 * Below one day since 1970 only the time (HH:mm:ss.SSS'Z'), whole days only the date, else both.
 * Returns the length; out is NUL-terminated.
 */
size_t date_text(int64_t ms, char out[DATE_TEXT_SIZE]);

#endif
