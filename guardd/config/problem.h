/* Problems as they are found: a complaint says what is wrong and what would be right, a place says where.
 * A complaint is of fixed size, so that whoever finds one need not think of memory; a line is at most
 * CONFIG_LINE_MAX long, so that all of it fits. */
#pragma once

#include <stdbool.h>

#include "config/config.h"

#define COMPLAINT_MAX 1536 /* the names of all readings fit into half of it */

struct Complaint {
    char what[COMPLAINT_MAX];
    char right[COMPLAINT_MAX]; /* "": what the key's own entry in the table says */
};

/* Where something stands. `file` is borrowed. */
struct Place {
    const char *file;
    unsigned line; /* 0: of no single line */
};

/* Fill one half of a complaint; both return false, for `return complain(...)`. */
bool complain(struct Complaint *complaint, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool complain_right(struct Complaint *complaint, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Returns 0, also when there are too many already, or -ENOMEM. */
int problem_add(struct Problems *problems, struct Place place, const struct Complaint *complaint);
int problem_add_text(struct Problems *problems, struct Place place, const char *what, const char *right);
