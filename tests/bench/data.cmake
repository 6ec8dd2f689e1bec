add_executable(json_bench bench/json_bench.c)
target_link_libraries(json_bench PRIVATE core_data)
set_target_properties(json_bench PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
