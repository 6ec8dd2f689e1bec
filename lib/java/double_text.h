/* Double.toString and Float.toString of Java: 1.0, 1.0E7, NaN. [any thread] */
#ifndef LIB_JAVA_DOUBLE_TEXT_H
#define LIB_JAVA_DOUBLE_TEXT_H

#include <stddef.h>

#define JAVA_DOUBLE_TEXT_SIZE 32

/** Shortest text that reads back as the same double. Returns its length; NUL-terminated. */
size_t java_double_text(double value, char text[JAVA_DOUBLE_TEXT_SIZE]);
size_t java_float_text(float value, char text[JAVA_DOUBLE_TEXT_SIZE]);

#endif
