/* The escalation of a rule against a tenant, as data: what happens in which phase at which event. engine.c
 * finds out the events and brings the effects about. */
#pragma once

#include "model/tenant.h"

enum RuleEvent {
    RULE_QUIET,     /* When is false; or nothing is due */
    RULE_HOLDS,     /* When is true, not yet for as long as it asks */
    RULE_DUE,       /* When held for as long as it asks */
    RULE_STEP_OVER, /* the time of the step (or of a retry) is over */
    RULE_STALLED,   /* the step that stands leaves the tenant stuck */
    RULE_RELIEVED,  /* Until held for as long as it asks, and the step has dwelt */
    RULE_TOOK,      /* the outcome of what was decided: it took */
    RULE_FAILED,
    RULE_EVENT_COUNT,
};

enum Effect {
    EFFECT_NONE,
    EFFECT_NOTE,      /* remember since when */
    EFFECT_BEGIN,     /* decide the first step, or the last one */
    EFFECT_SETTLE,    /* the step is in force from now on */
    EFFECT_STAND_BY,  /* the step did not take: wait for its time to pass */
    EFFECT_NEXT_STEP, /* decide the next step; the last one again when it failed */
    EFFECT_RELEASE,   /* decide the inverse of the strongest that is held */
    EFFECT_STEP_DOWN, /* the inverse took: to the weaker step that is still in force, or to peace */
    EFFECT_RETRY,     /* the inverse failed: wait, then again */
    EFFECT_FORGET,    /* all is over */
};

/* An effect may lead elsewhere than `next`: a kill that is held back stays STANDING, as does what is relieved
 * of a step that has no inverse above one that is still in force; a release with nothing to undo goes to IDLE
 * at once, and STEP_DOWN to IDLE where nothing weaker is in force. */
struct Move {
    enum RulePhase next;
    enum Effect effect;
};

const struct Move *escalation_move(enum RulePhase phase, enum RuleEvent event);
