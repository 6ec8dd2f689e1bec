/* Why a record cannot be written: found deep down, told to the host once, in sink.c. */
#ifndef S3_FAULT_H
#define S3_FAULT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#define PARTITION_EXCEPTION "io.confluent.connect.storage.errors.PartitionException"

struct fault {
    const char *java_class;
    char message[600];
    bool reportable;   /* goes to the errant record reporter where there is one */
    bool bare;         /* the class stands for itself: no ConnectException around it */
};

/** Fills and returns -1. */
__attribute__((format(printf, 4, 5))) static inline int fault_set(struct fault *fault,
                                                                  const char *java_class,
                                                                  bool reportable,
                                                                  const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault->message, sizeof(fault->message), format, arguments);
    va_end(arguments);
    fault->java_class = java_class;
    fault->reportable = reportable;
    fault->bare = false;
    return -1;
}

#endif
