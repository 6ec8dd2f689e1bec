sluice_test(lib_sigv4 SOURCES unit/lib/aws/test_sigv4.c LIBS lib_aws)
sluice_test(lib_aws_reply SOURCES unit/lib/aws/test_reply.c LIBS lib_aws)
sluice_test(lib_aws_credentials
    SOURCES unit/lib/aws/test_credentials.c support/fake_s3_process.c
    LIBS lib_aws)
target_compile_definitions(test_lib_aws_credentials PRIVATE
    FAKE_S3="${PROJECT_SOURCE_DIR}/tests/integration/s3/fake_s3.py")
foreach(name sink sink_records)
    sluice_test(s3_${name}
        SOURCES unit/connectors/s3/test_${name}.c unit/connectors/s3/sink_lake.c support/fake_sink_host.c
        LIBS core_plugin core_config core_data)
    target_compile_definitions(test_s3_${name} PRIVATE S3_PLUGIN="${PROJECT_BINARY_DIR}/plugins/s3.so")
    add_dependencies(test_s3_${name} s3)
endforeach()
sluice_test(s3_store
    SOURCES unit/connectors/s3/test_s3_store.c support/fake_sink_host.c support/fake_s3_process.c
    LIBS lib_http core_plugin core_config core_data PkgConfig::JANSSON)
target_compile_definitions(test_s3_store PRIVATE S3_PLUGIN="${PROJECT_BINARY_DIR}/plugins/s3.so"
    FAKE_S3="${PROJECT_SOURCE_DIR}/tests/integration/s3/fake_s3.py")
add_dependencies(test_s3_store s3)
sluice_test(s3_joda SOURCES unit/connectors/s3/test_joda.c LIBS s3_parts)
sluice_test(s3_access SOURCES unit/connectors/s3/test_s3_access.c LIBS s3_parts)

# The service that fails on purpose, of tests/chaos and tests/bench.
add_executable(fault_s3 support/fault_s3/faults.c support/fault_s3/main.c support/fault_s3/request.c
    support/fault_s3/service.c)
target_include_directories(fault_s3 PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(fault_s3 PRIVATE lib_aws lib_util)
set_target_properties(fault_s3 PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
sluice_test(s3_stream SOURCES unit/connectors/s3/test_stream.c LIBS s3_parts)
