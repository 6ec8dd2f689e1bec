add_executable(metrics_bench bench/metrics_bench.c)
target_link_libraries(metrics_bench PRIVATE core_task core_host core_metrics PkgConfig::JANSSON)
set_target_properties(metrics_bench PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
