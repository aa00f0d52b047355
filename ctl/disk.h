/* A tenant on disk, for people: shared by show and check. */
#pragma once

#include <systemd/sd-json.h>

/* Each directory of the list `directories` with its state, and why it does not count; nothing when there is
 * none. */
void print_directories(sd_json_variant *object);

/* A line for each filesystem of the list `shares`. */
void print_shares(sd_json_variant *object);
