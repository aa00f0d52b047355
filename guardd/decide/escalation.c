#include "decide/escalation.h"

static const struct Move moves[PHASE_COUNT][RULE_EVENT_COUNT] =
    {
        [PHASE_IDLE] =
            {
                [RULE_QUIET] = {PHASE_IDLE, EFFECT_NONE},
                [RULE_HOLDS] = {PHASE_PENDING, EFFECT_NOTE},
                [RULE_DUE] = {PHASE_ACTING, EFFECT_BEGIN},
                [RULE_STEP_OVER] = {PHASE_IDLE, EFFECT_NONE},
                [RULE_STALLED] = {PHASE_IDLE, EFFECT_NONE},
                [RULE_RELIEVED] = {PHASE_IDLE, EFFECT_NONE},
                [RULE_TOOK] = {PHASE_IDLE, EFFECT_NONE},
                [RULE_FAILED] = {PHASE_IDLE, EFFECT_NONE},
            },
        [PHASE_PENDING] =
            {
                [RULE_QUIET] = {PHASE_IDLE, EFFECT_FORGET},
                [RULE_HOLDS] = {PHASE_PENDING, EFFECT_NONE},
                [RULE_DUE] = {PHASE_ACTING, EFFECT_BEGIN},
                [RULE_STEP_OVER] = {PHASE_PENDING, EFFECT_NONE},
                [RULE_STALLED] = {PHASE_PENDING, EFFECT_NONE},
                [RULE_RELIEVED] = {PHASE_PENDING, EFFECT_NONE},
                [RULE_TOOK] = {PHASE_PENDING, EFFECT_NONE},
                [RULE_FAILED] = {PHASE_PENDING, EFFECT_NONE},
            },
        [PHASE_ACTING] =
            {
                [RULE_QUIET] = {PHASE_ACTING, EFFECT_NONE},
                [RULE_HOLDS] = {PHASE_ACTING, EFFECT_NONE},
                [RULE_DUE] = {PHASE_ACTING, EFFECT_NONE},
                [RULE_STEP_OVER] = {PHASE_ACTING, EFFECT_NONE},
                [RULE_STALLED] = {PHASE_ACTING, EFFECT_NONE},
                [RULE_RELIEVED] = {PHASE_ACTING, EFFECT_NONE},
                [RULE_TOOK] = {PHASE_STANDING, EFFECT_SETTLE},
                [RULE_FAILED] = {PHASE_STANDING, EFFECT_STAND_BY},
            },
        [PHASE_STANDING] =
            {
                [RULE_QUIET] = {PHASE_STANDING, EFFECT_NONE},
                [RULE_HOLDS] = {PHASE_STANDING, EFFECT_NONE},
                [RULE_DUE] = {PHASE_STANDING, EFFECT_NONE},
                [RULE_STEP_OVER] = {PHASE_ACTING, EFFECT_NEXT_STEP},
                [RULE_STALLED] = {PHASE_ACTING, EFFECT_NEXT_STEP},
                [RULE_RELIEVED] = {PHASE_RELEASING, EFFECT_RELEASE},
                [RULE_TOOK] = {PHASE_STANDING, EFFECT_NONE},
                [RULE_FAILED] = {PHASE_STANDING, EFFECT_NONE},
            },
        [PHASE_RELEASING] =
            {
                [RULE_QUIET] = {PHASE_RELEASING, EFFECT_NONE},
                [RULE_HOLDS] = {PHASE_RELEASING, EFFECT_NONE},
                [RULE_DUE] = {PHASE_RELEASING, EFFECT_NONE},
                [RULE_STEP_OVER] = {PHASE_RELEASING, EFFECT_RELEASE},
                [RULE_STALLED] = {PHASE_RELEASING, EFFECT_NONE},
                [RULE_RELIEVED] = {PHASE_RELEASING, EFFECT_NONE},
                [RULE_TOOK] = {PHASE_STANDING, EFFECT_STEP_DOWN},
                [RULE_FAILED] = {PHASE_RELEASING, EFFECT_RETRY},
            },
};

const struct Move *escalation_move(enum RulePhase phase, enum RuleEvent event)
{
    return &moves[phase][event];
}
