/* Every parser takes the text apart from left to right and complains about the first thing that is wrong:
 * what follows it would be guessed at. */
#include "config/values.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/glob.h"
#include "base/size.h"
#include "config/nearest.h"

#define BLANKS " \t"
/* The kernel's PID_MAX_LIMIT on 64 bit: pids.max refuses more. */
#define TASKS_LIMIT 4194304
/* Less would not even hold the directories that count. */
#define SPACE_LEAST ((uint64_t)64 * 1024)
#define INODES_LEAST 16
/* Nothing runs in less: "MemoryMax=512" was meant to be 512M. */
#define MEMORY_LEAST ((uint64_t)1024 * 1024)
/* 1 ms in a second, the least that cpu.max takes. */
#define QUOTA_LEAST 10
#define QUOTA_GREATEST 100000000
#define WEIGHT_GREATEST 10000
/* A page a second, about: "IOReadBandwidthMax=20" was meant to be 20M. */
#define BANDWIDTH_LEAST 4000
/* The kernel keeps 32 bits, and takes all of them for none. */
#define OPERATIONS_GREATEST (UINT32_MAX - 1)
/* A packet would take 12 s. Nothing is as fast as the other. */
#define LINK_RATE_LEAST 1000
#define LINK_RATE_GREATEST (UINT64_C(1000) * 1000 * 1000 * 1000)
/* One packet of any link, as large as the kernel makes them. */
#define BURST_LEAST ((uint64_t)2 * 1024)
#define BURST_GREATEST ((uint64_t)1024 * 1024 * 1024)
#define UNTIL_DEFAULT_USEC (30 * USEC_PER_SEC)
/* 100 %, and the pressure that there may be at any time: none that a trigger could be set for. */
#define WHOLE_TIME 10000
#define NO_PRESSURE 1

bool value_number(const char *text, size_t length, uint64_t *ret_number)
{
    uint64_t number = 0;

    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isdigit((unsigned char)text[i]))
            return false;
        if (__builtin_mul_overflow(number, (uint64_t)10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(text[i] - '0'), &number))
            return false;
    }
    *ret_number = number;
    return true;
}

/* Copies the word at *p that ends before any of `delimiters`, and moves *p to the next non-blank behind it.
 */
static void take_word(const char **p, const char *delimiters, char word[static CONFIG_LINE_MAX + 1])
{
    size_t length = strcspn(*p, delimiters);

    snprintf(word, CONFIG_LINE_MAX + 1, "%.*s", (int)length, *p);
    *p += length;
    *p += strspn(*p, BLANKS);
}

/* A time that ends, and is not over before it began. */
static bool value_duration(const char *text, usec_t *ret_usec, struct Complaint *complaint)
{
    usec_t usec;

    if (usec_parse(text, &usec) == 0 && usec > 0 && usec != USEC_INFINITY) {
        *ret_usec = usec;
        return true;
    }
    complain(complaint, "'%s' is no duration", text);
    return complain_right(complaint, "a number above 0 with its unit: 500ms, 5s, 1min 30s, 2h");
}

bool value_mode(const char *text, enum Mode *ret_mode, struct Complaint *complaint)
{
    if (strcmp(text, "enforce") == 0)
        *ret_mode = MODE_ENFORCE;
    else if (strcmp(text, "observe") == 0)
        *ret_mode = MODE_OBSERVE;
    else
        return complain(complaint, "there is no mode '%s'", text);
    return true;
}

bool value_kill_limit(const char *text, struct KillLimit *ret_limit, struct Complaint *complaint)
{
    size_t length = strcspn(text, "/");
    uint64_t kills;
    usec_t window = 0;

    if (text[length] != '/')
        return complain(complaint, "'%s' names no time: there is no '/'", text);
    if (!value_number(text, length, &kills))
        return complain(complaint, "'%.*s' is no number of kills", (int)length, text);
    if (kills > POLICY_BUDGET_MAX)
        return complain(complaint, "%" PRIu64 " kills are too many", kills);
    if (!value_duration(text + length + 1, &window, complaint))
        return false;
    *ret_limit = (struct KillLimit){.kills = (unsigned)kills, .window_usec = window};
    return true;
}

