/* Columns of text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/client/client.h"

struct table {
    size_t columns, rows;
    char **cells; /* heads first; owned */
};

/* Characters, not bytes. Control characters of a name would move the cursor. */
static size_t width(const char *text)
{
    size_t count = 0;
    for (; *text; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return count;
}

static char *clean(const char *text)
{
    char *copy = strdup(text);
    for (char *p = copy; p && *p; p++) {
        *p = (unsigned char)*p < 0x20 || *p == 0x7f ? '?' : *p;
    }
    if (!copy) {
        abort();
    }
    return copy;
}

struct table *table_create(const char *const *heads, size_t columns)
{
    struct table *table = calloc(1, sizeof(*table));
    if (!table) {
        abort();
    }
    table->columns = columns;
    table_add(table, heads);
    return table;
}

void table_add(struct table *table, const char *const *cells)
{
    size_t count = (table->rows + 1) * table->columns;
    char **grown = realloc(table->cells, count * sizeof(*grown));
    if (!grown) {
        abort();
    }
    table->cells = grown;
    for (size_t i = 0; i < table->columns; i++) {
        grown[table->rows * table->columns + i] = clean(cells[i]);
    }
    table->rows++;
}

void table_print(struct table *table)
{
    for (size_t r = 0; table->rows > 1 && r < table->rows; r++) {
        for (size_t c = 0; c < table->columns; c++) {
            const char *cell = table->cells[r * table->columns + c];
            size_t most = 0;
            for (size_t i = 0; i < table->rows; i++) {
                size_t w = width(table->cells[i * table->columns + c]);
                most = w > most ? w : most;
            }
            if (c + 1 == table->columns) {
                printf("%s\n", cell);
            } else {
                printf("%s%*s", cell, (int)(most - width(cell) + 2), "");
            }
        }
    }
    for (size_t i = 0; i < table->rows * table->columns; i++) {
        free(table->cells[i]);
    }
    free(table->cells);
    free(table);
}
