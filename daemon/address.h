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
	bool added;		/* one of them was not there */
	unsigned int round;
	int told[CONFIG_ADDRESSES_MAX];	/* the trouble that was logged for each, 0: none */
};

/** addresses_open() - 0 or -errno; touches no address */
int addresses_open(struct addresses *addresses, struct loop *loop, const struct config *config,
		   void (*announced)(void *arg, unsigned int round), void *arg);
/** addresses_close() - leaves the addresses as they are */
void addresses_close(struct addresses *addresses);

/**
 * addresses_follow() - add and announce them, or remove them; nothing if that is how they are
 *
 * The first time, those that are there already are not announced: this process begins, the address has not moved.
 */
void addresses_follow(struct addresses *addresses, bool wanted);
/** addresses_announce() - again, if they are here: someone else may have done so */
void addresses_announce(struct addresses *addresses);

#endif
