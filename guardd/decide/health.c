/* The sentence is made of clauses, the worst first; the word is that of the worst. */
#include "decide/health.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct Sentence {
    char *buf;
    size_t size, n; /* n: of clauses */
    enum Health health;
};

static void add_clause(struct Sentence *sentence, enum Health health, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add_clause(struct Sentence *sentence, enum Health health, const char *format, ...)
{
    size_t used = strlen(sentence->buf);
    va_list arguments;

    snprintf(sentence->buf + used, sentence->size - used, "%s", sentence->n++ > 0 ? "; " : "");
    used = strlen(sentence->buf);
    va_start(arguments, format);
    vsnprintf(sentence->buf + used, sentence->size - used, format, arguments);
    va_end(arguments);
    if (health > sentence->health)
        sentence->health = health;
}

/* "docker/web is frozen", "docker/web and 3 more are frozen" */
static void add_tenants(struct Sentence *sentence, enum Health health, size_t n, const char *name,
                        const char *one, const char *several)
{
    if (n == 1)
        add_clause(sentence, health, "%s %s", name, one);
    else if (n > 1)
        add_clause(sentence, health, "%s and %zu more %s", name, n - 1, several);
}

static void add_ability(struct Sentence *sentence, const struct HealthFacts *facts)
{
    if (facts->missing_needed)
        add_clause(sentence, HEALTH_UNGUARDED, "this host cannot be guarded, %s is not to be had",
                   facts->missing_needed);
    if (facts->mode == MODE_OBSERVE)
        add_clause(sentence, HEALTH_UNGUARDED, "Mode=observe, guardd looks on and does nothing");
    if (facts->degraded > 0)
        add_clause(sentence, HEALTH_IMPAIRED, "%s%s", facts->degraded_text,
                   facts->degraded > 1 ? ", and more" : "");
    if (facts->kills_limit > 0 && facts->kills_left == 0)
        add_clause(sentence, HEALTH_IMPAIRED, "the kill budget is spent");
}

static void add_standing(struct Sentence *sentence, const struct HealthFacts *facts)
{
    add_tenants(sentence, HEALTH_IMPAIRED, facts->failing, facts->failing_name,
                "is not held although a rule wants it", "are not held although a rule wants it");
    add_tenants(sentence, HEALTH_HOLDING, facts->frozen, facts->frozen_name, "is frozen", "are frozen");
    add_tenants(sentence, HEALTH_HOLDING, facts->throttled, facts->throttled_name, "is throttled",
                "are throttled");
    add_tenants(sentence, HEALTH_HOLDING, facts->armed, facts->armed_name, "is under suspicion",
                "are under suspicion");
}

enum Health health_judge(const struct HealthFacts *facts, char *buf, size_t size)
{
    static const char *const beginnings[] = {
        [HEALTH_FINE] = "The host is fine",
        [HEALTH_HOLDING] = "Under control",
        [HEALTH_IMPAIRED] = "Not fine",
        [HEALTH_UNGUARDED] = "Not guarded",
    };
    char clauses[HEALTH_SENTENCE_MAX] = "";
    struct Sentence sentence = {.buf = clauses, .size = sizeof(clauses)};

    add_ability(&sentence, facts);
    add_standing(&sentence, facts);
    if (sentence.n == 0)
        add_clause(&sentence, HEALTH_FINE, "%zu tenant%s guarded, and nothing stands", facts->tenants,
                   facts->tenants == 1 ? " is" : "s are");
    /* As somebody wants it, or as it cannot be helped: said, and nothing to be alarmed at. */
    add_tenants(&sentence, HEALTH_FINE, facts->unlimited, facts->unlimited_name,
                "has a limit that is not in force", "have limits that are not in force");
    add_tenants(&sentence, HEALTH_FINE, facts->exempt, facts->exempt_name, "is exempt from all rules",
                "are exempt from all rules");
    snprintf(buf, size, "%s: %.*s.", beginnings[sentence.health], HEALTH_SENTENCE_MAX - 32, clauses);
    return sentence.health;
}

const char *health_name(enum Health health)
{
    static const char *const names[] = {
        [HEALTH_FINE] = "fine",
        [HEALTH_HOLDING] = "holding",
        [HEALTH_IMPAIRED] = "impaired",
        [HEALTH_UNGUARDED] = "unguarded",
    };

    return names[health];
}
