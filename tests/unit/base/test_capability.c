/* Capabilities of this thread, in a child: where it has none, there is nothing to take back. */
#include "../scratch.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/capability.h"

#define UNTESTABLE 77
#define SAMPLE CAP_CHOWN

static int in_child(int (*body)(void))
{
    pid_t child = fork();
    int status = 0;

    if (child == 0)
        _exit(body());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int out_and_in(void)
{
    if (capability_use(SAMPLE, true) < 0)
        return UNTESTABLE;
    if (capability_use(SAMPLE, false) != 1 || capability_use(SAMPLE, false) != 0)
        return 1;
    if (capability_use(SAMPLE, true) != 1 || capability_use(SAMPLE, true) != 0)
        return 2;
    return 0;
}

static int without_permission(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

    if (syscall(SYS_capset, &header, none) < 0)
        return 1;
    if (capability_use(SAMPLE, true) != -EPERM || capability_use(CAP_CHECKPOINT_RESTORE, true) != -EPERM)
        return 2;
    return capability_use(SAMPLE, false) == 0 ? 0 : 3;
}

static void taken_out_of_use_and_into_it(void **state)
{
    int r = in_child(out_and_in);

    (void)state;
    if (r == UNTESTABLE)
        skip();
    assert_int_equal(r, 0);
}

static void not_permitted(void **state)
{
    (void)state;
    assert_int_equal(in_child(without_permission), 0);
}

static void no_such_capability(void **state)
{
    (void)state;
    assert_int_equal(capability_use(-1, true), -EINVAL);
    assert_int_equal(capability_use(1000, true), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taken_out_of_use_and_into_it),
        cmocka_unit_test(not_permitted),
        cmocka_unit_test(no_such_capability),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