#define TRACE_SIZE_MIN ((uint64_t)512 * 1024)
#define TRACE_SIZE_MAX ((uint64_t)256 * 1024 * 1024)

bool value_trace_size(const char *text, size_t *ret_bytes, struct Complaint *complaint)
{
    uint64_t bytes;

    if (!size_parse_bytes(text, &bytes))
        return complain(complaint, "'%s' is no number of bytes", text);
    if (bytes > TRACE_SIZE_MAX)
        return complain(complaint, "%s is too much to keep in memory", text);
    if (bytes > 0 && bytes < TRACE_SIZE_MIN)
        return complain(complaint, "%s is too little to say anything", text);
    *ret_bytes = (size_t)bytes;
    return true;
}

static bool parse_number(const char *text, uint64_t *ret_number)
{
    return value_number(text, strlen(text), ret_number);
}

static bool parse_bits(const char *text, uint64_t *ret_bits)
{
    int64_t value;

    if (!measure_parse(MEASURE_BITS_PER_SEC, text, &value))
        return false;
    *ret_bits = (uint64_t)value;
    return true;
}

static bool parse_share(const char *text, uint64_t *ret_hundredths)
{
    int64_t value;

    if (!measure_parse(MEASURE_PERCENT, text, &value))
        return false;
    *ret_hundredths = (uint64_t)value;
    return true;
}

/* "20M", in powers of 1000 as systemd takes it; "20M/s" as it is written. */
static bool parse_rate(const char *text, uint64_t *ret_per_second)
{
    int64_t value;

    if (!measure_parse(MEASURE_RATE, text, &value))
        return false;
    *ret_per_second = (uint64_t)value;
    return true;
}

/* As systemd takes it: bytes, or a percentage of the memory that the host has. */
static bool parse_memory(const char *text, uint64_t *ret_bytes)
{
    const size_t length = strlen(text);
    const long pages = sysconf(_SC_PHYS_PAGES), page_size = sysconf(_SC_PAGESIZE);
    uint64_t share;

    if (length == 0 || text[length - 1] != '%')
        return size_parse_bytes(text, ret_bytes);
    if (!parse_share(text, &share) || share > 100 * 100 || pages <= 0 || page_size <= 0)
        return false;
    *ret_bytes = (uint64_t)pages * share / (100 * 100) * (uint64_t)page_size;
    return true;
}

/* `noun` is what a percentage would be of, NULL: it may be one; `is_no` goes on "'x' is no ...", `are` "17
 * ... out of range". */
#define ON_MEMORY                                                                                            \
    "bytes in powers of 1024, such as 512M or 4G, at least 1M, a percentage of the host's memory, or "       \
    "infinity"
#define ON_DISKS "on each disk that tenants have something on; none is named here"
#define ON_BANDWIDTH                                                                                         \
    "bytes per second in powers of 1000, such as 500K or 20M, at least 4K, or infinity, " ON_DISKS
