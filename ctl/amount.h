/* Amounts in a reply as people write them: sizes in powers of 1024 (8.24G), numbers of files in thousands
 * (200k), numbers of tasks exactly. */
#pragma once

#include <stddef.h>

#include <systemd/sd-json.h>

#define AMOUNT_MAX 64

/* Each returns `buf`, or `otherwise` when there is no such field. */
const char *amount_bytes(sd_json_variant *object, const char *key, const char *otherwise, char *buf,
                         size_t size);
const char *amount_files(sd_json_variant *object, const char *key, const char *otherwise, char *buf,
                         size_t size);

/* Bits per second: "10Mbit". */
const char *amount_bits(sd_json_variant *object, const char *key, const char *otherwise, char *buf,
                        size_t size);

/* A LimitValue or a number of a Limit object, by what that limit counts. */
const char *amount_limit(sd_json_variant *limit, const char *key, const char *otherwise, char *buf,
                         size_t size);
const char *amount_limit_used(sd_json_variant *limit, const char *otherwise, char *buf, size_t size);

/* The value of a Reading object. */
const char *amount_reading(sd_json_variant *reading, const char *otherwise, char *buf, size_t size);

/* "82%" of two numbers of an object, rounded down; "" when there is no limit. */
const char *amount_percent(sd_json_variant *object, const char *used_key, const char *limit_key, char *buf,
                           size_t size);
