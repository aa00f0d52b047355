/* By system call: libcap would be a dependency for these lines. */
#include "base/capability.h"

#include <linux/capability.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"

int capability_use(int capability, bool on)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {0};
    struct __user_cap_data_struct *set;
    uint32_t mask = CAP_TO_MASK((uint32_t)capability);

    if (!cap_valid(capability))
        return -EINVAL;
    if (syscall(SYS_capget, &header, sets) < 0)
        return negative_errno();
    set = &sets[CAP_TO_INDEX((uint32_t)capability)];
    if (((set->effective & mask) != 0) == on)
        return 0;
    if (on && !(set->permitted & mask))
        return -EPERM;
    set->effective = on ? set->effective | mask : set->effective & ~mask;
    return syscall(SYS_capset, &header, sets) < 0 ? negative_errno() : 1;
}
