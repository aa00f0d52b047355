/* Reading a reply. What is not there, or not of the type asked for, reads as absent: an older or newer
 * guardd must not crash guardctl. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-json.h>

/* NULL when absent. Owned by the reply. */
const char *reply_text(sd_json_variant *object, const char *key);
const char *reply_text_or(sd_json_variant *object, const char *key, const char *otherwise);
sd_json_variant *reply_object(sd_json_variant *object, const char *key);
/* The element of a list; NULL behind its end. */
sd_json_variant *reply_item(sd_json_variant *object, const char *key, size_t index);

bool reply_number(sd_json_variant *object, const char *key, int64_t *ret);
bool reply_unsigned(sd_json_variant *object, const char *key, uint64_t *ret);
bool reply_flag(sd_json_variant *object, const char *key); /* absent: false */

/* As decimal digits into `buf`, or `otherwise`; returns either. */
const char *reply_digits(sd_json_variant *object, const char *key, const char *otherwise, char *buf,
                         size_t size);
#define REPLY_DIGITS_MAX 24
/* A duration in microseconds, for people. NULL when absent. */
const char *reply_duration(sd_json_variant *object, const char *key, char *buf, size_t size);

/* The whole reply as one JSON document on standard output, over many lines or on one. What a terminal would
 * obey is escaped. */
void reply_print_pretty(sd_json_variant *reply);
void reply_print_line(sd_json_variant *reply);
