/* From the fields of journal entries to the text of a story. The entries are made as guardd's are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "ctl/acts.h"
#include "ctl/entry.h"
#include "ctl/reply.h"
#include "ctl/sparkline.h"
#include "ctl/story.h"
#include "ctl/tale.h"

#define _cleanup_json_ _cleanup_(sd_json_variant_unrefp)
#define SECOND INT64_C(1000000)
#define START (INT64_C(1795361400) * SECOND) /* 2026-11-22 15:30:00 UTC */

struct Script {
    struct Acts acts;
    const char *boot;
};

static int setup(void **state)
{
    struct Script *script = calloc(1, sizeof(*script));

    script->boot = "b1";
    acts_init(&script->acts);
    *state = script;
    return 0;
}

static int teardown(void **state)
{
    struct Script *script = *state;

    acts_done(&script->acts);
    free(script);
    return 0;
}

/* An entry at so many milliseconds, of these fields: "NAME=value" one a line, GUARDD_ left out. */
static void entry(struct Script *script, int64_t msec, const char *lines)
{
    _cleanup_json_ sd_json_variant *event = NULL;
    struct Entry made;
    char text[256];

    entry_init(&made);
    snprintf(text, sizeof(text), "GUARDD_TIME_USEC=%" PRId64, START + msec * 1000);
    entry_add(&made, text, strlen(text));
    snprintf(text, sizeof(text), "_BOOT_ID=%s", script->boot);
    entry_add(&made, text, strlen(text));
    snprintf(text, sizeof(text), "GUARDD_TENANT=docker/web");
    entry_add(&made, text, strlen(text));
    while (*lines != '\0') {
        size_t length = strcspn(lines, "\n");
        int n = snprintf(text, sizeof(text), "%s%.*s", strncmp(lines, "ERRNO", 5) == 0 ? "" : "GUARDD_",
                         (int)length, lines);

        entry_add(&made, text, (size_t)n);
        lines += length + (lines[length] == '\n');
    }
    assert_int_equal(entry_event(&made, &event), 0);
    acts_add(&script->acts, event);
    entry_done(&made);
}

#define BOMB                                                                                                 \
    "CLASS=docker\nCGROUP=system.slice/docker-1.scope\nCGROUP_ID=7\nCAUSE=rule\nRULE=fork-bomb\nSTEPS=2\n"   \
    "WHEN=tasks.denied > 0\nWHEN_READING=tasks.denied\nWHEN_UNIT=count\nWHEN_THRESHOLD=0\n"                  \
    "UNTIL=tasks.current < 50% for 10s\nUNTIL_READING=tasks.current\nUNTIL_UNIT=count\nUNTIL_VALUE=1024\n"   \
    "UNTIL_LIMIT=1024\nUNTIL_THRESHOLD=50%\n"

static void fork_bomb(struct Script *script, int64_t msec)
{
    entry(script, msec,
          "EVENT=decision\nACTION=0000000a-1\nVERB=freeze\nSTEP=1\nGROUND=when\nWHEN_VALUE=37\n"
          "WHEN_SERIES=2000:0 1000:3 0:37\nREASON=tasks.denied 37 (> 0)\n" BOMB);
    entry(script, msec + 2,
          "EVENT=outcome\nACTION=0000000a-1\nVERB=freeze\nCAUSE=rule\nRULE=fork-bomb\nRESULT=done\nTOOK_USEC="
          "2000");
    entry(script, msec + 5002,
          "EVENT=decision\nACTION=0000000a-2\nVERB=kill\nSTEP=2\nGROUND=until\nWHEN_VALUE=0\n"
          "REASON=no relief within 5s of step 1 of 2: tasks.current 1024 of 1024, 100% (< 50%)\n" BOMB);
    entry(script, msec + 5132,
          "EVENT=outcome\nACTION=0000000a-2\nVERB=kill\nCAUSE=rule\nRULE=fork-bomb\nRESULT=done\nTOOK_USEC="
          "130000");
}

static void thaw(struct Script *script, int64_t msec)
{
    entry(
        script, msec,
        "EVENT=decision\nACTION=0000000a-3\nVERB=thaw\nCAUSE=relief\nRULE=fork-bomb\nREASON=relief for 10s");
    entry(script, msec + 1,
          "EVENT=outcome\nACTION=0000000a-3\nVERB=thaw\nCAUSE=relief\nRULE=fork-bomb\nRESULT=done\nTOOK_USEC="
          "1000");
}

