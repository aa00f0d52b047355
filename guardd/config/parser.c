/* inih splits lines into key and value; this is its reader and its handler. The reader counts lines, and
 * hands on only what inih cannot misread with any of the settings it may have been built with:
 *
 *   - a line longer than its buffer would be cut: refused;
 *   - a line that begins with a blank would continue the one before: it loses the blank, as with systemd;
 *   - a section name longer than its buffer would be cut, and a section without keys never be heard of:
 *     headers are taken here;
 *   - "KEY: VALUE" and lines ended by '\' mean something to others, and nothing here: refused;
 *   - bytes that are not text: refused, so that no message carries them to a terminal.
 *
 * A line handed on that never reaches the handler is one that inih did not understand. */
#include "config/parser.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "config/keys.h"
#include "config/text.h"

/* What inih says when there is none for its buffer. It may have been built to need none. */
#define INIH_NO_MEMORY (-2)

struct Parser {
    struct Draft *draft;
    const char *next, *end;
    bool awaited; /* a line was handed on, the handler has not seen it yet */
    int error;    /* 0 or -ENOMEM */
};

struct Line {
    const char *text;
    size_t length;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct Line strip(struct Line line)
{
    while (line.length > 0 && is_blank(line.text[line.length - 1]))
        line.length--;
    while (line.length > 0 && is_blank(line.text[0])) {
        line.text++;
        line.length--;
    }
    return line;
}

/* The next line, without its end; false after the last one. */
static bool cut_line(struct Parser *parser, struct Line *ret_line)
{
    struct Line line = {.text = parser->next};
    const char *newline;

    if (parser->next >= parser->end)
        return false;
    newline = memchr(parser->next, '\n', (size_t)(parser->end - parser->next));
    line.length = (size_t)((newline ? newline : parser->end) - parser->next);
    parser->next = newline ? newline + 1 : parser->end;
    if (line.length > 0 && line.text[line.length - 1] == '\r')
        line.length--;
    if (parser->draft->place.line++ == 0 && line.length >= 3 && memcmp(line.text, "\xef\xbb\xbf", 3) == 0) {
        line.text += 3; /* a byte order mark */
        line.length -= 3;
    }
    *ret_line = line;
    return true;
}

static void refuse(struct Parser *parser, const char *what, const char *right)
{
    int r = problem_add_text(parser->draft->problems, parser->draft->place, what, right);

    if (r < 0)
        parser->error = r;
}

static void check_behind(struct Parser *parser, struct Line behind)
{
    if (behind.length > 0 && behind.text[0] != ';' && behind.text[0] != '#')
        refuse(parser, "something stands behind the section's ']'", "a key in a line of its own");
}

/* "[HEADER]", and nothing behind it but a comment. Without its ']' it is still the section that was meant. */
static void take_header(struct Parser *parser, struct Line line)
{
    const char *close = memchr(line.text, ']', line.length);
    const char *end = close ? close : line.text + line.length;
    struct Line inside = strip((struct Line){line.text + 1, (size_t)(end - line.text) - 1});
    char header[CONFIG_LINE_MAX + 1];
    int r;

    if (!close)
        refuse(parser, "the section's ']' is missing", "[Guard], [Tenants NAME] or [Rule NAME]");
    else
        check_behind(parser, strip((struct Line){close + 1, line.length - (size_t)(close + 1 - line.text)}));
    snprintf(header, sizeof(header), "%.*s", (int)inside.length, inside.text);
    r = section_enter(parser->draft, header);
    if (r < 0)
        parser->error = r;
}

/* Is it KEY=VALUE, as far as can be seen from outside? */
static bool is_assignment(struct Parser *parser, struct Line line)
{
    const char *equals = memchr(line.text, '=', line.length);
    const char *colon = memchr(line.text, ':', line.length);

    if (line.text[line.length - 1] == '\\') {
        refuse(parser, "the line ends in '\\': no line is continued in the next",
               "one line; for a list, the key once for each element");
        return false;
    }
    if (!equals || (colon && colon < equals)) {
        refuse(parser, "the line is no KEY=VALUE", "KEY=VALUE, [SECTION], or a comment after '#'");
        return false;
    }
    return true;
}

/* True when the line is for inih; everything else is dealt with here. */
static bool examine(struct Parser *parser, struct Line line, size_t longest)
{
    const char *holds = text_problem(line.text, line.length);
    char text[64];

    if (holds) {
        snprintf(text, sizeof(text), "the line holds %s", holds);
        refuse(parser, text, "a text file in UTF-8");
        return false;
    }
    if (line.length == 0 || line.text[0] == '#' || line.text[0] == ';')
        return false;
    if (line.length > longest) {
        snprintf(text, sizeof(text), "at most %zu bytes a line", longest);
        refuse(parser, "the line is too long", text);
        return false;
    }
    if (line.text[0] == '[') {
        take_header(parser, line);
        return false;
    }
    return is_assignment(parser, line);
}

/* inih's reader, like fgets(3): an empty line stands for each that is not for inih. */
static char *read_line(char *buffer, int size, void *userdata)
{
    const size_t longest = size - 2 < CONFIG_LINE_MAX ? (size_t)(size - 2) : CONFIG_LINE_MAX;
    struct Parser *parser = userdata;
    struct Line line;

    if (parser->awaited)
        refuse(parser, "the line is no KEY=VALUE", "KEY=VALUE, [SECTION], or a comment after '#'");
    parser->awaited = false;
    if (parser->error < 0 || !cut_line(parser, &line))
        return NULL;
    line = strip(line);
    parser->awaited = examine(parser, line, longest);
    snprintf(buffer, (size_t)size, "%.*s\n", parser->awaited ? (int)line.length : 0, line.text);
    return buffer;
}

/* inih's handler. Its section is not looked at: see above. */
static int take_key(void *userdata, const char *section, const char *key, const char *value)
{
    struct Parser *parser = userdata;

    parser->awaited = false;
    parser->error = key_assign(parser->draft, key, value);
    return parser->error == 0;
}

int parse_text(struct Draft *draft, const char *text, size_t size)
{
    struct Parser parser = {.draft = draft, .next = text, .end = text + size};

    if (ini_parse_stream(read_line, &parser, take_key, &parser) == INIH_NO_MEMORY)
        parser.error = -ENOMEM;
    draft->place.line = 0;
    return parser.error;
}
