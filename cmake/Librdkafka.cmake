# The target librdkafka. Its source is what the crate rdkafka-sys carries: cargo downloads and checks
# it, nothing of it is committed. It is built once, while configuring, into a folder that all presets
# share (build/librdkafka/<version>-<compiler>), by the system's own C compiler without sanitizers.
# docs/decisions/0004-librdkafka.md tells why.
set(SLUICE_LIBRDKAFKA auto CACHE STRING
    "bundled: built from rdkafka-sys; system: by pkg-config; auto: bundled where cargo is there")
set_property(CACHE SLUICE_LIBRDKAFKA PROPERTY STRINGS auto bundled system)

set(rdkafka_crate 4.10.0)
set(rdkafka_crate_full 4.10.0+2.12.1)
set(rdkafka_sha256 e234cf318915c1059d4921ef7f75616b5219b10b46e9f3a511a15eb4b56a3f77)
set(rdkafka_wanted 2.12.0)

# Where the crate's source is; empty and `ret_why` set on failure. Crates that it asks for are replaced
# by empty ones, as only its C source is wanted.
function(librdkafka_fetch cargo folder ret_source ret_why)
    set(${ret_source} "" PARENT_SCOPE)
    set(patches "")
    set(lock "")
    foreach(crate libc:0.2.999 num_enum:0.7.999 pkg-config:0.3.999)
        string(REPLACE ":" ";" pair ${crate})
        list(GET pair 0 name)
        list(GET pair 1 version)
        file(WRITE ${folder}/${name}/Cargo.toml
            "[package]\nname = \"${name}\"\nversion = \"${version}\"\nedition = \"2018\"\n"
            "[lib]\npath = \"lib.rs\"\n")
        file(WRITE ${folder}/${name}/lib.rs "")
        string(APPEND patches "${name} = { path = \"${name}\" }\n")
        string(APPEND lock "[[package]]\nname = \"${name}\"\nversion = \"${version}\"\n\n")
    endforeach()
    file(WRITE ${folder}/Cargo.toml
        "[package]\nname = \"sluice-librdkafka\"\nversion = \"0.0.0\"\nedition = \"2018\"\n"
        "[lib]\npath = \"lib.rs\"\n[workspace]\n"
        "[dependencies]\nrdkafka-sys = { version = \"=${rdkafka_crate}\", default-features = false }\n"
        "[patch.crates-io]\n${patches}")
    file(WRITE ${folder}/lib.rs "")
    file(WRITE ${folder}/Cargo.lock # so that cargo checks what it gets against our checksum
        "version = 3\n\n${lock}"
        "[[package]]\nname = \"rdkafka-sys\"\nversion = \"${rdkafka_crate_full}\"\n"
        "source = \"registry+https://github.com/rust-lang/crates.io-index\"\n"
        "checksum = \"${rdkafka_sha256}\"\n"
        "dependencies = [\n \"libc\",\n \"num_enum\",\n \"pkg-config\",\n]\n\n"
        "[[package]]\nname = \"sluice-librdkafka\"\nversion = \"0.0.0\"\n"
        "dependencies = [\n \"rdkafka-sys\",\n]\n")
    execute_process(COMMAND ${cargo} metadata --quiet --format-version 1
        WORKING_DIRECTORY ${folder} RESULT_VARIABLE result OUTPUT_VARIABLE metadata ERROR_VARIABLE why)
    if(NOT result EQUAL 0)
        string(STRIP "${why}" why)
        set(${ret_why} "cargo could not fetch rdkafka-sys ${rdkafka_crate}: ${why}" PARENT_SCOPE)
        return()
    endif()
    string(JSON count LENGTH ${metadata} packages)
    math(EXPR last "${count} - 1")
    foreach(i RANGE ${last})
        string(JSON name GET ${metadata} packages ${i} name)
        if(name STREQUAL rdkafka-sys)
            string(JSON manifest GET ${metadata} packages ${i} manifest_path)
            get_filename_component(crate_folder ${manifest} DIRECTORY)
            set(${ret_source} ${crate_folder}/librdkafka PARENT_SCOPE)
        endif()
    endforeach()
endfunction()

