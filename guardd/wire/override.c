/* What operators have set, as JSON; see codec.h. */
#include "base/cleanup.h"
#include "wire/codec.h"
#include "wire/text.h"

#define _cleanup_json_ _cleanup_(sd_json_variant_unrefp)

static int entry_object(const struct OverrideEntry *entry, usec_t realtime_usec, bool full, bool topmost,
                        sd_json_variant **ret)
{
    _cleanup_json_ sd_json_variant *value = NULL;
    const struct Author *author = &entry->author;
    bool timed = override_is_timed(entry->layer);
    usec_t until = entry->until_realtime_usec;
    int r = sd_json_buildo(&value, SD_JSON_BUILD_PAIR_CONDITION(entry->value != LIMIT_INFINITY, "value",
                                                                SD_JSON_BUILD_UNSIGNED(entry->value)));

    if (r < 0)
        return r;
    return sd_json_buildo(
        ret, SD_JSON_BUILD_PAIR_STRING("limit", limit_info(entry->limit)->directive),
        SD_JSON_BUILD_PAIR_VARIANT("value", value),
        SD_JSON_BUILD_PAIR_STRING("layer", override_layer_name(entry->layer)),
        SD_JSON_BUILD_PAIR_BOOLEAN("runtime", override_is_runtime(entry->layer)),
        SD_JSON_BUILD_PAIR_BOOLEAN("topmost", topmost), SD_JSON_BUILD_PAIR_UNSIGNED("uid", author->uid),
        WIRE_PAIR_TEXT_IF_ANY("user", author->name),
        SD_JSON_BUILD_PAIR_CONDITION(full && author->pid > 0, "pid", SD_JSON_BUILD_INTEGER(author->pid)),
        WIRE_PAIR_TEXT_IF_ANY("command", full ? author->command : ""),
        SD_JSON_BUILD_PAIR_UNSIGNED("setRealtimeUsec", entry->set_realtime_usec),
        SD_JSON_BUILD_PAIR_CONDITION(timed, "untilRealtimeUsec", SD_JSON_BUILD_UNSIGNED(until)),
        SD_JSON_BUILD_PAIR_CONDITION(
            timed, "leftUsec", SD_JSON_BUILD_UNSIGNED(until > realtime_usec ? until - realtime_usec : 0)));
}

/* The entry of this limit on this layer, NULL. */
static const struct OverrideEntry *find_entry(const struct Override *override, enum LimitId limit, int layer)
{
    for (size_t i = 0; i < override->n; i++)
        if (override->entries[i].limit == limit && (int) override->entries[i].layer == layer)
            return &override->entries[i];
    return NULL;
}

static int limit_entries(const struct Override *override, enum LimitId limit, usec_t realtime_usec, bool full,
                         sd_json_variant **list)
{
    const struct OverrideEntry *top = override_topmost(override, limit);
    int r = 0;

    for (int layer = OVERRIDE_LAYERS - 1; top && layer >= 0 && r >= 0; layer--) {
        const struct OverrideEntry *entry = find_entry(override, limit, layer);
        _cleanup_json_ sd_json_variant *element = NULL;

        if (!entry)
            continue;
        r = entry_object(entry, realtime_usec, full, entry == top, &element);
        if (r >= 0)
            r = sd_json_variant_append_array(list, element);
    }
    return r;
}

int wire_overrides(const struct Override *override, usec_t realtime_usec, bool full, sd_json_variant **ret)
{
    int r = sd_json_variant_new_array(ret, NULL, 0);

    for (int limit = 0; override && limit < LIMIT_COUNT && r >= 0; limit++)
        r = limit_entries(override, limit, realtime_usec, full, ret);
    return r;
}