static void freeze(struct Script *script, int64_t msec, const char *action)
{
    char text[256];

    for (int i = 0; i < 2; i++) {
        snprintf(text, sizeof(text), "EVENT=%s\nACTION=%s\nVERB=freeze\nCAUSE=rule\nRULE=fork-bomb\n%s",
                 i == 0 ? "decision" : "outcome", action,
                 i == 0 ? "REASON=it" : "RESULT=done\nTOOK_USEC=1000");
        entry(script, msec + i, text);
    }
}

static void set_by_hand(struct Script *script, int64_t msec, const char *action)
{
    char text[256];

    snprintf(
        text, sizeof(text),
        "EVENT=decision\nACTION=%s\nVERB=limit\nCAUSE=operator\nOPERATOR_UID=0\nLIMIT=TasksMax\nVALUE=500\n"
        "REASON=uid 0 asks for TasksMax=500, found 1024",
        action);
    entry(script, msec, text);
    snprintf(
        text, sizeof(text),
        "EVENT=outcome\nACTION=%s\nVERB=limit\nCAUSE=operator\nOPERATOR_UID=0\nLIMIT=TasksMax\nVALUE=500\n"
        "RESULT=done\nTOOK_USEC=4000\nRESULT_TEXT=through systemd",
        action);
    entry(script, msec + 4, text);
}

static char *told(struct Script *script, const char *action)
{
    static const struct TaleStyle style = {.utf8 = true, .bold = "", .warning = "", .plain = ""};
    _cleanup_json_ sd_json_variant *object = NULL;
    struct Story story;
    char *text = NULL;
    size_t size;
    FILE *file;

    assert_true(story_find(&script->acts, action, &story));
    object = story_object(&script->acts, &story);
    file = open_memstream(&text, &size);
    tale_print(file, object, &style);
    fclose(file);
    return text;
}

#define assert_told(text, part)                                                                              \
    do {                                                                                                     \
        if (!strstr(text, part))                                                                             \
            fail_msg("'%s' is not in:\n%s", part, text);                                                     \
    } while (0)

/* --- acts ------------------------------------------------------------------------------------------- */

static void an_outcome_is_found_to_its_decision(void **state)
{
    struct Script *script = *state;
    sd_json_variant *act, *when;
    int64_t number = 0;

    fork_bomb(script, 0);
    assert_int_equal(acts_count(&script->acts), 2);
    act = acts_at(&script->acts, 0);
    when = reply_object(reply_object(act, "decision"), "when");
    assert_string_equal(act_verb(act), "freeze");
    assert_string_equal(act_result(act), "done");
    assert_int_equal(act_began(act), START);
    assert_int_equal(act_ended(act), START + 2000);
    assert_string_equal(reply_text(when, "reading"), "tasks.denied");
    assert_true(reply_number(when, "value", &number));
    assert_int_equal(number, 37);
    assert_false(reply_number(when, "limit", &number));
    assert_true(reply_number(reply_item(when, "series", 1), "ageUsec", &number));
    assert_int_equal(number, SECOND);
    assert_true(
        reply_number(reply_object(reply_object(act, "decision"), "until"), "thresholdPercent", &number));
    assert_int_equal(number, 50);
    assert_null(reply_text(act, "kind"));
}

static void an_outcome_alone_is_an_act(void **state)
{
    struct Script *script = *state;

    entry(script, 0, "EVENT=outcome\nACTION=0000000a-9\nVERB=kill\nCAUSE=operator\nRESULT=failed\nERRNO=110");
    assert_int_equal(acts_count(&script->acts), 1);
    assert_string_equal(act_result(acts_at(&script->acts, 0)), "failed");
}

