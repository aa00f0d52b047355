/* A table: titles, rows of cells, columns as wide as their widest cell. On a terminal that is narrower, the
 * widest columns give way and what does not fit is cut. Where that is not enough, columns that can be spared
 * are left out, and it is said which. Elsewhere nothing is cut. */
#pragma once

#include <stddef.h>

#include <utarray.h>

#include "ctl/terminal.h"

#define TABLE_COLUMNS_MAX 16

struct Column {
    const char *title;
    enum {
        COLUMN_TEXT,   /* gives way where there is not enough room */
        COLUMN_WORD,   /* never cut */
        COLUMN_NUMBER, /* never cut, right-aligned */
    } kind;
};

struct Table {
    const struct Column *columns; /* borrowed */
    size_t n_columns;             /* at most TABLE_COLUMNS_MAX */
    const size_t *spare;          /* borrowed */
    size_t n_spare;
    UT_array cells;
};

void table_init(struct Table *table, const struct Column *columns, size_t n_columns);
/* Columns that can be spared, by their index, the first one before the others. */
void table_may_leave_out(struct Table *table, const size_t *spare, size_t n_spare);
void table_done(struct Table *table);

/* The next cell, from left to right, row by row. The text is copied, and cleaned. */
void table_add(struct Table *table, const char *text, enum Style style);

void table_print(const struct Table *table);
