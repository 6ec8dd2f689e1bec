/*
 * What a connector may ask about the cluster behind it: for those that answer questions about topics, as
 * the REST source does. Found by id; absent on hosts that are older, and outside a task:
 *
 *   const struct sluice_cluster *cluster = host->extension(host, SLUICE_CLUSTER);
 */
#ifndef SLUICE_CLUSTER_H
#define SLUICE_CLUSTER_H

#include <sluice/host.h>

#define SLUICE_CLUSTER "sluice.cluster/1"

/*
 * Answers are values made in the batch given and die with it. NULL: the broker did not answer; the log
 * says why. An embedded log is one node, 1. [task thread or a thread of the plugin's own; each blocks at
 * most timeout_ms]
 */
struct sluice_cluster {
    uint32_t size;
    /** Ids of the nodes that are alive, ascending: an ARRAY of INT32. */
    const struct sluice_value *(*nodes)(const struct sluice_host *host, struct sluice_batch *batch,
                                        int timeout_ms);
    /**
     * Partitions of a topic by number: an ARRAY of MAPs {"leader": INT32 (-1: none now), "replicas":
     * ARRAY of INT32, "isr": ARRAY of INT32}. A NULL value: no such topic.
     */
    const struct sluice_value *(*topic)(const struct sluice_host *host, struct sluice_batch *batch,
                                        const char *topic, int timeout_ms);
    /**
     * Configs of a topic that are in force, defaults included: a MAP of STRINGs. A NULL value: no such
     * topic.
     */
    const struct sluice_value *(*topic_configs)(const struct sluice_host *host,
                                                struct sluice_batch *batch, const char *topic,
                                                int timeout_ms);
    /*
     * Changes, on hosts whose struct is so large. 1: done, 0: there is one already (create), there is none
     * (delete), -1: a sentence in message (size bytes, NUL-terminated).
     */
    int (*topic_create)(const struct sluice_host *host, const char *topic, int32_t partitions,
                        int timeout_ms, char *message, size_t size);
    int (*topic_delete)(const struct sluice_host *host, const char *topic, int timeout_ms, char *message,
                        size_t size);
};

#endif
