/* set-limits SOCKET TENANT N: changes DiskSpaceMax of a tenant N times over one varlink connection, each time
 * to another value and waiting for the answer, as a program that manages tenants would. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-varlink.h>

static int set(sd_varlink *link, const char *tenant, unsigned i)
{
    sd_json_variant *reply;
    const char *error = NULL;
    int r;

    r = sd_varlink_callbo(
        link, "io.guardd.Guard.SetLimits", &reply, &error, SD_JSON_BUILD_PAIR_STRING("tenant", tenant),
        SD_JSON_BUILD_PAIR("limits", SD_JSON_BUILD_ARRAY(SD_JSON_BUILD_OBJECT(
                                         SD_JSON_BUILD_PAIR_STRING("name", "DiskSpaceMax"),
                                         SD_JSON_BUILD_PAIR_STRING("value", i % 2 == 0 ? "65M" : "64M")))),
        SD_JSON_BUILD_PAIR_BOOLEAN("runtime", true));
    if (r < 0 || error)
        fprintf(stderr, "set-limits: %s\n", error ? error : strerror(-r));
    return r < 0 || error ? -1 : 0;
}

int main(int argc, char **argv)
{
    sd_varlink *link = NULL;
    unsigned long n;

    if (argc != 4) {
        fprintf(stderr, "usage: set-limits SOCKET TENANT N\n");
        return 2;
    }
    if (sd_varlink_connect_address(&link, argv[1]) < 0) {
        fprintf(stderr, "set-limits: cannot connect to %s\n", argv[1]);
        return EXIT_FAILURE;
    }
    n = strtoul(argv[3], NULL, 10);
    for (unsigned i = 0; i < n; i++)
        if (set(link, argv[2], i) < 0)
            return EXIT_FAILURE;
    sd_varlink_unref(link);
    return EXIT_SUCCESS;
}
