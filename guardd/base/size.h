/* Amounts as people write them: bytes in powers of 1024 (10G, 512M, as systemd's MemoryMax=), counts in
 * powers of 1000 (200k, 1M, as numbers of files are counted). Pure: no memory, no locale. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "10G", "1.5T", "4096", "64K", with an optional "B" or "iB" behind the suffix; upper and lower case suffixes
 * are the same. Behind a suffix, what is less than a byte is dropped ("1.1G" is no whole number, and is
 * meant); without one, a fraction is refused. false: it is no amount, is negative, or does not fit.
 * "infinity" is not an amount: the caller knows whether it may stand. */
bool size_parse_bytes(const char *text, uint64_t *ret_bytes);
/* "200k", "1M", "1500"; K and k are the same. A fraction must come to a whole number. */
bool size_parse_count(const char *text, uint64_t *ret_count);

/* "9.8G", "512M", "4096" (below 10K exactly): 3 significant digits at most (4 from
 * 1000 on: "1023M") and a suffix. Return `buf`. */
const char *size_format_bytes(uint64_t bytes, char *buf, size_t size);
/* "200k", "1.02M", "9999" (below 10k exactly). */
const char *size_format_count(uint64_t count, char *buf, size_t size);
#define SIZE_FORMAT_MAX 24
