/* Fuzz target: PSI files (sense/pressure.h). Whatever stands in them, a share is one. */
#include <stdlib.h>
#include <string.h>

#include "sense/pressure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct PressureLine *line)
{
    if (line->valid && (line->avg10 < 0 || line->avg10 > 10000))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct PressureFile file;
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (pressure_parse(text, &file) == 0) {
        if (!file.some.valid)
            abort();
        check(&file.some);
        check(&file.full);
    }
    free(text);
    return 0;
}
