add_executable(s3_bench bench/s3_bench.c support/fake_sink_host.c)
target_include_directories(s3_bench PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
target_link_libraries(s3_bench PRIVATE core_plugin core_config core_data)
set_target_properties(s3_bench PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
add_dependencies(s3_bench s3)

add_executable(bare_consumer bench/bare_consumer.c)
target_link_libraries(bare_consumer PRIVATE librdkafka)
set_target_properties(bare_consumer PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
