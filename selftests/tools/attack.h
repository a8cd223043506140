/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the attacker share among themselves. */
#ifndef ATTACK_H
#define ATTACK_H

#include "packet_fuzz.h"

#define CROWD_MAX 4096

struct attack {
	struct fuzz fuzz;
	unsigned int conns;
	double seconds, rate;
};

extern struct attack attack;

/* ---- attack_crowd.c: connections of addresses where nobody lives ---- */

/** crowd_step() - one of the crowd opens its connection or, if that is done, does @then with it */
struct member;
typedef void (*member_fn)(struct member *member);
void crowd_step(member_fn then);
void member_holes(struct member *member);	/* islands, of a byte or of a segment; SACKs of what was never sent */
void member_crumbs(struct member *member);	/* bytes one by one, forwards with overlap, backwards, and first the even ones */
void member_overlap(struct member *member);	/* what was sent already, with other bytes, shifted; windows that shrink */
void member_hoard(struct member *member);	/* as much as the server takes; its echo is never let in */
void member_options(struct member *member);	/* good segments with options that are not */
unsigned int crowd_open(void);

/* ---- attack_slow.c: this host's own, real connections ---- */

/** slow_run() - @conns connections that write what they can and read next to nothing; how many were opened */
unsigned int slow_run(const char *address, uint16_t port, unsigned int conns, double seconds);

#endif