#define ON_OPERATIONS "operations per second, such as 200 or 5K, or infinity, " ON_DISKS
#define ON_RATE "bits per second in powers of 1000, such as 500k, 10M or 1G, from 1k to 1T, or infinity"
#define ON_WEIGHT "a number from 1 to 10000; 100 is what everybody has"
static const struct {
    bool (*parse)(const char *text, uint64_t *ret_value);
    uint64_t least, greatest;
    const char *noun, *is_no, *are, *right;
} limit_values[LIMIT_COUNT] = {
    [LIMIT_TASKS_MAX] = {parse_number, 1, TASKS_LIMIT, "tasks", "number of tasks", "tasks are",
                         "a number from 1 to 4194304, or infinity"},
    [LIMIT_DISK_SPACE_MAX] = {size_parse_bytes, SPACE_LEAST, READING_UNLIMITED - 1, "space",
                              "amount of space", "is",
                              "bytes in powers of 1024, such as 512M or 10G, at least 64K, or infinity"},
    [LIMIT_DISK_INODES_MAX] = {size_parse_count, INODES_LEAST, READING_UNLIMITED - 1, "inodes",
                               "number of inodes", "inodes are",
                               "a number such as 5000, 200k or 1M, at least 16, or infinity"},
    [LIMIT_MEMORY_HIGH] = {parse_memory, MEMORY_LEAST, READING_UNLIMITED - 1, NULL, "amount of memory", "is",
                           ON_MEMORY},
    [LIMIT_MEMORY_MAX] = {parse_memory, MEMORY_LEAST, READING_UNLIMITED - 1, NULL, "amount of memory", "is",
                          ON_MEMORY},
    [LIMIT_MEMORY_SWAP_MAX] = {size_parse_bytes, 0, READING_UNLIMITED - 1, "swap", "amount of swap", "is",
                               "bytes in powers of 1024, such as 0, 512M or 4G, or infinity"},
    [LIMIT_CPU_QUOTA] = {parse_share, QUOTA_LEAST, QUOTA_GREATEST, NULL, "share of a CPU", "is",
                         "a percentage of one CPU, such as 50% or 200%, at least 0.1%, or infinity"},
    [LIMIT_CPU_WEIGHT] = {parse_number, 1, WEIGHT_GREATEST, "CPU time", "weight", "is", ON_WEIGHT},
    [LIMIT_IO_WEIGHT] = {parse_number, 1, WEIGHT_GREATEST, "I/O", "weight", "is", ON_WEIGHT},
    [LIMIT_IO_READ_BANDWIDTH_MAX] = {parse_rate, BANDWIDTH_LEAST, READING_UNLIMITED - 1, "bandwidth", "rate",
                                     "is", ON_BANDWIDTH},
    [LIMIT_IO_WRITE_BANDWIDTH_MAX] = {parse_rate, BANDWIDTH_LEAST, READING_UNLIMITED - 1, "bandwidth", "rate",
                                      "is", ON_BANDWIDTH},
    [LIMIT_IO_READ_IOPS_MAX] = {parse_rate, 1, OPERATIONS_GREATEST, "operations", "rate", "is",
                                ON_OPERATIONS},
    [LIMIT_IO_WRITE_IOPS_MAX] = {parse_rate, 1, OPERATIONS_GREATEST, "operations", "rate", "is",
                                 ON_OPERATIONS},
    [LIMIT_NETWORK_EGRESS_MAX] = {parse_bits, LINK_RATE_LEAST, LINK_RATE_GREATEST, "links", "rate", "is",
                                  ON_RATE},
    [LIMIT_NETWORK_INGRESS_MAX] = {parse_bits, LINK_RATE_LEAST, LINK_RATE_GREATEST, "links", "rate", "is",
                                   ON_RATE},
};

bool value_limit(enum LimitId id, const char *text, uint64_t *ret_value, struct Complaint *complaint)
{
    const size_t length = strlen(text);
    uint64_t value;

    if (strcmp(text, "infinity") == 0 && !limit_is_weight(id)) {
        *ret_value = LIMIT_INFINITY;
        return true;
    }
    complain_right(complaint, "%s", limit_values[id].right);
    if (limit_values[id].noun && length > 0 && text[length - 1] == '%')
        return complain(complaint,
                        "'%s': a percentage would be of the host's %s, and is not taken for a tenant", text,
                        limit_values[id].noun);
    if (!limit_values[id].parse(text, &value))
        return complain(complaint, "'%s' is no %s", text, limit_values[id].is_no);
    if (value < limit_values[id].least || value > limit_values[id].greatest)
        return complain(complaint, "%s %s out of range", text, limit_values[id].are);
    complaint->right[0] = '\0';
    *ret_value = value;
    return true;
}

