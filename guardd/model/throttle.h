/* A throttle slows a tenant down in one resource, and is taken off again without a trace: the files' former
 * lines are kept word by word, in the tenant and in the ledger, and written back.
 *
 *   cpu      cpu.max       a share of the CPU time that it used
 *   memory   memory.high   just below what it has in use
 *   io       io.max        a share of what it moved, of each device that it loads
 *
 * It is in force while one holder (a rule, the operator) wants it; the first one's amount stands, the last
 * one to let go takes it off. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/strain.h"

#define THROTTLE_LINE_MAX 96
#define THROTTLE_LINES_MAX STRAIN_DEVICES_MAX

struct ThrottleLine {
    char found[THROTTLE_LINE_MAX]; /* as the kernel showed it before: "max 100000", "8:16 rbps=max wbps=max
                                      ..." */
    char value[THROTTLE_LINE_MAX]; /* what was written */
    uint32_t slot;                 /* in the ledger; LEDGER_SLOT_NONE */
};

struct Throttle {
    uint32_t holders; /* bit i: HOLDER i */
    unsigned waiting; /* times the worker was asked to write and has not answered yet */
    bool told;        /* that somebody else replaced our line */
    size_t n_lines;   /* 0: not in force */
    struct ThrottleLine lines[THROTTLE_LINES_MAX];
};
