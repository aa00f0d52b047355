/* Fuzz target: names from the state files of container runtimes (tenant/runtime.h). Whatever stands in
 * them, a name is of the runtime's alphabet and ends within its buffer. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tenant/runtime.h"

#define NAME_SIZE 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int r, const char *name)
{
    if (r == 0 && (!memchr(name, '\0', NAME_SIZE) || !runtime_name_is_valid(name)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *name = malloc(NAME_SIZE);

    if (text && name) {
        memcpy(text, data, size);
        text[size] = '\0';
        check(docker_name_from_json(text, name, NAME_SIZE), name);
        check(podman_name_from_json(text, "0123", name, NAME_SIZE), name);
        if (docker_data_root_from_json(text, name, NAME_SIZE) == 0 && name[0] != '/')
            abort();
    }
    free(name);
    free(text);
    return 0;
}
