/* See table.h. Widths are counted in characters: a wide or combining one puts its row a little out of
 * line. */
#include "ctl/table.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/text.h"

#define GAP 2           /* between columns */
#define COLUMN_SHRUNK 8 /* a column gives way down to this */
#define LEFT_OUT 0      /* as a width: every column has a title */

struct Cell {
    char *text; /* owned */
    enum Style style;
};

static void cell_done(void *cell)
{
    free(((struct Cell *)cell)->text);
}

static const UT_icd cell_icd = {sizeof(struct Cell), NULL, NULL, cell_done};

void table_init(struct Table *table, const struct Column *columns, size_t n_columns)
{
    *table = (struct Table){.columns = columns, .n_columns = n_columns};
    utarray_init(&table->cells, &cell_icd);
}

void table_may_leave_out(struct Table *table, const size_t *spare, size_t n_spare)
{
    table->spare = spare;
    table->n_spare = n_spare;
}

void table_done(struct Table *table)
{
    utarray_done(&table->cells);
}

void table_add(struct Table *table, const char *text, enum Style style)
{
    struct Cell cell = {.text = have_memory(wire_text_clean(text)), .style = style};

    utarray_push_back(&table->cells, &cell);
}

static const struct Cell *cell_at(const struct Table *table, size_t i)
{
    const struct Cell *cells = (const struct Cell *)utarray_front(&table->cells);

    assert(cells);
    return &cells[i];
}

/* Characters of a clean text: bytes that do not continue one. */
static size_t text_width(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

/* Bytes of the first `width` characters. */
static size_t bytes_of(const char *text, size_t width)
{
    size_t i = 0;

    for (; text[i] != '\0'; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80 && width-- == 0)
            break;
    return i;
}

static void natural_widths(const struct Table *table, size_t *widths)
{
    for (size_t c = 0; c < table->n_columns; c++)
        widths[c] = text_width(table->columns[c].title);
    for (size_t i = 0; table->n_columns > 0 && i < utarray_len(&table->cells); i++) {
        size_t width = text_width(cell_at(table, i)->text), c = i % table->n_columns;

        if (width > widths[c])
            widths[c] = width;
    }
}

/* The widest column that may give way; n_columns when none may. */
static size_t widest(const struct Table *table, const size_t *widths)
{
    size_t found = table->n_columns;

    for (size_t c = 0; c < table->n_columns; c++)
        if (table->columns[c].kind == COLUMN_TEXT && widths[c] > COLUMN_SHRUNK &&
            (found == table->n_columns || widths[c] > widths[found]))
            found = c;
    return found;
}

static size_t total_width(const struct Table *table, const size_t *widths)
{
    size_t total = 0;

    for (size_t c = 0; c < table->n_columns; c++)
        if (widths[c] != LEFT_OUT)
            total += widths[c] + (total > 0 ? GAP : 0);
    return total;
}

/* False: there is no room for that even so. */
static bool shrink(const struct Table *table, size_t *widths)
{
    size_t available = terminal_width(), total = total_width(table, widths);

    for (size_t c = widest(table, widths); total > available && c < table->n_columns;
         c = widest(table, widths)) {
        widths[c]--;
        total--;
    }
    return total <= available;
}

static void fit_widths(const struct Table *table, size_t *widths)
{
    size_t natural[TABLE_COLUMNS_MAX];

    memcpy(natural, widths, sizeof(natural));
    for (size_t i = 0; !shrink(table, widths) && i < table->n_spare; i++) {
        natural[table->spare[i]] = LEFT_OUT;
        memcpy(widths, natural, sizeof(natural));
    }
}

static void tell_left_out(const struct Table *table, const size_t *widths)
{
    const char *before = "No room for ";

    for (size_t c = 0; c < table->n_columns; c++)
        if (widths[c] == LEFT_OUT) {
            printf("%s%s", before, table->columns[c].title);
            before = ", ";
        }
    if (before[0] == ',')
        puts(": the terminal is too narrow");
}

/* `blanks`: those that precede what comes next on the line; nobody wants them at its end. */
static void print_cell(const struct Column *column, const char *text, enum Style style, size_t width,
                       size_t *blanks)
{
    size_t wide = text_width(text), shown = wide <= width ? wide : width - 1;
    size_t padding = wide <= width ? width - wide : 0;

    if (width == LEFT_OUT)
        return;
    if (column->kind == COLUMN_NUMBER)
        *blanks += padding;
    if (wide > 0) {
        printf("%*s%s%.*s%s%s", (int)*blanks, "", style != STYLE_PLAIN ? terminal_style(style) : "",
               (int)bytes_of(text, shown), text, shown < wide ? terminal_ellipsis() : "",
               style != STYLE_PLAIN ? terminal_style(STYLE_PLAIN) : "");
        *blanks = 0;
    }
    if (column->kind != COLUMN_NUMBER)
        *blanks += padding;
    *blanks += GAP;
}

void table_print(const struct Table *table)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0}, n = table->n_columns, blanks = 0;

    natural_widths(table, widths);
    fit_widths(table, widths);
    for (size_t c = 0; c < n; c++)
        print_cell(&table->columns[c], table->columns[c].title, STYLE_BOLD, widths[c], &blanks);
    putchar('\n');
    for (size_t i = 0; n > 0 && i < utarray_len(&table->cells); i++) {
        const struct Cell *cell = cell_at(table, i);
        size_t c = i % n;

        if (c == 0)
            blanks = 0;
        print_cell(&table->columns[c], cell->text, cell->style, widths[c], &blanks);
        if (c + 1 == n)
            putchar('\n');
    }
    tell_left_out(table, widths);
}
