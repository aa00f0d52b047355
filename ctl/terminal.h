/* What is particular to a terminal: its width, colour, and that it obeys control characters. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum Style {
    STYLE_PLAIN,
    STYLE_BOLD,
    STYLE_DIM,
    STYLE_GOOD,
    STYLE_WARNING,
    STYLE_BAD,
};

/* "guardctl: SENTENCE" on standard error; the sentence is cleaned of what a terminal would obey. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, or an end of the program with a complaint when there was no memory for it. */
void *have_memory(void *allocated) __attribute__((returns_nonnull));

/* Columns of standard output; SIZE_MAX when it is no terminal, then nothing is cut. */
size_t terminal_width(void);

/* What switches standard output to a style; "" when there is to be no colour (no terminal, NO_COLOR,
 * TERM=dumb). */
const char *terminal_style(enum Style style);

/* The style that fits the state of a tenant, or the mode. */
enum Style state_style(const char *state);

/* The mark of a text that is cut. */
const char *terminal_ellipsis(void);

/* Prints a text from the wire, cleaned, in a style. */
void print_text(const char *text, enum Style style);

/* "  LABEL: text" with labels ending in one column; nothing when `text` is NULL. */
void print_field(const char *label, const char *text);
void print_field_styled(const char *label, const char *text, enum Style style);

/* A text of words, in plain English, in lines of at most 80 columns and with a newline at its end. Its first
 * line begins where the cursor is, in column `indent`, and so do the others. */
void print_wrapped(const char *text, size_t indent);
/* The same, with a mark where it would be more lines than that. */
void print_wrapped_lines(const char *text, size_t indent, size_t lines);
