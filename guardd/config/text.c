/* UTF-8 as RFC 3629 has it: no form longer than needed, no surrogates, nothing beyond U+10FFFF. */
#include "config/text.h"

#include <stdint.h>

/* The code point at the beginning and how many bytes it takes; 0 when it is no UTF-8. */
static size_t decode(const uint8_t *bytes, size_t size, uint32_t *ret_code)
{
    static const struct {
        uint8_t mask, lead;
        uint32_t least; /* what fits into fewer bytes is not to be spelled with more */
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};

    for (size_t n = 1; n <= 4 && n <= size; n++) {
        uint32_t code = bytes[0] & (uint8_t)~forms[n - 1].mask;

        if ((bytes[0] & forms[n - 1].mask) != forms[n - 1].lead)
            continue;
        for (size_t i = 1; i < n; i++) {
            if ((bytes[i] & 0xc0) != 0x80)
                return 0;
            code = code << 6 | (bytes[i] & 0x3f);
        }
        if (code < forms[n - 1].least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
            return 0;
        *ret_code = code;
        return n;
    }
    return 0;
}

const char *text_problem(const char *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        uint32_t code;
        size_t n = decode((const uint8_t *)bytes + done, size - done, &code);

        if (n == 0)
            return "bytes that are not UTF-8";
        if (code == 0)
            return "a NUL byte";
        if ((code < 0x20 && code != '\t') || (code >= 0x7f && code < 0xa0))
            return "a control character";
        done += n;
    }
    return NULL;
}
