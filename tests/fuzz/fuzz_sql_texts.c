/* URLs, names of tables, times, queries and cron expressions of any bytes. The first byte picks. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/sql/database.h"
#include "connectors/sql/moment.h"
#include "connectors/sql/names.h"
#include "lib/cron/cron.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char message[200];
    if (size == 0) {
        return 0;
    }
    char *text = strndup((const char *)data + 1, size - 1);
    switch (data[0] % 5) {
    case 0: {
        struct jdbc_url url;
        if (jdbc_url_parse(text, &url, message, sizeof(message)) == 0) {
            jdbc_url_describe(&url, message, sizeof(message));
            jdbc_url_finish(&url);
        }
        break;
    }
    case 1: {
        /* What is written quoted is read as the same. */
        struct sql_name name, again;
        struct buffer out;
        buffer_init(&out, 10000);
        if (sql_name_parse(text, &name, message, sizeof(message)) == 0) {
            sql_name_write(&out, &name, "\"");
            if (strlen(out.data) <= 1000 && (sql_name_parse(out.data, &again, message, sizeof(message)) != 0 ||
                                             strcmp(again.table, name.table) != 0)) {
                abort();
            }
            if (strlen(out.data) <= 1000) {
                sql_name_finish(&again);
            }
            sql_name_finish(&name);
        }
        buffer_finish(&out);
        break;
    }
    case 2: {
        struct moment moment;
        char printed[MOMENT_TEXT_SIZE];
        int64_t ms;
        if (moment_parse(text, strlen(text), zone_utc(), &moment)) {
            moment_print(moment, zone_utc(), ' ', 9, printed);
        }
        if (moment_parse_time(text, strlen(text), &ms) && (ms < -3600001000 || ms > 3600001000)) {
            abort();
        }
        break;
    }
    case 3:
        free(sql_numbered(text, 1));
        break;
    default: {
        struct cron cron;
        if (cron_parse(text, &cron, message, sizeof(message)) == 0 &&
            cron_next(&cron, zone_utc(), 1700000000000) <= 1700000000000) {
            abort();
        }
    }
    }
    free(text);
    return 0;
}
