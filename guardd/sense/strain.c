#include "sense/strain.h"

#include "sense/pressure.h"

int strain_look(const struct Cgroup *cgroup, struct Strain *strain, usec_t now, struct Readings *readings)
{
    const int *files = cgroup->files;
    const struct PressureFds fds = {.fd = {
                                        [PRESSURE_CPU_SOME] = files[CGROUP_CPU_PRESSURE],
                                        [PRESSURE_MEMORY_SOME] = files[CGROUP_MEMORY_PRESSURE],
                                        [PRESSURE_MEMORY_FULL] = files[CGROUP_MEMORY_PRESSURE],
                                        [PRESSURE_IO_SOME] = files[CGROUP_IO_PRESSURE],
                                        [PRESSURE_IO_FULL] = files[CGROUP_IO_PRESSURE],
                                    }};
    int r = pressure_look(&fds, false, strain, now, readings);

    if (r >= 0)
        r = memory_look(cgroup, strain, now, readings);
    if (r >= 0)
        r = cpu_look(cgroup, strain, now, readings);
    if (r >= 0)
        r = io_look(cgroup, strain, now, readings);
    return r;
}