/* What is no number, and what is no event, is left out. */
static void nonsense_is_left_out(void **state)
{
    _cleanup_json_ sd_json_variant *event = NULL;
    struct Script *script = *state;
    sd_json_variant *decision;
    struct Entry none;
    int64_t number;

    entry(script, 0,
          "EVENT=decision\nVERB=freeze\nSTEP=x\nWHEN_READING=a\nWHEN_VALUE=99999999999999999999\n"
          "WHEN_SERIES=1:2 x\nPASSED_OVER=5;x\nPASSED_OVER=;;\x1b[31m\nCGROUP_ID=-1");
    decision = reply_object(acts_at(&script->acts, 0), "decision");
    assert_false(reply_number(decision, "step", &number));
    assert_false(reply_number(reply_object(decision, "when"), "value", &number));
    assert_null(reply_item(reply_object(decision, "when"), "series", 1));
    assert_string_equal(reply_text(reply_item(decision, "passedOver", 0), "name"), "\\x1b[31m");
    assert_null(reply_item(decision, "passedOver", 1));
    assert_false(reply_number(acts_at(&script->acts, 0), "cgroupId", &number));
    entry_init(&none);
    entry_add(&none, "MESSAGE=x", 9);
    assert_int_equal(entry_event(&none, &event), -EBADMSG);
    entry_done(&none);
}

static void a_command_line_is_not_told(void **state)
{
    struct Script *script = *state;
    _cleanup_free_ char *text = NULL;

    entry(script, 0,
          "EVENT=change\nREQUEST=TasksMax=500\nOPERATOR_UID=1000\nOPERATOR=alice\nOPERATOR_PID=77\n"
          "OPERATOR_COMMAND=guardctl set secret");
    text = told(script, NULL);
    assert_told(text, "asked for: TasksMax=500");
    assert_told(text, "alice (uid 1000), process 77");
    assert_null(strstr(text, "secret"));
}

/* --- stories ---------------------------------------------------------------------------------------- */

static void a_story_goes_on_while_something_stands(void **state)
{
    struct Script *script = *state;
    struct Story story;

    freeze(script, 0, "0000000a-1");
    thaw(script, 3600 * 1000); /* an hour later */
    freeze(script, 3600 * 1000 + 30 * 1000, "0000000a-4");
    assert_true(story_find(&script->acts, NULL, &story));
    assert_int_equal(story.first, 0);
    assert_int_equal(story.n, 3);
    assert_int_equal(story.earlier, 0);
    assert_string_equal(reply_text(reply_object(acts_at(&script->acts, 0), "undone"), "action"),
                        "0000000a-3");
    assert_false(reply_flag(acts_at(&script->acts, 0), "stands"));
    assert_true(reply_flag(acts_at(&script->acts, 2), "stands"));
}

static void after_a_pause_another_one_begins(void **state)
{
    struct Script *script = *state;
    _cleanup_free_ char *text = NULL;
    struct Story story;

    fork_bomb(script, 0);
    freeze(script, 120 * 1000, "0000000a-8");
    assert_true(story_find(&script->acts, NULL, &story));
    assert_int_equal(story.first, 2);
    assert_int_equal(story.earlier, 1);
    text = told(script, NULL);
    assert_told(text, "Before that: 1 story, the last one: guardctl explain 0000000a-2");
    assert_true(story_find(&script->acts, "0000000a-1", &story));
    assert_int_equal(story.first, 0);
    assert_int_equal(story.n, 2);
    assert_false(story_find(&script->acts, "0000000a-99", &story));
}

static void a_reboot_ends_it(void **state)
{
    struct Script *script = *state;
    struct Story story;

    freeze(script, 0, "0000000a-1");
    script->boot = "b2";
    freeze(script, 10 * 1000, "0000000b-1");
    assert_true(story_find(&script->acts, NULL, &story));
    assert_int_equal(story.first, 1);
    assert_false(reply_flag(acts_at(&script->acts, 0), "stands"));
}

static void limits_set_by_hand_do_not_hide_the_story_before(void **state)
{
    struct Script *script = *state;
    _cleanup_free_ char *text = NULL;

    fork_bomb(script, 0);
    set_by_hand(script, 3600 * 1000, "0000000a-5");
    text = told(script, NULL);
    assert_told(text, "frozen, then killed, then limits set by hand");
    assert_told(text, "limit TasksMax=500");
}

