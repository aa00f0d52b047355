/* Fuzz target: a recorded trace, which comes from another host perhaps: as bytes (record/trace_entry.h), and
 * as the file that guardctl replay reads (recording.h). An entry that can be read is written as what is read
 * as the same, and told as JSON that is read as the same, where its texts are texts; every entry of a file
 * that is taken can be read, and decided once more. */
#include <errno.h>

#include "recording.h"
#include "replay.h"
#include "tests/fuzz/ground.h"

#define ROOM (2 * TRACE_ENTRY_MAX)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Returns how many bytes are in `bytes`. */
static size_t write_entry(struct TraceEntry *entry, uint8_t bytes[static ROOM])
{
    ssize_t n = trace_entry_write(entry, bytes, ROOM);

    must(n > 0 && (entry->kind == TRACE_CONFIG || n <= TRACE_ENTRY_MAX));
    return (size_t)n;
}

/* What is no text in it is another one in JSON, once. */
static void tell(struct TraceEntry *entry)
{
    static struct TraceEntry told, again;
    static uint8_t bytes[ROOM], others[ROOM];
    sd_json_variant *object = NULL, *other = NULL;
    const char *field = NULL;
    size_t n;

    if (entry->kind == TRACE_CONFIG) /* UTF-8, by whoever writes it */
        return;
    must(trace_entry_make(entry, &object) == 0);
    if (trace_entry_parse(object, &told, &field) == 0) {
        n = write_entry(&told, bytes);
        must(trace_entry_make(&told, &other) == 0 && trace_entry_parse(other, &again, &field) == 0);
        must(write_entry(&again, others) == n && memcmp(bytes, others, n) == 0);
    }
    sd_json_variant_unref(object);
    sd_json_variant_unref(other);
}

static void read_entry(const uint8_t *data, size_t size)
{
    static struct TraceEntry entry, again;
    static uint8_t bytes[ROOM], others[ROOM];
    ssize_t taken = trace_entry_read(data, size, &entry);
    size_t n;

    must(taken == -EBADMSG || (taken > 0 && (size_t)taken <= size));
    if (taken < 0)
        return;
    n = write_entry(&entry, bytes);
    must(trace_entry_read(bytes, n, &again) == (ssize_t)n);
    must(write_entry(&again, others) == n && memcmp(bytes, others, n) == 0);
    tell(&entry);
}

static struct Config *another_config(void)
{
    static const char text[] =
        "[Tenants all]\nMatch=**\nRules=bomb hog low\n"
        "[Rule bomb]\nWhen=tasks.denied > 0\nUntil=tasks.current < 50% for 1s\n"
        "Steps=freeze\n"
        "[Rule hog]\nWhen=memory.stall > 50% for 1s\nUntil=memory.stall < 10% for 2s\nSteps=throttle 1s, "
        "kill\n"
        "[Rule low]\nScope=host\nWhen=host.disk.free < 10% for 1s\nRank=disk.growth\nSteps=freeze\n";
    struct Problems problems = {0};
    struct Config *config = NULL;

    must(config_parse_buffer("another", text, strlen(text), &config, &problems) == 0);
    return config;
}

static void play(const struct Recording *recording, const struct Config *config)
{
    char why[RECORDING_WHY_MAX] = "";
    struct Replay replay;
    int r = replay_run(recording, config, &replay, why);

    must(r == 0 || (r == -EBADMSG && why[0] != '\0'));
    must(replay.same <= replay.recorded && (replay.n > 0 || replay.same == 0));
    replay_free(&replay);
}

static void load(const uint8_t *data, size_t size)
{
    static struct Config *another;
    static struct TraceEntry entry;
    struct Recording recording;
    char why[RECORDING_WHY_MAX];
    int r;

    ground_write("trace", data, size);
    r = recording_load(ground_file("trace"), &recording, why);
    must((r == 0) == (why[0] == '\0') && memchr(why, '\0', sizeof(why)) && (r == 0 || r == -EBADMSG));
    for (size_t i = 0; i < recording.n; i++) {
        size_t end = i + 1 < recording.n ? recording.offsets[i + 1] : recording.size;

        must(trace_entry_read(recording.bytes + recording.offsets[i], recording.size - recording.offsets[i],
                              &entry) == (ssize_t)(end - recording.offsets[i]));
        tell(&entry);
    }
    if (r == 0) {
        another = another ? another : another_config();
        play(&recording, NULL);
        play(&recording, another);
    }
    recording_free(&recording);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_entry(data, size);
    load(data, size);
    return 0;
}
