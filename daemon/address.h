/* SPDX-License-Identifier: GPL-2.0 */
/* The group's addresses: here while this host speaks, not here otherwise. What fails is tried again every second. */
#ifndef FTCP_ADDRESS_H
#define FTCP_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include "config.h"
#include "loop.h"

#define ADDRESS_SPACING_MS 100	/* between announcements */

struct nl_sock;

struct addresses {
	struct loop *loop;
	const struct config *config;
	/* Round 0: the addresses are here and were announced; then once for each round of announcements, at least one. */
	void (*announced)(void *arg, unsigned int round);
	void *arg;
	struct nl_sock *sock;
	struct loop_timer retry;
	struct loop_timer spacing;
	bool known;		/* addresses_follow() was called */
	bool wanted;
	unsigned int round;
	int told[CONFIG_ADDRESSES_MAX];	/* the trouble that was logged for each, 0: none */
};

/** addresses_open() - 0 or -errno; touches no address */
int addresses_open(struct addresses *addresses, struct loop *loop, const struct config *config,
		   void (*announced)(void *arg, unsigned int round), void *arg);
/** addresses_close() - leaves the addresses as they are */
void addresses_close(struct addresses *addresses);

/** addresses_follow() - add and announce them, or remove them; nothing if that is how they are */
void addresses_follow(struct addresses *addresses, bool wanted);

#endif
