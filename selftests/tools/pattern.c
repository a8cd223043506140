// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "pattern.h"

#define GOLDEN 0x9e3779b97f4a7c15ull
#define WORD sizeof(uint64_t)

/* splitmix64, which is as good a function of a counter as it is a generator. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

static uint64_t word_at(uint64_t seed, uint64_t index)
{
	return mix(mix(seed) + index * GOLDEN);
}

uint64_t pattern_next(uint64_t *state)
{
	*state += GOLDEN;
	return mix(*state);
}

void pattern_fill(uint64_t seed, uint64_t offset, void *to, size_t len)
{
	unsigned char *at = to;
	uint64_t word;
	size_t skip, n;

	while (len) {
		word = word_at(seed, offset / WORD);
		skip = offset % WORD;
		n = WORD - skip < len ? WORD - skip : len;
		memcpy(at, (unsigned char *)&word + skip, n);
		at += n;
		offset += n;
		len -= n;
	}
}

long pattern_differs(uint64_t seed, uint64_t offset, const void *bytes, size_t len)
{
	const unsigned char *is = bytes;
	unsigned char should[4096];
	size_t at, n, i;

	for (at = 0; at < len; at += n) {
		n = len - at < sizeof(should) ? len - at : sizeof(should);
		pattern_fill(seed, offset + at, should, n);
		if (!memcmp(is + at, should, n))
			continue;
		for (i = 0; is[at + i] == should[i]; i++)
			;
		return at + i;
	}
	return -1;
}
