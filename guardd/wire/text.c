/* See text.h. A character is kept when it is well-formed UTF-8 (the shortest form, no surrogate, not
 * beyond U+10FFFF) and printable; else its first byte is escaped and the next one is looked at. */
#include "wire/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* The bytes of the character that begins at `s`, by its first byte; 0 when none begins so. */
static size_t sequence_length(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return 2;
    if (first >= 0xe0 && first <= 0xef)
        return 3;
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* 0 when `s` does not begin with well-formed UTF-8. */
static size_t decode(const char *s, uint32_t *ret_character)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)s;
    size_t length = sequence_length(bytes[0]);
    uint32_t character;

    if (length < 2) {
        *ret_character = bytes[0];
        return length;
    }
    character = bytes[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) /* the NUL at the end is none either */
            return 0;
        character = character << 6 | (bytes[i] & 0x3f);
    }
    if (character < smallest[length] || character > 0x10ffff || (character >= 0xd800 && character <= 0xdfff))
        return 0;
    *ret_character = character;
    return length;
}

static bool is_printable(uint32_t character)
{
    static const struct {
        uint32_t first, last;
    } hidden[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     /* control characters */
        {0x200b, 0x200f},                   /* of no width, direction marks */
        {0x2028, 0x202e},                   /* line separators, direction overrides */
        {0x2060, 0x206f}, {0xfeff, 0xfeff}, /* direction isolates, more of no width */
    };

    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
        if (character >= hidden[i].first && character <= hidden[i].last)
            return false;
    return true;
}

char *wire_text_clean(const char *text)
{
    static const char digits[] = "0123456789abcdef";
    char *clean = malloc(4 * strlen(text) + 1), *to = clean;

    if (!clean)
        return NULL;
    while (*text != '\0') {
        uint32_t character;
        size_t length = decode(text, &character);

        if (length > 0 && is_printable(character)) {
            to = mempcpy(to, text, length);
            text += length;
            continue;
        }
        to = mempcpy(to, "\\x", 2);
        *to++ = digits[(unsigned char)*text >> 4];
        *to++ = digits[(unsigned char)*text & 0xf];
        text++;
    }
    *to = '\0';
    return clean;
}

int wire_text_build(sd_json_variant **ret, const char *name, void *userdata)
{
    _cleanup_free_ char *clean = wire_text_clean(userdata);

    return clean ? sd_json_variant_new_string(ret, clean) : -ENOMEM;
}
