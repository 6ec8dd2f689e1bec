sluice_test(kinesis_aggregate SOURCES unit/connectors/kinesis/test_aggregate.c LIBS kinesis_parts)
sluice_test(kinesis_shards SOURCES unit/connectors/kinesis/test_shards.c support/scripted_http.c LIBS kinesis_parts)
