/* Recorded attacks (tests/replay): by their own configuration they are decided as they were; by a stricter
 * one earlier; and what does not fit together is noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "replay.h"

static const char *directory;

static void load(const char *name, struct Recording *recording)
{
    char path[512], why[RECORDING_WHY_MAX];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    if (recording_load(path, recording, why) < 0)
        fail_msg("%s", why);
}

static void play(const struct Recording *recording, const struct Config *config, struct Replay *replay)
{
    char why[RECORDING_WHY_MAX] = "";

    if (replay_run(recording, config, replay, why) < 0)
        fail_msg("%s", why);
}

static const struct Event *find(const struct Replay *replay, const char *tenant, enum Verb verb)
{
    for (size_t i = 0; i < replay->n; i++)
        if (replay->decisions[i].decision.verb == verb && strcmp(replay->decisions[i].tenant, tenant) == 0)
            return &replay->decisions[i];
    return NULL;
}

/* The recorded configuration with something behind it. */
static struct Config *recorded_and(const struct Recording *recording, const char *more)
{
    struct Problems problems = {};
    struct Config *config = NULL;
    struct TraceEntry entry;
    char *text;

    recording_get(recording, 0, &entry);
    assert_true(asprintf(&text, "%.*s%s", (int)entry.text_size, entry.text, more) > 0);
    assert_int_equal(config_parse_buffer("test", text, strlen(text), &config, &problems), 0);
    problems_free(&problems);
    free(text);
    return config;
}

