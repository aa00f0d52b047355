/* One description of fields, four ways through it: a function that names each field of a structure once
 * writes it as bytes, reads it from bytes, makes JSON of it, and reads it from JSON.
 *
 * Bytes: numbers of variable length (7 bits a byte, small ones short), texts behind their length; in the
 * order of the fields. JSON: an object; what is 0, false or "" is left out. Writing bytes allocates nothing.
 *
 * The first error stays, and everything behind it is passed over: -ENOSPC (no room for the bytes), -EBADMSG
 * (what is read is damaged; `field` says where), -ENOMEM. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-json.h>

#include "base/usec.h"
#include "model/reading.h"

enum CoderWay {
    CODER_WRITE, /* structure -> bytes */
    CODER_READ,  /* bytes -> structure */
    CODER_MAKE,  /* structure -> JSON */
    CODER_PARSE, /* JSON -> structure */
};

#define CODER_PAIRS_MAX 96

struct Coder {
    enum CoderWay way;
    int error;         /* 0, or negative */
    const char *field; /* that the error is about */

    uint8_t *bytes; /* WRITE: where to; READ: where from; borrowed */
    size_t size, at;

    sd_json_variant *pairs[CODER_PAIRS_MAX]; /* MAKE: names and values, owned */
    size_t n_pairs;
    sd_json_variant *object; /* PARSE; borrowed */
};

struct Coder coder_write(uint8_t *bytes, size_t size);
/* Texts of coder_span() point into the bytes. */
struct Coder coder_read(const uint8_t *bytes, size_t size);
struct Coder coder_make(void);
/* Texts of coder_span() point into `object`. */
struct Coder coder_parse(sd_json_variant *object);

/* The end of coder_make(): the object, or what went wrong. Releases everything. */
int coder_made(struct Coder *coder, sd_json_variant **ret);

/* A value that says that something is wrong with what was read. */
void coder_refuse(struct Coder *coder, const char *field);

void coder_number(struct Coder *coder, const char *name, uint64_t *value);
/* The same of other sizes; what does not fit when it is read is refused. */
void coder_u32(struct Coder *coder, const char *name, uint32_t *value);
void coder_size(struct Coder *coder, const char *name, size_t *value, size_t max);
void coder_flag(struct Coder *coder, const char *name, bool *value);
/* A point in time: USEC_INFINITY is written short, and left out of JSON, where 0 is not. */
void coder_usec(struct Coder *coder, const char *name, usec_t *value);
/* `value` is below `count`, or -1, which is written as ""; `name_of` names it. */
void coder_choice(struct Coder *coder, const char *name, int *value, int count, const char *(*name_of)(int));
/* `size`: of `text`, NUL included. What is no text in it becomes \xNN in JSON. */
void coder_text(struct Coder *coder, const char *name, char *text, size_t size);
/* A text of any length that is somebody else's; it is UTF-8. */
void coder_span(struct Coder *coder, const char *name, const char **text, size_t *size);
/* `n` elements of `item_size` bytes, at most `max`. */
void coder_list(struct Coder *coder, const char *name, size_t *n, size_t max, void *items, size_t item_size,
                void (*each)(struct Coder *coder, void *item));
/* Those that are valid. In JSON by name: {"tasks.current": [1024, 2048]}, the limit where there is one. */
void coder_readings(struct Coder *coder, const char *name, struct Readings *readings);
