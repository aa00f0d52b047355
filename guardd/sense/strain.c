#include "sense/strain.h"

#include "sense/pressure.h"

#define PRESSURES_CPU (1u << PRESSURE_CPU_SOME)
#define PRESSURES_MEMORY (1u << PRESSURE_MEMORY_SOME | 1u << PRESSURE_MEMORY_FULL)
#define PRESSURES_IO (1u << PRESSURE_IO_SOME | 1u << PRESSURE_IO_FULL)

static bool is_asked(uint32_t resources, enum Resource resource)
{
    return (resources & (1u << resource)) != 0;
}

/* Of a file both lines are read, or none. */
static struct PressureFds pressure_fds(const int *files, uint32_t pressures)
{
    int cpu_fd = pressures & PRESSURES_CPU ? files[CGROUP_CPU_PRESSURE] : PRESSURE_NOT_ASKED;
    int memory_fd = pressures & PRESSURES_MEMORY ? files[CGROUP_MEMORY_PRESSURE] : PRESSURE_NOT_ASKED;
    int io_fd = pressures & PRESSURES_IO ? files[CGROUP_IO_PRESSURE] : PRESSURE_NOT_ASKED;

    return (struct PressureFds){.fd = {
                                    [PRESSURE_CPU_SOME] = cpu_fd,
                                    [PRESSURE_MEMORY_SOME] = memory_fd,
                                    [PRESSURE_MEMORY_FULL] = memory_fd,
                                    [PRESSURE_IO_SOME] = io_fd,
                                    [PRESSURE_IO_FULL] = io_fd,
                                }};
}

static uint32_t pressures_of(uint32_t resources)
{
    return (is_asked(resources, RESOURCE_CPU) ? PRESSURES_CPU : 0) |
           (is_asked(resources, RESOURCE_MEMORY) ? PRESSURES_MEMORY : 0) |
           (is_asked(resources, RESOURCE_IO) ? PRESSURES_IO : 0);
}

static int look(const struct Cgroup *cgroup, uint32_t pressures, uint32_t resources, struct Strain *strain,
                usec_t now, struct Readings *readings)
{
    const struct PressureFds fds = pressure_fds(cgroup->files, pressures);
    int r = pressure_look(&fds, false, strain, now, readings);

    if (r >= 0 && is_asked(resources, RESOURCE_MEMORY))
        r = memory_look(cgroup, strain, now, readings);
    if (r >= 0 && is_asked(resources, RESOURCE_CPU))
        r = cpu_look(cgroup, strain, now, readings);
    if (r >= 0 && is_asked(resources, RESOURCE_IO))
        r = io_look(cgroup, strain, now, readings);
    return r;
}

int strain_look_announced(const struct Cgroup *cgroup, uint32_t pressures, uint32_t resources,
                          struct Strain *strain, usec_t now, struct Readings *readings)
{
    usec_t at_usec = readings->at_usec;
    int r = look(cgroup, pressures, resources, strain, now, readings);

    readings->at_usec = at_usec;
    return r;
}

int strain_look(const struct Cgroup *cgroup, uint32_t resources, struct Strain *strain, usec_t now,
                struct Readings *readings)
{
    return look(cgroup, pressures_of(resources), resources, strain, now, readings);
}
