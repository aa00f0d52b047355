/* The pressure sensor on plain files, and triggers on the kernel's where it has them. */
#include "../failing.h"
#include "strain_files.h"

#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/capability.h"
#include "sense/pressure.h"

static const struct PressureFds no_fds = {.fd = {[0 ... PRESSURE_COUNT - 1] = -EBADF}};

static void parses_what_the_kernel_writes(void **state)
{
    struct PressureFile file;

    (void)state;
    assert_int_equal(pressure_parse("some avg10=98.07 avg60=92.78 avg300=89.26 total=8603281077\n"
                                    "full avg10=0.50 avg60=0.00 avg300=0.00 total=12\n",
                                    &file),
                     0);
    assert_true(file.some.valid && file.full.valid);
    assert_int_equal(file.some.avg10, 9807);
    assert_int_equal(file.some.total_usec, 8603281077);
    assert_int_equal(file.full.avg10, 50);
    assert_int_equal(file.full.total_usec, 12);
    assert_int_equal(pressure_parse("some avg10=100.00 avg60=0.00 avg300=0.00 total=1\n", &file), 0);
    assert_int_equal(file.some.avg10, 10000);
    assert_false(file.full.valid);
}

static void refuses_what_is_none(void **state)
{
    struct PressureFile file;

    (void)state;
    assert_int_equal(pressure_parse("", &file), -EBADMSG);
    assert_int_equal(pressure_parse("some\n", &file), -EBADMSG);
    assert_int_equal(pressure_parse("some avg10=1.00 avg60=0.00 avg300=0.00\n", &file), -EBADMSG);
    assert_int_equal(pressure_parse("full avg10=1.00 avg60=0.00 avg300=0.00 total=1\n", &file), -EBADMSG);
    assert_int_equal(pressure_parse("some avg10=-1.00 avg60=0.00 avg300=0.00 total=1\n", &file), -EBADMSG);
    assert_int_equal(pressure_parse("some avg10=1.100 avg60=0.00 total=1\n", &file), -EBADMSG);
    assert_int_equal(pressure_parse("some avg10=1.00, avg60=0.00 total=1\n", &file), -EBADMSG);
    assert_int_equal(pressure_parse("some avg10=1 avg60=0.00 total=1\n", &file), -EBADMSG);
    assert_int_equal(pressure_parse("some avg60=1.00 total=1\n", &file), -EBADMSG);
    assert_int_equal(pressure_parse("some avg10=1.00 total=many\n", &file), -EBADMSG);
    assert_int_equal(pressure_parse("some avg10=1.00 total=1 more\n", &file), -EBADMSG);
    /* what is in another line is none of this one's */
    assert_int_equal(pressure_parse("some avg10=1.00 avg60=0.00\nfull avg10=1.00 total=1\n", &file),
                     -EBADMSG);
    assert_int_equal(pressure_parse("some avg10=1.00 total=1\nsome more\n", &file), -EBADMSG);
}

static void without_the_last_newline(void **state)
{
    struct PressureFile file;

    (void)state;
    assert_int_equal(pressure_parse("else 1\nfull avg10=1.00 total=2\nsome avg10=1.00 total=1", &file), 0);
    assert_true(file.full.valid && file.full.total_usec == 2);
    assert_int_equal(file.some.total_usec, 1);
}

static void files_and_lines(void **state)
{
    (void)state;
    assert_string_equal(pressure_cgroup_file(PRESSURE_MEMORY_FULL), "memory.pressure");
    assert_string_equal(pressure_host_file(PRESSURE_MEMORY_FULL), "/proc/pressure/memory");
    assert_true(pressure_is_full(PRESSURE_IO_FULL));
    assert_false(pressure_is_full(PRESSURE_IO_SOME));
}

/* The file of memory alone, with so much in its lines. */
static struct PressureFds write_memory(struct StrainFixture *f, unsigned avg10, unsigned some, unsigned full)
{
    struct PressureFds fds = no_fds;
    char text[256];

    snprintf(text, sizeof(text),
             "some avg10=%u.00 avg60=0.00 avg300=0.00 total=%u\nfull avg10=%u.00 avg60=0.00 avg300=0.00 "
             "total=%u\n",
             avg10, some, avg10 / 2, full);
    if (f->cgroup.files[CGROUP_MEMORY_PRESSURE] < 0)
        strain_file(f, CGROUP_MEMORY_PRESSURE, "memory.pressure", text);
    else
        scratch_write(&f->scratch, "memory.pressure", text);
    fds.fd[PRESSURE_MEMORY_SOME] = fds.fd[PRESSURE_MEMORY_FULL] = f->cgroup.files[CGROUP_MEMORY_PRESSURE];
    return fds;
}

