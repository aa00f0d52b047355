/* TBF has a bucket of tokens, which fills at the rate and holds the burst. A packet leaves when there are
 * tokens for all of it.
 *
 * The rate is that of IP packets. TBF counts whole Ethernet frames, 14 bytes more for each; what a full
 * packet's header takes is added to the rate. Otherwise TCP over IPv6, which has 72 bytes of headers in its
 * 1500, would carry 5.7 % less than the rate says. So links and tc(8) show a rate that is 0.9 % higher than
 * the one asked for, and small packets, with more headers to the byte, get less.
 *
 * The burst
 * - must hold a full frame: a packet that is longer than the bucket is dropped, or split up where it is a GSO
 * packet.
 * - must hold what the rate brings between two moments at which the kernel looks: rate / HZ. What does not
 * fit into the bucket is lost, and the rate is not reached. The moments are those of the timer: TBF waits by
 * a high-resolution timer, so it is not the tick of CONFIG_HZ that counts but what /proc/net/psched says as
 * its fourth number: 10^9 where such timers run, CONFIG_HZ where they do not (highres=off, a bad clock). Then
 * two ticks are reckoned with, since a timer that is set within one ends with the next but one.
 * - should allow for a timer that is served late, because the CPU is busy or the hypervisor gave it to
 * another guest: that is a matter of milliseconds, whatever the rate. Hence SLACK_USEC.
 * - adds to what passes in the first second, and in any second after a pause: its length in time is the
 * excess. 5 ms are half a percent, and a frame at 1 Mbit/s is 12 ms. (What kubernetes gives the CNI plugin is
 * 256 MB, which is 200 s at 10 Mbit/s: its first seconds are not limited at all.)
 *
 * Packets. Below WHOLE_RATE a GSO packet is split up into frames as it is queued, though the bucket might
 * hold it.
 * - A small packet waits behind a large one. 64 KiB take half a second at 1 Mbit/s.
 * - When the rate is changed, what waits stays. A packet that is longer than the new bucket would never
 * leave, nor would what is behind it: the link would be dead. (It was, in a trial: 5 Mbit/s after 50.) With
 * frames alone any bucket is large enough. Above, splitting costs more than it brings: 64 KiB take 0.5 ms
 * there. Who comes down from such a rate to one below it loses what waits (act/shaper.c).
 *
 * The limit is that of TBF's own queue, a plain one. It is in use only until fq_codel takes its place, but a
 * guardd that is killed in between leaves it: LATENCY_USEC, as others have it, and room for a few frames.
 *
 * fq_codel lets a packet wait for `target` before it begins to drop. 5 ms is its default. Where a frame alone
 * takes longer to send, it would drop what does not queue at all (RFC 8290, 5.2.2), and one that lets fewer
 * than four wait leaves a TCP whose way is short too few to notice a loss by: it then waits for its timer. So
 * it is four frames there, and the interval grows by as much. Its memory is bounded: 32 MB, its default, is
 * too much for one of a thousand tenants, and a flood fills it. At most 400 ms of the rate (a packet takes up
 * to twice its length, and less for a large one) and at least a hundred frames.
 *
 * What is refused: a rate at which a full packet takes longer than a second, for TCP takes that for lost and
 * sends it again (RFC 6298), and one above SHAPE_RATE_MAX. Up to there the numbers fit: TBF takes its rate
 * with 64 bits, and its burst, 5 ms, is below 2^32. */
#include "decide/shape.h"

#define USEC_PER_SEC UINT64_C(1000000)
#define HEADER_BYTES 14 /* Ethernet's */
#define MTU_MIN 68      /* IPv4's */
#define MTU_MAX 65536   /* no link has more */
#define MTU_DEFAULT 1500
#define HZ_UNKNOWN 100 /* the coarsest that is built */
#define SLACK_USEC 5000
#define LATENCY_USEC 50000
#define WHOLE_RATE UINT64_C(1000000000) /* bit/s */
#define LIMIT_FRAMES 10
#define TARGET_USEC 5000
#define TARGET_FRAMES 4
#define INTERVAL_USEC 100000
#define MEMORY_USEC 400000
#define MEMORY_MIN (256 * 1024)
#define MEMORY_MAX (32 * 1024 * 1024)
#define BYTES_MAX UINT64_C(0x7fffffff)

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t mtu_of(uint32_t mtu)
{
    return mtu < MTU_MIN ? MTU_DEFAULT : least(mtu, MTU_MAX);
}

static uint64_t frame_of(uint32_t mtu)
{
    return mtu_of(mtu) + HEADER_BYTES;
}

/* What the rate brings in that time, rounded up. No rate that is shaped and no time here overflows. */
static uint64_t bytes_in(uint64_t rate_bytes, uint64_t usec)
{
    return (rate_bytes * usec + USEC_PER_SEC - 1) / USEC_PER_SEC;
}

/* Between two moments at which the kernel may send. */
static uint64_t tick_usec(uint32_t timer_hz)
{
    uint64_t hz = timer_hz > 0 ? timer_hz : HZ_UNKNOWN;

    return 2 * USEC_PER_SEC / hz;
}

static uint64_t burst_of(const struct ShapeWish *wish, uint64_t rate_bytes)
{
    uint64_t frame = frame_of(wish->mtu), tick = tick_usec(wish->timer_hz);
    uint64_t needed = frame + bytes_in(rate_bytes, tick);
    uint64_t burst = frame + bytes_in(rate_bytes, most(tick, SLACK_USEC));

    if (wish->burst_bytes > 0) {
        uint64_t longest = bytes_in(rate_bytes, SHAPE_BURST_MAX_SEC * USEC_PER_SEC);

        burst = most(least(wish->burst_bytes, longest), needed);
    }
    return least(burst, BYTES_MAX);
}

uint64_t shape_rate_min(uint32_t mtu)
{
    return mtu_of(mtu) * 8;
}

enum ShapeVerdict shape_find(const struct ShapeWish *wish, struct Shape *ret)
{
    uint64_t frame = frame_of(wish->mtu), rate_bytes, late_usec;

    if (wish->rate_bits < shape_rate_min(wish->mtu))
        return SHAPE_TOO_SLOW;
    if (wish->rate_bits > SHAPE_RATE_MAX)
        return SHAPE_TOO_FAST;
    rate_bytes = wish->rate_bits / 8 * frame / mtu_of(wish->mtu);
    late_usec = most(TARGET_FRAMES * frame * USEC_PER_SEC / rate_bytes, TARGET_USEC) - TARGET_USEC;

    *ret = (struct Shape){
        .rate_bytes = rate_bytes,
        .burst_bytes = (uint32_t)burst_of(wish, rate_bytes),
        .packet_bytes = wish->rate_bits < WHOLE_RATE ? (uint32_t)frame : 0,
        .target_usec = (uint32_t)(TARGET_USEC + late_usec),
        .interval_usec = (uint32_t)(INTERVAL_USEC + late_usec),
        .memory_bytes = (uint32_t)least(most(bytes_in(rate_bytes, MEMORY_USEC), MEMORY_MIN), MEMORY_MAX),
    };
    ret->limit_bytes = (uint32_t)least(
        ret->burst_bytes + most(bytes_in(rate_bytes, LATENCY_USEC), LIMIT_FRAMES * frame), BYTES_MAX);
    return SHAPE_OK;
}
