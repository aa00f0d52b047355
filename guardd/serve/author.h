/* Who a peer is, for the record of what it changes: user and process, as the kernel knows them. */
#pragma once

#include <systemd/sd-varlink.h>

#include "model/author.h"

/* What cannot be known is left out: a peer that is gone has no command line, and its number may be another's
 * by now. Names are those of `passwd_file`; nobody is asked over a network. */
void author_of_peer(const char *passwd_file, sd_varlink *link, struct Author *ret);