static void look(struct StrainFixture *f, unsigned avg10, unsigned some, unsigned full, usec_t now)
{
    struct PressureFds fds = write_memory(f, avg10, some, full);

    assert_int_equal(pressure_look(&fds, false, &f->strain, now, &f->readings), 0);
    assert_int_equal(f->readings.at_usec, now);
}

static void growth_over_time(void **state)
{
    struct StrainFixture *f = *state;

    look(f, 40, 1000, 500, USEC_PER_SEC);
    strain_assert(f, READING_MEMORY_PRESSURE_SOME, 4000);
    strain_assert(f, READING_MEMORY_PRESSURE_FULL, 2000);
    assert_true(f->readings.limit[READING_MEMORY_PRESSURE_SOME] == READING_UNLIMITED);
    assert_false(f->readings.valid[READING_CPU_PRESSURE_SOME]);
    look(f, 40, 501000, 125500, 2 * USEC_PER_SEC);
    strain_assert(f, READING_MEMORY_PRESSURE_SOME, 5000);
    strain_assert(f, READING_MEMORY_PRESSURE_FULL, 1250);
    look(f, 40, 501000, 125500, 4 * USEC_PER_SEC);
    strain_assert(f, READING_MEMORY_PRESSURE_SOME, 0);
    look(f, 40, 9501000, 125500, 5 * USEC_PER_SEC);
    strain_assert(f, READING_MEMORY_PRESSURE_SOME, 10000);
}

static void near_looks_change_nothing(void **state)
{
    struct StrainFixture *f = *state;

    look(f, 0, 0, 0, USEC_PER_SEC);
    look(f, 0, 500000, 0, 2 * USEC_PER_SEC);
    look(f, 0, 599000, 0, 2 * USEC_PER_SEC + 99 * USEC_PER_MSEC);
    strain_assert(f, READING_MEMORY_PRESSURE_SOME, 5000);
    look(f, 0, 600000, 0, 2 * USEC_PER_SEC + 100 * USEC_PER_MSEC);
    strain_assert(f, READING_MEMORY_PRESSURE_SOME, 10000);
}

/* After an hour of peace: what the kernel says of the last ten seconds, and what the trigger said. */
static void after_peace(void **state)
{
    struct StrainFixture *f = *state;

    look(f, 0, 0, 0, USEC_PER_SEC);
    look(f, 12, 900000, 0, USEC_PER_HOUR);
    strain_assert(f, READING_MEMORY_PRESSURE_SOME, 1200);
    f->strain.pressure[PRESSURE_MEMORY_SOME].proven = 2000;
    look(f, 12, 900000, 0, 2 * USEC_PER_HOUR);
    strain_assert(f, READING_MEMORY_PRESSURE_SOME, 2000);
    strain_assert(f, READING_MEMORY_PRESSURE_FULL, 600);
}

static void what_is_proven_counts_once(void **state)
{
    struct StrainFixture *f = *state;

    look(f, 0, 0, 0, USEC_PER_SEC);
    f->strain.pressure[PRESSURE_MEMORY_SOME].proven = 3000;
    look(f, 0, 100000, 0, 2 * USEC_PER_SEC);
    strain_assert(f, READING_MEMORY_PRESSURE_SOME, 3000);
    look(f, 0, 200000, 0, 3 * USEC_PER_SEC);
    strain_assert(f, READING_MEMORY_PRESSURE_SOME, 1000);
    f->strain.pressure[PRESSURE_MEMORY_SOME].proven = 500;
    look(f, 0, 300000, 0, 4 * USEC_PER_SEC);
    strain_assert(f, READING_MEMORY_PRESSURE_SOME, 1000);
    f->strain.pressure[PRESSURE_MEMORY_SOME].proven = 2500;
    look(f, 0, 300000, 0, 4 * USEC_PER_SEC + 1);
    strain_assert(f, READING_MEMORY_PRESSURE_SOME, 2500);
}

static void counter_that_went_back(void **state)
{
    struct StrainFixture *f = *state;

    look(f, 7, 500000, 0, USEC_PER_SEC);
    look(f, 7, 100, 0, 2 * USEC_PER_SEC);
    strain_assert(f, READING_MEMORY_PRESSURE_SOME, 700);
    look(f, 7, 100100, 0, 3 * USEC_PER_SEC);
    strain_assert(f, READING_MEMORY_PRESSURE_SOME, 1000);
}

