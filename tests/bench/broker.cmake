add_executable(log_bench bench/log_bench.c)
target_link_libraries(log_bench PRIVATE core_broker)
set_target_properties(log_bench PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)

add_executable(log_fill bench/log_fill.c)
target_link_libraries(log_fill PRIVATE core_broker)
set_target_properties(log_fill PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