bool value_burst(const char *text, uint64_t *ret_bytes, struct Complaint *complaint)
{
    uint64_t bytes;

    if (!size_parse_bytes(text, &bytes))
        return complain(complaint, "'%s' is no amount of data", text);
    if (bytes < BURST_LEAST || bytes > BURST_GREATEST)
        return complain(complaint, "%s is out of range", text);
    *ret_bytes = bytes;
    return true;
}

static bool complain_reading(const char *word, struct Complaint *complaint)
{
    char names[COMPLAINT_MAX / 2] = "";
    const char *near = NULL;

    for (int i = 0; i < READING_COUNT; i++) {
        const char *name = reading_info((enum ReadingId)i)->name;
        const size_t used = strlen(names);

        snprintf(names + used, sizeof(names) - used, "%s%s", i > 0 ? ", " : "", name);
        if (is_near(word, name))
            near = name;
    }
    complain(complaint, "there is no reading '%s'", word);
    return complain_right(complaint, "%s%sone of: %s", near ? near : "", near ? "? " : "", names);
}

static bool take_reading(const char **p, struct Condition *condition, struct Complaint *complaint)
{
    char word[CONFIG_LINE_MAX + 1];

    take_word(p, BLANKS "<>=!", word);
    condition->reading = reading_from_name(word);
    if (condition->reading == READING_INVALID)
        return complain_reading(word, complaint);
    return true;
}

static bool take_comparison(const char **p, struct Condition *condition, struct Complaint *complaint)
{
    static const enum Comparison known[] = {COMPARISON_ABOVE, COMPARISON_AT_LEAST, COMPARISON_BELOW,
                                            COMPARISON_AT_MOST};
    size_t length = strspn(*p, "<>=!");

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const char *text = comparison_text(known[i]);

        if (strlen(text) != length || strncmp(text, *p, length) != 0)
            continue;
        condition->comparison = known[i];
        *p += length;
        *p += strspn(*p, BLANKS);
        return true;
    }
    complain_right(complaint, "one of > >= < <= between reading and value");
    if (length == 0)
        return complain(complaint, "no operator behind %s", reading_info(condition->reading)->name);
    return complain(complaint, "there is no operator '%.*s'", (int)length, *p);
}

const char *value_example(enum Measure measure)
{
    static const char *const examples[] = {
        [MEASURE_COUNT] = "a whole decimal number without sign, such as 500, 20k or 1M",
        [MEASURE_BYTES] = "bytes in powers of 1024, such as 65536, 100M or 1.5G",
        [MEASURE_RATE] = "a whole decimal number without sign, per second, such as 50 or 2k/s",
        [MEASURE_BYTES_PER_SEC] = "bytes per second in powers of 1024, such as 64K, 100M or 1.5G/s",
        [MEASURE_SECONDS] = "a time in whole seconds, such as 30s, 2min or 1h 30min",
        [MEASURE_PERCENT] = "a percentage such as 20% or 0.5%",
        [MEASURE_BITS_PER_SEC] = "bits per second in powers of 1000, such as 500k, 10M or 1Gbit",
    };

    return examples[measure];
}

/* Like take_word(), but a time may have blanks in it: it ends before "for". */
static void take_amount(const char **p, enum Measure measure, char word[static CONFIG_LINE_MAX + 1])
{
    const char *end = *p + strcspn(*p, BLANKS), *next = end + strspn(end, BLANKS);

    while (measure == MEASURE_SECONDS && *next != '\0' &&
           !(strncmp(next, "for", 3) == 0 && strchr(BLANKS, next[3]))) {
        end = next + strcspn(next, BLANKS);
        next = end + strspn(end, BLANKS);
    }
    snprintf(word, CONFIG_LINE_MAX + 1, "%.*s", (int)(end - *p), *p);
    *p = next;
}

#define EGRESS_PERCENT_MAX 1000

/* A share of the time, not of a CPU. */
static bool is_share_of_time(enum ReadingId id)
{
    return reading_pressure(id) != PRESSURE_INVALID || id == READING_CPU_THROTTLED;
}

