/* A story (story.h) as a timeline for people, at most 80 columns wide: the readings with their thresholds,
 * why this tenant, each step, what came of it and after how long, what was undone. Pure but for the names of
 * users. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include <systemd/sd-json.h>

struct TaleStyle {
    bool utf8;                          /* sparklines of blocks */
    const char *bold, *warning, *plain; /* what switches to a style, "" */
};

void tale_print(FILE *file, sd_json_variant *story, const struct TaleStyle *style);
