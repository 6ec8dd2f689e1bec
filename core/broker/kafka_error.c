/*
 * Faults of librdkafka and brokers under their Java names, with what to do about them. No state.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/broker/kafka.h"

#define E(name) "org.apache.kafka.common.errors." name

enum { RETRY = 1, REFUSED = 2 };

/* Texts are those of Kafka's Errors.java where it has the code. */
static const struct fault {
    rd_kafka_resp_err_t code;
    enum error_code error;
    int flags;
    const char *java_class;
    const char *text; /* NULL: librdkafka's */
    const char *hint; /* NULL: none */
} faults[] = {
    {RD_KAFKA_RESP_ERR__AUTHENTICATION, ERROR_AUTHENTICATION, REFUSED,
     E("SaslAuthenticationException"), "Authentication failed",
     "Check sasl.mechanism and sasl.jaas.config"},
    {RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, ERROR_AUTHENTICATION, REFUSED,
     E("SaslAuthenticationException"), "SASL Authentication failed.",
     "Check sasl.mechanism and sasl.jaas.config"},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, ERROR_AUTHENTICATION, REFUSED,
     E("UnsupportedSaslMechanismException"),
     "The broker does not support the requested SASL mechanism.", "Check sasl.mechanism"},
    {RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE, ERROR_AUTHENTICATION, REFUSED,
     E("IllegalSaslStateException"), "Request is not valid given the current SASL state.",
     "Check security.protocol"},
    {RD_KAFKA_RESP_ERR__SSL, ERROR_AUTHENTICATION, REFUSED, E("SslAuthenticationException"),
     "SSL handshake failed",
     "Check ssl.truststore.location (the CA that signed the broker's certificate), the host names in "
     "bootstrap.servers, and that this port speaks SSL"},
    {RD_KAFKA_RESP_ERR__TRANSPORT, ERROR_BROKER_UNAVAILABLE, RETRY, E("DisconnectException"),
     "The broker cannot be reached", "Check bootstrap.servers, security.protocol and that it runs"},
    {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, ERROR_BROKER_UNAVAILABLE, RETRY, E("DisconnectException"),
     "No broker can be reached", "Check bootstrap.servers, security.protocol and that they run"},
    {RD_KAFKA_RESP_ERR__RESOLVE, ERROR_BROKER_UNAVAILABLE, RETRY, E("DisconnectException"),
     "A host name of the brokers is not known", "Check bootstrap.servers"},
    {RD_KAFKA_RESP_ERR__WAIT_COORD, ERROR_BROKER_UNAVAILABLE, RETRY,
     E("CoordinatorNotAvailableException"), "The coordinator is not available.", NULL},
    {RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, ERROR_BROKER_UNAVAILABLE, RETRY,
     E("CoordinatorNotAvailableException"), "The coordinator is not available.", NULL},
    {RD_KAFKA_RESP_ERR_NOT_COORDINATOR, ERROR_BROKER_UNAVAILABLE, RETRY,
     E("NotCoordinatorException"), "This is not the correct coordinator.", NULL},
    {RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, ERROR_BROKER_UNAVAILABLE, RETRY,
     E("CoordinatorLoadInProgressException"),
     "The coordinator is loading and hence can't process requests.", NULL},
    {RD_KAFKA_RESP_ERR__TIMED_OUT, ERROR_TIMEOUT, RETRY, KAFKA_TIMEOUT_CLASS,
     "No answer in time", NULL},
    {RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, ERROR_TIMEOUT, RETRY, KAFKA_TIMEOUT_CLASS,
     "No answer in time", NULL},
    {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, ERROR_TIMEOUT, RETRY, KAFKA_TIMEOUT_CLASS,
     "The record was not acknowledged within delivery.timeout.ms", NULL},
    {RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, ERROR_TIMEOUT, RETRY, KAFKA_TIMEOUT_CLASS,
     "The request timed out.", NULL},
    {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, ERROR_UNKNOWN_TOPIC, RETRY,
     E("UnknownTopicOrPartitionException"), "This server does not host this topic-partition.",
     "Create the topic, or let the broker do so with auto.create.topics.enable"},
    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, ERROR_UNKNOWN_TOPIC, RETRY,
     E("UnknownTopicOrPartitionException"), "This server does not host this topic-partition.",
     "Create the topic, or let the broker do so with auto.create.topics.enable"},
    {(rd_kafka_resp_err_t)100 /* newer than 2.0.2 */, ERROR_UNKNOWN_TOPIC, RETRY, E("UnknownTopicIdException"),
     "This server does not host this topic ID.", NULL},
    {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, ERROR_UNKNOWN_PARTITION, RETRY,
     E("UnknownTopicOrPartitionException"), "The topic has no such partition", NULL},
    {RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS, ERROR_TOPIC_EXISTS, 0, E("TopicExistsException"), NULL,
     NULL},
    {RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, ERROR_INVALID_TOPIC, 0, E("InvalidTopicException"),
     "The request attempted to perform an operation on an invalid topic.", NULL},
    {RD_KAFKA_RESP_ERR_INVALID_PARTITIONS, ERROR_CONFIG, 0, E("InvalidPartitionsException"), NULL,
     NULL},
    {RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR, ERROR_CONFIG, 0,
     E("InvalidReplicationFactorException"), NULL, NULL},
    {RD_KAFKA_RESP_ERR_INVALID_REPLICA_ASSIGNMENT, ERROR_CONFIG, 0,
     E("InvalidReplicaAssignmentException"), NULL, NULL},
    {RD_KAFKA_RESP_ERR_INVALID_CONFIG, ERROR_CONFIG, 0, E("InvalidConfigurationException"), NULL,
     NULL},
    {RD_KAFKA_RESP_ERR_POLICY_VIOLATION, ERROR_CONFIG, 0, E("PolicyViolationException"), NULL, NULL},
    {RD_KAFKA_RESP_ERR_INVALID_REQUEST, ERROR_BROKER, 0, E("InvalidRequestException"), NULL, NULL},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION, ERROR_BROKER, 0, E("UnsupportedVersionException"), NULL,
     NULL},
    {RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, ERROR_BROKER, 0, E("UnsupportedVersionException"), NULL,
     NULL},
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, ERROR_TOO_LARGE, 0, E("RecordTooLargeException"),
     "The request included a message larger than the max message size the server will accept.",
     "Raise max.request.size of the producer, or max.message.bytes of the topic"},
    {RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, ERROR_TOO_LARGE, 0, E("RecordBatchTooLargeException"),
     "The request included message batch larger than the configured segment size on the server.",
     NULL},
    {RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, ERROR_BROKER, RETRY, E("InvalidFetchSizeException"), NULL, NULL},
    {RD_KAFKA_RESP_ERR_INVALID_MSG, ERROR_BROKER, RETRY, E("CorruptRecordException"), NULL, NULL},
    {RD_KAFKA_RESP_ERR__BAD_MSG, ERROR_BROKER, 0, E("CorruptRecordException"), NULL, NULL},
    {RD_KAFKA_RESP_ERR_INVALID_RECORD, ERROR_BROKER, 0, E("InvalidRecordException"),
     "This record has failed the validation on the broker and hence be rejected.",
     "A compacted topic wants a key"},
    {RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, ERROR_BROKER, 0, E("InvalidTimestampException"), NULL, NULL},
    {RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, ERROR_GENERATION, RETRY, E("IllegalGenerationException"),
     "Specified group generation id is not valid.", NULL},
    {RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, ERROR_GENERATION, RETRY, E("UnknownMemberIdException"),
     "The coordinator is not aware of this member.", NULL},
    {RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, ERROR_GENERATION, RETRY,
     E("RebalanceInProgressException"),
     "The group is rebalancing, so a rejoin is needed.", NULL},
    {RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST, ERROR_GENERATION, RETRY,
     "org.apache.kafka.clients.consumer.CommitFailedException", NULL, NULL},
    {RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED, ERROR_GENERATION, RETRY,
     "org.apache.kafka.clients.consumer.CommitFailedException", NULL,
     "Raise max.poll.interval.ms"},
    {RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, ERROR_GENERATION, 0, E("FencedInstanceIdException"),
     "The broker rejected this static consumer since another consumer with the same group.instance.id "
     "has registered with a different member.id.",
     "Give each member a group.instance.id of its own"},
    {RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL, ERROR_CONFIG, 0,
     E("InconsistentGroupProtocolException"), NULL,
     "Other members of this group assign partitions differently: check partition.assignment.strategy"},
    {RD_KAFKA_RESP_ERR_INVALID_GROUP_ID, ERROR_CONFIG, 0, E("InvalidGroupIdException"), NULL, NULL},
    {RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT, ERROR_CONFIG, 0, E("InvalidSessionTimeoutException"),
     NULL, "Choose session.timeout.ms between the broker's group.min.session.timeout.ms and "
           "group.max.session.timeout.ms"},
    {RD_KAFKA_RESP_ERR_GROUP_MAX_SIZE_REACHED, ERROR_BROKER, 0, E("GroupMaxSizeReachedException"), NULL,
     NULL},
    {RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP, ERROR_GROUP_NOT_EMPTY, 0, E("GroupNotEmptyException"),
     "The group is not empty.", NULL},
    {RD_KAFKA_RESP_ERR_GROUP_SUBSCRIBED_TO_TOPIC, ERROR_GROUP_NOT_EMPTY, 0,
     E("GroupSubscribedToTopicException"), NULL, NULL},
    {RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND, ERROR_NOT_FOUND, 0, E("GroupIdNotFoundException"),
     "The group id does not exist.", NULL},
    {RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, ERROR_OFFSET_RANGE, 0,
     "org.apache.kafka.clients.consumer.OffsetOutOfRangeException", NULL,
     "Set auto.offset.reset to earliest or latest, or the group's offsets to ones that exist"},
    {RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, ERROR_OFFSET_RANGE, RETRY,
     E("OffsetOutOfRangeException"),
     "The requested offset is not within the range of offsets maintained by the server.", NULL},
    {RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE, ERROR_TOO_LARGE, 0,
     E("OffsetMetadataTooLarge"), NULL, NULL},
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, ERROR_AUTHORIZATION, 0,
     E("TopicAuthorizationException"), "Not authorized to access this topic",
     "Grant this client's principal the operation on the topic (kafka-acls)"},
    {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, ERROR_AUTHORIZATION, 0,
     E("GroupAuthorizationException"), "Not authorized to access this group",
     "Grant this client's principal READ on the group (kafka-acls)"},
    {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, ERROR_AUTHORIZATION, 0,
     E("ClusterAuthorizationException"), "Cluster authorization failed.",
     "Grant this client's principal the operation on the cluster (kafka-acls)"},
    {RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, ERROR_AUTHORIZATION, 0,
     E("TransactionalIdAuthorizationException"), "The transactional id authorization failed.",
     "Grant this client's principal WRITE on the transactional id (kafka-acls)"},
    {RD_KAFKA_RESP_ERR_SECURITY_DISABLED, ERROR_BROKER, 0, E("SecurityDisabledException"), NULL, NULL},
    {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, ERROR_BROKER_UNAVAILABLE, RETRY,
     E("NotLeaderOrFollowerException"), NULL, NULL},
    {RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, ERROR_BROKER_UNAVAILABLE, RETRY,
     E("LeaderNotAvailableException"),
     "There is no leader for this topic-partition as we are in the middle of a leadership election.",
     NULL},
    {RD_KAFKA_RESP_ERR_NOT_CONTROLLER, ERROR_BROKER_UNAVAILABLE, RETRY, E("NotControllerException"),
     "This is not the correct controller for this cluster.", NULL},
    {RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, ERROR_BROKER_UNAVAILABLE, RETRY, E("NetworkException"),
     "The server disconnected before a response was received.", NULL},
    {RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, ERROR_BROKER_UNAVAILABLE, RETRY,
     E("BrokerNotAvailableException"), "The broker is not available.", NULL},
    {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, ERROR_BROKER_UNAVAILABLE, RETRY,
     E("NotEnoughReplicasException"),
     "Messages are rejected since there are fewer in-sync replicas than required.", NULL},
    {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, ERROR_BROKER_UNAVAILABLE, RETRY,
     E("NotEnoughReplicasAfterAppendException"),
     "Messages are written to the log, but to fewer in-sync replicas than required.", NULL},
    {RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, ERROR_BROKER_UNAVAILABLE, RETRY,
     E("KafkaStorageException"), "Disk error when trying to access log file on the disk.", NULL},
    {RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED, ERROR_BROKER, RETRY,
     E("ThrottlingQuotaExceededException"), NULL, NULL},
    {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, ERROR_BROKER, 0, E("InvalidProducerEpochException"),
     "Producer attempted to produce with an old epoch.", NULL},
    {RD_KAFKA_RESP_ERR_PRODUCER_FENCED, ERROR_BROKER, 0, E("ProducerFencedException"),
     "There is a newer producer with the same transactionalId which fences the current one.", NULL},
    {RD_KAFKA_RESP_ERR__FENCED, ERROR_BROKER, 0, E("ProducerFencedException"),
     "There is a newer producer with the same transactionalId which fences the current one.", NULL},
    {RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, ERROR_BROKER, 0,
     E("OutOfOrderSequenceException"),
     "The broker received an out of order sequence number.", NULL},
    {RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, ERROR_BROKER, 0, E("UnknownProducerIdException"), NULL, NULL},
    {RD_KAFKA_RESP_ERR__PURGE_QUEUE, ERROR_BROKER, RETRY, E("AbortableTransactionException"),
     "The producer was closed before the record was sent", NULL},
    {RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, ERROR_BROKER, RETRY, E("DisconnectException"),
     "The producer was closed before the record was acknowledged", NULL},
    {RD_KAFKA_RESP_ERR__INVALID_ARG, ERROR_CONFIG, 0, "java.lang.IllegalArgumentException", NULL, NULL},
    {RD_KAFKA_RESP_ERR__STATE, ERROR_CONFLICT, 0, "java.lang.IllegalStateException", NULL, NULL},
};