static bool check_share(const struct Condition *condition, const char *word, struct Complaint *complaint)
{
    if (!is_share_of_time(condition->reading) || condition->value <= WHOLE_TIME)
        return true;
    complain_right(complaint, "0%% to 100%%");
    return complain(complaint, "%s of the time is never reached", word);
}

static bool check_percentage(const struct Condition *condition, const char *word, struct Complaint *complaint)
{
    const struct ReadingInfo *info = reading_info(condition->reading);
    int64_t most;

    if (!info->has_limit) {
        complain_right(complaint,
                       "%s; only a reading with a limit of its own, such as tasks.current, has a "
                       "percentage",
                       value_example(info->measure));
        return complain(complaint, "%s has no limit that it could be a percentage of", info->name);
    }
    /* What is sent is counted before the limit drops any of it. */
    most = condition->reading == READING_NET_EGRESS ? EGRESS_PERCENT_MAX : 100;
    if (condition->value > most) {
        complain_right(complaint, "0%% to %lld%%", (long long)most);
        return complain(complaint, "%s of a limit is never reached", word);
    }
    return true;
}

static bool take_value(const char **p, struct Condition *condition, struct Complaint *complaint)
{
    const struct ReadingInfo *info = reading_info(condition->reading);
    char word[CONFIG_LINE_MAX + 1];
    uint64_t percent = 0;
    size_t length;

    take_amount(p, info->measure, word);
    length = strlen(word);
    condition->percent = info->measure != MEASURE_PERCENT && length > 0 && word[length - 1] == '%';
    if (condition->percent ? value_number(word, length - 1, &percent) && percent < READING_UNLIMITED
                           : measure_parse(info->measure, word, &condition->value)) {
        if (!condition->percent)
            return check_share(condition, word, complaint);
        condition->value = (int64_t)percent;
        return check_percentage(condition, word, complaint);
    }
    complain_right(complaint, "%s%s", value_example(info->measure),
                   info->has_limit ? ", or a percentage such as 80%" : "");
    return word[0] == '\0' ? complain(complaint, "no value behind %s", info->name)
                           : complain(complaint, "'%s' is no value of %s", word, info->name);
}

static bool take_for(const char **p, struct Condition *condition, struct Complaint *complaint)
{
    char word[CONFIG_LINE_MAX + 1];

    if (**p == '\0')
        return true;
    take_word(p, BLANKS, word);
    if (strcmp(word, "for") != 0)
        return complain(complaint, "'%s' stands where the condition ends or goes on with 'for'", word);
    return value_duration(*p, &condition->for_usec, complaint);
}

bool value_condition(const char *text, struct Condition *ret_condition, struct Complaint *complaint)
{
    struct Condition condition = {0};

    if (!take_reading(&text, &condition, complaint) || !take_comparison(&text, &condition, complaint) ||
        !take_value(&text, &condition, complaint) || !take_for(&text, &condition, complaint))
        return false;
    *ret_condition = condition;
    return true;
}

/* What each reading may be while nothing is wrong. Shrinking is no danger, and what has stopped growing is
 * never full. Every tenant has a task and some memory, and its directories are files; no filesystem of a host
 * that still works is wholly full, or wholly empty, and neither is its memory. A little pressure says
 * nothing, and there is no trigger for none. */
