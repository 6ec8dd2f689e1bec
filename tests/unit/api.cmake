sluice_test(rest_access SOURCES unit/core/rest/test_access.c LIBS core_rest PkgConfig::GNUTLS)
sluice_test(worker_connector_file SOURCES unit/core/worker/test_connector_file.c LIBS core_worker)
sluice_test(rest_media SOURCES unit/core/rest/test_media.c LIBS core_rest)
sluice_test(rest_health SOURCES unit/core/rest/test_health.c LIBS core_rest)