static void file_that_is_lost(void **state)
{
    struct StrainFixture *f = *state;
    struct PressureFds fds = write_memory(f, 5, 10, 10);

    look(f, 5, 10, 10, USEC_PER_SEC);
    scratch_write(&f->scratch, "memory.pressure", "nothing of the kind\n");
    assert_int_equal(pressure_look(&fds, false, &f->strain, 2 * USEC_PER_SEC, &f->readings), 0);
    assert_false(f->readings.valid[READING_MEMORY_PRESSURE_SOME]);
    assert_false(f->strain.pressure[PRESSURE_MEMORY_SOME].valid);
    assert_int_equal(pressure_look(&no_fds, false, &f->strain, 3 * USEC_PER_SEC, &f->readings), 0);
    assert_false(f->readings.valid[READING_MEMORY_PRESSURE_FULL]);
}

/* A reading that nobody has made cannot be gone on with. */
static void reading_that_was_taken_away(void **state)
{
    struct StrainFixture *f = *state;

    look(f, 3, 0, 0, USEC_PER_SEC);
    f->readings.valid[READING_MEMORY_PRESSURE_SOME] = false;
    look(f, 3, 900000, 0, 2 * USEC_PER_SEC);
    strain_assert(f, READING_MEMORY_PRESSURE_SOME, 300);
}

/* Files that are not the same have a read each; of the host's the host's readings are made. */
static void pressure_of_the_host(void **state)
{
    struct StrainFixture *f = *state;
    struct PressureFds fds = write_memory(f, 5, 10, 10);

    strain_file(f, CGROUP_IO_PRESSURE, "io.pressure", "some avg10=4.00 avg60=0.00 avg300=0.00 total=1\n");
    fds.fd[PRESSURE_IO_SOME] = f->cgroup.files[CGROUP_IO_PRESSURE];
    fds.fd[PRESSURE_CPU_SOME] = PRESSURE_NOT_ASKED;
    f->readings.valid[READING_HOST_CPU_PRESSURE_SOME] = true;
    assert_int_equal(pressure_look(&fds, true, &f->strain, USEC_PER_SEC, &f->readings), 0);
    strain_assert(f, READING_HOST_MEMORY_PRESSURE_SOME, 500);
    strain_assert(f, READING_HOST_IO_PRESSURE_SOME, 400);
    assert_true(f->readings.valid[READING_HOST_CPU_PRESSURE_SOME]);
    assert_false(f->readings.valid[READING_MEMORY_PRESSURE_SOME]);
}

static void cgroup_that_is_gone(void **state)
{
    struct StrainFixture *f = *state;
    struct PressureFds fds = write_memory(f, 5, 10, 10);

    fail_call("pread64", 1, ENODEV);
    assert_int_equal(pressure_look(&fds, false, &f->strain, USEC_PER_SEC, &f->readings), -ENODEV);
    assert_true(call_failed());
}

static void trigger_on_no_file(void **state)
{
    struct StrainFixture *f = *state;
    int dir_fd = scratch_open(&f->scratch, ".");

    assert_int_equal(pressure_trigger(dir_fd, "cpu.pressure", false, 2000, PRESSURE_WINDOW_USEC, false),
                     -ENOENT);
    assert_int_equal(pressure_trigger(dir_fd, "cpu.pressure", false, 0, PRESSURE_WINDOW_USEC, false),
                     -EINVAL);
    assert_int_equal(pressure_trigger(dir_fd, "cpu.pressure", false, 10001, PRESSURE_WINDOW_USEC, false),
                     -EINVAL);
    assert_int_equal(pressure_trigger(dir_fd, "cpu.pressure", false, 2000, 10 * USEC_PER_SEC + 1, false),
                     -EINVAL);
    fail_call("capability_use", 1, -EPERM);
    assert_int_equal(pressure_trigger(dir_fd, "cpu.pressure", false, 2000, PRESSURE_WINDOW_USEC, true),
                     -EPERM);
    assert_true(call_failed());
    fd_close(dir_fd);
}

static void trigger_says_what_the_kernel_reads(void **state)
{
    struct StrainFixture *f = *state;
    int dir_fd = scratch_open(&f->scratch, ".");
    char text[128];
    int fd, file_fd;

    strain_file(f, CGROUP_IO_PRESSURE, "io.pressure", "");
    file_fd = f->cgroup.files[CGROUP_IO_PRESSURE];
    fd = pressure_trigger(dir_fd, "io.pressure", true, 1250, PRESSURE_WINDOW_USEC, false);
    assert_true(fd >= 0);
    assert_true(fd_read_file(file_fd, text, sizeof(text)) > 0);
    assert_string_equal(text, "full 250000 2000000");
    fd_close(fd);
    fd_close(dir_fd);
}

