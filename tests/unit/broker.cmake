sluice_test(broker_format
    SOURCES unit/core/broker/test_format.c
    LIBS core_broker_log)
foreach(name log log_topics log_owner groups kill)
    sluice_test(broker_${name}
        SOURCES unit/core/broker/test_${name}.c unit/core/broker/log_fixture.c
        LIBS core_broker)
    add_dependencies(test_broker_${name} sluice-log)
endforeach()
foreach(name kafka kafka_group kafka_join)
    sluice_test(broker_${name}
        SOURCES unit/core/broker/test_${name}.c unit/core/broker/kafka_fixture.c
        LIBS core_broker)
endforeach()

# Run by tests/integration/test_kafka_broker.py with a real broker's address.
add_executable(kafka_real integration/kafka_real.c)
target_include_directories(kafka_real PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
target_link_libraries(kafka_real PRIVATE core_broker PkgConfig::CMOCKA)
set_target_properties(kafka_real PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
