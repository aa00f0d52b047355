#include "model/override.h"

const char *override_layer_name(enum OverrideLayer layer)
{
    static const char *const names[OVERRIDE_LAYERS] = {
        [OVERRIDE_PERSISTENT] = "persistent",
        [OVERRIDE_RUNTIME] = "runtime",
        [OVERRIDE_TIMED] = "timed",
        [OVERRIDE_TIMED_RUNTIME] = "timed",
    };

    return names[layer];
}

const struct OverrideEntry *override_topmost(const struct Override *override, enum LimitId limit)
{
    const struct OverrideEntry *top = NULL;

    for (size_t i = 0; override && i < override->n; i++)
        if (override->entries[i].limit == limit && (!top || override->entries[i].layer > top->layer))
            top = &override->entries[i];
    return top;
}
