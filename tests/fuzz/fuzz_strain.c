/* Fuzz target: memory.events, memory.stat, io.stat and meminfo (sense/strain.h), and a look whose counters
 * are whatever io.stat says. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "sense/strain.h"

#define DEVICES_MAX 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(const char *text)
{
    /* Of its own, so that one too many is seen. */
    struct DeviceCounters *devices = calloc(DEVICES_MAX, sizeof(*devices));
    struct MemoryEvents events;
    uint64_t a, b;

    memory_events_parse(text, &events);
    if (memory_stat_parse(text, &a) && !strstr(text, "shmem "))
        abort();
    if (meminfo_parse(text, &a, &b) && (a % 1024 != 0 || b % 1024 != 0))
        abort();
    if (devices && io_stat_parse(text, devices, DEVICES_MAX) > DEVICES_MAX)
        abort();
    free(devices);
}

/* Twice a second apart: once nothing, then this. */
static void look(int fd, const uint8_t *data, size_t size)
{
    struct Cgroup cgroup = CGROUP_NULL;
    struct Strain strain = {0};
    struct Readings readings = {0};

    cgroup.files[CGROUP_IO_STAT] = fd;
    if (ftruncate(fd, 0) < 0 || io_look(&cgroup, &strain, USEC_PER_SEC, &readings) < 0 ||
        pwrite(fd, data, size, 0) < 0 || io_look(&cgroup, &strain, 2 * USEC_PER_SEC, &readings) < 0)
        return;
    if (strain.n_devices > STRAIN_DEVICES_MAX || strain.n_counters > STRAIN_COUNTERS_MAX ||
        readings.value[READING_IO_RATE] < 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    char *text = malloc(size + 1);

    if (fd < 0)
        fd = memfd_create("io.stat", MFD_CLOEXEC);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    parse(text);
    if (fd >= 0)
        look(fd, data, size);
    free(text);
    return 0;
}