/* The kernel takes it or says why not; a capability that was raised for that moment is not kept. */
static void trigger_that_is_not_taken(void **state)
{
    int dir_fd = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    (void)state;
    assert_int_equal(pressure_trigger(dir_fd, "full", false, 2000, PRESSURE_WINDOW_USEC, false), -ENOSPC);
    fail_call("capability_use", 1, 1); /* as if it had not been in use before */
    assert_int_equal(pressure_trigger(dir_fd, "full", false, 2000, PRESSURE_WINDOW_USEC, true), -ENOSPC);
    assert_true(call_failed());
    assert_int_equal(capability_use(CAP_SYS_RESOURCE, false), 0);
    fd_close(dir_fd);
}

/* No PSI here, or not for us. */
static bool is_elsewhere(int fd)
{
    return fd == -ENOENT || fd == -EOPNOTSUPP || fd == -EROFS || fd == -EACCES || fd == -EPERM;
}

static int host_trigger(usec_t window_usec, bool fast)
{
    return pressure_trigger(AT_FDCWD, pressure_host_file(PRESSURE_CPU_SOME), false, 100, window_usec, fast);
}

/* It is the capability of the opener that counts: a short window is only for the privileged. */
static void trigger_without_thread(void **state)
{
    int fd = host_trigger(PRESSURE_WINDOW_USEC, false);

    (void)state;
    if (is_elsewhere(fd))
        skip();
    assert_true(fd >= 0);
    fd_close(fd);
    assert_int_equal(host_trigger(PRESSURE_FAST_WINDOW_USEC, false), -EINVAL);
}

static void trigger_with_thread(void **state)
{
    int fd;

    (void)state;
    if (capability_use(CAP_SYS_RESOURCE, false) < 0 || capability_use(CAP_SYS_RESOURCE, true) < 0)
        skip(); /* may not */
    capability_use(CAP_SYS_RESOURCE, false);
    fd = host_trigger(PRESSURE_FAST_WINDOW_USEC, true);
    assert_int_equal(capability_use(CAP_SYS_RESOURCE, false), 0);
    if (is_elsewhere(fd))
        skip();
    assert_true(fd >= 0);
    fd_close(fd);
    /* In use otherwise, and all the same not for the one that costs nothing. */
    assert_int_equal(capability_use(CAP_SYS_RESOURCE, true), 1);
    assert_int_equal(host_trigger(PRESSURE_FAST_WINDOW_USEC, false), -EINVAL);
    assert_int_equal(capability_use(CAP_SYS_RESOURCE, true), 0);
}

/* Two processes on each CPU that we may run on. */
static void stall(pid_t *children, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        children[i] = fork();
        if (children[i] == 0)
            for (;;)
                ;
    }
}

static void trigger_announces(void **state)
{
    pid_t children[64];
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = (size_t)(cpus > 32 ? 32 : cpus) * 2;
    struct pollfd poll_fd = {.events = POLLPRI};
    int r;

    (void)state;
    poll_fd.fd = host_trigger(PRESSURE_WINDOW_USEC, false);
    if (poll_fd.fd < 0 || cpus > 32) {
        fd_close(poll_fd.fd);
        skip();
    }
    stall(children, n);
    r = poll(&poll_fd, 1, 30000);
    for (size_t i = 0; i < n; i++) {
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
    fd_close(poll_fd.fd);
    assert_int_equal(r, 1);
    assert_true(poll_fd.revents & POLLPRI);
    assert_false(poll_fd.revents & POLLERR);
}

/* Without the capability in reserve there is no fast trigger. */
static void fast_needs_permission(void **state)
{
    pid_t child = fork();
    int status = 0;

    (void)state;
    if (child == 0) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

        if (syscall(SYS_capset, &header, none) < 0)
            _exit(2);
        _exit(host_trigger(PRESSURE_FAST_WINDOW_USEC, true) == -EPERM ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_what_the_kernel_writes),
        cmocka_unit_test(refuses_what_is_none),
        STRAIN_TEST(growth_over_time),
        STRAIN_TEST(near_looks_change_nothing),
        STRAIN_TEST(after_peace),
        STRAIN_TEST(what_is_proven_counts_once),
        STRAIN_TEST(counter_that_went_back),
        STRAIN_TEST(file_that_is_lost),
        cmocka_unit_test(without_the_last_newline),
        cmocka_unit_test(files_and_lines),
        STRAIN_TEST(reading_that_was_taken_away),
        STRAIN_TEST(pressure_of_the_host),
        STRAIN_TEST(cgroup_that_is_gone),
        STRAIN_TEST(trigger_on_no_file),
        STRAIN_TEST(trigger_says_what_the_kernel_reads),
        cmocka_unit_test(trigger_that_is_not_taken),
        cmocka_unit_test(trigger_without_thread),
        cmocka_unit_test(trigger_with_thread),
        cmocka_unit_test(trigger_announces),
        cmocka_unit_test(fast_needs_permission),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
