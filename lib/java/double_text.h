/*
 * java.lang.Double.toString and Float.toString as JDK 17 prints: 1.0, 1.0E7, NaN. Until JDK 18 the text
 * is not always the shortest that reads back (1.0E23 is printed 9.999999999999999E22, 2.0E23
 * 1.9999999999999998E23), and Connect's output is full of it. Pure functions: [any thread].
 */
#ifndef LIB_JAVA_DOUBLE_TEXT_H
#define LIB_JAVA_DOUBLE_TEXT_H

#include <stddef.h>

#define JAVA_DOUBLE_TEXT_SIZE 32

/** Text that reads back as the same double, NUL-terminated. Gives its length. */
size_t java_double_text(double value, char text[JAVA_DOUBLE_TEXT_SIZE]);
/** The same for a float, whose digits are fewer. */
size_t java_float_text(float value, char text[JAVA_DOUBLE_TEXT_SIZE]);

#endif
