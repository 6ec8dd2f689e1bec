# Load generator of the ingest benchmark.
add_executable(rest_load bench/rest_load.c)
set_target_properties(rest_load PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
