/* What a peer may do to the service, what it may cost, and who may what. */
#include "tests/unit/serve/world.h"

/* What a peer may cost */

static bool is_hung_up_on(struct World *world, int fd)
{
    char buf[4096];

    turn(world);
    for (;;) {
        ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

        if (n > 0)
            continue;
        return n == 0 || errno != EAGAIN;
    }
}

static void test_garbage(void **state)
{
    static const struct {
        const char *text;
        size_t size;
    } garbage[] = {
        {"garbage\0", 8}, {"{}\0", 3}, {"[]\0", 3}, {"{\"method\":7}\0", 13}, {"\0\0\0\0", 4}, {"\xff\0", 2},
    };
    struct World *world = *state;

    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        _cleanup_fd_ int fd = raw_connect(world);

        raw_send(fd, garbage[i].text, garbage[i].size);
        assert_true(is_hung_up_on(world, fd));
    }
    assert_null(world->service.peers);
}

static void test_a_huge_call(void **state)
{
    struct World *world = *state;
    _cleanup_fd_ int fd = raw_connect(world);
    char block[4096];
    size_t sent = 0;

    memset(block, ' ', sizeof(block));
    while (sent < 4 * PEER_CALL_BYTES_MAX) {
        if (send(fd, block, sizeof(block), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            break;
        sent += sizeof(block);
        turn(world);
    }
    assert_true(is_hung_up_on(world, fd));
    assert_true(sent <= 2 * PEER_CALL_BYTES_MAX);
}

/* Bounds one call, not a connection. */
static void test_many_calls(void **state)
{
    struct World *world = *state;
    struct Client client;
    char *large = malloc(32 * 1024);

    memset(large, 'x', 32 * 1024 - 1);
    large[32 * 1024 - 1] = '\0';
    client_open(world, &client);
    for (int i = 0; i < 20; i++) {
        call(world, &client, "ShowTenant", large);
        assert_string_equal(client.error, WIRE_ERROR_NO_SUCH_TENANT);
    }
    client_close(&client);
    free(large);
}

static void test_connections_of_one_user_are_bounded(void **state)
{
    struct World *world = *state;
    int fds[PEERS_PER_USER_MAX + 4];
    size_t n = sizeof(fds) / sizeof(fds[0]);

    for (size_t i = 0; i < n; i++)
        fds[i] = raw_connect(world);
    turn(world);
    assert_int_equal(n_peers(world), PEERS_PER_USER_MAX);
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
    turn(world);
    assert_int_equal(n_peers(world), 0);
}

static void test_a_peer_hangs_up_while_it_waits(void **state)
{
    struct World *world = *state;
    struct Client a, b;

    client_open(world, &a);
    client_open(world, &b);
    send_call(world, &a, "Freeze", "podman/db");
    assert_non_null(world->service.peers);
    client_close(&a);
    turn(world);
    settle(world, RESULT_DONE, 0);
    turn(world);
    assert_int_equal(b.replies, 0);
    call(world, &b, "GetStatus", NULL);
    client_close(&b);
    turn(world);
    assert_null(world->service.peers);
}

static void test_a_watcher_that_does_not_read_is_hung_up_on(void **state)
{
    static const char request[] = "{\"method\":\"io.guardd.Guard.Watch\",\"more\":true}";
    struct World *world = *state;
    _cleanup_fd_ int deaf = raw_connect(world);
    struct Client client;

    client_open(world, &client);
    watch(world, &client);
    raw_send(deaf, request, sizeof(request));
    turn(world);
    assert_int_equal(n_peers(world), 2);
    for (unsigned i = 0; i < 20000 && n_peers(world) == 2; i++) {
        add_notice(world);
        turn(world);
        for (const struct ServicePeer *peer = world->service.peers; peer; peer = peer->next)
            assert_true(peer->queued <= PEER_BEHIND_MAX);
    }
    assert_int_equal(n_peers(world), 1);
    assert_int_equal(client.replies, world->history.last_sequence + 1); /* the other one missed nothing */
    client_close(&client);
}

/* Who may */

static void test_who_may(void **state)
{
    static const struct {
        gid_t group;
        const char *look, *change;
    } cases[] = {
        {OPERATORS, "", ""},
        {VIEWERS, "", WIRE_ERROR_DENIED},
        {8, WIRE_ERROR_DENIED, WIRE_ERROR_DENIED},
    };
    static const char *const looks[] = {"GetStatus", "ListTenants"};
    static const char *const changes[] = {"Freeze",       "Thaw",       "Kill",  "Release",
                                          "EndExemption", "ReleaseAll", "Reload"};
    struct World *world = *state;

    if (getuid() != 0)
        skip();
    world->answer = SERVICE_DONE;
    world->settle_at_once = true;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct Client client;

        client_open_as(world, &client, 60000, cases[i].group);
        for (size_t k = 0; k < sizeof(looks) / sizeof(looks[0]); k++) {
            call(world, &client, looks[k], NULL);
            assert_string_equal(client.error, cases[i].look);
        }
        for (size_t k = 0; k < sizeof(changes) / sizeof(changes[0]); k++) {
            call(world, &client, changes[k], k < 5 ? "podman/db" : NULL);
            assert_string_equal(client.error, cases[i].change);
            if (cases[i].change[0] != '\0')
                assert_non_null(strstr(message(&client), "'ops'"));
        }
        watch(world, &client);
        assert_string_equal(client.error, cases[i].look);
        client_close(&client);
    }
}

static void test_strangers_do_not_lock_anyone_out(void **state)
{
    struct World *world = *state;
    int fds[4 * PEERS_PER_USER_MAX];
    size_t n = sizeof(fds) / sizeof(fds[0]);
    struct Client client;

    if (getuid() != 0)
        skip();
    for (size_t i = 0; i < n; i++) {
        become((uid_t)(60000 + i / PEERS_PER_USER_MAX), 60000, NULL, 0);
        fds[i] = raw_connect(world);
        become_root();
        turn(world);
    }
    assert_int_equal(n_peers(world), PEERS_STRANGERS_MAX);
    client_open_as(world, &client, 60010, OPERATORS);
    call(world, &client, "GetStatus", NULL);
    assert_string_equal(client.error, "");
    client_close(&client);
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
}

/* One who knocks and knocks is in front of an operator, and costs it next to nothing. */
static void test_who_knocks_often_does_not_keep_others_waiting(void **state)
{
    struct World *world = *state;
    struct Client client;
    int fds[400];
    size_t n = sizeof(fds) / sizeof(fds[0]);
    int turns = 0;

    if (getuid() != 0)
        skip();
    become(60000, 60000, NULL, 0);
    for (size_t i = 0; i < n; i++)
        fds[i] = raw_connect(world);
    become_root();
    client_open(world, &client);
    assert_true(sd_varlink_invoke(client.link, WIRE_INTERFACE ".GetStatus", NULL) >= 0);
    for (; client.replies == 0 && sd_event_run(world->event, 0) > 0; turns++)
        continue;
    assert_int_equal(client.replies, 1);
    assert_in_range(turns, 1, n / 2);
    client_close(&client);
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_garbage),
        TEST(test_a_huge_call),
        TEST(test_many_calls),
        TEST(test_connections_of_one_user_are_bounded),
        TEST(test_a_peer_hangs_up_while_it_waits),
        TEST(test_a_watcher_that_does_not_read_is_hung_up_on),
        TEST(test_who_may),
        TEST(test_strangers_do_not_lock_anyone_out),
        TEST(test_who_knocks_often_does_not_keep_others_waiting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
