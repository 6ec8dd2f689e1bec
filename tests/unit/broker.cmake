sluice_test(broker_format
    SOURCES unit/core/broker/test_format.c
    LIBS core_broker_log)
foreach(name log groups kill)
    sluice_test(broker_${name}
        SOURCES unit/core/broker/test_${name}.c unit/core/broker/log_fixture.c
        LIBS core_broker)
    add_dependencies(test_broker_${name} sluice-log)
endforeach()
sluice_test(broker_kafka
    SOURCES unit/core/broker/test_kafka.c unit/core/broker/kafka_fixture.c
    LIBS core_broker)