#define ON_AMOUNT "what is too much, such as > 80%"
#define ON_EVENTS "> 0, or >= with a value above 0"
#define ON_LEFT "what is too little, such as < 10%"
#define ON_TIME "what is too much, such as > 20%"
#define ON_TRAFFIC "what is too much, such as > 100M"
static const struct {
    int64_t least, greatest;
    const char *right; /* what When= on it looks like */
} at_peace[READING_COUNT] = {
    [READING_TASKS_CURRENT] = {1, READING_UNLIMITED, ON_AMOUNT},
    [READING_TASKS_DENIED] = {0, READING_UNLIMITED, ON_EVENTS},
    [READING_TASKS_GROWTH] = {0, READING_UNLIMITED, ON_EVENTS},
    [READING_DISK_SPACE] = {1, READING_UNLIMITED, ON_AMOUNT},
    [READING_DISK_INODES] = {1, READING_UNLIMITED, ON_AMOUNT},
    [READING_DISK_GROWTH] = {0, READING_UNLIMITED, ON_EVENTS},
    [READING_DISK_DENIED] = {0, READING_UNLIMITED, ON_EVENTS},
    [READING_DISK_ETA] = {READING_UNLIMITED, READING_UNLIMITED, "what is too soon, such as < 2min"},
    [READING_HOST_DISK_FREE] = {1, READING_UNLIMITED, ON_LEFT},
    [READING_HOST_DISK_INODES] = {1, READING_UNLIMITED, ON_LEFT},
    [READING_MEMORY_CURRENT] = {1, READING_UNLIMITED, ON_AMOUNT},
    [READING_MEMORY_SWAP] = {0, READING_UNLIMITED, ON_AMOUNT},
    [READING_MEMORY_SHMEM] = {0, READING_UNLIMITED, "what is too much, such as > 1G"},
    [READING_MEMORY_GROWTH] = {0, READING_UNLIMITED, ON_EVENTS},
    [READING_MEMORY_HIGH] = {0, READING_UNLIMITED, ON_EVENTS},
    [READING_MEMORY_MAX] = {0, READING_UNLIMITED, ON_EVENTS},
    [READING_MEMORY_OOM] = {0, READING_UNLIMITED, ON_EVENTS},
    [READING_MEMORY_PRESSURE_SOME] = {NO_PRESSURE, NO_PRESSURE, ON_TIME},
    [READING_MEMORY_PRESSURE_FULL] = {NO_PRESSURE, NO_PRESSURE, ON_TIME},
    [READING_MEMORY_STALL] = {NO_PRESSURE, NO_PRESSURE, ON_TIME},
    [READING_CPU_USAGE] = {0, READING_UNLIMITED, "what is too much, such as > 150%"},
    [READING_CPU_THROTTLED] = {NO_PRESSURE, NO_PRESSURE, ON_TIME},
    [READING_CPU_PRESSURE_SOME] = {NO_PRESSURE, NO_PRESSURE, ON_TIME},
    [READING_IO_RATE] = {0, READING_UNLIMITED, ON_EVENTS},
    [READING_IO_PRESSURE_SOME] = {NO_PRESSURE, NO_PRESSURE, ON_TIME},
    [READING_IO_PRESSURE_FULL] = {NO_PRESSURE, NO_PRESSURE, ON_TIME},
    [READING_HOST_MEMORY_AVAILABLE] = {1, READING_UNLIMITED, ON_LEFT},
    [READING_HOST_MEMORY_PRESSURE_SOME] = {NO_PRESSURE, NO_PRESSURE, ON_TIME},
    [READING_HOST_MEMORY_PRESSURE_FULL] = {NO_PRESSURE, NO_PRESSURE, ON_TIME},
    [READING_HOST_CPU_PRESSURE_SOME] = {NO_PRESSURE, NO_PRESSURE, ON_TIME},
    [READING_HOST_IO_PRESSURE_SOME] = {NO_PRESSURE, NO_PRESSURE, ON_TIME},
    [READING_HOST_IO_PRESSURE_FULL] = {NO_PRESSURE, NO_PRESSURE, ON_TIME},
    [READING_NET_EGRESS] = {0, READING_UNLIMITED, ON_TRAFFIC},
    [READING_NET_INGRESS] = {0, READING_UNLIMITED, ON_TRAFFIC},
    [READING_NET_DROPPED] = {0, READING_UNLIMITED, ON_EVENTS},
    [READING_HOST_NET_EGRESS] = {0, READING_UNLIMITED, ON_TRAFFIC},
    [READING_HOST_NET_INGRESS] = {0, READING_UNLIMITED, ON_TRAFFIC},
};

