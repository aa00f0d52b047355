/* Calls that fail when a test says so. The linker leads the calls that the libraries under test make of the
 * functions in failing.c there first (--wrap); what those functions call in turn is not seen, nor are the
 * calls of other threads. */
#pragma once

#include <stdbool.h>

/* Of all that allocate, whichever comes. */
#define ANY_ALLOCATION ((const char *)0)

/* The `nth` call of `function`, from 1 on, fails with this number; all others are as always. */
void fail_call(const char *function, unsigned nth, int error);
/* Has it come to that? Nothing fails from here on. */
bool call_failed(void);

/* From now on a directory has each of its entries twice: one that changes while it is read may do so. */
void list_twice(bool yes);

/* Once for each call of `function` that the body makes, which fails there, and once more, when none does: the
 * body begins with the calls, then asks call_failed(), and has to break when none has. */
#define EACH_FAILURE(nth, function, error)                                                                   \
    for (unsigned nth = (fail_call(function, 1, error), 1);; fail_call(function, ++nth, error))
