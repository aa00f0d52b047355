/* See terminal.h. */
#include "ctl/terminal.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ctl/guardctl.h"
#include "wire/text.h"

#define LABEL_WIDTH 13
#define WRAP_WIDTH 80

void *have_memory(void *allocated)
{
    if (!allocated) {
        fputs("guardctl: there is no memory left\n", stderr);
        exit(EXIT_FAILED);
    }
    return allocated;
}

void complain(const char *format, ...)
{
    _cleanup_free_ char *sentence = NULL, *clean = NULL;
    va_list ap;
    int r;

    va_start(ap, format);
    r = vasprintf(&sentence, format, ap);
    va_end(ap);
    if (r < 0)
        sentence = NULL;
    clean = have_memory(wire_text_clean(have_memory(sentence)));
    fprintf(stderr, "guardctl: %s\n", clean);
}

size_t terminal_width(void)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    long width;

    if (!isatty(STDOUT_FILENO))
        return SIZE_MAX;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    width = columns ? strtol(columns, NULL, 10) : 0;
    return width > 0 && width < 10000 ? (size_t)width : 80;
}

static bool has_color(void)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && !(no_color && no_color[0] != '\0') && term && strcmp(term, "dumb") != 0;
}

const char *terminal_style(enum Style style)
{
    static const char *const sequences[] = {
        [STYLE_PLAIN] = "\x1b[0m", [STYLE_BOLD] = "\x1b[1m",     [STYLE_DIM] = "\x1b[2m",
        [STYLE_GOOD] = "\x1b[32m", [STYLE_WARNING] = "\x1b[33m", [STYLE_BAD] = "\x1b[1;31m",
    };

    return has_color() ? sequences[style] : "";
}

enum Style state_style(const char *state)
{
    static const struct {
        const char *state;
        enum Style style;
    } styles[] = {
        {"frozen", STYLE_BAD},        {"freezing", STYLE_BAD},    {"ending", STYLE_BAD},
        {"throttled", STYLE_WARNING}, {"killing", STYLE_BAD},     {"armed", STYLE_WARNING},
        {"thawing", STYLE_WARNING},   {"observe", STYLE_WARNING}, {"released", STYLE_DIM},
        {"protected", STYLE_DIM},     {"exempt", STYLE_WARNING},
    };

    for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++)
        if (strcmp(styles[i].state, state) == 0)
            return styles[i].style;
    return STYLE_PLAIN;
}

const char *terminal_ellipsis(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? "…" : "~";
}

void print_text(const char *text, enum Style style)
{
    _cleanup_free_ char *clean = have_memory(wire_text_clean(text));

    if (style == STYLE_PLAIN)
        fputs(clean, stdout);
    else
        printf("%s%s%s", terminal_style(style), clean, terminal_style(STYLE_PLAIN));
}

void print_field_styled(const char *label, const char *text, enum Style style)
{
    if (!text)
        return;
    printf("%*s: ", LABEL_WIDTH, label);
    print_text(text, style);
    putchar('\n');
}

void print_field(const char *label, const char *text)
{
    print_field_styled(label, text, STYLE_PLAIN);
}

void print_wrapped_lines(const char *text, size_t indent, size_t lines)
{
    size_t column = indent, line = 1;
    const char *mark = terminal_ellipsis();

    while (*text != '\0') {
        size_t length = strcspn(text, " "), more = text[length] != '\0' && line == lines ? 2 : 0;

        if (column > indent && column + 1 + length + more > WRAP_WIDTH) {
            if (line++ == lines)
                break;
            printf("\n%*s", (int)indent, "");
            column = indent;
        }
        column += (size_t)printf("%s%.*s", column > indent ? " " : "", (int)length, text);
        text += length + strspn(text + length, " ");
    }
    printf("%s%s\n", *text != '\0' ? " " : "", *text != '\0' ? mark : "");
}

void print_wrapped(const char *text, size_t indent)
{
    print_wrapped_lines(text, indent, SIZE_MAX);
}
