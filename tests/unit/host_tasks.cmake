# The host's loops against a broker in memory.
foreach(kind sink source)
    sluice_test(${kind}_task
        SOURCES unit/core/host/test_${kind}_task.c unit/core/host/task_fixture.c
                support/fake_broker.c support/fake_consumer.c support/fake_producer.c
        LIBS core_task core_host PkgConfig::JANSSON)
endforeach()
sluice_test(host_topic_creation SOURCES unit/core/host/test_topic_creation.c LIBS core_task)
sluice_test(host_tap SOURCES unit/core/host/test_tap.c LIBS core_task core_host PkgConfig::JANSSON)
sluice_test(host_source_offsets SOURCES unit/core/host/test_source_offsets.c LIBS core_task core_host PkgConfig::JANSSON)
