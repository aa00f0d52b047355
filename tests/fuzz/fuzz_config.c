/* Fuzz target: any bytes as a configuration file. Targets have libFuzzer's interface, and tests/fuzz/run
 * builds them with clang. */
#include <stdint.h>
#include <stdlib.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Either a configuration or a reason against it; every reason can be told. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct Problems problems = {0};
    struct Config *config = NULL;
    int r = config_parse_buffer("fuzz.conf", (const char *)data, size, &config, &problems);

    if ((r == 0) != (config != NULL) || (r == 0) != (problems.n == 0) || (r != 0 && r != CONFIG_INVALID))
        abort();
    for (size_t i = 0; i < problems.n; i++) {
        char *text = problem_format(&problems.list[i]);

        if (!text)
            abort();
        free(text);
    }
    problems_free(&problems);
    config_free(config);
    return 0;
}
