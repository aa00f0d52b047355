/* A tenant's network, for people. */
#pragma once

#include <systemd/sd-json.h>

/* Its links and what they may carry, or why it is not shaped; nothing when guardd has not looked. */
void print_network(sd_json_variant *tenant);
