sluice_test(java_keystore
    SOURCES unit/lib/java/test_keystore.c
    LIBS lib_keystore)
target_compile_definitions(test_java_keystore PRIVATE SLUICE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
sluice_test(java_jaas
    SOURCES unit/lib/java/test_jaas.c
    LIBS lib_java)
sluice_test(config_client
    SOURCES unit/core/config/test_client.c
    LIBS core_config)
target_compile_definitions(test_config_client PRIVATE SLUICE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
sluice_test(aws_msk_iam
    SOURCES unit/lib/aws/test_msk_iam.c
    LIBS lib_aws)
sluice_test(broker_kafka_config
    SOURCES unit/core/broker/test_kafka_config.c
    LIBS core_broker)
target_compile_definitions(test_broker_kafka_config PRIVATE SLUICE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
sluice_test(broker_kafka_token
    SOURCES unit/core/broker/test_kafka_token.c
    LIBS core_broker)
