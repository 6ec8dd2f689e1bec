/*
 * Results of plugin calls.
 *
 * A function that can fail returns one of these and has called host->error() before it returned
 * anything but SLUICE_OK or SLUICE_DROP. Who detects a fault classes it, because only he knows
 * whether trying again can help. Ignoring a result is a compile error (warn_unused_result).
 */
#ifndef SLUICE_RESULT_H
#define SLUICE_RESULT_H

enum sluice_result {
    /** Done. */
    SLUICE_OK = 0,
    /** Transforms only: the record is filtered out; its offset still counts as handled. */
    SLUICE_DROP = 1,
    /**
     * Could not be done now, the same call may succeed later (Connect's RetriableException).
     * host->retry_after() says when. Within errors.retry.timeout a transform or converter is called
     * again; a sink's put is called again with the same batch for as long as it says RETRY.
     */
    SLUICE_RETRY = 2,
    /**
     * This record is bad, the next may be good (DataException and the like): errors.tolerance,
     * the error log and the dead letter queue decide what happens.
     */
    SLUICE_BAD_RECORD = 3,
    /** The task or connector cannot go on (ConnectException): FAILED. */
    SLUICE_FATAL = 4,
};

#endif
