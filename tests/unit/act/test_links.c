/* When names of a file count, as tables of sightings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "act/links.h"

#define FILE_INODE 7

struct Ground {
    struct Links links;
};

static struct timespec second(time_t sec)
{
    return (struct timespec){.tv_sec = sec, .tv_nsec = 1};
}

/* The file with so many links, met as `name` in `directory`, which was changed at `changed`; now it is 100.
 */
static enum LinksAnswer saw(struct Links *links, const char *name, ino_t directory, time_t changed,
                            nlink_t n_links)
{
    const struct LinkSighting sighting = {
        .now = second(100),
        .file = {.st_ino = FILE_INODE, .st_nlink = n_links},
        .directory = {.st_ino = directory, .st_ctim = second(changed)},
        .name = name,
    };

    return links_saw(links, &sighting);
}

static int set_up(void **state)
{
    static struct Ground ground;

    links_open(&ground.links);
    links_begin_pass(&ground.links);
    *state = &ground;
    return 0;
}

static int tear_down(void **state)
{
    struct Ground *ground = *state;

    links_done(&ground->links);
    return 0;
}

static void assert_count(const struct Links *links, uint64_t left, uint64_t unproven)
{
    uint64_t is_left, is_unproven;

    links_count(links, &is_left, &is_unproven);
    assert_int_equal(is_left, left);
    assert_int_equal(is_unproven, unproven);
}

static void two_passes_prove_it(void **state)
{
    struct Links *links = &((struct Ground *)*state)->links;

    assert_int_equal(saw(links, "a", 1, 10, 2), LINKS_MISSING);
    assert_count(links, 1, 0);
    assert_int_equal(saw(links, "b", 2, 20, 2), LINKS_MISSING);
    assert_count(links, 1, 1);
    links_begin_pass(links);
    assert_count(links, 0, 0);
    assert_int_equal(saw(links, "b", 2, 20, 2), LINKS_MISSING);
    assert_int_equal(saw(links, "a", 1, 10, 2), LINKS_INSIDE);
    assert_count(links, 0, 0);
}

static void a_name_counts_once_in_a_pass(void **state)
{
    struct Links *links = &((struct Ground *)*state)->links;

    for (unsigned pass = 0; pass < 5; pass++) {
        assert_int_equal(saw(links, "a", 1, 10, 2), LINKS_MISSING);
        assert_int_equal(saw(links, "a", 1, 10, 2), LINKS_MISSING);
        assert_count(links, 1, 0);
        links_begin_pass(links);
    }
}

static void a_directory_that_changed_proves_nothing(void **state)
{
    struct Links *links = &((struct Ground *)*state)->links;

    for (unsigned pass = 0; pass < 5; pass++) {
        assert_int_equal(saw(links, "a", 1, 10, 2), LINKS_MISSING);
        assert_int_equal(saw(links, "b", 2, 20 + (time_t)pass, 2), LINKS_MISSING);
        assert_count(links, 1, 1);
        links_begin_pass(links);
    }
}

/* Changed in the tick in which it was looked at: it may change again, and the stamp stays. */
static void a_directory_that_is_changing_proves_nothing(void **state)
{
    struct Links *links = &((struct Ground *)*state)->links;

    for (unsigned pass = 0; pass < 5; pass++) {
        assert_int_equal(saw(links, "a", 1, 10, 2), LINKS_MISSING);
        assert_int_equal(saw(links, "b", 2, 100, 2), LINKS_MISSING);
        links_begin_pass(links);
    }
}

static void a_name_elsewhere_is_another(void **state)
{
    struct Links *links = &((struct Ground *)*state)->links;

    (void)saw(links, "a", 1, 10, 2);
    links_begin_pass(links);
    assert_int_equal(saw(links, "a", 1, 10, 2), LINKS_MISSING);
    assert_int_equal(saw(links, "a", 2, 10, 2), LINKS_MISSING); /* proven by nobody */
    assert_count(links, 1, 1);
}

/* A name that was there before is gone: what is proven is one name of two. */
static void a_link_count_that_falls_proves_nothing(void **state)
{
    struct Links *links = &((struct Ground *)*state)->links;

    (void)saw(links, "a", 1, 10, 3);
    (void)saw(links, "b", 2, 20, 3);
    links_begin_pass(links);
    assert_int_equal(saw(links, "a", 1, 10, 3), LINKS_MISSING);
    assert_int_equal(saw(links, "b", 2, 20, 2), LINKS_MISSING);
}

static void a_link_count_that_grows_proves_nothing(void **state)
{
    struct Links *links = &((struct Ground *)*state)->links;

    (void)saw(links, "a", 1, 10, 2);
    (void)saw(links, "b", 2, 20, 2);
    links_begin_pass(links);
    assert_int_equal(saw(links, "a", 1, 10, 2), LINKS_MISSING);
    assert_int_equal(saw(links, "b", 2, 20, 3), LINKS_MISSING);
}

static void what_cannot_be_remembered_is_passed_over(void **state)
{
    struct Links *links = &((struct Ground *)*state)->links;

    assert_int_equal(saw(links, "a", 1, 10, 2), LINKS_MISSING);
    links->n_names = LINKS_MAX;
    assert_int_equal(saw(links, "b", 2, 20, 2), LINKS_FULL);
    links_begin_pass(links);
    assert_int_equal(saw(links, "a", 1, 10, 2), LINKS_MISSING);
    assert_int_equal(saw(links, "b", 2, 20, 2), LINKS_FULL);
}

static void stamps_settle(void **state)
{
    static const struct {
        struct timespec changed, now;
        bool settled;
    } rows[] = {
        {{10, 500}, {10, 500}, false},
        {{10, 500}, {10, 501}, true},
        {{10, 500}, {10, 499}, false},
        {{10, 500}, {9, 900}, false},
        {{10, 500}, {11, 0}, true},
        /* a filesystem that keeps whole seconds */
        {{10, 0}, {10, 900}, false},
        {{10, 0}, {11, 0}, false},
        {{10, 0}, {11, 1}, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_int_equal(links_settled(&rows[i].changed, &rows[i].now), rows[i].settled);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_passes_prove_it),
        TEST(a_name_counts_once_in_a_pass),
        TEST(a_directory_that_changed_proves_nothing),
        TEST(a_directory_that_is_changing_proves_nothing),
        TEST(a_name_elsewhere_is_another),
        TEST(a_link_count_that_falls_proves_nothing),
        TEST(a_link_count_that_grows_proves_nothing),
        TEST(what_cannot_be_remembered_is_passed_over),
        cmocka_unit_test(stamps_settle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
