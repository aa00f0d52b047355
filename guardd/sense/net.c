#include "sense/net.h"

#include "sense/counter.h"

#define BITS_PER_BYTE 8

void net_begin(struct NetSums *sums)
{
    *sums = (struct NetSums){.limit_bits = {READING_UNLIMITED, READING_UNLIMITED}};
}

void net_add_link(struct NetSums *sums, const struct Link *link)
{
    sums->mark += link_mark(link);
    for (int i = 0; i < DIRECTION_COUNT; i++) {
        const struct LinkCounters *counters = link_counters(link, (enum Direction)i);

        sums->counters[i].bytes += counters->bytes;
        sums->counters[i].packets += counters->packets;
        sums->counters[i].dropped += counters->dropped;
    }
}

void net_add_dropped(struct NetSums *sums, enum Direction direction, uint64_t dropped)
{
    sums->counters[direction].dropped += dropped;
}

static void compare_links(struct NetBaseline *baseline, uint64_t mark)
{
    if (baseline->mark != mark)
        *baseline = (struct NetBaseline){.mark = mark};
}

static void look_rates(const struct LinkCounters counters[DIRECTION_COUNT], const enum ReadingId *ids,
                       struct NetBaseline *baseline, usec_t now, struct Readings *readings)
{
    for (int i = 0; i < DIRECTION_COUNT; i++)
        if (counters)
            counter_rate(&baseline->bytes[i], counters[i].bytes, now, BITS_PER_BYTE, readings, ids[i]);
        else
            counter_lost(&baseline->bytes[i], readings, ids[i]);
}

void net_look(const struct NetSums *sums, struct NetBaseline *baseline, usec_t now, struct Readings *readings)
{
    static const enum ReadingId ids[DIRECTION_COUNT] = {
        [DIRECTION_EGRESS] = READING_NET_EGRESS,
        [DIRECTION_INGRESS] = READING_NET_INGRESS,
    };

    readings->at_usec = now;
    compare_links(baseline, sums ? sums->mark : 0);
    look_rates(sums ? sums->counters : NULL, ids, baseline, now, readings);
    for (int i = 0; i < DIRECTION_COUNT; i++)
        readings->limit[ids[i]] = sums ? sums->limit_bits[i] : READING_UNLIMITED;
    readings->limit[READING_NET_DROPPED] = READING_UNLIMITED;
    if (sums)
        counter_growth(&baseline->dropped,
                       sums->counters[DIRECTION_EGRESS].dropped + sums->counters[DIRECTION_INGRESS].dropped,
                       now, readings, READING_NET_DROPPED);
    else
        counter_lost(&baseline->dropped, readings, READING_NET_DROPPED);
}

void net_look_host(const struct LinkTable *here, struct NetBaseline *baseline, usec_t now,
                   struct Readings *readings)
{
    static const enum ReadingId ids[DIRECTION_COUNT] = {
        [DIRECTION_EGRESS] = READING_HOST_NET_EGRESS,
        [DIRECTION_INGRESS] = READING_HOST_NET_INGRESS,
    };
    struct LinkCounters counters[DIRECTION_COUNT];
    uint64_t mark;
    bool found = link_sum_host(here, counters, &mark);

    compare_links(baseline, mark);
    look_rates(found ? counters : NULL, ids, baseline, now, readings);
    for (int i = 0; i < DIRECTION_COUNT; i++)
        readings->limit[ids[i]] = READING_UNLIMITED;
}
