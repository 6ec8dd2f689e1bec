sluice_test(rest_parts SOURCES unit/connectors/rest/test_parts.c LIBS rest_parts)
foreach(name server limits)
    sluice_test(rest_${name}
        SOURCES unit/connectors/rest/test_${name}.c unit/connectors/rest/server_fixture.c
            unit/connectors/rest/client.c
        LIBS rest_parts)
endforeach()
sluice_test(rest_source
    SOURCES unit/connectors/rest/test_source.c unit/connectors/rest/client.c
        support/fake_source_host.c
    LIBS rest_parts core_config core_data)
sluice_test(rest_tls
    SOURCES unit/connectors/rest/test_tls.c unit/connectors/rest/client.c
        support/fake_source_host.c
    LIBS rest_parts core_config core_data)
