/* The service manager over the bus: a bus of our own stands in for both, in the same event loop. It greets
 * as a bus daemon does, and answers, refuses or keeps silent as the test wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "act/unit.h"

#define ANSWERS_MAX 1024

enum Behaviour {
    ANSWERS,
    REFUSES, /* NoSuchUnit */
    SILENT,
    DOES_NOT_GREET,
};

struct Answer {
    uint64_t tenant_id;
    int error;
    char message[128];
};

struct Ground {
    sd_event *event;
    char directory[64], address[128];
    int listen_fd;
    sd_event_source *listen_source;
    enum Behaviour behaviour;
    sd_bus *peer; /* the accepted one */
    unsigned opened;
    size_t asked, under_way_most;
    char unit[64], property[32], told[256];
    char rates[512];
    bool runtime;
    uint64_t value;

    struct UnitManager manager;
    size_t n_answers;
    struct Answer answers[ANSWERS_MAX];
    bool ask_again;
    enum LimitId limit; /* that is asked for: TasksMax unless said */
};

/* "IOReadBandwidthMax /dev/sda 5;..." */
static void asked_to_set_disks(struct Ground *ground, sd_bus_message *message)
{
    const char *unit, *property, *node;
    uint64_t value;
    int runtime;

    assert_true(sd_bus_message_read(message, "sb", &unit, &runtime) > 0);
    assert_true(runtime);
    snprintf(ground->unit, sizeof(ground->unit), "%s", unit);
    ground->rates[0] = '\0';
    assert_true(sd_bus_message_enter_container(message, 'a', "(sv)") > 0);
    while (sd_bus_message_enter_container(message, 'r', "sv") > 0) {
        assert_true(sd_bus_message_read(message, "s", &property) > 0);
        assert_true(sd_bus_message_enter_container(message, 'v', "a(st)") > 0);
        assert_true(sd_bus_message_enter_container(message, 'a', "(st)") > 0);
        while (sd_bus_message_read(message, "(st)", &node, &value) > 0) {
            size_t length = strlen(ground->rates);

            snprintf(ground->rates + length, sizeof(ground->rates) - length, "%s %s %lld;", property, node,
                     (long long)value);
        }
        for (int i = 0; i < 3; i++)
            assert_true(sd_bus_message_exit_container(message) >= 0);
    }
}

static int asked_to_set(struct Ground *ground, sd_bus_message *message)
{
    const char *unit, *property;
    int runtime;

    if (limit_is_rate(ground->limit)) {
        asked_to_set_disks(ground, message);
        return sd_bus_reply_method_return(message, "");
    }
    assert_true(sd_bus_message_read(message, "sba(sv)", &unit, &runtime, 1, &property, "t", &ground->value) >
                0);
    ground->asked++;
    ground->runtime = runtime;
    snprintf(ground->unit, sizeof(ground->unit), "%s", unit);
    snprintf(ground->property, sizeof(ground->property), "%s", property);
    if (ground->manager.n_asked > ground->under_way_most)
        ground->under_way_most = ground->manager.n_asked;
    if (ground->behaviour == REFUSES)
        return sd_bus_reply_method_errorf(message, "org.freedesktop.systemd1.NoSuchUnit",
                                          "Unit %s not loaded.", unit);
    return ground->behaviour == ANSWERS ? sd_bus_reply_method_return(message, "") : 1;
}

static int told_of_freezer(struct Ground *ground, sd_bus_message *message)
{
    size_t length = strlen(ground->told);
    const char *unit;

    assert_true(sd_bus_message_read(message, "s", &unit) > 0);
    snprintf(ground->told + length, sizeof(ground->told) - length, "%s %s;",
             sd_bus_message_get_member(message), unit);
    return ground->behaviour == ANSWERS ? sd_bus_reply_method_return(message, "") : 1;
}

static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    struct Ground *ground = userdata;

    if (sd_bus_message_is_method_call(message, "org.freedesktop.DBus", "Hello"))
        return ground->behaviour == DOES_NOT_GREET ? 1 : sd_bus_reply_method_return(message, "s", ":1.42");
    if (sd_bus_message_is_method_call(message, "org.freedesktop.systemd1.Manager", "SetUnitProperties"))
        return asked_to_set(ground, message);
    if (sd_bus_message_is_method_call(message, "org.freedesktop.systemd1.Manager", NULL))
        return told_of_freezer(ground, message);
    return 0;
}