static void every_recording_is_decided_again(void **state)
{
    char pattern[512];
    glob_t files;

    snprintf(pattern, sizeof(pattern), "%s/*.jsonl", directory);
    assert_int_equal(glob(pattern, 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct Recording recording;
        struct Replay replay;

        load(strrchr(files.gl_pathv[i], '/') + 1, &recording);
        play(&recording, NULL, &replay);
        assert_true(replay.recorded > 0);
        assert_int_equal(replay.same, replay.recorded);
        assert_int_equal(replay.n, replay.recorded);
        assert_int_equal(replay.unknown, 0);
        replay_free(&replay);
        recording_free(&recording);
    }
    globfree(&files);
}

static void a_stricter_rule_acts_earlier(void **state)
{
    struct Recording recording;
    struct Config *config;
    struct Replay live, then;

    load("fork-bomb.jsonl", &recording);
    config = recorded_and(&recording, "\n[Rule fork-bomb]\nSteps=freeze 200ms, kill\n");
    play(&recording, NULL, &live);
    play(&recording, config, &then);
    assert_int_equal(find(&live, "jobs/a", VERB_FREEZE)->at_usec,
                     find(&then, "jobs/a", VERB_FREEZE)->at_usec);
    assert_true(find(&then, "jobs/a", VERB_KILL)->at_usec + USEC_PER_SEC <
                find(&live, "jobs/a", VERB_KILL)->at_usec);
    /* The other one's rule is as it was. */
    assert_int_equal(find(&live, "graceful/a", VERB_KILL)->at_usec,
                     find(&then, "graceful/a", VERB_KILL)->at_usec);
    replay_free(&live);
    replay_free(&then);
    config_free(config);
    recording_free(&recording);
}

static void another_configuration_protects(void **state)
{
    struct Recording recording;
    struct Config *config;
    struct Replay replay;

    load("fork-bomb.jsonl", &recording);
    config = recorded_and(&recording, "\n[Guard]\nProtect=jobs/*\n");
    play(&recording, config, &replay);
    assert_null(find(&replay, "jobs/a", VERB_FREEZE));
    assert_non_null(find(&replay, "jobs/a", VERB_WARN)); /* withheld, and said */
    assert_non_null(find(&replay, "graceful/a", VERB_FREEZE));
    replay_free(&replay);
    config_free(config);
    recording_free(&recording);
}

static void observing_goes_the_same_way(void **state)
{
    struct Recording recording;
    struct Config *config;
    struct Replay replay;

    load("fork-bomb.jsonl", &recording);
    config = recorded_and(&recording, "\n[Guard]\nMode=observe\n");
    play(&recording, config, &replay);
    assert_non_null(find(&replay, "jobs/a", VERB_KILL));
    replay_free(&replay);
    config_free(config);
    recording_free(&recording);
}

/* A file with one word changed; the caller removes it. */
static void change(const char *name, const char *from, const char *to, char *ret_path)
{
    char line[65536], path[512], *found;
    FILE *in, *out;
    int fd;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    strcpy(ret_path, "/tmp/guardd-replay-XXXXXX");
    fd = mkstemp(ret_path);
    assert_true(fd >= 0);
    in = fopen(path, "re");
    out = fdopen(fd, "w");
    assert_non_null(in);
    while (fgets(line, sizeof(line), in)) {
        found = strstr(line, from);
        if (found)
            fprintf(out, "%.*s%s%s", (int)(found - line), line, to, found + strlen(from));
        else
            fputs(line, out);
    }
    fclose(in);
    fclose(out);
}

static void another_reading_is_another_decision(void **state)
{
    char path[64], why[RECORDING_WHY_MAX];
    struct Recording recording;
    struct Replay replay;

    change("fork-bomb.jsonl", "\"tasks.denied\":[1]", "\"tasks.denied\":[0]", path);
    assert_int_equal(recording_load(path, &recording, why), 0);
    play(&recording, NULL, &replay);
    assert_true(replay.same < replay.recorded);
    assert_null(find(&replay, "jobs/a", VERB_FREEZE));
    replay_free(&replay);
    recording_free(&recording);
    unlink(path);
}

/* A rule that stands asks for a look each second. By such a time there would be ages of them. */
static void a_time_that_is_wrong_by_ages_is_survived(void **state)
{
    char path[64], why[RECORDING_WHY_MAX];
    struct Recording recording;
    struct Config *config;
    struct Replay replay;

    change("fork-bomb.jsonl", "{\"kind\":\"outcome\",\"atUsec\":4561287144",
           "{\"kind\":\"outcome\",\"atUsec\":9000000000000000000", path);
    assert_int_equal(recording_load(path, &recording, why), 0);
    config = recorded_and(&recording, "\n[Rule fork-bomb]\nSteps=freeze\n");
    play(&recording, config, &replay);
    assert_non_null(find(&replay, "jobs/a", VERB_FREEZE));
    replay_free(&replay);
    config_free(config);
    recording_free(&recording);
    unlink(path);
}

/* Each line of a recording with each of some things wrong: an error, or a replay, never more. */
static void damage_is_survived(void **state)
{
    static const struct {
        const char *from, *to;
    } changes[] = {
        {"\"verb\":\"freeze\"", "\"verb\":\"unlimit\""},
        {"\"holder\":0", "\"holder\":16"},
        {"\"frozenBy\":1", "\"frozenBy\":4294967295"},
        {"\"kind\":\"gone\"", "\"kind\":\"reset\""},
        {"\"kind\":\"tenant\"", "\"kind\":\"look\""},
        {"\"kind\":\"look\"", "\"kind\":\"candidate\""},
        {"\"atUsec\":", "\"atUsec\":18446744073709551615,\"x\":"},
        {"\"realtimeUsec\":", "\"realtimeUsec\":0,\"x\":"},
        {"\"tasks.current\":[", "\"tasks.current\":[-9223372036854775808,"},
        {"\"rule\":\"fork-bomb\"", "\"rule\":\"no-such-rule\""},
        {"\"class\":\"jobs\"", "\"class\":\"none\""},
    };

    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        char path[64], why[RECORDING_WHY_MAX] = "";
        struct Recording recording;
        struct Replay replay = {};

        change("fork-bomb.jsonl", changes[i].from, changes[i].to, path);
        if (recording_load(path, &recording, why) >= 0)
            (void)replay_run(&recording, NULL, &replay, why);
        replay_free(&replay);
        recording_free(&recording);
        unlink(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_recording_is_decided_again),
        cmocka_unit_test(a_stricter_rule_acts_earlier),
        cmocka_unit_test(another_configuration_protects),
        cmocka_unit_test(observing_goes_the_same_way),
        cmocka_unit_test(another_reading_is_another_decision),
        cmocka_unit_test(damage_is_survived),
        cmocka_unit_test(a_time_that_is_wrong_by_ages_is_survived),
    };

    directory = getenv("GUARDD_REPLAY_DIR");
    return directory ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
