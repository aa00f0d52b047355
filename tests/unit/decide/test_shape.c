/* What TBF and fq_codel are told of a rate. */
#include "fixture.h"

#include <inttypes.h>

#include "decide/shape.h"

#define FINE 1000000000 /* high resolution timers */
#define KBIT UINT64_C(1000)
#define MBIT UINT64_C(1000000)
#define GBIT UINT64_C(1000000000)
#define KIB 1024u
#define MIB (1024u * 1024)

static void assert_shape(size_t row, const struct Shape *found, const struct Shape *wanted)
{
    if (found->rate_bytes != wanted->rate_bytes || found->burst_bytes != wanted->burst_bytes ||
        found->limit_bytes != wanted->limit_bytes || found->packet_bytes != wanted->packet_bytes ||
        found->target_usec != wanted->target_usec || found->interval_usec != wanted->interval_usec ||
        found->memory_bytes != wanted->memory_bytes)
        fail_msg("row %zu: %" PRIu64 " B/s, burst %u, limit %u, target %u, interval %u, memory %u", row,
                 found->rate_bytes, found->burst_bytes, found->limit_bytes, found->target_usec,
                 found->interval_usec, found->memory_bytes);
}

static void test_shapes(void **state)
{
    static const struct {
        struct ShapeWish wish;
        struct Shape shape; /* rate, burst, packet, limit, target, interval, memory */
    } table[] = {
        /* A frame and 5 ms; the target is 4 frames where that is longer than 5 ms. */
        {{1 * MBIT, 0, 1500, FINE}, {126166, 2145, 1514, 17285, 48000, 143000, 256 * KIB}},
        {{10 * MBIT, 0, 1500, FINE}, {1261666, 7823, 1514, 70907, 5000, 100000, 504667}},
        {{100 * MBIT, 0, 1500, FINE}, {12616666, 64598, 1514, 695432, 5000, 100000, 5046667}},
        {{GBIT, 0, 1500, FINE}, {126166666, 632348, 0, 6940682, 5000, 100000, 32 * MIB}},
        {{SHAPE_RATE_MAX, 0, 1500, FINE},
         {UINT64_C(126166666666), 630834848, 0, 2147483647, 5000, 100000, 32 * MIB}},
        {{12 * KBIT, 0, 1500, FINE}, {1514, 1522, 1514, 16662, 4000000, 4095000, 256 * KIB}},
        /* Other MTUs; one that is not known, or none. */
        {{10 * MBIT, 0, 9000, FINE}, {1251944, 15274, 9014, 105414, 28800, 123800, 500778}},
        {{10 * MBIT, 0, 0, FINE}, {1261666, 7823, 1514, 70907, 5000, 100000, 504667}},
        {{10 * MBIT, 0, 67, FINE}, {1261666, 7823, 1514, 70907, 5000, 100000, 504667}},
        {{10 * MBIT, 0, UINT32_MAX, FINE}, {1250267, 71802, 65550, 727302, 209715, 304715, 500107}},
        /* Two ticks where the timer has no more: 100 Hz, 250 Hz, 1000 Hz (2 ms are in the 5), not known. */
        {{10 * MBIT, 0, 1500, 100}, {1261666, 26748, 1514, 89832, 5000, 100000, 504667}},
        {{10 * MBIT, 0, 1500, 250}, {1261666, 11608, 1514, 74692, 5000, 100000, 504667}},
        {{10 * MBIT, 0, 1500, 1000}, {1261666, 7823, 1514, 70907, 5000, 100000, 504667}},
        {{10 * MBIT, 0, 1500, 0}, {1261666, 26748, 1514, 89832, 5000, 100000, 504667}},
        /* A burst that is wanted: as it is, raised to a frame, to two ticks, cut at 10 s and at what can be
           said. */
        {{10 * MBIT, 100000, 1500, FINE}, {1261666, 100000, 1514, 163084, 5000, 100000, 504667}},
        {{10 * MBIT, 3000, 1500, FINE}, {1261666, 3000, 1514, 66084, 5000, 100000, 504667}},
        {{10 * MBIT, 1, 1500, FINE}, {1261666, 1514, 1514, 64598, 5000, 100000, 504667}},
        {{10 * MBIT, 1, 1500, 250}, {1261666, 11608, 1514, 74692, 5000, 100000, 504667}},
        {{1 * MBIT, UINT64_MAX, 1500, FINE}, {126166, 1261660, 1514, 1276800, 48000, 143000, 256 * KIB}},
        {{100 * GBIT, UINT64_MAX, 1500, FINE},
         {UINT64_C(12616666666), 2147483647, 0, 2147483647, 5000, 100000, 32 * MIB}},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct Shape shape;

        memset(&shape, 0, sizeof(shape));
        assert_int_equal(shape_find(&table[i].wish, &shape), SHAPE_OK);
        assert_shape(i, &shape, &table[i].shape);
    }
}

