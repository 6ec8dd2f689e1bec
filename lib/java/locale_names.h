/* Names in dates by language, as Java has them. */
#ifndef LIB_JAVA_LOCALE_NAMES_H
#define LIB_JAVA_LOCALE_NAMES_H

#include <stddef.h>

enum locale_name {
    LOCALE_MONTH,                            /* from January */
    LOCALE_SHORT_MONTH = LOCALE_MONTH + 12,
    LOCALE_DAY = LOCALE_SHORT_MONTH + 12,    /* from Monday */
    LOCALE_SHORT_DAY = LOCALE_DAY + 7,
    LOCALE_AM = LOCALE_SHORT_DAY + 7,
    LOCALE_PM,
    LOCALE_BC,
    LOCALE_AD,
    LOCALE_NAMES,
};

struct locale_names {
    struct {
        const char *text; /* static; not terminated */
        size_t size;
    } name[LOCALE_NAMES];
};

/** Names of Java's `new Locale(language)`: any text is one; what Java does not know has the root's names. */
void locale_names_find(const char *language, struct locale_names *ret_names);

#endif
