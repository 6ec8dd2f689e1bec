/* The three standard streams of our programs. [main thread] */
#ifndef CORE_CLI_STREAMS_H
#define CORE_CLI_STREAMS_H

/**
 * First of all in main(): a stream that is closed is made one that cannot be used. Else the next file or
 * socket would take its place, and what we print would go there.
 */
void streams_hold(void);
/** Last of all: whether all that was printed is written. result, or CLI_ENVIRONMENT, said on stderr. */
int streams_written(const char *program, int result);

#endif
