/* A file that `guardctl trace save` has written, in memory: entries of record/trace_entry.h, as bytes.
 * Whatever is in the file, it is refused with a sentence, or every entry of it can be read. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/trace_entry.h"

struct Recording {
    uint8_t *bytes; /* owned */
    size_t size, allocated;
    size_t *offsets; /* of each entry; owned */
    size_t n, n_allocated;
    bool partial; /* something had no room in the ring */
};

#define RECORDING_WHY_MAX 512

/* Caller frees, also on failure. -EBADMSG: it is no trace, or a damaged one; else it cannot be read.
 * `ret_why` (RECORDING_WHY_MAX) says why, with the line. */
int recording_load(const char *path, struct Recording *ret, char *ret_why);
void recording_free(struct Recording *recording);

/* `ret->text` is the recording's. */
void recording_get(const struct Recording *recording, size_t index, struct TraceEntry *ret);
