set(transform_chain ${PROJECT_SOURCE_DIR}/core/host/chain.c)
set(transform_plugins ${PROJECT_SOURCE_DIR}/plugins/transforms)

sluice_test(transforms_java_number
    SOURCES unit/plugins/transforms/test_java_number.c ${transform_plugins}/java_number.c LIBS m)
sluice_test(transforms_lists
    SOURCES unit/plugins/transforms/test_lists.c ${transform_plugins}/lists.c ${transform_plugins}/text_set.c)
foreach(name cleaning structs)
    sluice_test(transforms_${name}
        SOURCES unit/plugins/transforms/test_${name}.c ${transform_chain}
        LIBS core_plugin core_data core_config)
    add_dependencies(test_transforms_${name} transforms predicates)
endforeach()
sluice_test(host_chain
    SOURCES unit/core/host/test_chain.c ${transform_chain}
    LIBS core_plugin core_data core_config)
add_dependencies(test_host_chain transforms predicates)

# Runs files of recorded cases: vectors_transforms FILE.jsonl...
add_executable(vectors_transforms suites/vectors_transforms.c ${transform_chain})
target_include_directories(vectors_transforms PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
target_link_libraries(vectors_transforms PRIVATE core_plugin core_data core_config lib_util PkgConfig::JANSSON)
set_target_properties(vectors_transforms PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
add_dependencies(vectors_transforms transforms predicates converters)