static void limits_alone_are_a_story(void **state)
{
    struct Script *script = *state;
    _cleanup_free_ char *text = NULL;

    set_by_hand(script, 0, "0000000a-5");
    set_by_hand(script, 3600 * 1000, "0000000a-6");
    text = told(script, NULL);
    assert_told(text, "docker/web\nlimits set by hand\n");
    assert_told(text, "by hand      root (uid 0)");
    assert_told(text, "0000000a-5");
    assert_told(text, "0000000a-6");
}

/* --- the text --------------------------------------------------------------------------------------- */

static void a_fork_bomb_is_told(void **state)
{
    static const char wanted[] =
        "docker/web, class docker\n"
        "frozen, then killed\n"
        "\n2026-11-22\n"
        "15:30:00.000  freeze, rule fork-bomb, step 1 of 2\n"
        "  reading      tasks.denied 37; threshold: tasks.denied > 0\n"
        "               ▁▂█ 0 to 37 in the 2s before\n"
        "               tasks.current 1024 of 1024 (100%); until: tasks.current < 50% for\n"
        "               10s\n"
        "  why this one the rule goes by the tenant's own readings, and so means nobody\n"
        "               else\n"
        "  because      tasks.denied 37 (> 0)\n"
        "  outcome      frozen after 2ms\n"
        "  action       0000000a-1\n"
        "\n"
        "15:30:05.002  kill, rule fork-bomb, step 2 of 2\n"
        "  reading      tasks.current 1024 of 1024 (100%); until: tasks.current < 50% for\n"
        "               10s\n"
        "               tasks.denied 0; threshold: tasks.denied > 0\n"
        "  because      no relief within 5s of step 1 of 2: tasks.current 1024 of 1024,\n"
        "               100% (< 50%)\n"
        "  outcome      killed after 130ms\n"
        "  action       0000000a-2\n";
    struct Script *script = *state;
    _cleanup_free_ char *text = NULL;

    fork_bomb(script, 0);
    text = told(script, NULL);
    assert_string_equal(text, wanted);
}

/* A constant is no line, and of what is let go only relief is told. */
static void relief_is_told_by_until_alone(void **state)
{
    struct Script *script = *state;
    _cleanup_free_ char *text = NULL;

    entry(script, 0,
          "EVENT=decision\nACTION=0000000a-3\nVERB=thaw\nSTEP=1\nGROUND=until\nWHEN_VALUE=0\n"
          "UNTIL_SERIES=2000:7 1000:7 0:7\n" BOMB);
    text = told(script, NULL);
    assert_told(text, "unchanged in the 2s before\n");
    assert_null(strstr(text, "tasks.denied"));
}

static void an_election_is_told(void **state)
{
    struct Script *script = *state;
    _cleanup_free_ char *text = NULL;

    entry(script, 0,
          "EVENT=decision\nACTION=0000000a-1\nVERB=freeze\nCAUSE=rule\nRULE=disk-host-low\nSTEP=1\nSTEPS=1\n"
          "GROUND=when\nWHEN=host.disk.free < 10% for 5s\nWHEN_READING=host.disk.free\nWHEN_UNIT=bytes\n"
          "WHEN_VALUE=966367641\nWHEN_LIMIT=10737418240\nWHEN_THRESHOLD=10%\n"
          "RANK=disk.growth\nRANK_VALUE=125829120\nPASSED_OVER=83886080;;docker/b\n"
          "PASSED_OVER=3145728;protected;docker/c;d\nPASSED_OVER=-;not known;docker/e\nPASSED_OVER_MORE=4\n"
          "REASON=the whole sentence");
    text = told(script, NULL);
    assert_told(text, "host.disk.free 922M of 10G (8%)");
    assert_told(text, "it has most\n               disk.growth, 120M/s\n");
    assert_told(text, "passed over  docker/b, 80M/s: has less\n");
    assert_told(text, "docker/c;d, 3M/s: protected\n");
    assert_told(text, "docker/e, not known: not known\n");
    assert_told(text, "and 4 more\n");
    assert_null(strstr(text, "the whole sentence"));
    assert_told(text, "outcome      not in the journal");
}

static void no_line_is_wider_than_80_columns(void **state)
{
    struct Script *script = *state;
    _cleanup_free_ char *text = NULL;

    fork_bomb(script, 0);
    thaw(script, 6000);
    set_by_hand(script, 7000, "0000000a-7");
    text = told(script, NULL);
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        size_t width = 0;

        for (size_t i = 0; line[i] != '\n'; i++)
            width += ((unsigned char)line[i] & 0xc0) != 0x80;
        assert_true(width <= 80);
    }
}

