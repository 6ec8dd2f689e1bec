/* Decimal digits as Character.digit knows them: those of every script in the BMP. */
#ifndef LIB_JAVA_DIGITS_H
#define LIB_JAVA_DIGITS_H

#include <stddef.h>

/**
 * Value of the digit that UTF-8 text begins with, or -1. left: bytes there are, at least 1. *step: how
 * many the character takes, where it is a digit.
 */
int java_digit(const char *text, size_t left, size_t *step);

#endif
