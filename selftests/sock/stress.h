/* SPDX-License-Identifier: GPL-2.0 */
/* sock_stress: many threads on one socket. What is done is drawn from a seed; the kernel decides in which order. */
#ifndef STRESS_H
#define STRESS_H

#include <stdatomic.h>
#include "run.h"

#define HANGS_AFTER_S	120

struct dice {
	uint64_t state;
};

uint32_t roll(struct dice *dice, uint32_t sides);	/* below @sides */

struct stress {
	struct run run;
	uint64_t seed;
	unsigned int conns;
	int only;		/* one connection alone, by its number; -1: all */
	bool verbose;
};

/* A thread that has a name, so that one that hangs can be told. */
struct actor {
	pthread_t thread;
	const char *name;
	void (*act)(struct actor *actor);
	void *of;
	uint32_t part;
	struct dice dice;
};

void actor_start(struct actor *actor, const char *name, void (*act)(struct actor *actor), void *of, uint32_t part, struct dice *from);
/** actor_join() - waits, but not for ever: who hangs is told, with what he belongs to, and the program ends */
void actor_join(struct actor *actor, const char *belongs_to);

/** wrong() - what should not be is printed, and counted */
void wrong(const char *belongs_to, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** stress_transfer() - connection @no: both directions at once, by many threads and perhaps a child, with or without violence */
void stress_transfer(const struct stress *stress, int listener, uint32_t no);
/** stress_accept() - many threads accept from one listener that is closed and opened again; many clients come and go */
void stress_accept(const struct stress *stress);

#endif
