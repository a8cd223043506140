// SPDX-License-Identifier: GPL-2.0
/* What the client sends says where in the stream it belongs: what the service sends back can be checked without being kept. */
#include "play.h"

uint8_t pattern_byte(int64_t position)
{
	uint32_t x = (uint32_t)position * 2654435761u;

	return x >> 24 ^ x >> 13;
}

void pattern_fill(uint8_t *to, int64_t from, unsigned int len)
{
	for (unsigned int i = 0; i < len; i++)
		to[i] = pattern_byte(from + i);
}
