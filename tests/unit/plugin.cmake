# Plugins that misbehave, in <build>/tests/plugins: for the tests here and for those of the pipeline.
function(bad_plugin name)
    add_library(bad_${name} MODULE support/bad_plugins/${name}.c)
    target_include_directories(bad_${name} PRIVATE ${PROJECT_SOURCE_DIR}/include)
    # A fault shall be the fault itself, not a sanitizer's report of it.
    target_compile_options(bad_${name} PRIVATE -fno-sanitize=all)
    set_target_properties(bad_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
        LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/plugins)
endfunction()

foreach(name null_deref sleep_in_stop allocate hang_in_validation wrong_abi missing_symbol)
    bad_plugin(${name})
endforeach()
configure_file(support/bad_plugins/text_file.so ${PROJECT_BINARY_DIR}/tests/plugins/text_file.so COPYONLY)

# The projects that `sluice plugins new` starts, as C11 and as C++17: plugins may be written in both.
find_program(SLUICE_CXX NAMES c++ g++ clang++-14)
foreach(kind source sink transform predicate converter)
    set(template ${PROJECT_SOURCE_DIR}/core/cli/templates/${kind}.c)
    add_library(template_${kind} MODULE ${template})
    target_include_directories(template_${kind} PRIVATE ${PROJECT_SOURCE_DIR}/include)
    set_target_properties(template_${kind} PROPERTIES PREFIX "" OUTPUT_NAME ${kind}
        LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/templates)
    if(SLUICE_CXX)
        set(object ${CMAKE_CURRENT_BINARY_DIR}/template_${kind}_cxx.so)
        add_custom_command(OUTPUT ${object}
            COMMAND ${SLUICE_CXX} -x c++ -std=c++17 -Wall -Wextra -Wno-missing-field-initializers -Werror
                -shared -fPIC -I${PROJECT_SOURCE_DIR}/include -o ${object} ${template}
            DEPENDS ${template} VERBATIM)
        add_custom_target(template_${kind}_cxx ALL DEPENDS ${object})
    endif()
endforeach()