# Replaces a text that is there once.
function(librdkafka_replace file old new ret_why)
    file(READ ${file} text)
    string(FIND "${text}" "${old}" first)
    string(FIND "${text}" "${old}" last REVERSE)
    if(first EQUAL -1 OR NOT first EQUAL last)
        set(${ret_why} "librdkafka's ${file} is another than librdkafka_patch() expects" PARENT_SCOPE)
        return()
    endif()
    string(REPLACE "${old}" "${new}" text "${text}")
    file(WRITE ${file} "${text}")
endfunction()

# Copies the source and changes it; docs/decisions/0004-librdkafka.md tells why.
function(librdkafka_patch from to ret_why)
    file(COPY ${from}/ DESTINATION ${to})
    # An array of headers of one byte has none, so nothing is allocated to find that out: 50 ns of each record.
    librdkafka_replace(${to}/src/rdkafka_msg.c
        "if (RD_KAFKAP_BYTES_LEN(&rkm->rkm_u.consumer.binhdrs) == 0)"
        "if (RD_KAFKAP_BYTES_LEN(&rkm->rkm_u.consumer.binhdrs) <= 1)" why)
    # A subscription that changes while the first join is under way waits for its answer, which tells the member
    # id: it would be dropped, and the group would wait for that member until session.timeout.ms is over.
    set(cgrp ${to}/src/rdkafka_cgrp.c)
    librdkafka_replace(${cgrp} [[
        rkcg->rkcg_next_unsubscribe  = rd_false;

        if (RD_KAFKA_CGRP_REBALANCING(rkcg)) {]] [[
        rkcg->rkcg_next_unsubscribe  = rd_false;

        if (RD_KAFKA_CGRP_REBALANCING(rkcg) ||
            rkcg->rkcg_join_state == RD_KAFKA_CGRP_JOIN_STATE_WAIT_JOIN) {]] why)
    # So does who closes meanwhile, for two seconds at most, and leaves the group then.
    librdkafka_replace(${cgrp} [[
            rkcg->rkcg_flags & RD_KAFKA_CGRP_F_TERMINATE)
                return; /* Terminating */

        if (rkcg->rkcg_join_state != RD_KAFKA_CGRP_JOIN_STATE_WAIT_JOIN) {]] [[
            (rkcg->rkcg_flags & RD_KAFKA_CGRP_F_TERMINATE &&
             (err || RD_KAFKA_CGRP_HAS_JOINED(rkcg))))
                return; /* Terminating */

        if (rkcg->rkcg_join_state != RD_KAFKA_CGRP_JOIN_STATE_WAIT_JOIN &&
            !(rkcg->rkcg_flags & RD_KAFKA_CGRP_F_TERMINATE)) {]] why)
    librdkafka_replace(${cgrp} [[
        rd_kafka_buf_read_i32(rkbuf, &member_cnt);

        if (!ErrorCode && RD_KAFKAP_STR_IS_NULL(&Protocol)) {]] [[
        rd_kafka_buf_read_i32(rkbuf, &member_cnt);

        if (rkcg->rkcg_flags & RD_KAFKA_CGRP_F_TERMINATE) {
                if ((!ErrorCode ||
                     ErrorCode == RD_KAFKA_RESP_ERR_MEMBER_ID_REQUIRED) &&
                    !RD_KAFKA_CGRP_IS_STATIC_MEMBER(rkcg) &&
                    !rd_kafka_destroy_flags_no_consumer_close(rkcg->rkcg_rk)) {
                        char *member_id;
                        RD_KAFKAP_STR_DUPA(&member_id, &MyMemberId);
                        rd_kafka_cgrp_set_member_id(rkcg, member_id);
                        rd_kafka_cgrp_leave(rkcg);
                }
                return;
        }

        if (!ErrorCode && RD_KAFKAP_STR_IS_NULL(&Protocol)) {]] why)
    librdkafka_replace(${cgrp} [[
            rkcg->rkcg_rk->rk_consumer.wait_commit_cnt == 0 &&
            !(rkcg->rkcg_flags & RD_KAFKA_CGRP_F_WAIT_LEAVE)) {]] [[
            rkcg->rkcg_rk->rk_consumer.wait_commit_cnt == 0 &&
            !(rkcg->rkcg_wait_resp == RD_KAFKAP_JoinGroup &&
              !RD_KAFKA_CGRP_HAS_JOINED(rkcg) &&
              !rd_kafka_destroy_flags_no_consumer_close(rkcg->rkcg_rk) &&
              rd_clock() < rkcg->rkcg_ts_terminate + 2 * 1000 * 1000) &&
            !(rkcg->rkcg_flags & RD_KAFKA_CGRP_F_WAIT_LEAVE)) {]] why)
    # A broker that is only just starting may know of no brokers. Its answer is not believed, as Java's client does
    # not: each broker would be given up, the bootstrap ones as well, and none would be looked for again.
    librdkafka_replace(${to}/src/rdkafka_metadata.c
        "if (md->broker_cnt == 0 && md->topic_cnt == 0) {" "if (md->broker_cnt == 0) {" why)
    # A request to a group's coordinator fails when its coordinator was asked for in vain too often, as while the topic of
    # the offsets is being made, instead of being forgotten until the caller's time is over.
    librdkafka_replace(${to}/src/rdkafka_coord.c [[
                rd_kafka_buf_retry(rkb, request);
                return; /* Keep refcnt from req_fsm() and retry */
        }]] [[
                if (rd_kafka_buf_retry(rkb, request))
                        return; /* Keep refcnt from req_fsm() and retry */
                rd_kafka_coord_req_fail(rk, creq, err);
        }]] why)
    set(${ret_why} "${why}" PARENT_SCOPE)
endfunction()

# Builds into prefix/{lib,include}; `ret_why` is set on failure.
function(librdkafka_build compiler source prefix ret_why)
    message(STATUS "Building librdkafka (once, about a minute)")
    set(log ${prefix}/build.log)
    execute_process(
        COMMAND ${CMAKE_COMMAND} -E env --unset=CFLAGS --unset=LDFLAGS
            ${CMAKE_COMMAND} -S ${source} -B ${prefix}/build -G ${CMAKE_GENERATOR}
            -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=${compiler}
            "-DCMAKE_C_FLAGS_RELEASE=-O2 -DNDEBUG -fno-omit-frame-pointer -fvisibility=hidden -w"
            -DCMAKE_INSTALL_PREFIX=${prefix} -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_INSTALL_INCLUDEDIR=include
            -DCMAKE_POLICY_VERSION_MINIMUM=3.5 -DRDKAFKA_BUILD_STATIC=ON -DRDKAFKA_BUILD_TESTS=OFF
            -DRDKAFKA_BUILD_EXAMPLES=OFF -DENABLE_LZ4_EXT=OFF -DWITH_CURL=OFF -DWITH_PLUGINS=OFF
            -DWITH_SSL=ON -DWITH_ZSTD=ON -DWITH_ZLIB=ON
            # SASL without Cyrus (that is Kerberos): the other mechanisms need OpenSSL only
            -DWITH_SASL=OFF -DWITH_SASL_SCRAM=ON -DWITH_SASL_OAUTHBEARER=ON
        RESULT_VARIABLE result OUTPUT_FILE ${log} ERROR_FILE ${log})
    if(result EQUAL 0)
        # pthreads in place of C11's, which ThreadSanitizer does not know and crashes on
        set(config ${prefix}/build/generated/config.h)
        file(READ ${config} text)
        string(REPLACE "define WITH_C11THREADS 1" "define WITH_C11THREADS 0" text "${text}")
        file(WRITE ${config} "${text}")
        execute_process(COMMAND ${CMAKE_COMMAND} --build ${prefix}/build --target rdkafka -j 2
            RESULT_VARIABLE result OUTPUT_FILE ${log} ERROR_FILE ${log})
    endif()
    if(NOT result EQUAL 0)
        set(${ret_why} "librdkafka could not be built, see ${log}" PARENT_SCOPE)
        return()
    endif()
    file(COPY ${prefix}/build/src/librdkafka.a DESTINATION ${prefix}/lib)
    file(COPY ${source}/src/rdkafka.h ${source}/src/rdkafka_mock.h
        DESTINATION ${prefix}/include/librdkafka)
    file(COPY ${source}/LICENSES.txt DESTINATION ${prefix})
    file(REMOVE_RECURSE ${prefix}/build ${prefix}/source)
endfunction()

# Sets ret_why where it did not come to the target.
function(librdkafka_bundled ret_why)
    find_program(SLUICE_CARGO cargo HINTS $ENV{CARGO_HOME}/bin $ENV{HOME}/.cargo/bin)
    find_program(SLUICE_SYSTEM_CC NAMES gcc cc clang)
    mark_as_advanced(SLUICE_CARGO SLUICE_SYSTEM_CC)
    execute_process(COMMAND ${SLUICE_SYSTEM_CC} -dumpfullversion -dumpversion -dumpmachine
        OUTPUT_VARIABLE compiler OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    file(SHA256 ${CMAKE_CURRENT_FUNCTION_LIST_FILE} recipe) # another recipe is another library
    string(SUBSTRING ${recipe} 0 8 recipe)
    string(MAKE_C_IDENTIFIER "${SLUICE_SYSTEM_CC}-${compiler}" compiler)
    string(REGEX REPLACE "^.*\\+" "" version ${rdkafka_crate_full})
    set(prefix ${PROJECT_SOURCE_DIR}/build/librdkafka/${version}-${compiler}-${recipe})
    file(MAKE_DIRECTORY ${prefix})
    file(LOCK ${prefix}/lock GUARD FUNCTION TIMEOUT 900) # presets may be configured at once
    if(NOT EXISTS ${prefix}/done)
        if(NOT SLUICE_CARGO)
            set(${ret_why} "cargo is not installed" PARENT_SCOPE)
            return()
        endif()
        set(why "")
        librdkafka_fetch(${SLUICE_CARGO} ${prefix}/crate source why)
        if(NOT why)
            librdkafka_patch(${source} ${prefix}/source why)
        endif()
        if(NOT why)
            librdkafka_build(${SLUICE_SYSTEM_CC} ${prefix}/source ${prefix} why)
        endif()
        if(why)
            set(${ret_why} "${why}" PARENT_SCOPE)
            return()
        endif()
        file(TOUCH ${prefix}/done)
    endif()
    pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET GLOBAL libzstd)
    pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET GLOBAL zlib)
    add_library(librdkafka STATIC IMPORTED GLOBAL)
    set_target_properties(librdkafka PROPERTIES
        IMPORTED_LOCATION ${prefix}/lib/librdkafka.a
        INTERFACE_COMPILE_DEFINITIONS LIBRDKAFKA_STATICLIB
        INTERFACE_INCLUDE_DIRECTORIES ${prefix}/include)
    target_link_libraries(librdkafka INTERFACE PkgConfig::OPENSSL PkgConfig::ZSTD PkgConfig::ZLIB
        Threads::Threads ${CMAKE_DL_LIBS} m)
    set(${ret_why} "" PARENT_SCOPE)
    message(STATUS "librdkafka ${version}: ${prefix}")
endfunction()

function(librdkafka_system why)
    pkg_check_modules(RDKAFKA IMPORTED_TARGET GLOBAL rdkafka>=2.0.2)
    if(NOT RDKAFKA_FOUND)
        message(FATAL_ERROR "No librdkafka: ${why}, and the system has none of 2.0.2 or newer. Install "
            "cargo (Debian 12: cargo-web), or librdkafka (Debian: librdkafka-dev).")
    endif()
    add_library(librdkafka INTERFACE IMPORTED GLOBAL)
    target_link_libraries(librdkafka INTERFACE PkgConfig::RDKAFKA)
    if(RDKAFKA_VERSION VERSION_LESS rdkafka_wanted)
        message(WARNING "The system's librdkafka ${RDKAFKA_VERSION} is used (${why}). It is slower than "
            "${rdkafka_wanted} by half with little memory, and its cooperative rebalances have known "
            "faults. Install cargo to have a newer one built.")
    endif()
endfunction()

set(why "SLUICE_LIBRDKAFKA=system")
if(NOT SLUICE_LIBRDKAFKA STREQUAL system)
    librdkafka_bundled(why)
    if(why AND SLUICE_LIBRDKAFKA STREQUAL bundled)
        message(FATAL_ERROR "SLUICE_LIBRDKAFKA=bundled: ${why}")
    endif()
endif()
if(why)
    librdkafka_system(${why})
endif()