static int on_connection(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct Ground *ground = userdata;
    int peer_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    sd_id128_t id;

    assert_true(peer_fd >= 0);
    ground->opened++;
    sd_bus_unref(ground->peer);
    assert_int_equal(sd_id128_randomize(&id), 0);
    assert_true(sd_bus_new(&ground->peer) >= 0);
    assert_true(sd_bus_set_fd(ground->peer, peer_fd, peer_fd) >= 0);
    assert_true(sd_bus_set_server(ground->peer, true, id) >= 0);
    assert_true(sd_bus_start(ground->peer) >= 0);
    assert_true(sd_bus_attach_event(ground->peer, ground->event, 0) >= 0);
    assert_true(sd_bus_add_filter(ground->peer, NULL, on_message, ground) >= 0);
    return 0;
}

static void on_answer(void *userdata, uint64_t tenant_id, enum LimitId limit, int error, const char *message)
{
    struct Ground *ground = userdata;
    struct Answer *answer = &ground->answers[ground->n_answers++];

    assert_true(ground->n_answers < ANSWERS_MAX);
    assert_int_equal(limit, ground->limit);
    answer->tenant_id = tenant_id;
    answer->error = error;
    snprintf(answer->message, sizeof(answer->message), "%s", message ? message : "(none)");
    if (ground->ask_again)
        (void)unit_set_limit(&ground->manager, "again.service", LIMIT_TASKS_MAX, 1, 77);
}

static void open_bus(struct Ground *ground)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof(address.sun_path), "%s/bus", ground->directory);
    ground->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(ground->listen_fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(ground->listen_fd, 8), 0);
    assert_true(sd_event_add_io(ground->event, &ground->listen_source, ground->listen_fd, 1, on_connection,
                                ground) >= 0);
}

static void close_bus(struct Ground *ground)
{
    char path[128];

    if (ground->peer) {
        sd_bus_close(ground->peer);
        ground->peer = sd_bus_unref(ground->peer);
    }
    ground->listen_source = sd_event_source_unref(ground->listen_source);
    close(ground->listen_fd);
    ground->listen_fd = -EBADF;
    snprintf(path, sizeof(path), "%s/bus", ground->directory);
    unlink(path);
}

static int set_up(void **state)
{
    struct Ground *ground = calloc(1, sizeof(*ground));

    assert_non_null(ground);
    strcpy(ground->directory, "/tmp/guardd-bus-XXXXXX");
    assert_non_null(mkdtemp(ground->directory));
    snprintf(ground->address, sizeof(ground->address), "unix:path=%s/bus", ground->directory);
    assert_int_equal(setenv("DBUS_SYSTEM_BUS_ADDRESS", ground->address, 1), 0);
    assert_true(sd_event_new(&ground->event) >= 0);
    open_bus(ground);
    unit_manager_init(&ground->manager, ground->event, on_answer, ground);
    *state = ground;
    return 0;
}

static int tear_down(void **state)
{
    struct Ground *ground = *state;

    unit_manager_done(&ground->manager);
    close_bus(ground);
    rmdir(ground->directory);
    sd_event_unref(ground->event);
    free(ground);
    return 0;
}

/* Runs the loop until there are `n` answers, for at most `seconds`. */
static void run_until(struct Ground *ground, size_t n, unsigned seconds)
{
    struct timespec begin, now;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        sd_event_run(ground->event, 10 * USEC_PER_MSEC);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (ground->n_answers < n && now.tv_sec - begin.tv_sec < seconds);
}

/* Lets what is on its way arrive. */
static void run_out(struct Ground *ground)
{
    for (int i = 0; i < 50; i++)
        sd_event_run(ground->event, USEC_PER_MSEC);
}

static void ask(struct Ground *ground, uint64_t tenant_id)
{
    assert_int_equal(unit_set_limit(&ground->manager, "docker-1.scope", LIMIT_TASKS_MAX, 2048, tenant_id), 0);
}

static void a_limit_is_set(void **state)
{
    struct Ground *ground = *state;

    ask(ground, 5);
    assert_int_equal(ground->n_answers, 0); /* never from within the call */
    run_until(ground, 1, 5);
    run_out(ground);
    assert_int_equal(ground->n_answers, 1);
    assert_int_equal(ground->answers[0].tenant_id, 5);
    assert_int_equal(ground->answers[0].error, 0);
    assert_string_equal(ground->unit, "docker-1.scope");
    assert_string_equal(ground->property, "TasksMax");
    assert_int_equal(ground->value, 2048);
    assert_true(ground->runtime);
    assert_int_equal(ground->opened, 1);
}