/* A comparison has one threshold: what holds at both ends holds between them. */
bool condition_always_holds(const struct Condition *condition)
{
    const bool of_host = reading_info(condition->reading)->of_host;
    int64_t least = at_peace[condition->reading].least, greatest = at_peace[condition->reading].greatest;

    if (condition->percent) {
        least = of_host ? 1 : 0;
        greatest = of_host ? 99 : 100;
    }
    return comparison_holds(least, condition->comparison, condition->value) &&
           comparison_holds(greatest, condition->comparison, condition->value);
}

bool value_trigger(const char *text, struct Condition *ret_condition, struct Complaint *complaint)
{
    struct Condition condition;

    if (!value_condition(text, &condition, complaint))
        return false;
    if (condition_always_holds(&condition)) {
        complain_right(complaint, "%s", at_peace[condition.reading].right);
        return complain(complaint, "'%s' holds for every tenant at every moment", text);
    }
    *ret_condition = condition;
    return true;
}

struct Condition condition_opposite(const struct Condition *condition)
{
    static const enum Comparison opposite[] = {
        [COMPARISON_ABOVE] = COMPARISON_AT_MOST,
        [COMPARISON_AT_LEAST] = COMPARISON_BELOW,
        [COMPARISON_BELOW] = COMPARISON_AT_LEAST,
        [COMPARISON_AT_MOST] = COMPARISON_ABOVE,
    };
    struct Condition result = *condition;

    result.comparison = opposite[condition->comparison];
    result.for_usec = UNTIL_DEFAULT_USEC;
    return result;
}

/* VERB_INVALID and a complaint for what cannot be configured. */
static enum Verb step_verb(const char *word, struct Complaint *complaint)
{
    static const enum Verb known[] = {VERB_WARN, VERB_THROTTLE, VERB_FREEZE, VERB_KILL};
    const char *near = NULL;

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(word, verb_name(known[i])) == 0)
            return known[i];
        if (is_near(word, verb_name(known[i])))
            near = verb_name(known[i]);
    }
    complain(complaint, "there is no step '%s'", word);
    complain_right(complaint, "%s%sone of: warn, throttle, freeze, kill", near ? near : "", near ? "? " : "");
    return VERB_INVALID;
}

/* Steps grow in force, so that none is undone by the next and the worst comes last. */
static bool step_order(enum Verb verb, bool last, const struct Step *before, struct Complaint *complaint)
{
    complain_right(complaint,
                   "steps grow in force: warn, then throttle, then freeze, then kill, each at most once");
    if (before && before->verb == verb)
        return complain(complaint, "'%s' stands twice", verb_name(verb));
    if (verb == VERB_KILL && !last)
        return complain(complaint, "'kill' is not the last step");
    if (before && before->verb > verb)
        return complain(complaint, "'%s' comes after '%s'", verb_name(verb), verb_name(before->verb));
    complaint->right[0] = '\0';
    return true;
}

/* How long it lasts: a time when another step comes, else for good; behind `kill` it is the grace. */
static bool step_duration(const char *text, enum Verb verb, bool last, usec_t *ret_usec,
                          struct Complaint *complaint)
{
    *ret_usec = USEC_INFINITY;
    if (text[0] == '\0' && !last) {
        complain_right(complaint, "how long it lasts before the next step, such as %s 5s", verb_name(verb));
        return complain(complaint, "'%s' has no duration, and another step comes after it", verb_name(verb));
    }
    if (text[0] != '\0' && last && verb != VERB_KILL) {
        complain_right(complaint, "%s without a duration: the last step stands until Until= holds",
                       verb_name(verb));
        return complain(complaint, "the last step '%s' has a duration", verb_name(verb));
    }
    return text[0] == '\0' || value_duration(text, ret_usec, complaint);
}

/* Adds the one step, or the two of `kill 10s`. A rule has at most warn, throttle, freeze, terminate,
 * kill. */
static bool parse_step(const char *text, bool last, struct Step *steps, size_t *n,
                       struct Complaint *complaint)
{
    char word[CONFIG_LINE_MAX + 1];
    enum Verb verb;
    usec_t lasts;

