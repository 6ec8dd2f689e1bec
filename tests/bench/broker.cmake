add_executable(log_bench bench/log_bench.c)
target_link_libraries(log_bench PRIVATE core_broker)
set_target_properties(log_bench PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)

add_executable(log_fill bench/log_fill.c)
target_link_libraries(log_fill PRIVATE core_broker)
set_target_properties(log_fill PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)

add_executable(kafka_bare bench/kafka_bare.c)
target_link_libraries(kafka_bare PRIVATE librdkafka core_base)
set_target_properties(kafka_bare PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)

# A sink that discards, in <build>/bench/plugins.
add_library(bench_discard MODULE bench/discard.c)
target_include_directories(bench_discard PRIVATE ${PROJECT_SOURCE_DIR}/include)
set_target_properties(bench_discard PROPERTIES PREFIX "" OUTPUT_NAME discard
    C_VISIBILITY_PRESET hidden LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench/plugins)
