set(transform_chain ${PROJECT_SOURCE_DIR}/core/host/chain.c)
set(transform_plugins ${PROJECT_SOURCE_DIR}/plugins/transforms)

sluice_test(transforms_java_number
    SOURCES unit/plugins/transforms/test_java_number.c ${transform_plugins}/java_number.c LIBS lib_java m)
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

# Runs files of recorded cases, of every kind: vectors FILE.jsonl...
add_executable(vectors suites/vectors.c suites/json.c suites/compare.c suites/transforms.c suites/converters.c
    suites/text.c suites/config.c ${transform_chain})
target_include_directories(vectors PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
target_link_libraries(vectors PRIVATE core_plugin core_data core_config lib_java lib_util PkgConfig::JANSSON)
set_target_properties(vectors PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
add_dependencies(vectors transforms predicates converters)