    take_word(&text, BLANKS, word);
    if (word[0] == '\0')
        return complain(complaint, "a step is missing around a ','");
    verb = step_verb(word, complaint);
    if (verb == VERB_INVALID || !step_order(verb, last, *n > 0 ? &steps[*n - 1] : NULL, complaint) ||
        !step_duration(text, verb, last, &lasts, complaint))
        return false;
    if (verb == VERB_KILL && lasts != USEC_INFINITY) {
        steps[(*n)++] = (struct Step){.verb = VERB_TERMINATE, .lasts_usec = lasts};
        lasts = USEC_INFINITY;
    }
    steps[(*n)++] = (struct Step){.verb = verb, .lasts_usec = lasts};
    return true;
}

static void strip_right(char *text)
{
    size_t length = strlen(text);

    while (length > 0 && strchr(BLANKS, text[length - 1]))
        text[--length] = '\0';
}

bool value_steps(const char *text, struct Step ret_steps[POLICY_STEPS_MAX], size_t *ret_n_steps,
                 struct Complaint *complaint)
{
    char copy[CONFIG_LINE_MAX + 1], *rest = copy, *step;
    struct Step steps[POLICY_STEPS_MAX] = {0};
    size_t n = 0;

    snprintf(copy, sizeof(copy), "%s", text);
    while ((step = strsep(&rest, ","))) {
        step += strspn(step, BLANKS);
        strip_right(step);
        if (!parse_step(step, !rest, steps, &n, complaint))
            return false;
    }
    memcpy(ret_steps, steps, sizeof(steps));
    *ret_n_steps = n;
    return true;
}

bool value_scope(const char *text, enum Scope *ret_scope, struct Complaint *complaint)
{
    if (strcmp(text, "tenant") == 0)
        *ret_scope = SCOPE_TENANT;
    else if (strcmp(text, "host") == 0)
        *ret_scope = SCOPE_HOST;
    else
        return complain(complaint, "there is no scope '%s'", text);
    return true;
}

bool value_rank(const char *text, enum ReadingId *ret_reading, struct Complaint *complaint)
{
    const enum ReadingId reading = reading_from_name(text);

    if (reading == READING_INVALID)
        return complain_reading(text, complaint);
    if (reading_info(reading)->of_host)
        return complain(complaint, "%s is of the host, and the same for all who are on it", text);
    if (reading == READING_DISK_ETA)
        return complain(complaint, "who has most of %s is the slowest", text);
    *ret_reading = reading;
    return true;
}

bool value_throttle(const char *text, unsigned *ret_percent, struct Complaint *complaint)
{
    const size_t length = strlen(text);
    uint64_t percent = 0;

    if (text[length - 1] != '%' || !value_number(text, length - 1, &percent))
        return complain(complaint, "'%s' is no percentage", text);
    if (percent < 1 || percent > 99)
        return complain(complaint, "%s is out of range", text);
    *ret_percent = (unsigned)percent;
    return true;
}

bool value_glob(const char *text, struct Complaint *complaint)
{
    const char *problem = glob_problem(text);

    if (strpbrk(text, BLANKS)) {
        complain_right(complaint, "one glob a line, and a comment in a line of its own; '?' stands for a "
                                  "blank in a path");
        return complain(complaint, "'%s' holds a blank", text);
    }
    if (problem)
        return complain(complaint, "'%s': %s", text, problem);
    return true;
}

bool value_path(const char *text, struct Complaint *complaint)
{
    if (text[0] != '/')
        return complain(complaint, "'%s' is no absolute path", text);
    return true;
}

bool value_group(const char *text, struct Complaint *complaint)
{
    if (strpbrk(text, BLANKS ",:/"))
        return complain(complaint, "'%s' is not the name of one group", text);
    return true;
}

bool value_name(const char *text, struct Complaint *complaint)
{
    size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    if (text[0] != '\0' && text[length] == '\0' && length < POLICY_NAME_MAX)
        return true;
    complain_right(complaint, "1 to %d of the characters A-Z a-z 0-9 . _ -", POLICY_NAME_MAX - 1);
    return complain(complaint, "'%s' is not a name", text);
}
