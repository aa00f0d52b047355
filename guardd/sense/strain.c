#include "sense/strain.h"

#include "sense/pressure.h"

static bool is_asked(uint32_t resources, enum Resource resource)
{
    return (resources & (1u << resource)) != 0;
}

static struct PressureFds pressure_fds(const int *files, uint32_t resources)
{
    int cpu_fd = is_asked(resources, RESOURCE_CPU) ? files[CGROUP_CPU_PRESSURE] : PRESSURE_NOT_ASKED;
    int memory_fd = is_asked(resources, RESOURCE_MEMORY) ? files[CGROUP_MEMORY_PRESSURE] : PRESSURE_NOT_ASKED;
    int io_fd = is_asked(resources, RESOURCE_IO) ? files[CGROUP_IO_PRESSURE] : PRESSURE_NOT_ASKED;

    return (struct PressureFds){.fd = {
                                    [PRESSURE_CPU_SOME] = cpu_fd,
                                    [PRESSURE_MEMORY_SOME] = memory_fd,
                                    [PRESSURE_MEMORY_FULL] = memory_fd,
                                    [PRESSURE_IO_SOME] = io_fd,
                                    [PRESSURE_IO_FULL] = io_fd,
                                }};
}

int strain_look(const struct Cgroup *cgroup, uint32_t resources, struct Strain *strain, usec_t now,
                struct Readings *readings)
{
    const struct PressureFds fds = pressure_fds(cgroup->files, resources);
    int r = pressure_look(&fds, false, strain, now, readings);

    if (r >= 0 && is_asked(resources, RESOURCE_MEMORY))
        r = memory_look(cgroup, strain, now, readings);
    if (r >= 0 && is_asked(resources, RESOURCE_CPU))
        r = cpu_look(cgroup, strain, now, readings);
    if (r >= 0 && is_asked(resources, RESOURCE_IO))
        r = io_look(cgroup, strain, now, readings);
    return r;
}
