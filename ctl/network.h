/* A tenant's network, for people. */
#pragma once

#include <stdbool.h>

#include <systemd/sd-json.h>

/* Its links and what they may carry, or why it is not shaped; nothing when guardd has not looked. */
void print_network(sd_json_variant *tenant);

/* Its links were read once, and a rate takes twice: it is worth asking again, after network_wait(). */
bool network_lacks_rates(sd_json_variant *tenant);
void network_wait(void);
