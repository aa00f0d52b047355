/* Text -> values: what may stand behind the '=' of a key. Pure: no file, no memory, no state. Each returns
 * true and the value, or false and a complaint; what is right is left empty where the key's own entry in
 * the table (keys.c) says it best. The text comes without blanks at its ends and is not empty. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/problem.h"
#include "model/policy.h"

bool value_mode(const char *text, enum Mode *ret_mode, struct Complaint *complaint);
/* N/DURATION */
bool value_kill_limit(const char *text, struct KillLimit *ret_limit, struct Complaint *complaint);
/* A number of tasks, or "infinity" (LIMIT_INFINITY). */
bool value_tasks(const char *text, uint64_t *ret_tasks, struct Complaint *complaint);
/* READING OPERATOR VALUE[%] [for DURATION] */
bool value_condition(const char *text, struct Condition *ret_condition, struct Complaint *complaint);
/* VERB [DURATION], VERB [DURATION]... */
bool value_steps(const char *text, struct Step ret_steps[POLICY_STEPS_MAX], size_t *ret_n_steps,
                 struct Complaint *complaint);
bool value_scope(const char *text, struct Complaint *complaint);

/* These are right as they are, or not. */
bool value_glob(const char *text, struct Complaint *complaint);
bool value_path(const char *text, struct Complaint *complaint);
bool value_group(const char *text, struct Complaint *complaint);
/* The name of a class or a rule. */
bool value_name(const char *text, struct Complaint *complaint);

/* Does a condition hold whatever is measured? Such a rule would act on every tenant at once. */
bool condition_always_holds(const struct Condition *condition);
/* The opposite of a condition, for 30 s: when the danger has passed, unless Until= says. */
struct Condition condition_opposite(const struct Condition *condition);
