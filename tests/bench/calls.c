/* calls SOCKET METHOD N PAUSE PARAMETERS...: calls a method N times over one varlink connection (0: until
 * standard input ends), with PAUSE microseconds between two calls and with the parameters (JSON objects) in
 * turn, and prints a line for each: how many nanoseconds it took. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-varlink.h>

#include "series.h"

#define PARAMETERS_MAX 8

static int call(sd_varlink *link, const char *method, sd_json_variant *parameters)
{
    sd_json_variant *reply;
    const char *error = NULL;
    int r = sd_varlink_call(link, method, parameters, &reply, &error);

    if (r < 0 || error)
        fprintf(stderr, "calls: %s: %s\n", method, error ? error : strerror(-r));
    return r < 0 || error ? -1 : 0;
}

int main(int argc, char **argv)
{
    sd_json_variant *parameters[PARAMETERS_MAX];
    unsigned long n = argc > 5 ? (unsigned long)argc - 5 : 0;
    sd_varlink *link = NULL;
    struct Series series;

    if (n == 0 || n > PARAMETERS_MAX) {
        fprintf(stderr, "usage: calls SOCKET METHOD N PAUSE PARAMETERS...\n");
        return 2;
    }
    series = (struct Series){.wanted = strtoul(argv[3], NULL, 10), .pause_usec = strtoul(argv[4], NULL, 10)};
    for (unsigned long i = 0; i < n; i++)
        if (sd_json_parse(argv[5 + i], 0, &parameters[i], NULL, NULL) < 0) {
            fprintf(stderr, "calls: this is no JSON: %s\n", argv[5 + i]);
            return 2;
        }
    if (sd_varlink_connect_address(&link, argv[1]) < 0) {
        fprintf(stderr, "calls: cannot connect to %s\n", argv[1]);
        return EXIT_FAILURE;
    }
    while (series_next(&series)) {
        if (call(link, argv[2], parameters[series.done % n]) < 0)
            return EXIT_FAILURE;
        series_done(&series);
    }
    for (unsigned long i = 0; i < n; i++)
        sd_json_variant_unref(parameters[i]);
    sd_varlink_unref(link);
    return EXIT_SUCCESS;
}
