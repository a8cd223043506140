// SPDX-License-Identifier: GPL-2.0
/* TCP options. */
#include <string.h>
#include "packet_fuzz.h"

#define OPTS_MAX 40u

static void put(struct segment *seg, const void *bytes, unsigned int len)
{
	if (seg->opts_len + len > OPTS_MAX)
		return;
	memcpy(seg->opts + seg->opts_len, bytes, len);
	seg->opts_len += len;
}

static void put32(uint8_t *to, uint32_t value)
{
	for (int i = 3; i >= 0; i--, value >>= 8)
		to[i] = value;
}

void option_mss(struct segment *seg, uint16_t mss)
{
	put(seg, (uint8_t[]){ 2, 4, mss >> 8, mss }, 4);
}

void option_timestamp(struct segment *seg, uint32_t val, uint32_t ecr)
{
	uint8_t bytes[12] = { 1, 1, 8, 10 };

	put32(bytes + 4, val);
	put32(bytes + 8, ecr);
	put(seg, bytes, sizeof(bytes));
}

void options_syn(struct fuzz *fuzz, struct segment *seg, bool ts, uint32_t tsval)
{
	static const uint16_t sizes[] = { 1460, 1440, 1220, 536, 88, 64, 1, 0, 65535 };

	if (!one_in(fuzz, 8))
		option_mss(seg, sizes[one_in(fuzz, 4) ? range(fuzz, COUNT(sizes)) : 0]);
	if (!one_in(fuzz, 4))
		put(seg, (uint8_t[]){ 1, 3, 3, one_in(fuzz, 6) ? range(fuzz, 256) : 7 }, 4);
	if (!one_in(fuzz, 4))
		put(seg, (uint8_t[]){ 1, 1, 4, 2 }, 4);
	if (ts)
		option_timestamp(seg, tsval, one_in(fuzz, 8) ? any32(fuzz) : 0);
}

/* Blocks that may be about something, the wrong way round, or far away. */
static void put_sack(struct fuzz *fuzz, struct segment *seg)
{
	unsigned int n = 1 + range(fuzz, 4);
	uint8_t bytes[34] = { 5, 2 + 8 * n };
	uint32_t left = seg->ack, right;

	for (unsigned int i = 0; i < n; i++) {
		left += range(fuzz, 4000) - (one_in(fuzz, 4) ? 100000 : 0);
		right = left + (one_in(fuzz, 6) ? any32(fuzz) : range(fuzz, 3000));
		put32(bytes + 2 + 8 * i, left);
		put32(bytes + 6 + 8 * i, right);
	}
	put(seg, bytes, 2 + 8 * n);
}

static void put_one(struct fuzz *fuzz, struct segment *seg)
{
	static const uint8_t kinds[] = { 2, 3, 4, 5, 8, 19, 29, 30, 34, 69, 253, 254 };
	uint8_t bytes[40];

	pattern_fill(pattern_next(&fuzz->rnd), 0, bytes, sizeof(bytes));
	switch (range(fuzz, 6)) {
	case 0: put(seg, (uint8_t[]){ 0, 0xff, 2, 4 }, 4); break;	/* the end, and more */
	case 1: put_sack(fuzz, seg); break;
	case 2: option_timestamp(seg, any32(fuzz), any32(fuzz)); break;
	case 3: put(seg, bytes, 1 + range(fuzz, sizeof(bytes))); break;
	default:
		bytes[0] = kinds[range(fuzz, COUNT(kinds))];
		bytes[1] = one_in(fuzz, 3) ? range(fuzz, 256) : range(fuzz, 20);
		put(seg, bytes, 2 + range(fuzz, 18));
	}
}

void options_garbage(struct fuzz *fuzz, struct segment *seg)
{
	unsigned int n = 1 + range(fuzz, 4);

	if (one_in(fuzz, 2))
		seg->opts_len = 0;
	while (n--)
		put_one(fuzz, seg);
}
