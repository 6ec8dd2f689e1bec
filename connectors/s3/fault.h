/* Why a record cannot be written: found deep down, told to the host once, in sink.c. */
#ifndef S3_FAULT_H
#define S3_FAULT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#define PARTITION_EXCEPTION "io.confluent.connect.storage.errors.PartitionException"
#define CAST_EXCEPTION "java.lang.ClassCastException"

struct fault {
    const char *java_class;
    char message[600];
    bool reportable;   /* goes to the errant record reporter where there is one */
    bool bare;         /* the class stands for itself: no ConnectException around it */
    const char *cause_class; /* of a bare one; NULL: none */
    char cause[300];
};

__attribute__((format(printf, 4, 0))) static inline int fault_fill(struct fault *fault,
                                                                   const char *java_class,
                                                                   bool reportable, const char *format,
                                                                   va_list arguments)
{
    vsnprintf(fault->message, sizeof(fault->message), format, arguments);
    fault->java_class = java_class;
    fault->reportable = reportable;
    fault->bare = false;
    fault->cause_class = NULL;
    return -1;
}

/** Fills and returns -1. */
__attribute__((format(printf, 4, 5))) static inline int fault_set(struct fault *fault,
                                                                  const char *java_class,
                                                                  bool reportable,
                                                                  const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fault_fill(fault, java_class, reportable, format, arguments);
    va_end(arguments);
    return -1;
}

/** The same where nothing of the original catches and wraps it: partitioners, extractors, projection. */
__attribute__((format(printf, 4, 5))) static inline int fault_bare(struct fault *fault,
                                                                   const char *java_class,
                                                                   bool reportable,
                                                                   const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fault_fill(fault, java_class, reportable, format, arguments);
    va_end(arguments);
    fault->bare = true;
    return -1;
}

/** What is below a bare one. */
__attribute__((format(printf, 3, 4))) static inline int fault_cause(struct fault *fault,
                                                                    const char *java_class,
                                                                    const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault->cause, sizeof(fault->cause), format, arguments);
    va_end(arguments);
    fault->cause_class = java_class;
    return -1;
}

#endif