/* Each by systemd's name, in systemd's unit. */
static void each_limit_has_its_property(void **state)
{
    static const struct {
        enum LimitId limit;
        uint64_t value;
        const char *property;
        uint64_t told;
    } table[] = {
        {LIMIT_TASKS_MAX, LIMIT_INFINITY, "TasksMax", UINT64_MAX},
        {LIMIT_MEMORY_HIGH, 1 << 30, "MemoryHigh", 1 << 30},
        {LIMIT_MEMORY_MAX, LIMIT_INFINITY, "MemoryMax", UINT64_MAX},
        {LIMIT_MEMORY_SWAP_MAX, 0, "MemorySwapMax", 0},
        {LIMIT_CPU_QUOTA, 15050, "CPUQuotaPerSecUSec", 1505000},
        {LIMIT_CPU_QUOTA, LIMIT_INFINITY, "CPUQuotaPerSecUSec", UINT64_MAX},
        {LIMIT_CPU_WEIGHT, 20, "CPUWeight", 20},
        {LIMIT_CPU_WEIGHT, 100, "CPUWeight", UINT64_MAX}, /* not set */
        {LIMIT_IO_WEIGHT, 10000, "IOWeight", 10000},
        {LIMIT_IO_WEIGHT, 100, "IOWeight", UINT64_MAX},
    };
    struct Ground *ground = *state;

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        ground->limit = table[i].limit;
        assert_int_equal(unit_set_limit(&ground->manager, "a.service", table[i].limit, table[i].value, 5), 0);
        run_until(ground, i + 1, 5);
        assert_int_equal(ground->answers[i].error, 0);
        assert_string_equal(ground->property, table[i].property);
        assert_true(ground->value == table[i].told);
    }
}

/* A device with its number, for each disk; and what else is set there, since PID 1 writes whole lines. No
 * host has these devices: they are named by number. */
static void limits_of_disks_are_told_whole(void **state)
{
    const uint64_t none = LIMIT_INFINITY;
    const struct UnitDisk disks[] = {{4095, 1, {5000, none, none, 70}}, {4095, 2, {none, none, none, none}}};
    struct Ground *ground = *state;

    ground->limit = LIMIT_IO_READ_BANDWIDTH_MAX;
    assert_int_equal(unit_set_rates(&ground->manager, "a.service", ground->limit, disks, 2, 5), 0);
    run_until(ground, 1, 5);
    assert_int_equal(ground->answers[0].error, 0);
    assert_string_equal(ground->unit, "a.service");
    assert_string_equal(ground->rates,
                        "IOReadBandwidthMax /dev/block/4095:1 5000;IOReadBandwidthMax /dev/block/4095:2 -1;"
                        "IOWriteIOPSMax /dev/block/4095:1 70;");
    assert_int_equal(unit_set_rates(&ground->manager, "a.service", ground->limit, disks, 0, 5), -EINVAL);
}

static void a_refusal_comes_with_its_sentence(void **state)
{
    struct Ground *ground = *state;

    ground->behaviour = REFUSES;
    ask(ground, 5);
    run_until(ground, 1, 5);
    assert_int_equal(ground->n_answers, 1);
    assert_int_equal(ground->answers[0].error, -ENOENT);
    assert_string_equal(ground->answers[0].message, "Unit docker-1.scope not loaded.");
}

static void many_are_asked_a_few_at_a_time(void **state)
{
    struct Ground *ground = *state;

    for (uint64_t id = 0; id < 500; id++)
        ask(ground, id);
    run_until(ground, 500, 20);
    run_out(ground);
    assert_int_equal(ground->n_answers, 500);
    assert_int_equal(ground->asked, 500);
    for (uint64_t id = 0; id < 500; id++) {
        assert_int_equal(ground->answers[id].tenant_id, id);
        assert_int_equal(ground->answers[id].error, 0);
    }
    assert_in_range(ground->under_way_most, 1, 100);
    assert_int_equal(ground->opened, 1);
}

static void an_answer_may_ask_again(void **state)
{
    struct Ground *ground = *state;

    ground->ask_again = true;
    ask(ground, 5);
    run_until(ground, 1, 5);
    ground->ask_again = false;
    run_until(ground, 2, 5);
    run_out(ground);
    assert_int_equal(ground->n_answers, 2);
    assert_int_equal(ground->answers[1].tenant_id, 77);
    assert_string_equal(ground->unit, "again.service");
}

static void assert_all_lost(const struct Ground *ground, size_t n)
{
    assert_int_equal(ground->n_answers, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(ground->answers[i].tenant_id, i);
        assert_int_equal(ground->answers[i].error, -ECONNRESET);
    }
}

