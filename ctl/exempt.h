/* An exemption in a reply, for people: shared by exempt, show and list. */
#pragma once

#include <stddef.h>

#include <systemd/sd-json.h>

/* "until 2025-06-01 14:03:12 (in 58min), by alice (uid 1000)" of the `exemption` of an object; NULL when it
 * has none. Returns `buf`. */
const char *exemption_text(sd_json_variant *object, char *buf, size_t size);
#define EXEMPTION_TEXT_MAX 192
/* "58min": how long it still lasts. NULL when there is none. Returns `buf`. */
const char *exemption_left(sd_json_variant *object, char *buf, size_t size);
