/*
 * What the C library's iconv calls the charsets of Java. [any thread]
 */
#ifndef CONVERTERS_CHARSET_NAMES_H
#define CONVERTERS_CHARSET_NAMES_H

/**
 * Name for iconv_open() of a charset that Charset.forName() finds by this name, in any case; the name itself where
 * both say the same. NULL: Java knows no such form of Unicode. Static, or name.
 */
const char *charset_iconv_name(const char *name);

#endif
