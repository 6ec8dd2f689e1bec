add_executable(sql_bare bench/sql_bare.c)
target_link_libraries(sql_bare PRIVATE sql_parts)
set_target_properties(sql_bare PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