/* Of another guardd; words of this one are short. */
static void words_of_any_length_are_told_whole(void **state)
{
    static char verb[230], resource[230], rule[230], reading[230], lines[1200];
    struct Script *script = *state;
    _cleanup_free_ char *text = NULL;

    memset(verb, 'v', sizeof(verb) - 1);
    memset(resource, 's', sizeof(resource) - 1);
    memset(rule, 'r', sizeof(rule) - 1);
    memset(reading, 'w', sizeof(reading) - 1);
    snprintf(lines, sizeof(lines),
             "EVENT=decision\nACTION=a\nVERB=%s\nRESOURCE=%s\nRULE=%s\nLIMIT=TasksMax\nVALUE=7\nGROUND=when\n"
             "STEP=1\nSTEPS=2\nWHEN_READING=%s\nWHEN_UNIT=count\nWHEN_VALUE=8\nWHEN_THRESHOLD=7\nWHEN=then",
             verb, resource, rule, reading);
    entry(script, 0, lines);
    text = told(script, NULL);
    assert_told(text, verb);
    assert_told(text, resource);
    assert_told(text, " TasksMax=7, rule rrr");
    assert_told(text, "rrr, step 1 of 2\n");
    assert_told(text, reading);
    assert_told(text, " 8; threshold: then");
}

static void a_share_is_told_where_it_says_something(void **state)
{
    static const struct {
        const char *value, *limit, *told;
    } shares[] = {
        {"1023", "1024", "r 1023 of 1024 (99%);"},
        {"1", "0", "r 1 of 0;"},
        {"-1", "5", "r -1 of 5;"},
        {"9223372036854775807", "1", "r 9223372036854775807 of 1;"},
        {"-9223372036854775808", "1", "r -9223372036854775808 of 1;"},
    };

    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        _cleanup_free_ char *text = NULL;
        char lines[256];

        assert_int_equal(teardown(state), 0);
        assert_int_equal(setup(state), 0);
        snprintf(lines, sizeof(lines),
                 "EVENT=decision\nACTION=a\nVERB=freeze\nGROUND=when\nWHEN_READING=r\nWHEN_UNIT=count\n"
                 "WHEN_VALUE=%s\nWHEN_LIMIT=%s\nWHEN_THRESHOLD=7\nWHEN=w",
                 shares[i].value, shares[i].limit);
        entry(*state, 0, lines);
        text = told(*state, NULL);
        assert_told(text, shares[i].told);
    }
}

static void a_sparkline_goes_from_the_least_to_the_greatest(void **state)
{
    static const int64_t values[] = {INT64_MIN, 0, INT64_MAX}, same[] = {5, 5};
    char buf[SPARKLINE_MAX(3)];

    assert_string_equal(sparkline(values, 3, true, buf, sizeof(buf)), "▁▅█");
    assert_string_equal(sparkline(values, 3, false, buf, sizeof(buf)), "_=#");
    assert_string_equal(sparkline(same, 2, false, buf, sizeof(buf)), "__");
    assert_string_equal(sparkline(NULL, 0, false, buf, sizeof(buf)), "");
    assert_string_equal(sparkline(values, 3, true, buf, 4), "▁");
}

#define story_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        story_test(an_outcome_is_found_to_its_decision),
        story_test(an_outcome_alone_is_an_act),
        story_test(nonsense_is_left_out),
        story_test(a_command_line_is_not_told),
        story_test(a_story_goes_on_while_something_stands),
        story_test(after_a_pause_another_one_begins),
        story_test(a_reboot_ends_it),
        story_test(limits_set_by_hand_do_not_hide_the_story_before),
        story_test(limits_alone_are_a_story),
        story_test(a_fork_bomb_is_told),
        story_test(relief_is_told_by_until_alone),
        story_test(an_election_is_told),
        story_test(no_line_is_wider_than_80_columns),
        story_test(words_of_any_length_are_told_whole),
        story_test(a_share_is_told_where_it_says_something),
        story_test(a_sparkline_goes_from_the_least_to_the_greatest),
    };

    setenv("TZ", "UTC0", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
