sluice_test(lib_cron SOURCES unit/lib/cron/test_cron.c LIBS lib_cron)
sluice_test(sql_texts SOURCES unit/connectors/sql/test_texts.c LIBS sql_parts)
