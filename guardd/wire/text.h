/* Text from outside on the wire. The name of a cgroup or a container may hold any byte but NUL; JSON
 * takes valid UTF-8 alone, so that one bad byte would hide a whole list, and a terminal obeys control
 * characters. So every such text crosses the wire with what is not printable written as \xNN, and is
 * cleaned once more before it is shown. Cleaning a clean text changes nothing. */
#pragma once

#include <systemd/sd-json.h>

/* A copy with \xNN for every byte that is no part of a printable character: broken UTF-8, control
 * characters (the C1 ones too), line separators and marks that turn the direction of writing. Caller
 * frees; NULL: no memory. */
char *wire_text_clean(const char *text);

/* The same as a JSON string, for SD_JSON_BUILD_CALLBACK; `userdata` is the text. -ENOMEM. */
int wire_text_build(sd_json_variant **ret, const char *name, void *userdata);

#define WIRE_BUILD_TEXT(text) SD_JSON_BUILD_CALLBACK(wire_text_build, (void *)(text))
#define WIRE_PAIR_TEXT(name, text) SD_JSON_BUILD_PAIR(name, WIRE_BUILD_TEXT(text))
/* Left out when it is "". */
#define WIRE_PAIR_TEXT_IF_ANY(name, text)                                                                    \
    SD_JSON_BUILD_PAIR_CONDITION((text)[0] != '\0', name, WIRE_BUILD_TEXT(text))
