/* A cgroup of plain files, for the sensors that read them by descriptor; what they all test with. */
#pragma once

#include "../scratch.h"

#include "base/fd.h"
#include "model/cgroup.h"
#include "model/reading.h"
#include "model/strain.h"

struct StrainFixture {
    struct Scratch scratch;
    struct Cgroup cgroup;
    struct Strain strain;
    struct Readings readings;
};

static inline int strain_open(const struct StrainFixture *f, const char *name)
{
    char path[PATH_MAX];

    return open(scratch_path(&f->scratch, name, path), O_RDONLY | O_CLOEXEC);
}

static inline void strain_file(struct StrainFixture *f, enum CgroupFile file, const char *name,
                               const char *text)
{
    scratch_write(&f->scratch, name, text);
    f->cgroup.files[file] = strain_open(f, name);
    assert_true(f->cgroup.files[file] >= 0);
}

static inline int strain_setup(void **state)
{
    struct StrainFixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->scratch = scratch_new("/tmp");
    f->cgroup = CGROUP_NULL;
    *state = f;
    return 0;
}

static inline int strain_teardown(void **state)
{
    struct StrainFixture *f = *state;

    for (int i = 0; i < CGROUP_FILE_COUNT; i++)
        fd_close(f->cgroup.files[i]);
    scratch_done(&f->scratch);
    free(f);
    return 0;
}

static inline void strain_assert(const struct StrainFixture *f, enum ReadingId id, int64_t value)
{
    assert_true(f->readings.valid[id]);
    assert_int_equal(f->readings.value[id], value);
}

#define STRAIN_TEST(name) cmocka_unit_test_setup_teardown(name, strain_setup, strain_teardown)
