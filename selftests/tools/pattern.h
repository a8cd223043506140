/* SPDX-License-Identifier: GPL-2.0 */
/* Pseudo-random bytes that can be made at any offset: what a stream has to be, without keeping it. */
#ifndef PATTERN_H
#define PATTERN_H

#include <stddef.h>
#include <stdint.h>

/** pattern_fill() - bytes [offset, offset + len) of the stream @seed */
void pattern_fill(uint64_t seed, uint64_t offset, void *to, size_t len);

/** pattern_differs() - where the first byte is that is not of the stream, or -1 */
long pattern_differs(uint64_t seed, uint64_t offset, const void *bytes, size_t len);

/** pattern_next() - a sequence of random numbers; advances @state */
uint64_t pattern_next(uint64_t *state);

#endif
