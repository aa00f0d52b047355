/* Answers that say no: a typed error of the interface with its sentence. */
#pragma once

#include <systemd/sd-varlink.h>

#include "model/decision.h"

int answer_error(sd_varlink *link, const char *error, const char *message);

/* What was asked for failed with `r`, a negative errno; `what`: "freeze". */
int answer_failure(sd_varlink *link, const char *what, int r);

/* So it did, or came too late: an outcome that is no success. */
int answer_unsuccessful(sd_varlink *link, const char *what, const struct Outcome *outcome);