static void a_lost_bus_answers_each_once_and_is_opened_again(void **state)
{
    struct Ground *ground = *state;

    ground->behaviour = SILENT;
    for (uint64_t id = 0; id < 100; id++) /* some under way, some waiting */
        ask(ground, id);
    run_out(ground);
    assert_int_equal(ground->n_answers, 0);
    assert_in_range(ground->asked, 1, 99);
    ground->ask_again = true; /* refused: it is too early to open it again */
    close_bus(ground);
    run_until(ground, 100, 5);
    run_out(ground);
    assert_all_lost(ground, 100);

    ground->ask_again = false;
    ground->behaviour = ANSWERS;
    open_bus(ground);
    sleep(1);
    sd_event_run(ground->event, USEC_PER_MSEC); /* the loop's now goes on */
    ask(ground, 100);
    run_until(ground, 101, 5);
    assert_int_equal(ground->n_answers, 101);
    assert_int_equal(ground->answers[100].error, 0);
    assert_int_equal(ground->opened, 2);
}

static void a_bus_that_is_not_there_is_not_tried_at_every_call(void **state)
{
    struct Ground *ground = *state;
    int r;

    close_bus(ground);
    r = unit_set_limit(&ground->manager, "a.service", LIMIT_TASKS_MAX, 1, 1);
    assert_int_equal(r, -ENOENT);
    r = unit_set_limit(&ground->manager, "a.service", LIMIT_TASKS_MAX, 1, 1);
    assert_int_equal(r, -ENOTCONN);
    unit_tell_freezer(&ground->manager, "a.service", true);
    open_bus(ground);
    assert_int_equal(unit_set_limit(&ground->manager, "a.service", LIMIT_TASKS_MAX, 1, 1), -ENOTCONN);
    sleep(1);
    sd_event_run(ground->event, USEC_PER_MSEC);
    ask(ground, 2);
    run_until(ground, 1, 5);
    assert_int_equal(ground->n_answers, 1);
    assert_int_equal(ground->answers[0].error, 0);
}

static void silence_is_an_answer_after_5_seconds(void **state)
{
    struct Ground *ground = *state;

    ground->behaviour = SILENT;
    ask(ground, 5);
    run_until(ground, 1, 4);
    assert_int_equal(ground->n_answers, 0);
    run_until(ground, 1, 4);
    assert_int_equal(ground->n_answers, 1);
    assert_int_equal(ground->answers[0].error, -ETIMEDOUT);
    ground->behaviour = ANSWERS; /* the bus itself is still good */
    ask(ground, 6);
    run_until(ground, 2, 5);
    assert_int_equal(ground->answers[1].error, 0);
    assert_int_equal(ground->opened, 1);
}

static void a_bus_that_does_not_greet_is_given_up(void **state)
{
    struct Ground *ground = *state;

    ground->behaviour = DOES_NOT_GREET;
    ask(ground, 0);
    run_until(ground, 1, 8);
    run_out(ground);
    assert_all_lost(ground, 1);
    assert_null(ground->manager.bus);
}

static void the_freezer_is_told_in_order(void **state)
{
    struct Ground *ground = *state;

    unit_tell_freezer(&ground->manager, "docker-1.scope", true);
    unit_tell_freezer(&ground->manager, "docker-1.scope", false);
    run_out(ground);
    assert_string_equal(ground->told, "FreezeUnit docker-1.scope;ThawUnit docker-1.scope;");
    assert_int_equal(ground->n_answers, 0);
    assert_int_equal(ground->manager.n_told, 0);
}

static void done_leaves_nothing_behind(void **state)
{
    struct Ground *ground = *state;

    ground->behaviour = SILENT;
    for (uint64_t id = 0; id < 100; id++)
        ask(ground, id);
    run_out(ground);
    unit_manager_done(&ground->manager);
    run_out(ground);
    assert_int_equal(ground->n_answers, 0);
    unit_manager_done(&ground->manager); /* twice does no harm */
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_limit_is_set),
        TEST(each_limit_has_its_property),
        TEST(limits_of_disks_are_told_whole),
        TEST(a_refusal_comes_with_its_sentence),
        TEST(many_are_asked_a_few_at_a_time),
        TEST(an_answer_may_ask_again),
        TEST(a_lost_bus_answers_each_once_and_is_opened_again),
        TEST(a_bus_that_is_not_there_is_not_tried_at_every_call),
        TEST(silence_is_an_answer_after_5_seconds),
        TEST(a_bus_that_does_not_greet_is_given_up),
        TEST(the_freezer_is_told_in_order),
        TEST(done_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
