/* Fuzz target: flat keyed files (base/fd.h). The kernel writes them; a made-up tree or a FUSE mount may
 * hold anything. */
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const keys[] = {"max", "populated", "frozen", "", "a key"};
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        uint64_t value = 0;

        if (keyed_value(text, keys[i], &value) && !strstr(text, keys[i]))
            abort();
    }
    free(text);
    return 0;
}