static void test_refused(void **state)
{
    static const struct {
        uint64_t rate_bits;
        uint32_t mtu;
        enum ShapeVerdict verdict;
    } table[] = {
        {0, 1500, SHAPE_TOO_SLOW},
        {1, 1500, SHAPE_TOO_SLOW},
        {12 * KBIT - 1, 1500, SHAPE_TOO_SLOW},
        {12 * KBIT, 1500, SHAPE_OK},
        {12 * KBIT, 0, SHAPE_OK},
        {12 * KBIT, 9000, SHAPE_TOO_SLOW},
        {72 * KBIT, 9000, SHAPE_OK},
        {524 * KBIT, UINT32_MAX, SHAPE_TOO_SLOW},
        {SHAPE_RATE_MAX, 1500, SHAPE_OK},
        {SHAPE_RATE_MAX, UINT32_MAX, SHAPE_OK},
        {SHAPE_RATE_MAX + 1, 1500, SHAPE_TOO_FAST},
        {UINT64_MAX, 1500, SHAPE_TOO_FAST},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct ShapeWish wish = {
            .rate_bits = table[i].rate_bits, .mtu = table[i].mtu, .timer_hz = FINE};
        struct Shape shape = {.rate_bytes = 42};

        if (shape_find(&wish, &shape) != table[i].verdict)
            fail_msg("row %zu", i);
        if (table[i].verdict != SHAPE_OK)
            assert_int_equal(shape.rate_bytes, 42);
        assert_true((table[i].verdict == SHAPE_TOO_SLOW) ==
                    (table[i].rate_bits < shape_rate_min(table[i].mtu)));
    }
}

/* What the head of shape.c promises, of any rate, timer and MTU. */
static void assert_promises(const struct ShapeWish *wish)
{
    uint64_t frame = wish->mtu + 14;
    struct Shape shape;

    assert_int_equal(shape_find(wish, &shape), SHAPE_OK);
    assert_true(shape.burst_bytes >= frame);
    assert_true(shape.burst_bytes >= shape.rate_bytes / wish->timer_hz);
    assert_true(shape.limit_bytes >= shape.burst_bytes);
    assert_true(shape.packet_bytes == (wish->rate_bits < GBIT ? frame : 0));
    assert_true(shape.target_usec >= 5000 && shape.interval_usec >= 100000);
    assert_true((uint64_t)shape.target_usec * shape.rate_bytes >= (frame - 1) * 1000000);
    assert_true(shape.memory_bytes >= 2 * frame);
    /* The first second: with timers that are fine the excess is 5 ms and a frame, with coarse ones two ticks.
     */
    assert_true(shape.burst_bytes <= frame + 2 + shape.rate_bytes * (wish->timer_hz < 400 ? 20 : 5) / 1000);
    /* TCP with timestamps over IPv6 gets 95 % of the rate, and over IPv4 less than all of it. */
    if (wish->mtu >= 1500) {
        assert_true(shape.rate_bytes * 8 / frame * (wish->mtu - 72) >= wish->rate_bits / 100 * 95);
        assert_true(shape.rate_bytes * 8 / frame * (wish->mtu - 52) < wish->rate_bits);
    }
}

static void test_promises(void **state)
{
    static const uint32_t mtus[] = {576, 1280, 1500, 9000, 65535}, timers[] = {100, 250, 300, 1000, FINE};

    for (size_t m = 0; m < sizeof(mtus) / sizeof(mtus[0]); m++)
        for (size_t t = 0; t < sizeof(timers) / sizeof(timers[0]); t++)
            for (uint64_t rate = 600 * KBIT; rate <= SHAPE_RATE_MAX / 10; rate += rate / 3)
                assert_promises(&(struct ShapeWish){rate, 0, mtus[m], timers[t]});
}

/* At the rates that one thinks in the first second is within two percent. */
static void test_first_second(void **state)
{
    for (uint64_t rate = MBIT; rate <= GBIT; rate *= 10) {
        const struct ShapeWish wish = {rate, 0, 1500, FINE};
        struct Shape shape;

        assert_int_equal(shape_find(&wish, &shape), SHAPE_OK);
        assert_true(shape.burst_bytes * 50 <= shape.rate_bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_promises),
        cmocka_unit_test(test_first_second),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