static const struct fault *find(rd_kafka_resp_err_t code)
{
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        if (faults[i].code == code) {
            return &faults[i];
        }
    }
    return NULL;
}

bool kafka_refused(rd_kafka_resp_err_t code)
{
    const struct fault *fault = find(code);
    return fault && (fault->flags & REFUSED);
}

/* librdkafka's own reasons for its own codes say more than the table's text; a broker's code has
 * either a text of the broker, or none but the code's name. */
int kafka_error(struct error *error, rd_kafka_resp_err_t code, const char *detail,
                const char *format, ...)
{
    const struct fault *fault = find(code);
    const char *text = fault ? fault->text : NULL;
    const char *name = rd_kafka_err2str(code);
    bool told = detail && *detail && strcmp(detail, name) != 0;
    char *what = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&what, format, args) < 0) {
        what = NULL;
    }
    va_end(args);
    bool both = told && text && strstr(detail, text) == NULL;
    const char *said = told ? detail : text ? text : name;
    (void)error_set_class(error, fault ? fault->error : ERROR_BROKER,
                          fault ? fault->java_class : "org.apache.kafka.common.KafkaException",
                          "%s%s%s%s%s%s%s", what ? what : "", what ? ": " : "",
                          both ? text : said, both ? ": " : "", both ? detail : "",
                          fault && fault->hint ? ". " : "",
                          fault && fault->hint ? fault->hint : "");
    if (error) {
        error->retriable = fault && (fault->flags & RETRY);
    }
    free(what);
    return -1;
}
