/* Text -> values: what may stand behind the '=' of a key. Pure: no file, no memory, no state (save that a
 * percentage of the host's memory asks how much it has). Each returns true and the value, or false and a
 * complaint; what is right is left empty where the key's own entry in the table (keys.c) says it best. The
 * text comes without blanks at its ends and is not empty. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/problem.h"
#include "model/policy.h"

bool value_mode(const char *text, enum Mode *ret_mode, struct Complaint *complaint);
/* N/DURATION */
bool value_kill_limit(const char *text, struct KillLimit *ret_limit, struct Complaint *complaint);
/* TraceSize= */
bool value_trace_size(const char *text, size_t *ret_bytes, struct Complaint *complaint);
/* A limit, or "infinity" (LIMIT_INFINITY), by the one table of what limits may be: for a key in a file as for
 * `guardctl set`. Any text may come, an empty one included, and a complaint always says what is right. */
bool value_limit(enum LimitId id, const char *text, uint64_t *ret_value, struct Complaint *complaint);
/* NetworkBurst= */
bool value_burst(const char *text, uint64_t *ret_bytes, struct Complaint *complaint);
/* READING OPERATOR VALUE [for DURATION]; VALUE by the reading's measure, or a percentage of its limit. What
 * is a percentage by itself (pressure, cpu.usage) has none of a limit. */
bool value_condition(const char *text, struct Condition *ret_condition, struct Complaint *complaint);
/* The same for When=: it must not hold for every tenant. */
bool value_trigger(const char *text, struct Condition *ret_condition, struct Complaint *complaint);
/* VERB [DURATION], VERB [DURATION]... */
bool value_steps(const char *text, struct Step ret_steps[POLICY_STEPS_MAX], size_t *ret_n_steps,
                 struct Complaint *complaint);
bool value_scope(const char *text, enum Scope *ret_scope, struct Complaint *complaint);
/* A reading by which the worst of several tenants is found: the more of it, the worse. */
bool value_rank(const char *text, enum ReadingId *ret_reading, struct Complaint *complaint);

/* ThrottleTo= */
bool value_throttle(const char *text, unsigned *ret_percent, struct Complaint *complaint);

/* These are right as they are, or not. */
bool value_glob(const char *text, struct Complaint *complaint);
bool value_path(const char *text, struct Complaint *complaint);
bool value_group(const char *text, struct Complaint *complaint);
/* The name of a class or a rule. */
bool value_name(const char *text, struct Complaint *complaint);

/* What is right for a value that counts this. */
const char *value_example(enum Measure measure);
/* `length` decimal digits and nothing else; false also when there are too many of them. */
bool value_number(const char *text, size_t length, uint64_t *ret_number);

/* Does a condition hold whatever is measured, or for every tenant at peace? Such a rule would act on all of
 * them at once. */
bool condition_always_holds(const struct Condition *condition);
/* The opposite of a condition, for 30 s: when the danger has passed, unless Until= says. */
struct Condition condition_opposite(const struct Condition *condition);
