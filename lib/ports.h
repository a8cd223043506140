/* SPDX-License-Identifier: GPL-2.0 */
/* A set of ports, as people write it: 80,443,8000-8100. */
#ifndef FTCP_PORTS_H
#define FTCP_PORTS_H

#include <stdbool.h>
#include <stdint.h>

struct ports {
	uint8_t bits[65536 / 8];
};

/* Adds to the set. False: not such a list; then some of it may have been added. */
bool ports_parse(struct ports *ports, const char *list);

static inline bool ports_have(const struct ports *ports, uint16_t port)
{
	return ports->bits[port / 8] & 1 << port % 8;
}

#endif
