# Load generator of the ingest benchmark.
add_executable(rest_load bench/rest_load.c)
set_target_properties(rest_load PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)

# The source before a fake host, to profile it alone.
add_executable(rest_fake bench/rest_fake.c support/fake_source_host.c)
target_include_directories(rest_fake PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
target_link_libraries(rest_fake PRIVATE rest_parts core_config core_data)
set_target_properties(rest_fake PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
