sluice_fuzzer(sql_texts SOURCES fuzz/fuzz_sql_texts.c LIBS sql_parts lib_cron)
