add_executable(chain_bench bench/chain_bench.c ${PROJECT_SOURCE_DIR}/core/host/chain.c)
target_link_libraries(chain_bench PRIVATE core_plugin core_data core_config)
set_target_properties(chain_bench PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
add_dependencies(chain_bench transforms predicates converters)
