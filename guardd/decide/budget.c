#include "decide/budget.h"

static bool counts(usec_t spent, const struct KillLimit *limit, usec_t now)
{
    return spent != 0 && usec_add(spent, limit->window_usec) > now;
}

unsigned budget_left(const struct KillBudget *budget, const struct KillLimit *limit, usec_t now)
{
    unsigned spent = 0;

    for (size_t i = 0; i < POLICY_BUDGET_MAX; i++)
        if (counts(budget->spent_usec[i], limit, now))
            spent++;
    return spent >= limit->kills ? 0 : limit->kills - spent;
}

void budget_spend(struct KillBudget *budget, usec_t now)
{
    /* 0 stands for "none". */
    budget->spent_usec[budget->next] = now > 0 ? now : 1;
    budget->next = (budget->next + 1) % POLICY_BUDGET_MAX;
}

usec_t budget_room_usec(const struct KillBudget *budget, const struct KillLimit *limit, usec_t now)
{
    usec_t first = USEC_INFINITY;

    if (budget_left(budget, limit, now) > 0)
        return now;
    if (limit->kills == 0)
        return USEC_INFINITY;
    for (size_t i = 0; i < POLICY_BUDGET_MAX; i++)
        if (counts(budget->spent_usec[i], limit, now))
            first = usec_min(first, usec_add(budget->spent_usec[i], limit->window_usec));
    return first;
}
