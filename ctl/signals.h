/* What ends a verb that goes on until it is told to end. */
#pragma once

/* From now on ^C, SIGTERM and a terminal that hangs up are read from the descriptor that is returned (the
 * caller closes it), so that there is time to leave the terminal as it was. A negative errno on failure. */
int signals_open(void);
