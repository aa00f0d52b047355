/* When= and Until= held against readings. A reading that is not valid holds nothing: neither does a rule
 * begin on it, nor does the danger pass. A value that is READING_UNLIMITED ("never") is more than any number.
 */
#pragma once

#include <stdbool.h>

#include "model/policy.h"
#include "model/reading.h"

/* Is it true now, whatever `for` asks? */
bool condition_holds(const struct Condition *condition, const struct Readings *readings);

/* What a condition is held against, as a text: "tasks.denied 37 (> 0)", "tasks.current 1024 of 1024, 100% (<
 * 50%)", "disk.space 8.2G of 10G, 82% (> 80%)", "disk.eta never (< 2min)", "memory.pressure.full 34.2% (>
 * 20%)". Returns `buf`. */
const char *condition_evidence(const struct Condition *condition, const struct Readings *readings, char *buf,
                               size_t size);
#define CONDITION_EVIDENCE_MAX 128
